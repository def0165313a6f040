// The log's files over HTTP, and bundles of them hashed. Runs in the page and in its workers.

import { concatenate } from "./bytes.js";
import { isEntryLeaf } from "./leaf.js";
import { leafHash, perfectRoot } from "./merkle.js";
import { Refused } from "./refused.js";
import { bundlePath, readBundle, WIDTH } from "./tiles.js";

/**
 * The bytes of a file; null where there is none. `fresh`: past every cache.
 *
 * @typedef {(path: string, fresh?: boolean) => Promise<Uint8Array | null>} Read
 */
/** @typedef {{ number: number, width: number }} Address */
/**
 * What a bundle gives: the hashes of its leaves, one after the other; the root over them where it is full; and the
 * bundle itself where it holds more than entry leaves.
 *
 * @typedef {{ hashes: Uint8Array, root: Uint8Array | null, open: Uint8Array | null }} Hashed
 */

/**
 * @param {string} base the address below which the files are
 * @param {typeof fetch} [request]
 * @returns {Read}
 */
export function reader(base, request = fetch) {
  return async (path, fresh = false) => {
    try {
      const response = await request(`${base}/${path}`, fresh ? { cache: "no-store" } : {});
      if (response.status === 404 || response.status === 410) return null;
      if (response.status === 200) return new Uint8Array(await response.arrayBuffer());
    } catch (error) {
      // A TypeError is how fetch says that the connection failed.
      if (!(error instanceof TypeError)) throw error;
    }
    throw new Refused("UNAVAILABLE", { path });
  };
}

/**
 * @param {Read} read
 * @param {string} path
 * @param {boolean} [fresh]
 */
export async function required(read, path, fresh) {
  const bytes = await read(path, fresh);
  if (bytes === null) throw new Refused("UNAVAILABLE", { path });
  return bytes;
}

/**
 * Fetches a bundle and hashes it. A server may drop a partial one as soon as the full one exists, so that is asked for
 * too.
 *
 * @param {Read} read
 * @param {import("./sha256.js").Sha256} sha256
 * @param {Address} address
 * @returns {Promise<Hashed>}
 */
export async function hashedBundle(read, sha256, { number, width }) {
  const path = bundlePath(number, width);
  const partial = width < WIDTH ? await read(path) : null;
  const data = partial ?? (await required(read, bundlePath(number)));
  const entries = readBundle(data, width, width < WIDTH && partial === null);
  if (entries === null) throw new Refused("BUNDLE_MALFORMED", { path });
  const hashes = entries.map((entry) => leafHash(sha256, entry));
  return {
    hashes: concatenate(...hashes),
    root: width === WIDTH ? perfectRoot(sha256, hashes) : null,
    open: entries.every(isEntryLeaf) ? null : data,
  };
}
