// The log's files over HTTP, and bundles of them hashed. Runs in the page and in its workers.

import { concatenate } from "./bytes.js";
import { RUN } from "./kept.js";
import { isEntryLeaf } from "./leaf.js";
import { leafHashes, perfectRoot } from "./merkle.js";
import { Refused } from "./refused.js";
import { bundlePath, bundlesOf, HASH_SIZE, readBundle, WIDTH, writeBundle } from "./tiles.js";

/**
 * The bytes of a file; null where there is none.
 *
 * @typedef {(path: string) => Promise<Bytes | null>} Read
 */
/**
 * Some bundles, and where to find them: the number of their run, the leaves from the first to before the last. `cuts`
 * are sizes at which a root is asked for; `anew`: past all that is kept.
 *
 * @typedef {{ run: number, from: number, to: number, cuts: number[], anew: boolean }} Address
 */
/**
 * What they give. `hashes`: for each bundle its root, or the hashes of all its leaves where it is partial or cut.
 * `open`: the leaves that are not entry leaves, as a bundle, and their indexes. `kept`: whether they were kept.
 *
 * @typedef {{ hashes: Uint8Array[], open: { indexes: number[], data: Bytes }, kept: boolean }} Hashed
 */
/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

/** No file of a log is longer than a full bundle of entries of 65,535 bytes, each behind its length. */
const LONGEST = WIDTH * (2 + 65_535);

/**
 * Past the browser's own cache: what another log left there at this address, for ever as bundles are, would look like
 * this one's leaves changed, and no page can throw it away. `KeptBundles` keep what need not be fetched again.
 *
 * @param {string} base the address below which the files are
 * @param {AbortSignal} [signal] what ends the reading
 * @returns {Read}
 */
export function reader(base, signal) {
  return async (path) => {
    try {
      const response = await fetch(`${base}/${path}`, {
        cache: "no-store",
        ...(signal === undefined ? {} : { signal }),
      });
      if (response.status === 404 || response.status === 410) return null;
      if (response.status === 200) return await received(response, path);
    } catch (error) {
      if (signal?.aborted) throw new Refused("STOPPED");
      // A TypeError is how fetch says that the connection failed.
      if (!(error instanceof TypeError)) throw error;
    }
    throw new Refused("UNAVAILABLE", { path });
  };
}

/**
 * The body of an answer. Refused as soon as it is longer than any file may be: it might have no end.
 *
 * @param {Response} response
 * @param {string} path
 * @returns {Promise<Bytes>}
 */
async function received({ body }, path) {
  /** @type {Uint8Array[]} */
  const parts = [];
  let length = 0;
  const stream = body?.getReader();
  for (let part = await stream?.read(); part?.value !== undefined; part = await stream?.read()) {
    length += part.value.length;
    if (length > LONGEST) {
      await stream?.cancel();
      throw new Refused("FILE_TOO_LONG", { path });
    }
    parts.push(part.value);
  }
  return concatenate(...parts);
}

/**
 * @param {Read} read
 * @param {string} path
 */
export async function required(read, path) {
  const bytes = await read(path);
  if (bytes === null) throw new Refused("UNAVAILABLE", { path });
  return bytes;
}

/**
 * Reads bundles, from what is kept or from the log, and hashes them.
 *
 * @param {Read} read
 * @param {import("./kept.js").KeptBundles} kept
 * @param {import("./sha256.js").Sha256} sha256
 * @param {Address} address
 * @returns {Promise<Hashed>}
 */
export async function hashedBundles(read, kept, sha256, { run, from, to, cuts, anew }) {
  const full = to - from === RUN * WIDTH;
  const before = full && !anew ? await kept.get(run) : null;
  const known = before === null ? null : readBundle(before, to - from);
  const fetched = known === null ? await fetchBundles(read, from, to) : [];
  const entries = known ?? fetched.flatMap((bundle) => bundle.entries);
  const keeping = known === null && full ? kept.put(run, fetched.map((bundle) => bundle.data)) : null;
  const leaves = leafHashes(sha256, entries);
  const hashes = bundlesOf(from, to).map(({ number, width }) => {
    const first = number * WIDTH;
    const here = leaves.subarray(HASH_SIZE * (first - from), HASH_SIZE * (first - from + width));
    const whole = width === WIDTH && cuts.every((cut) => cut <= first || cut >= first + width);
    return whole ? perfectRoot(sha256, here) : here.slice();
  });
  /** @type {number[]} */
  const indexes = [];
  entries.forEach((entry, at) => {
    if (!isEntryLeaf(entry)) indexes.push(from + at);
  });
  const data = writeBundle(indexes.map((index) => entries[index - from] ?? new Uint8Array()));
  await keeping;
  return { hashes, open: { indexes, data }, kept: known !== null };
}

/**
 * The bundles from one leaf to before another, with their entries. A server may drop a partial bundle as soon as the full one
 * exists, so that is asked for too.
 *
 * @param {Read} read
 * @param {number} from
 * @param {number} to
 */
function fetchBundles(read, from, to) {
  return Promise.all(
    bundlesOf(from, to).map(async ({ number, width }) => {
      const path = bundlePath(number, width);
      const partial = width < WIDTH ? await read(path) : null;
      const data = partial ?? (await required(read, bundlePath(number)));
      const entries = readBundle(data, width, width < WIDTH && partial === null);
      if (entries === null) throw new Refused("BUNDLE_MALFORMED", { path });
      return { data, entries };
    }),
  );
}
