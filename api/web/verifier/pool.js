// Workers that fetch and hash bundles while the page stays awake. They run the very file that the page runs.

import { KeptBundles, openStore } from "./kept.js";
import { Refused } from "./refused.js";
import { hashedBundles, reader } from "./source.js";
import { loadSha256 } from "./sha256.js";

/** @typedef {import("./source.js").Address} Address */
/** @typedef {import("./source.js").Hashed} Hashed */
/** @typedef {(address: Address) => Promise<Hashed>} HashBundles */
/** @typedef {{ base: string, address: Address, call: number }} Asked */
/** @typedef {ConstructorParameters<typeof Refused>} Refusal */
/** @typedef {{ call: number, hashed: Hashed } | { call: number, refused: Refusal }} Answered */

const MOST = 4;

/**
 * @param {string} script the address of the file that is running
 * @param {string} base of the log
 * @param {number} cores
 * @param {AbortSignal} signal
 * @returns {{ hash: HashBundles, stop: () => void }}
 */
export function startWorkers(script, base, cores, signal) {
  /** @type {Map<number, { resolve: (hashed: Hashed) => void, reject: (error: unknown) => void }>} */
  const waiting = new Map();
  const workers = Array.from({ length: Math.max(1, Math.min(MOST, cores)) }, () => {
    const worker = new Worker(script, { type: "module" });
    worker.onmessage = (/** @type {MessageEvent<Answered>} */ { data }) => {
      const asked = waiting.get(data.call);
      waiting.delete(data.call);
      if ("refused" in data) asked?.reject(new Refused(...data.refused));
      else asked?.resolve(data.hashed);
    };
    worker.onerror = () => refuse(new Refused("UNAVAILABLE", { path: new URL(script).pathname }));
    return worker;
  });
  /** @type {Refused | null} Why nothing is answered any more: a worker may be lost before anything is asked. */
  let ended = null;
  /** @param {Refused} refused */
  const refuse = (refused) => {
    ended = refused;
    for (const { reject } of waiting.values()) reject(refused);
    waiting.clear();
  };
  signal.addEventListener("abort", () => refuse(new Refused("STOPPED")));
  let calls = 0;
  return {
    hash: (address) =>
      new Promise((resolve, reject) => {
        if (ended !== null) throw ended;
        const call = (calls += 1);
        waiting.set(call, { resolve, reject });
        workers[call % workers.length]?.postMessage({ base, address, call });
      }),
    stop: () => workers.forEach((worker) => worker.terminate()),
  };
}

/** Answers the page, inside a worker. */
export function work() {
  const sha256 = loadSha256();
  const store = openStore();
  // Where they cannot be had, each call says so.
  sha256.catch(() => undefined);
  store.catch(() => undefined);
  onmessage = async (/** @type {MessageEvent<Asked>} */ { data: { base, address, call } }) => {
    try {
      const kept = await store;
      const hashed = await hashedBundles(reader(base), new KeptBundles(kept, base), await sha256, address);
      postMessage({ call, hashed }, { transfer: [hashed.open.data.buffer] });
    } catch (error) {
      // Nobody hears of what is thrown here.
      const refused = error instanceof Refused ? error : new Refused("UNEXPECTED", { message: String(error) });
      postMessage({ call, refused: [refused.code, refused.values] });
    }
  };
}
