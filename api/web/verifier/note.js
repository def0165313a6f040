// Signed notes and the keys that sign them: c2sp.org/signed-note v1.0.0 and c2sp.org/tlog-cosignature v1.0.1, Ed25519.

import { concatenate, equal, hex, readBase64, utf8 } from "./bytes.js";
import { Refused } from "./refused.js";

/** @typedef {import("./sha256.js").Sha256} Sha256 */
/** @typedef {Uint8Array<ArrayBuffer>} Bytes */
/** @typedef {{ name: string, id: Uint8Array, data: Bytes }} Signature */
/**
 * A public key. A signer's signs notes, a witness's cosigns checkpoints.
 *
 * @typedef {{ name: string, id: Uint8Array, type: number, publicKey: Bytes, vkey: string }} Key
 */
/**
 * Whether the public key made this signature over these bytes.
 *
 * @typedef {(publicKey: Bytes, signature: Bytes, message: Bytes) => Promise<boolean>} VerifyEd25519
 */

export const SIGNER = 1;
export const WITNESS = 4;

const MAX_SIGNATURES = 16;
const CONTROL = /[\x00-\x09\x0b-\x1f]/;
const SURROGATE = /\p{Surrogate}/u;
const NAME = /^[^\s\x85+]+$/u;

/**
 * Reads a vkey: name+hex id+base64(type, key). Only the first two plus signs separate.
 *
 * @param {Sha256} sha256
 * @param {string} vkey
 * @param {number} [type]
 * @returns {Key}
 */
export function readKey(sha256, vkey, type = SIGNER) {
  const [name = "", id = ""] = vkey.split("+", 2);
  const data = readBase64(vkey.slice(name.length + id.length + 2));
  if (!isName(name) || data?.length !== 33 || data[0] !== type) throw new Refused("KEY_MALFORMED", { key: vkey });
  const actual = sha256(utf8(`${name}\n`), data).subarray(0, 4);
  if (hex(actual) !== id) throw new Refused("KEY_MALFORMED", { key: vkey });
  return { name, id: actual, type, publicKey: data.slice(1), vkey };
}

/**
 * The text of a note and its signatures, nothing verified yet.
 *
 * @param {string | null} note
 * @returns {{ text: string, signatures: Signature[] }}
 */
export function splitNote(note) {
  if (note === null || CONTROL.test(note) || SURROGATE.test(note)) throw new Refused("NOTE_MALFORMED");
  const end = note.lastIndexOf("\n\n");
  const lines = note.slice(end + 2).split("\n");
  if (end < 0 || lines.pop() !== "" || lines.length === 0 || lines.length > MAX_SIGNATURES)
    throw new Refused("NOTE_MALFORMED");
  return { text: note.slice(0, end + 1), signatures: lines.map(readSignature) };
}

/**
 * The text of a note that at least one of the keys signed, and none of them falsely; with the signatures by known keys.
 * Signatures by other keys are ignored, whatever they hold.
 *
 * @param {string | null} note
 * @param {readonly Key[]} keys
 * @param {VerifyEd25519} verifyEd25519
 * @returns {Promise<{ text: string, verified: { key: Key, time: number | null }[] }>}
 */
export async function openNote(note, keys, verifyEd25519) {
  const { text, signatures } = splitNote(note);
  /** @type {{ key: Key, time: number | null }[]} */
  const verified = [];
  for (const signature of signatures) {
    const key = keys.find((known) => known.name === signature.name && equal(known.id, signature.id));
    if (key === undefined) continue;
    if (verified.some((earlier) => earlier.key === key)) throw new Refused("NOTE_MALFORMED");
    const time = key.type === WITNESS ? cosignatureTime(signature.data) : null;
    const signed = time === null ? signature.data : signature.data.slice(8);
    const message = utf8(time === null ? text : `cosignature/v1\ntime ${time}\n${text}`);
    const unreadable = key.type === WITNESS && time === null;
    if (unreadable || !(await verifyEd25519(key.publicKey, signed, message))) {
      throw new Refused("SIGNATURE_FALSE", { name: signature.name });
    }
    verified.push({ key, time: time === null ? null : Number(time) });
  }
  if (verified.length === 0)
    throw new Refused("NOT_SIGNED", { name: [...new Set(keys.map((key) => key.name))].join(", ") });
  return { text, verified };
}

/**
 * POSIX seconds, as a big integer because the message that is signed spells all of them.
 *
 * @param {Uint8Array} data
 */
function cosignatureTime(data) {
  if (data.length !== 72) return null;
  const time = new DataView(data.buffer, data.byteOffset).getBigUint64(0);
  return time < 2n ** 63n ? time : null;
}

/** @param {string} line */
function readSignature(line) {
  const [, name = "", encoded = ""] = /^— ([^ ]*) (.*)$/u.exec(line) ?? [];
  const data = readBase64(encoded);
  if (!isName(name) || data === null || data.length <= 4) throw new Refused("NOTE_MALFORMED");
  return { name, id: data.slice(0, 4), data: data.slice(4) };
}

/** @param {string} name */
function isName(name) {
  return NAME.test(name) && !CONTROL.test(name) && !SURROGATE.test(name);
}

/**
 * The browser's own Ed25519 (WebCrypto). Refused where it has none: signatures are never taken for granted.
 *
 * @param {SubtleCrypto | undefined} subtle absent where the page did not come by https
 * @returns {Promise<VerifyEd25519>}
 */
export async function browserEd25519(subtle) {
  if (subtle === undefined) throw new Refused("NO_ED25519");
  /** @type {VerifyEd25519} */
  const verifyEd25519 = async (publicKey, signature, message) => {
    try {
      const key = await subtle.importKey("raw", publicKey, { name: "Ed25519" }, false, ["verify"]);
      return await subtle.verify({ name: "Ed25519" }, key, signature, message);
    } catch (error) {
      // Bytes that are no point of the curve; that the browser knows Ed25519 is established below.
      if (error instanceof DOMException && (error.name === "DataError" || error.name === "OperationError"))
        return false;
      throw error;
    }
  };
  const known = await verifyEd25519(KNOWN.publicKey, KNOWN.signature, new Uint8Array()).catch(() => false);
  if (!known) throw new Refused("NO_ED25519");
  return verifyEd25519;
}

/** RFC 8032 section 7.1, test 1: the signature over nothing. */
const KNOWN = {
  publicKey: fromHex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),
  signature: concatenate(
    fromHex("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"),
    fromHex("5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
  ),
};

/** @param {string} digits */
function fromHex(digits) {
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
