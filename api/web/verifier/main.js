// The file that the page loads, and that its workers run. README.md says what the page holds.

import { isList, read } from "./canonical.js";
import { emptyStore } from "./kept.js";
import { forget } from "./memory.js";
import { browserEd25519 } from "./note.js";
import { startWorkers, work } from "./pool.js";
import { readQuestion } from "./query.js";
import { Refused } from "./refused.js";
import { Rendering } from "./rendering.js";
import { loadSha256 } from "./sha256.js";
import { reader, required } from "./source.js";
import { verify } from "./verify.js";

/**
 * Gives the page's buttons their work: to verify, to stop that, and to forget what earlier ones left in this browser.
 *
 * @param {HTMLElement} section
 */
function prepare(section) {
  const rendering = new Rendering(section);
  const [start, stop, forgetting] = ["verify", "stop", "forget"].map((name) => {
    const button = section.querySelector(`button[data-${name}]`);
    if (!(button instanceof HTMLButtonElement)) throw new Error(`the page lacks the button ${name}`);
    return button;
  });
  if (start === undefined || stop === undefined || forgetting === undefined) return;
  let stopping = new AbortController();
  /** @param {boolean} running */
  const show = (running) => {
    const [gone, come] = running ? [start, stop] : [stop, start];
    const focused = document.activeElement === gone;
    start.hidden = forgetting.hidden = running;
    stop.hidden = !running;
    // Who works with the keyboard stays where the buttons are.
    if (focused) come.focus({ preventScroll: true });
  };
  start.addEventListener("click", async () => {
    stopping = new AbortController();
    show(true);
    rendering.begin();
    try {
      await run(section, rendering, stopping.signal);
      rendering.passed();
    } catch (error) {
      const refused = error instanceof Refused ? error : new Refused("UNEXPECTED", { message: String(error) });
      rendering.refused(refused);
      if (refused !== error) throw error;
    } finally {
      show(false);
    }
  });
  stop.addEventListener("click", () => stopping.abort());
  forgetting.addEventListener("click", async () => {
    const kept = storage();
    if (kept !== null) forget(kept, logOf(section));
    await emptyStore();
    rendering.forgotten();
  });
  show(false);
}

/** @param {HTMLElement} section */
function logOf({ dataset }) {
  return new URL(dataset["log"] ?? "/log", document.baseURI).href;
}

/**
 * @param {HTMLElement} section
 * @param {Rendering} rendering
 * @param {AbortSignal} signal
 */
async function run(section, rendering, signal) {
  const figure = figureOf(section, signal);
  const log = logOf(section);
  const verifyEd25519 = await browserEd25519(globalThis.crypto.subtle);
  const sha256 = await loadSha256();
  const workers = startWorkers(import.meta.url, log, navigator.hardwareConcurrency || 1, signal);
  try {
    const means = { log, read: reader(log, signal), hash: workers.hash, sha256, verifyEd25519, kept: storage(), signal };
    await verify(figure, means, rendering);
  } finally {
    workers.stop();
  }
}

/**
 * @param {HTMLElement} section
 * @param {AbortSignal} signal
 * @returns {import("./verify.js").Figure}
 */
function figureOf({ dataset }, signal) {
  const asked = parsed(dataset["query"] ?? "{}");
  const { unit, groupBy, filter, asOf = null, ...others } = asked;
  const positive = asOf === null || (typeof asOf === "number" && Number.isSafeInteger(asOf) && asOf >= 0);
  if (!positive || Object.keys(others).length > 0) throw new Refused("PAGE_MALFORMED");
  const { low, best, high, certificate } = dataset;
  return {
    query: readQuestion({ unit, groupBy, filter }),
    asOf,
    shown: [low, best, high].every((number) => number === undefined)
      ? null
      : { low: whole(low), best: whole(best), high: whole(high) },
    certificate: certificate === undefined ? null : () => fetched(certificate, signal),
  };
}

/**
 * @param {string} address of a certificate
 * @param {AbortSignal} signal
 */
function fetched(address, signal) {
  const { origin, pathname, search } = new URL(address, document.baseURI);
  return required(reader(origin, signal), `${pathname.slice(1)}${search}`);
}

/** @param {string} text */
function parsed(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refused("PAGE_MALFORMED");
  }
  if (typeof value !== "object" || value === null || isList(value)) throw new Refused("PAGE_MALFORMED");
  return /** @type {import("./json.d.ts").JsonObject} */ (value);
}

/** @param {string | undefined} digits */
function whole(digits) {
  const value = read(digits ?? null);
  if (typeof value !== "number") throw new Refused("PAGE_MALFORMED");
  return value;
}

/** The browser's memory; null where it lets the page keep nothing. One that is full is still to be read. */
function storage() {
  try {
    return localStorage;
  } catch (error) {
    if (error instanceof DOMException) return null;
    throw error;
  }
}

if (typeof document === "undefined") {
  work();
} else {
  const section = document.getElementById("verify");
  if (section !== null) prepare(section);
}
