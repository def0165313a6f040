// What this browser saw of a log before. Only who remembers notices a fork or a rollback.

import { readBase64, writeBase64 } from "./bytes.js";
import { isList, members, read, write } from "./canonical.js";
import { openCheckpoint } from "./checkpoint.js";
import { readKey } from "./note.js";
import { readPolicy } from "./policy.js";
import { Refused } from "./refused.js";

/** @typedef {import("./note.js").Key} Key */
/**
 * The keys that signed then; the checkpoint, as a note and what it says; the witnesses that were asked for, as a file and
 * what it says.
 *
 * @typedef {{
 *   keys: Key[],
 *   note: string,
 *   checkpoint: import("./checkpoint.js").Checkpoint,
 *   policyFile: Uint8Array,
 *   policy: import("./policy.js").Policy,
 * }} Memory
 */

/**
 * The part of `localStorage` that is used.
 *
 * @typedef {Pick<Storage, "getItem" | "setItem">} Kept
 */

/**
 * @param {Kept} kept
 * @param {string} log its address
 * @param {import("./sha256.js").Sha256} sha256
 * @param {import("./note.js").VerifyEd25519} verifyEd25519 what is held against the log must itself be signed
 * @returns {Promise<Memory | null>} null where it sees the log for the first time
 */
export async function recall(kept, log, sha256, verifyEd25519) {
  const text = kept.getItem(name(log));
  if (text === null) return null;
  const memory = members(read(text), ["keys", "note", "policy", "v"]);
  if (memory?.v !== 1 || typeof memory.note !== "string" || !isList(memory.keys)) throw new Refused("MEMORY_DAMAGED");
  const policyFile = readBase64(String(memory.policy));
  if (policyFile === null) throw new Refused("MEMORY_DAMAGED");
  try {
    const keys = memory.keys.map((vkey) => readKey(sha256, String(vkey)));
    return {
      keys,
      note: memory.note,
      checkpoint: (await openCheckpoint(memory.note, keys, verifyEd25519)).checkpoint,
      policyFile,
      policy: readPolicy(sha256, policyFile),
    };
  } catch (error) {
    if (error instanceof Refused) throw new Refused("MEMORY_DAMAGED");
    throw error;
  }
}

/**
 * @param {Kept} kept
 * @param {string} log
 * @param {readonly Key[]} keys
 * @param {string} note
 * @param {Uint8Array} policyFile
 * @returns {boolean} false where there is no room; what was remembered before stays
 */
export function remember(kept, log, keys, note, policyFile) {
  const memory = { keys: keys.map(({ vkey }) => vkey), note, policy: writeBase64(policyFile), v: 1 };
  try {
    kept.setItem(name(log), write(memory) ?? "");
  } catch (error) {
    if (error instanceof DOMException) return false;
    throw error;
  }
  return true;
}

/**
 * @param {Pick<Storage, "removeItem">} kept
 * @param {string} log
 */
export function forget(kept, log) {
  kept.removeItem(name(log));
}

/** @param {string} log */
function name(log) {
  return `constancia/verified/${log}`;
}
