// Canonical JSON: RFC 8785, restricted to ASCII keys, strings in Unicode NFC and integers below 2^53. One value, one
// spelling: what is read is written again and compared, which refuses repeated keys, spaces and other spellings.

const DEPTH = 64;
const ASCII = /^[\x00-\x7f]*$/;
const SURROGATE = /\p{Surrogate}/u;

/** @typedef {import("./json.d.ts").Json} Json */

/**
 * The canonical text of a value; null for one that has none.
 *
 * @param {Json} value
 * @returns {string | null}
 */
export function write(value) {
  try {
    return spell(value, DEPTH);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Text whose strings need no look: no escapes, nothing but ASCII. */
const PLAIN = /^[\x20-\x5b\x5d-\x7e]*$/;

/**
 * The value that the text spells; undefined unless it is written in the canonical form.
 *
 * @param {string | null} text
 * @returns {Json | undefined}
 */
export function read(text) {
  if (text === null) return undefined;
  let value;
  let again;
  try {
    value = JSON.parse(text);
    again = JSON.stringify(value);
  } catch {
    // Also what is nested more deeply than this engine can write.
    return undefined;
  }
  // JSON.stringify spells as RFC 8785 does and keeps the order of the keys, so what is left to see is that order. It
  // puts keys that look like numbers first: those are spelled the long way.
  const quick = again === text && inOrder(value, DEPTH, PLAIN.test(text));
  return quick || write(value) === text ? value : undefined;
}

/**
 * Whether all keys stand in their order and everything has a canonical form.
 *
 * @param {Json} value
 * @param {number} depth
 * @param {boolean} plain whether all strings are known to be sound
 * @returns {boolean}
 */
function inOrder(value, depth, plain) {
  if (typeof value === "string") return plain || isSound(value);
  if (typeof value === "number") return Number.isSafeInteger(value);
  if (value === null || typeof value === "boolean") return true;
  if (depth === 0) return false;
  if (isList(value)) return value.every((item) => inOrder(item, depth - 1, plain));
  let before = "";
  let first = true;
  for (const key of Object.keys(value)) {
    if (!(first || before < key) || !(plain || ASCII.test(key))) return false;
    if (!inOrder(/** @type {Json} */ (value[key]), depth - 1, plain)) return false;
    before = key;
    first = false;
  }
  return true;
}

/** @param {string} text */
function isSound(text) {
  return ASCII.test(text) || (!SURROGATE.test(text) && text.normalize("NFC") === text);
}

/**
 * @param {Json} value
 * @param {number} depth
 * @returns {string}
 */
function spell(value, depth) {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new RangeError("not an integer below 2^53");
    return String(value);
  }
  if (typeof value === "string") {
    if (!isSound(value)) throw new RangeError("not Unicode in NFC");
    return JSON.stringify(value);
  }
  if (depth === 0) throw new RangeError("nested too deeply");
  if (isList(value)) return `[${value.map((item) => spell(item, depth - 1)).join(",")}]`;
  const members = Object.keys(value)
    .sort()
    .map((key) => {
      if (!ASCII.test(key)) throw new RangeError("a key that is not ASCII");
      return `${JSON.stringify(key)}:${spell(/** @type {Json} */ (value[key]), depth - 1)}`;
    });
  return `{${members.join(",")}}`;
}

/**
 * @param {Json | undefined} value
 * @returns {value is Json[]}
 */
export function isList(value) {
  return Array.isArray(value);
}

/**
 * The value as an object that has exactly these members; null for anything else.
 *
 * @template {string} K
 * @param {Json | undefined} value
 * @param {readonly K[]} names
 * @returns {{ readonly [name in K]: Json } | null}
 */
export function members(value, names) {
  if (typeof value !== "object" || value === null || isList(value)) return null;
  const exact = Object.keys(value).length === names.length && names.every((name) => Object.hasOwn(value, name));
  return exact ? /** @type {{ [name in K]: Json }} */ (value) : null;
}
