// The two shapes of a leaf. An entry leaf shows a random id and a commitment; an open leaf is for everyone.

import { concatenate, readUtf8 } from "./bytes.js";
import { members, read } from "./canonical.js";
import { Refused } from "./refused.js";

/** @typedef {import("./json.d.ts").Json} Json */
/** @typedef {import("./json.d.ts").JsonObject} JsonObject */
/** @typedef {{ id: string, type: string, recorded: string, public: JsonObject }} OpenLeaf */

/** The events that everyone may read; any other name in an open leaf is refused, never skipped. */
export const OPEN_TYPES = new Set([
  "institution.registered",
  "institution.renamed",
  "site.registered",
  "site.recoded",
  "definition.adopted",
  "policy.adopted",
  "catalog.adopted",
  "release.published",
  "incident.disclosed",
]);

const UUID4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const DATE = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/;

const HEXADECIMAL = "0123456789abcdef";
const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
// 32 bytes are 42 digits and two thirds: the last digit has two bits to spare, which are zero (RFC 4648 section 3.5).
const LAST = [...BASE64].filter((_, at) => at % 4 === 0).join("");

/** For each byte of an entry leaf a table of 256, with a 1 for each byte that may stand there. */
const ENTRY = concatenate(
  ...fixed('{"id":"'),
  ...[8, 4].flatMap((digits) => [...any(HEXADECIMAL, digits), ...fixed("-")]),
  ...[...fixed("4"), ...any(HEXADECIMAL, 3), ...fixed("-"), ...any("89ab", 1), ...any(HEXADECIMAL, 3), ...fixed("-")],
  ...any(HEXADECIMAL, 12),
  ...fixed('","sealed":{"content":"'),
  ...any(BASE64, 42),
  ...any(LAST, 1),
  ...fixed('="},"type":"entry","v":1}'),
);

/**
 * Whether the bytes are an entry leaf. All of them have one length and one text, but for the digits of an id and of a
 * commitment; most leaves are such, and nothing else is to be known of them.
 *
 * @param {Uint8Array} entry
 */
export function isEntryLeaf(entry) {
  if (256 * entry.length !== ENTRY.length) return false;
  for (let at = 0; at < entry.length; at += 1) {
    if (ENTRY[256 * at + (entry[at] ?? 0)] !== 1) return false;
  }
  return true;
}

/**
 * Reads a leaf that is not an entry leaf.
 *
 * @param {Uint8Array} entry
 * @param {number} index for the message
 * @returns {OpenLeaf}
 */
export function readOpenLeaf(entry, index) {
  const leaf = members(read(readUtf8(entry)), ["id", "public", "recorded", "type", "v"]);
  if (
    leaf === null ||
    leaf.v !== 1 ||
    typeof leaf.id !== "string" ||
    !UUID4.test(leaf.id) ||
    typeof leaf.recorded !== "string" ||
    !isDate(leaf.recorded) ||
    typeof leaf.type !== "string" ||
    typeof leaf.public !== "object" ||
    leaf.public === null ||
    Array.isArray(leaf.public)
  ) {
    throw new Refused("LEAF_MALFORMED", { leaf: index, field: "-" });
  }
  if (!OPEN_TYPES.has(leaf.type)) throw new Refused("LEAF_UNKNOWN", { leaf: index, type: leaf.type.slice(0, 80) });
  return { id: leaf.id, type: leaf.type, recorded: leaf.recorded, public: /** @type {JsonObject} */ (leaf.public) };
}

/** @param {string} text */
function isDate(text) {
  const [, year, month, day] = DATE.exec(text)?.map(Number) ?? [];
  if (!year || month === undefined || day === undefined) return false;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  return 1 <= day && day <= days;
}

/** @param {string} text */
function fixed(text) {
  return [...text].flatMap((character) => any(character, 1));
}

/**
 * @param {string} characters
 * @param {number} times
 * @returns {Uint8Array[]}
 */
function any(characters, times) {
  const allowed = new Uint8Array(256);
  for (const character of characters) allowed[character.charCodeAt(0)] = 1;
  return new Array(times).fill(allowed);
}
