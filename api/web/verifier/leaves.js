// All leaves of the log, hashed again from the first, until the signed root follows from them or does not.

import { writeBase64 } from "./bytes.js";
import { RUN } from "./kept.js";
import { perfectRoot, Tree } from "./merkle.js";
import { Refused } from "./refused.js";
import { HASH_SIZE, readBundle, tilePath, WIDTH } from "./tiles.js";

/** @typedef {import("./source.js").Address} Address */
/** @typedef {import("./source.js").Hashed} Hashed */
/**
 * `roots` holds the roots (base64) at the sizes that were asked for, `open` the leaves that are not entry leaves, and
 * `kept` how many leaves did not have to be fetched.
 *
 * @typedef {{ roots: Map<number, string>, open: Hashed["open"][], kept: number }} Leaves
 */
/**
 * What is needed to read them.
 *
 * @typedef {{
 *   hash: import("./pool.js").HashBundles,
 *   read: import("./source.js").Read,
 *   sha256: import("./sha256.js").Sha256,
 * }} Means
 */

/** Runs that are asked for before the first of them is there. */
const AHEAD = 12;

/**
 * @param {import("./checkpoint.js").Checkpoint} checkpoint
 * @param {ReadonlySet<number>} sizes at most the checkpoint's
 * @param {Means} means
 * @param {(done: number) => void} progress
 * @returns {Promise<Leaves & { anew: boolean }>} `anew`: what was kept gave another root, so all was fetched again
 */
export async function readLeaves(checkpoint, sizes, means, progress) {
  const first = await hashAll(checkpoint, sizes, false, means, progress);
  if (first.leaves.roots.get(checkpoint.size) === checkpoint.root) return { ...first.leaves, anew: false };
  if (first.leaves.kept === 0) throw await changed(first.hashes, checkpoint.size, means);
  const again = await hashAll(checkpoint, sizes, true, means, progress);
  if (again.leaves.roots.get(checkpoint.size) === checkpoint.root) return { ...again.leaves, anew: true };
  throw await changed(again.hashes, checkpoint.size, means);
}

/**
 * @param {import("./checkpoint.js").Checkpoint} checkpoint
 * @param {ReadonlySet<number>} sizes
 * @param {boolean} anew
 * @param {Means} means
 * @param {(done: number) => void} progress
 * @returns {Promise<{ leaves: Leaves, hashes: Uint8Array[] }>} with the hashes of each bundle
 */
async function hashAll({ size }, sizes, anew, { hash, sha256 }, progress) {
  const tree = new Tree(sha256);
  /** @type {Uint8Array[]} */
  const hashes = [];
  /** @type {Leaves} */
  const leaves = { roots: new Map(), open: [], kept: 0 };
  const note = () => {
    if (tree.size === size || sizes.has(tree.size)) leaves.roots.set(tree.size, writeBase64(tree.root()));
  };
  note();
  for await (const [{ from, to }, hashed] of inOrder(runsOf(size, sizes, anew), hash)) {
    for (const bundle of hashed.hashes) {
      const whole = bundle.length === HASH_SIZE && size - tree.size >= WIDTH;
      for (let start = 0; start < bundle.length; start += HASH_SIZE) {
        tree.append(bundle.subarray(start, start + HASH_SIZE), whole ? WIDTH : 1);
        note();
      }
    }
    hashes.push(...hashed.hashes);
    leaves.kept += hashed.kept ? to - from : 0;
    if (hashed.open.indexes.length > 0) leaves.open.push(hashed.open);
    progress(to);
  }
  return { leaves, hashes };
}

/**
 * One after the other: a size is only claimed until the leaves are there.
 *
 * @param {number} size
 * @param {ReadonlySet<number>} sizes
 * @param {boolean} anew
 * @returns {Generator<Address>}
 */
function* runsOf(size, sizes, anew) {
  const leaves = RUN * WIDTH;
  for (let run = 0; leaves * run < size; run += 1) {
    const [from, to] = [leaves * run, Math.min(leaves * (run + 1), size)];
    yield { run, from, to, cuts: [...sizes].filter((cut) => from < cut && cut < to), anew };
  }
}

/**
 * The leaves that are not entry leaves, with their indexes, in order. They are let go one after the other.
 *
 * @param {Leaves} leaves
 * @returns {Generator<[index: number, entry: Uint8Array]>}
 */
export function* openLeaves({ open }) {
  for (const [at, { indexes, data }] of open.entries()) {
    const entries = readBundle(data, indexes.length) ?? [];
    delete open[at];
    for (const [place, entry] of entries.entries()) yield [indexes[place] ?? 0, entry];
  }
}

/**
 * The questions in order, each with its answer; some are asked ahead.
 *
 * @template Q, A
 * @param {Iterable<Q>} questions
 * @param {(question: Q) => Promise<A>} ask
 * @returns {AsyncGenerator<[question: Q, answer: A]>}
 */
async function* inOrder(questions, ask) {
  /** @type {[Q, Promise<A>][]} */
  const asked = [];
  for (const question of questions) {
    const answer = ask(question);
    // Whoever comes to it sees its error; until then it is not one that nobody handles.
    answer.catch(() => undefined);
    asked.push([question, answer]);
    if (asked.length < AHEAD) continue;
    for (const [first, next] of asked.splice(0, 1)) yield [first, await next];
  }
  for (const [first, next] of asked) yield [first, await next];
}

/**
 * Names the first leaf whose hash is not the one that its tile of hashes holds.
 *
 * @param {Uint8Array[]} hashes of each bundle: its root, or those of its leaves
 * @param {number} size
 * @param {Means} means
 */
async function changed(hashes, size, { hash, read, sha256 }) {
  /** @param {number} number */
  const tile = (number) => read(tilePath(0, number, Math.min(WIDTH, size - WIDTH * number))).catch(() => null);
  for await (const [number, served] of inOrder(hashes.keys(), tile)) {
    if (served === null) break;
    let [ours] = hashes.slice(number, number + 1);
    if (ours?.length === HASH_SIZE && served.length === HASH_SIZE * WIDTH) {
      if (writeBase64(perfectRoot(sha256, served)) === writeBase64(ours)) continue;
      const first = WIDTH * number;
      const cut = { run: Math.floor(number / RUN), from: first, to: first + WIDTH, cuts: [first + 1], anew: true };
      [ours] = (await hash(cut)).hashes;
    }
    const differs = ours?.findIndex((byte, at) => byte !== served[at]) ?? -1;
    if (differs >= 0) return new Refused("LEAF_CHANGED", { leaf: number * WIDTH + Math.floor(differs / HASH_SIZE) });
  }
  return new Refused("ROOT_DIFFERS");
}
