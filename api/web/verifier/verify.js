// The verification of one figure, from the signature to the number. Everything outside is handed in: the log's files,
// the browser's cryptography, its memory, and who is told.

import { readUtf8 } from "./bytes.js";
import { checkCertificate, openCertificate } from "./certificate.js";
import { openCheckpoint } from "./checkpoint.js";
import { count } from "./count.js";
import { openLeaves, readLeaves } from "./leaves.js";
import { recall, remember } from "./memory.js";
import { openNote, readKey } from "./note.js";
import { asksTheSame, meets, quorumTime, readPolicy } from "./policy.js";
import { Recount } from "./recount.js";
import { Refused } from "./refused.js";
import { required } from "./source.js";

/** @typedef {import("./note.js").Key} Key */
/** @typedef {import("./steps.js").StepId} StepId */
/** @typedef {import("./steps.js").State} State */
/** @typedef {Record<string, string | number>} Values */
/**
 * The figure as the page shows it: its question, the size of the log that it was counted at, and its numbers. Null for
 * what the page does not show.
 *
 * @typedef {{
 *   query: import("./query.js").Query,
 *   asOf: number | null,
 *   shown: { low: number, best: number, high: number } | null,
 *   certificate: (() => Promise<Uint8Array>) | null,
 * }} Figure
 */
/**
 * What a verification works with. `kept` is null where the browser lets the page remember nothing; `signal` stops it.
 *
 * @typedef {{
 *   log: string,
 *   read: import("./source.js").Read,
 *   hash: import("./pool.js").HashBundles,
 *   sha256: import("./sha256.js").Sha256,
 *   verifyEd25519: import("./note.js").VerifyEd25519,
 *   kept: import("./memory.js").Kept | null,
 *   signal: AbortSignal,
 * }} Means
 */
/**
 * Who is told. `outcome` names the text that says how a step ended, `keys` are the public ones that signed, `evidence`
 * are documents to keep.
 *
 * @typedef {{
 *   step: (id: StepId, state: State, outcome?: string, values?: Values, keys?: string[], evidence?: string[]) => void,
 *   progress: (done: number, total: number) => void,
 * }} Report
 */

/**
 * Refused by the step that was reported last as running, or done when it returns.
 *
 * @param {Figure} figure
 * @param {Means} means
 * @param {Report} report
 */
export async function verify(figure, means, report) {
  const { log, sha256, kept } = means;

  report.step("checkpoint", "running");
  const earlier = kept === null ? null : await recall(kept, log, sha256, means.verifyEd25519);
  const keys = await servedKeys(means);
  const signed = await signedCheckpoint(means, keys.log, earlier);
  const { checkpoint } = signed;
  const { origin, size, root } = checkpoint;
  report.step("checkpoint", "passed", "signed", { origin, size, root }, signed.keys.map(shownKey));

  report.step("witnesses", "running");
  const policyFile = await checkWitnesses(means, signed, earlier, report);

  // What a log that went back, or a figure of the future, is refused for costs no leaves.
  const asOf = figure.asOf ?? size;
  const before = earlier?.checkpoint ?? null;
  if (before !== null && (before.size > size || (before.size === size && before.root !== root))) {
    report.step("memory", "running");
    throw contradiction(before.size > size ? "ROLLED_BACK" : "FORKED", before.size, size, earlier?.note, signed.note);
  }
  if (asOf > size) {
    report.step("count", "running");
    throw new Refused("FIGURE_AHEAD", { asOf, size });
  }

  report.step("leaves", "running");
  const sizes = new Set([asOf, ...(before === null ? [] : [before.size])]);
  const leaves = await readLeaves(checkpoint, sizes, means, (done) => report.progress(done, size));
  const { kept: here } = leaves;
  report.step("leaves", "passed", leaves.anew ? "anew" : here > 0 ? "kept" : "root", { size, here });

  report.step("memory", "running");
  if (before !== null && leaves.roots.get(before.size) !== before.root) {
    throw contradiction("FORKED", before.size, size, earlier?.note, signed.note);
  }
  // Now, not at the end: whatever is wrong with the figures, this log may never take these leaves back.
  const remembered = kept !== null && remember(kept, log, signed.keys, signed.note, policyFile);
  if (before !== null) report.step("memory", "passed", remembered ? "prefix" : "stale", { size: before.size });
  else report.step("memory", "noted", kept === null ? "blocked" : remembered ? "first" : "full");

  report.step("openings", "running");
  const { recount, counted } = await recounted(leaves, figure.query, asOf, means, (done) =>
    report.progress(done, size),
  );
  report.progress(size, size);
  const { openings, releases } = recount;
  report.step("openings", "passed", "kept", {
    leaves: recount.openLeaves,
    incidents: openings.incidents,
    releases: releases.published,
    opened: openings.opened,
    sealed: openings.sealed,
  });

  report.step("count", "running");
  const answer = counted();
  checkShown(figure.shown, answer);
  const { low, best, high } = answer;
  report.step("count", "passed", figure.shown === null ? "counted" : "agrees", { low, best, high, asOf });

  report.step("certificate", "running");
  if (figure.certificate === null) {
    report.step("certificate", "noted", "absent");
    return;
  }
  const note = readUtf8(await figure.certificate());
  const certificate = await openCertificate(note, keys.count, means.verifyEd25519);
  const rootThen = leaves.roots.get(asOf) ?? "";
  checkCertificate(certificate, { origin, size: asOf, root: rootThen, query: figure.query, count: answer });
  report.step("certificate", "passed", "agrees", { size: asOf }, certificate.keys.map(shownKey));
}

/**
 * The keys that the server shows. They prove nothing about who runs it: the page says so.
 *
 * @param {Means} means
 */
async function servedKeys({ read, sha256 }) {
  const shown = parsed(readUtf8(await required(read, "keys")));
  const log = shown.log.map((vkey) => readKey(sha256, vkey));
  const origin = log[0]?.name ?? "";
  if (log.length === 0 || log.some(({ name }) => name !== origin))
    throw new Refused("KEY_MALFORMED", { key: shown.log.join(" ") });
  const count = shown.count.map((vkey) => readKey(sha256, vkey)).filter(({ name }) => name === `${origin}/count/v1`);
  return { log, count };
}

/**
 * @param {string | null} text
 * @returns {{ log: string[], count: string[] }}
 */
function parsed(text) {
  /** @param {unknown} list */
  const texts = (list) => {
    if (!Array.isArray(list) || list.some((item) => typeof item !== "string"))
      throw new Refused("KEY_MALFORMED", { key: "/log/keys" });
    return /** @type {string[]} */ (list);
  };
  let value;
  try {
    value = JSON.parse(text ?? "");
  } catch {
    throw new Refused("KEY_MALFORMED", { key: "/log/keys" });
  }
  return { log: texts(value?.log), count: texts(value?.count) };
}

/**
 * The checkpoint, signed by a key that is shown, and by one that signed before where this browser remembers any: while
 * a key is replaced, both sign.
 *
 * @param {Means} means
 * @param {Key[]} shown
 * @param {import("./memory.js").Memory | null} earlier
 */
async function signedCheckpoint({ read, verifyEd25519 }, shown, earlier) {
  const note = readUtf8(await required(read, "checkpoint"));
  const remembered = earlier?.keys ?? [];
  const unknown = remembered.filter(({ vkey }) => shown.every((key) => key.vkey !== vkey));
  const signed = await openCheckpoint(note, [...shown, ...unknown], verifyEd25519);
  const known = signed.keys.some((key) => remembered.some(({ vkey }) => vkey === key.vkey));
  if (earlier !== null && !known)
    throw new Refused("NOT_SIGNED", { name: remembered.map(({ vkey }) => vkey).join(", ") });
  return { ...signed, note: note ?? "" };
}

/**
 * The quorum of the policy that the register publishes under, and of the one that it published under when this browser
 * verified before: a server may not ask for less without being noticed.
 *
 * @param {Means} means
 * @param {Awaited<ReturnType<typeof signedCheckpoint>>} signed
 * @param {import("./memory.js").Memory | null} earlier
 * @param {Report} report
 * @returns {Promise<Uint8Array>} the policy's file
 */
async function checkWitnesses({ read, sha256, verifyEd25519 }, signed, earlier, report) {
  const file = await required(read, "policy");
  const policy = readPolicy(sha256, file);
  const policies = earlier === null ? [policy] : [policy, earlier.policy];
  const keys = policies.flatMap(({ witnesses }) => witnesses.map(({ key }) => key));
  const { verified } = await openNote(signed.note, [...signed.keys, ...keys], verifyEd25519);
  const [times = new Map(), timesThen] = policies.map(
    ({ witnesses }) =>
      new Map(
        witnesses.flatMap(({ name, key }) => {
          const time = verified.find((signature) => signature.key.vkey === key.vkey)?.time;
          return typeof time === "number" ? [/** @type {const} */ ([name, time])] : [];
        }),
      ),
  );
  const witnesses = [...times.keys()].sort().map(readable).join(", ");
  if (!meets(policy, new Set(times.keys()))) {
    throw new Refused("QUORUM_MISSED", { quorum: readable(policy.quorum ?? ""), witnesses: witnesses || "-" });
  }
  const both = earlier === null ? [] : [earlier.policyFile, file].map((bytes) => new TextDecoder().decode(bytes));
  if (earlier !== null && !meets(earlier.policy, new Set(timesThen?.keys()))) {
    throw new Refused("POLICY_WEAKENED", { quorum: readable(earlier.policy.quorum ?? "") }, both);
  }
  if (earlier !== null && !asksTheSame(policy, earlier.policy)) {
    // Never silently: from now on the new one is remembered, and it may ask for less.
    const state = policy.quorum === null ? "noted" : "passed";
    report.step("witnesses", state, "changed", { witnesses: witnesses || "-" }, [], both);
  } else if (policy.quorum === null) report.step("witnesses", "noted", "none");
  else report.step("witnesses", "passed", "quorum", { witnesses, time: shownTime(quorumTime(policy, times) ?? 0) });
  return file;
}

/** Milliseconds after which the page gets a moment for itself. */
const BREATH = 40;

/**
 * All open leaves once through, and the count of those below `asOf`.
 *
 * @param {import("./leaves.js").Leaves} leaves
 * @param {import("./query.js").Query} query
 * @param {number} asOf
 * @param {Means} means
 * @param {(done: number) => void} progress
 */
async function recounted(leaves, query, asOf, { sha256, signal }, progress) {
  const recount = new Recount(sha256);
  /** @type {(() => import("./count.js").Count) | null} */
  let counted = null;
  const look = () => {
    const last = [...recount.disclosures.values()];
    const { definition } = recount.releases;
    return () => {
      Recount.checkDefinition(definition);
      return count(last, query);
    };
  };
  let breathed = performance.now();
  for (const [index, entry] of openLeaves(leaves)) {
    if (index >= asOf) counted ??= look();
    recount.add(index, entry);
    if (performance.now() - breathed > BREATH) {
      progress(index);
      await new Promise((resolve) => setTimeout(resolve));
      breathed = performance.now();
      if (signal.aborted) throw new Refused("STOPPED");
    }
  }
  return { recount, counted: counted ?? look() };
}

/**
 * @param {Figure["shown"]} shown
 * @param {import("./count.js").Count} actual
 */
function checkShown(shown, { low, best, high }) {
  // The answer's canonical form has no such number, and here it may be rounded.
  if (!Number.isSafeInteger(high)) throw new Refused("COUNT_TOO_LARGE");
  if (shown === null || (shown.low === low && shown.best === best && shown.high === high)) return;
  throw new Refused("COUNT_DIFFERS", {
    shown: `${shown.low} / ${shown.best} / ${shown.high}`,
    counted: `${low} / ${best} / ${high}`,
  });
}

/**
 * Two notes that one key signed and that cannot both be true are a proof to keep.
 *
 * @param {"ROLLED_BACK" | "FORKED"} code
 * @param {number} before
 * @param {number} size
 * @param {string} [remembered]
 * @param {string} [shown]
 */
function contradiction(code, before, size, remembered = "", shown = "") {
  return new Refused(code, { before, size }, [remembered, shown]);
}

/** @param {Key} key */
function shownKey({ vkey }) {
  return vkey;
}

/** @param {string} octets a name in a policy, as text */
function readable(octets) {
  return new TextDecoder().decode(Uint8Array.from(octets, (character) => character.charCodeAt(0)));
}

/** @param {number} seconds since 1970 */
function shownTime(seconds) {
  const date = new Date(1000 * seconds);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString().replace(".000", "");
}
