// All leaves of the log, hashed again from the first, until the signed root follows from them or does not.

import { writeBase64 } from "./bytes.js";
import { isEntryLeaf } from "./leaf.js";
import { Tree } from "./merkle.js";
import { Refused } from "./refused.js";
import { bundlesOf, HASH_SIZE, readBundle, tilePath, WIDTH } from "./tiles.js";

/**
 * `roots` holds the roots (base64) at the sizes that were asked for, `open` the bundles of more than entry leaves.
 *
 * @typedef {{ roots: Map<number, string>, open: { first: number, width: number, data: Uint8Array }[] }} Leaves
 */

const AHEAD = 24;

/**
 * @param {import("./checkpoint.js").Checkpoint} checkpoint
 * @param {ReadonlySet<number>} sizes at most the checkpoint's
 * @param {import("./pool.js").HashBundle} hash
 * @param {import("./source.js").Read} read
 * @param {import("./sha256.js").Sha256} sha256
 * @param {(done: number) => void} progress
 * @returns {Promise<Leaves>}
 */
export async function readLeaves(checkpoint, sizes, hash, read, sha256, progress) {
  const tree = new Tree(sha256);
  const bundles = bundlesOf(checkpoint.size);
  /** @type {Leaves} */
  const leaves = { roots: new Map(), open: [] };
  const note = () => {
    if (tree.size === checkpoint.size || sizes.has(tree.size)) leaves.roots.set(tree.size, writeBase64(tree.root()));
  };
  note();
  const hashes = [];
  for await (const [at, hashed] of inOrder(bundles, hash)) {
    const { width } = bundles[at] ?? { width: 0 };
    const first = tree.size;
    const inside = [...sizes].some((size) => first < size && size < first + width);
    if (hashed.root !== null && !inside) {
      tree.append(hashed.root, width);
      note();
    } else {
      for (let leaf = 0; leaf < width; leaf += 1) {
        tree.append(hashed.hashes.subarray(HASH_SIZE * leaf, HASH_SIZE * (leaf + 1)));
        note();
      }
    }
    hashes.push(hashed.hashes);
    if (hashed.open !== null) leaves.open.push({ first, width, data: hashed.open });
    progress(tree.size);
  }
  if (leaves.roots.get(checkpoint.size) !== checkpoint.root) throw await changed(hashes, read);
  return leaves;
}

/**
 * The leaves that are not entry leaves, with their indexes, in order.
 *
 * @param {Leaves} leaves
 * @returns {Generator<[index: number, entry: Uint8Array]>}
 */
export function* openLeaves({ open }) {
  for (const { first, width, data } of open) {
    for (const [at, entry] of (readBundle(data, width, true) ?? []).entries()) {
      if (!isEntryLeaf(entry)) yield [first + at, entry];
    }
  }
}

/**
 * The answers in order; some are asked for ahead.
 *
 * @template Q, A
 * @param {Q[]} questions
 * @param {(question: Q) => Promise<A>} ask
 * @returns {AsyncGenerator<[at: number, answer: A]>}
 */
async function* inOrder(questions, ask) {
  /** @type {Promise<A>[]} */
  const asked = [];
  for (let at = 0; at < questions.length; at += 1) {
    for (const question of questions.slice(asked.length, at + AHEAD)) {
      const answer = ask(question);
      // Whoever comes to it sees its error; until then it is not one that nobody handles.
      answer.catch(() => undefined);
      asked.push(answer);
    }
    const next = asked[at];
    if (next !== undefined) yield [at, await next];
    delete asked[at];
  }
}

/**
 * Names the first leaf whose hash is not the one that its tile of hashes holds.
 *
 * @param {Uint8Array[]} hashes
 * @param {import("./source.js").Read} read
 */
async function changed(hashes, read) {
  const tiles = hashes.map((actual, number) => tilePath(0, number, actual.length / HASH_SIZE));
  for await (const [number, served] of inOrder(tiles, (path) => read(path).catch(() => null))) {
    if (served === null) break;
    const differs = hashes[number]?.findIndex((byte, at) => byte !== served[at]) ?? -1;
    if (differs >= 0) return new Refused("LEAF_CHANGED", { leaf: number * WIDTH + Math.floor(differs / HASH_SIZE) });
  }
  return new Refused("ROOT_DIFFERS");
}
