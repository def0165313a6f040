// Paths of tiles and entry bundles, and what a bundle holds: c2sp.org/tlog-tiles v0.1.0.

export const WIDTH = 256;
export const HASH_SIZE = 32;

/**
 * @param {number} number
 * @param {number} [width]
 */
export function bundlePath(number, width = WIDTH) {
  return `tile/entries/${place(number, width)}`;
}

/**
 * @param {number} level
 * @param {number} number
 * @param {number} [width]
 */
export function tilePath(level, number, width = WIDTH) {
  return `tile/${level}/${place(number, width)}`;
}

/**
 * Number and width of each bundle between two leaves, the second excluded.
 *
 * @param {number} from the first leaf of a bundle
 * @param {number} to
 * @returns {{ number: number, width: number }[]}
 */
export function bundlesOf(from, to) {
  const bundles = [];
  for (let first = from; first < to; first += WIDTH) {
    bundles.push({ number: first / WIDTH, width: Math.min(WIDTH, to - first) });
  }
  return bundles;
}

/**
 * The first `width` entries of a bundle, each behind its length in two bytes. Null where it holds fewer, or where
 * bytes are left over of one that is not `longer`.
 *
 * @param {Uint8Array} data
 * @param {number} width
 * @param {boolean} [longer] whether it is the full bundle, of which fewer are wanted
 * @returns {Uint8Array[] | null}
 */
export function readBundle(data, width, longer = false) {
  const entries = [];
  let end = 0;
  for (let count = 0; count < width; count += 1) {
    const high = data[end];
    const low = data[end + 1];
    if (high === undefined || low === undefined) return null;
    const start = end + 2;
    end = start + 256 * high + low;
    if (end > data.length) return null;
    entries.push(data.subarray(start, end));
  }
  return longer || end === data.length ? entries : null;
}

/**
 * Entries as a bundle.
 *
 * @param {readonly Uint8Array[]} entries
 */
export function writeBundle(entries) {
  const data = new Uint8Array(entries.reduce((length, entry) => length + 2 + entry.length, 0));
  let at = 0;
  for (const entry of entries) {
    data[at] = entry.length >> 8;
    data[at + 1] = entry.length & 0xff;
    data.set(entry, at + 2);
    at += 2 + entry.length;
  }
  return data;
}

/**
 * @param {number} number
 * @param {number} width
 */
function place(number, width) {
  const digits = String(number);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, "0");
  const groups = padded.match(/.{3}/g) ?? [];
  const path = groups.map((group, at) => (at === groups.length - 1 ? group : `x${group}`)).join("/");
  return width === WIDTH ? path : `${path}.p/${width}`;
}
