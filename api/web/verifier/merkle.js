// The tree of RFC 6962 section 2.1, grown from the left. Only its right edge is kept.

import { utf8 } from "./bytes.js";

/** @typedef {import("./sha256.js").Sha256} Sha256 */

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/**
 * @param {Sha256} sha256
 * @param {Uint8Array} entry
 */
export function leafHash(sha256, entry) {
  return sha256(LEAF, entry);
}

/**
 * The root over a power of two of leaf hashes.
 *
 * @param {Sha256} sha256
 * @param {readonly Uint8Array[]} hashes
 * @returns {Uint8Array}
 */
export function perfectRoot(sha256, hashes) {
  let level = hashes;
  while (level.length > 1) {
    const above = [];
    for (let at = 0; at < level.length; at += 2) above.push(sha256(NODE, hashAt(level, at), hashAt(level, at + 1)));
    level = above;
  }
  return hashAt(level, 0);
}

/**
 * @param {readonly Uint8Array[]} level
 * @param {number} at
 */
function hashAt(level, at) {
  const hash = level[at];
  if (hash === undefined) throw new RangeError("not a power of two of hashes");
  return hash;
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
      node = { hash: this.#sha256(NODE, last.hash, node.hash), leaves: 2 * node.leaves };
    }
    this.#nodes.push(node);
  }

  /** @returns {Uint8Array} */
  root() {
    const [last, ...before] = [...this.#nodes].reverse();
    if (last === undefined) return this.#sha256(utf8(""));
    return before.reduce((hash, node) => this.#sha256(NODE, node.hash, hash), last.hash);
  }
}
