// Workers that fetch and hash bundles while the page stays awake. They run the very file that the page runs.

import { Refused } from "./refused.js";
import { hashedBundle, reader } from "./source.js";
import { loadSha256 } from "./sha256.js";

/** @typedef {import("./source.js").Address} Address */
/** @typedef {import("./source.js").Hashed} Hashed */
/** @typedef {(address: Address) => Promise<Hashed>} HashBundle */
/** @typedef {{ base: string, address: Address, call: number }} Asked */
/** @typedef {ConstructorParameters<typeof Refused>} Refusal */
/** @typedef {{ call: number, hashed: Hashed } | { call: number, refused: Refusal }} Answered */

const MOST = 4;

/**
 * @param {string} script the address of the file that is running
 * @param {string} base of the log
 * @param {number} cores
 * @returns {{ hash: HashBundle, stop: () => void }}
 */
export function startWorkers(script, base, cores) {
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
    worker.onerror = () => {
      for (const { reject } of waiting.values()) reject(new Refused("UNAVAILABLE", { path: script }));
      waiting.clear();
    };
    return worker;
  });
  let calls = 0;
  return {
    hash: (address) =>
      new Promise((resolve, reject) => {
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
  // Where it cannot be loaded, each call says so.
  sha256.catch(() => undefined);
  onmessage = async (/** @type {MessageEvent<Asked>} */ { data: { base, address, call } }) => {
    try {
      const hashed = await hashedBundle(reader(base), await sha256, address);
      postMessage({ call, hashed });
    } catch (error) {
      // Nobody hears of what is thrown here.
      const refused = error instanceof Refused ? error : new Refused("UNEXPECTED", { message: String(error) });
      postMessage({ call, refused: [refused.code, refused.values] });
    }
  };
}
