// The tree of RFC 6962 section 2.1, grown from the left. Only its right edge is kept.

import { utf8 } from "./bytes.js";

/** @typedef {import("./sha256.js").Sha256} Sha256 */

const LEAF = 0;
const NODE = 1;
const HASH = 32;

/**
 * The hashes of leaves, one after the other.
 *
 * @param {Sha256} sha256
 * @param {readonly Uint8Array[]} entries
 */
export function leafHashes(sha256, entries) {
  return sha256.each(LEAF, entries);
}

/**
 * The root over a power of two of leaf hashes that lie one after the other.
 *
 * @param {Sha256} sha256
 * @param {Uint8Array} hashes
 * @returns {Uint8Array}
 */
export function perfectRoot(sha256, hashes) {
  let level = hashes;
  while (level.length > HASH) {
    const pairs = [];
    for (let at = 0; at < level.length; at += 2 * HASH) pairs.push(level.subarray(at, at + 2 * HASH));
    level = sha256.each(NODE, pairs);
  }
  if (level.length !== HASH || hashes.length & (hashes.length - 1)) throw new RangeError("not a power of two of hashes");
  return level;
}

/**
 * @param {Sha256} sha256
 * @param {Uint8Array} left
 * @param {Uint8Array} right
 */
function above(sha256, left, right) {
  return sha256(Uint8Array.of(NODE), left, right);
}

/** A growing tree: the perfect subtrees that cover it, largest first, one for each bit that is set in its size. */
export class Tree {
  /** @type {{ hash: Uint8Array, leaves: number }[]} */
  #nodes = [];
  #sha256;
  size = 0;

  /** @param {Sha256} sha256 */
  constructor(sha256) {
    this.#sha256 = sha256;
  }

  /**
   * Adds a perfect subtree of so many leaves, a power of two that divides the size.
   *
   * @param {Uint8Array} hash
   * @param {number} [leaves]
   */
  append(hash, leaves = 1) {
    if (this.size % leaves !== 0) throw new RangeError(`no subtree of ${leaves} leaves begins at ${this.size}`);
    this.size += leaves;
    let node = { hash, leaves };
    for (let last = this.#nodes.at(-1); last?.leaves === node.leaves; last = this.#nodes.at(-1)) {
      this.#nodes.pop();
      node = { hash: above(this.#sha256, last.hash, node.hash), leaves: 2 * node.leaves };
    }
    this.#nodes.push(node);
  }

  /** @returns {Uint8Array} */
  root() {
    const [last, ...before] = [...this.#nodes].reverse();
    if (last === undefined) return this.#sha256(utf8(""));
    return before.reduce((hash, node) => above(this.#sha256, node.hash, hash), last.hash);
  }
}
