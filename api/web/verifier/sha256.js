// SHA-256 in WebAssembly (hash-wasm), and HMAC over it (RFC 2104). WebCrypto's digest is asynchronous: a call for each
// of a hundred thousand leaves would take most of the time.

import { createSHA256 } from "hash-wasm";
import { utf8 } from "./bytes.js";
import { Refused } from "./refused.js";

const BLOCK = 64;

/** @typedef {(...parts: Uint8Array[]) => Uint8Array<ArrayBuffer>} Sha256 The hash of the parts, one after the other. */

/** @returns {Promise<Sha256>} */
export async function loadSha256() {
  let hasher;
  try {
    hasher = await createSHA256();
  } catch {
    throw new Refused("NO_WEBASSEMBLY");
  }
  return (...parts) => {
    hasher.init();
    for (const part of parts) hasher.update(part);
    return /** @type {Uint8Array<ArrayBuffer>} */ (hasher.digest("binary"));
  };
}

/**
 * @param {Sha256} sha256
 * @param {Uint8Array} key of at most 64 bytes; ours have 32
 * @param {string} message
 */
export function hmac(sha256, key, message) {
  const inner = new Uint8Array(BLOCK).fill(0x36);
  const outer = new Uint8Array(BLOCK).fill(0x5c);
  key.forEach((byte, at) => {
    inner[at] = byte ^ 0x36;
    outer[at] = byte ^ 0x5c;
  });
  return sha256(outer, sha256(inner, utf8(message)));
}
