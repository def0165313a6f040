// What this browser saw of a log before. Only who remembers notices a fork or a rollback.

import { isList, members, read, write } from "./canonical.js";
import { readCheckpoint } from "./checkpoint.js";
import { readKey, splitNote } from "./note.js";
import { Refused } from "./refused.js";

/** @typedef {import("./note.js").Key} Key */
/**
 * The keys that signed then, and the checkpoint: as a note, and what it says.
 *
 * @typedef {{ keys: Key[], note: string, checkpoint: import("./checkpoint.js").Checkpoint }} Memory
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
 * @returns {Memory | null} null where it sees the log for the first time
 */
export function recall(kept, log, sha256) {
  const text = kept.getItem(name(log));
  if (text === null) return null;
  const memory = members(read(text), ["keys", "note", "v"]);
  if (memory?.v !== 1 || typeof memory.note !== "string" || !isList(memory.keys)) throw new Refused("MEMORY_DAMAGED");
  try {
    const keys = memory.keys.map((vkey) => readKey(sha256, String(vkey)));
    return { keys, note: memory.note, checkpoint: readCheckpoint(splitNote(memory.note).text) };
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
 */
export function remember(kept, log, keys, note) {
  kept.setItem(name(log), write({ keys: keys.map(({ vkey }) => vkey), note, v: 1 }) ?? "");
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
