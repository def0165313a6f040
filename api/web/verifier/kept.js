// Bundles that this browser has fetched before, in its Cache API. It gives bytes for an address, is there in pages and
// workers, and writes files; a database would hold the same bytes behind more code.
//
// What is kept is hashed again like what is fetched, up to the signed root, so it need not be believed: altered, or left
// by another log at this address, it gives another root, is thrown away and fetched anew. Keeping only hashes of
// subtrees would save that work, but nothing would show that an open leaf is missing among what they hide.

/** Full bundles that are kept together, as one run of entries. */
export const RUN = 8;

const NAME = "constancia/bundles";

/**
 * The browser's storage, or as much of it as is used.
 *
 * @typedef {{
 *   match: (address: string) => Promise<{ arrayBuffer: () => Promise<ArrayBuffer> } | undefined>,
 *   put: (address: string, response: Response) => Promise<void>,
 * }} Store
 */

/**
 * The storage; null where the browser has none for this page, as in some private windows.
 *
 * @returns {Promise<Store | null>}
 */
export async function openStore() {
  try {
    return typeof caches === "undefined" ? null : await caches.open(NAME);
  } catch (error) {
    if (error instanceof DOMException) return null;
    throw error;
  }
}

/** Everything that was kept goes, of all logs. */
export async function emptyStore() {
  if (typeof caches !== "undefined") await allowed(() => caches.delete(NAME));
}

/** The kept bundles of one log. */
export class KeptBundles {
  #store;
  #log;

  /**
   * @param {Store | null} store
   * @param {string} log its address
   */
  constructor(store, log) {
    this.#store = store;
    this.#log = log;
  }

  /**
   * The entries of the bundles of a run, one behind the other; null where they are not kept.
   *
   * @param {number} run
   */
  async get(run) {
    const stored = this.#store;
    const bytes = await allowed(async () => (await stored?.match(this.#address(run)))?.arrayBuffer());
    return bytes === undefined ? null : new Uint8Array(bytes);
  }

  /**
   * @param {number} run
   * @param {readonly Uint8Array<ArrayBuffer>[]} bundles
   */
  async put(run, bundles) {
    const stored = this.#store;
    if (stored === null) return;
    await allowed(() => stored.put(this.#address(run), new Response(new Blob([...bundles]))));
  }

  /**
   * A name below the log's address that nothing is ever fetched from.
   *
   * @param {number} run
   */
  #address(run) {
    return `${this.#log}/kept/${RUN}/${run}`;
  }
}

/**
 * What a storage answers; undefined where it refuses, because it is full, was closed to the page, or cannot read its
 * file (a TypeError, as where a connection fails). Then there is less that need not be fetched, and nothing else changes.
 *
 * @template T
 * @param {() => Promise<T>} ask
 */
async function allowed(ask) {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof DOMException || error instanceof TypeError) return undefined;
    throw error;
  }
}
