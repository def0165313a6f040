// SHA-256, one message or many in one call, and HMAC over it (RFC 2104). WebCrypto's digest is asynchronous: a call for
// each of a hundred thousand leaves would take most of the time.

import { utf8 } from "./bytes.js";
import { Refused } from "./refused.js";
import { FREE, LANES, startSha256 } from "./sha256_module.js";

const BLOCK = 64;
const DIGEST = 32;
const PAGE = 65_536;
/** At most so many bytes of padded messages are handed over at a time, where a single group is not longer. */
const BATCH = 1 << 18;

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */
/**
 * Called with parts, the hash of the parts, one after the other. `each`: the hashes of many messages, one after the
 * other, each message behind the same first byte.
 *
 * @typedef {{
 *   (...parts: Uint8Array[]): Bytes,
 *   each: (first: number, messages: readonly Uint8Array[]) => Bytes,
 * }} Sha256
 */

/** @returns {Promise<Sha256>} */
export async function loadSha256() {
  let started;
  try {
    started = await startSha256();
  } catch {
    throw new Refused("NO_WEBASSEMBLY");
  }
  const { memory, hash } = started;
  let bytes = new Uint8Array(memory.buffer);
  /** @param {number} end */
  const reach = (end) => {
    if (end <= bytes.length) return;
    memory.grow(Math.ceil((end - bytes.length) / PAGE));
    bytes = new Uint8Array(memory.buffer);
  };
  /**
   * Pads a message that begins at `start` and is so long (FIPS 180-4 section 5.1.1).
   *
   * @param {number} start
   * @param {number} length
   * @param {number} blocks
   */
  const pad = (start, length, blocks) => {
    const end = start + BLOCK * blocks;
    bytes.fill(0, start + length, end);
    bytes[start + length] = 0x80;
    // The length in bits, of which 48 are enough.
    for (let at = end - 1, bits = 8 * length; bits > 0; at -= 1, bits = Math.floor(bits / 256)) bytes[at] = bits & 0xff;
  };
  /** @param {Uint8Array[]} parts */
  const one = (...parts) => {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const blocks = blocksOf(length);
    const digests = FREE + LANES * BLOCK * blocks;
    reach(digests + LANES * DIGEST);
    let at = FREE;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    pad(FREE, length, blocks);
    hash(FREE, 1, blocks, digests);
    return bytes.slice(digests, digests + DIGEST);
  };
  /** @type {Sha256["each"]} */
  const each = (first, messages) => {
    const hashes = new Uint8Array(DIGEST * messages.length);
    for (const [blocks, positions] of byBlocks(messages)) {
      const size = Math.max(LANES, Math.floor(BATCH / (BLOCK * blocks)) & -LANES);
      for (let from = 0; from < positions.length; from += size) {
        const batch = positions.slice(from, from + size);
        const digests = FREE + BLOCK * blocks * Math.ceil(batch.length / LANES) * LANES;
        reach(digests + DIGEST * (batch.length + LANES));
        batch.forEach((position, at) => {
          const message = messages[position] ?? new Uint8Array();
          const start = FREE + BLOCK * blocks * at;
          bytes[start] = first;
          bytes.set(message, start + 1);
          pad(start, 1 + message.length, blocks);
        });
        hash(FREE, batch.length, blocks, digests);
        batch.forEach((position, at) => {
          hashes.set(bytes.subarray(digests + DIGEST * at, digests + DIGEST * (at + 1)), DIGEST * position);
        });
      }
    }
    return hashes;
  };
  return Object.assign(one, { each });
}

/**
 * The places of the messages, with the byte before them, by how many blocks they fill: those of one number are hashed
 * together.
 *
 * @param {readonly Uint8Array[]} messages
 */
function byBlocks(messages) {
  /** @type {Map<number, number[]>} */
  const places = new Map();
  messages.forEach((message, position) => {
    const blocks = blocksOf(1 + message.length);
    const others = places.get(blocks);
    if (others === undefined) places.set(blocks, [position]);
    else others.push(position);
  });
  return places;
}

/** @param {number} length of a message; behind it come a bit and eight bytes */
function blocksOf(length) {
  return Math.ceil((length + 9) / BLOCK);
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
