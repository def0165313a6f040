// What a log commits to: c2sp.org/tlog-checkpoint v1.0.0.

import { readDecimal, readHash, writeBase64 } from "./bytes.js";
import { openNote } from "./note.js";
import { Refused } from "./refused.js";

const EMPTY_ROOT = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

/** @typedef {import("./note.js").Key} Key */
/** The first `size` leaves hash to `root` (base64).
 *
 * @typedef {{ origin: string, size: number, root: string }} Checkpoint
 */

/**
 * Reads the text of a checkpoint, whose signatures were checked.
 *
 * @param {string} text
 * @returns {Checkpoint}
 */
export function readCheckpoint(text) {
  const lines = text.split("\n");
  const [origin = "", digits = "", root = ""] = lines;
  const size = readDecimal(digits);
  const hash = readHash(root);
  const whole = lines.length >= 4 && lines.pop() === "" && lines.every((line) => line !== "");
  if (!whole || size === null || hash === null || (size === 0 && root !== EMPTY_ROOT)) {
    throw new Refused("CHECKPOINT_MALFORMED");
  }
  return { origin, size, root: writeBase64(hash) };
}

/**
 * The checkpoint in a note, signed by at least one of the log's keys and falsely by none of them.
 *
 * @param {string | null} note
 * @param {readonly Key[]} keys all of one name, the log's origin
 * @param {import("./note.js").VerifyEd25519} verifyEd25519
 */
export async function openCheckpoint(note, keys, verifyEd25519) {
  const { text, verified } = await openNote(note, keys, verifyEd25519);
  const checkpoint = readCheckpoint(text);
  if (keys.some((key) => key.name !== checkpoint.origin)) {
    throw new Refused("ANOTHER_LOG", { name: checkpoint.origin });
  }
  return { checkpoint, text, keys: verified.map(({ key }) => key) };
}
