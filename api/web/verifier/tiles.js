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
 * Number and width of each bundle of a log of so many leaves.
 *
 * @param {number} size
 * @returns {{ number: number, width: number }[]}
 */
export function bundlesOf(size) {
  const bundles = [];
  for (let first = 0; first < size; first += WIDTH) {
    bundles.push({ number: first / WIDTH, width: Math.min(WIDTH, size - first) });
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
