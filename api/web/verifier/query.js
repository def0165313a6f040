// A question in its canonical form (national-count/1, section 3).

import { isList, members, write } from "./canonical.js";
import { CLASSES, KINDS, MONTH, MUNICIPALITY, STATES, UNKNOWN } from "./disclosure.js";
import { Refused } from "./refused.js";

/** @typedef {import("./json.d.ts").Json} Json */
/** @typedef {"class" | "kind" | "state" | "municipality"} Listed */
/**
 * @typedef {{
 *   filter: Record<Listed, string[] | null> & {
 *     nexus: string,
 *     period: { from: string, to: string } | null,
 *   },
 *   group_by: string[],
 *   unit: string,
 * }} Query
 */

const UNITS = ["INCIDENTS", "VICTIMISATIONS", "DEATHS"];
const NEXUS = ["STRICT", "BROAD"];
const DIMENSIONS = ["CLASS", "KIND", "YEAR", "MONTH", "STATE", "MUNICIPALITY", "CERTAINTY", "SEX"];

/** @type {Readonly<Record<Listed, (code: string) => boolean>>} */
const CODES = {
  class: (code) => CLASSES.includes(code),
  kind: (code) => Object.values(KINDS).some((kinds) => kinds.has(code)),
  state: (code) => code === UNKNOWN || STATES.includes(code),
  municipality: (code) => code === UNKNOWN || (MUNICIPALITY.test(code) && STATES.includes(code.slice(0, 2))),
};

/**
 * The canonical form of the question that a page asks, in the names of its GraphQL: `unit`, `groupBy`, `filter`. What
 * is absent or null is not filtered by. Refused where it cannot be asked.
 *
 * @param {{ unit?: Json, groupBy?: Json, filter?: Json }} asked
 * @returns {Query}
 */
export function readQuestion({ unit = "INCIDENTS", groupBy = null, filter = null }) {
  const given = typeof filter === "object" && filter !== null && !isList(filter) ? filter : null;
  const known = Object.keys(given ?? {}).every(
    (name) => name === "nexus" || name === "period" || Object.hasOwn(CODES, name),
  );
  if (!known || (filter !== null && given === null)) throw malformed();
  /** @param {Listed} name */
  const list = (name) => readList(given?.[name] ?? null, CODES[name]);
  const query = {
    filter: {
      class: list("class"),
      kind: list("kind"),
      municipality: list("municipality"),
      nexus: among(NEXUS, given?.["nexus"] ?? "STRICT"),
      period: readPeriod(given?.["period"] ?? null),
      state: list("state"),
    },
    group_by: (isList(groupBy ?? []) ? /** @type {Json[]} */ (groupBy ?? []) : [null]).map((name) =>
      among(DIMENSIONS, name),
    ),
    unit: among(UNITS, unit),
  };
  const repeated = new Set(query.group_by).size !== query.group_by.length;
  if (repeated || (query.group_by.includes("SEX") && query.unit !== "DEATHS")) throw malformed();
  return query;
}

/**
 * The question whose canonical form this is; null for anything else.
 *
 * @param {Json} canonical
 */
export function readCanonical(canonical) {
  const asked = members(canonical, ["filter", "group_by", "unit"]);
  if (asked === null) return null;
  try {
    const query = readQuestion({ unit: asked.unit, groupBy: asked.group_by, filter: asked.filter });
    return write(query) === write(canonical) ? query : null;
  } catch (error) {
    if (error instanceof Refused) return null;
    throw error;
  }
}

/**
 * @param {Json} value
 * @param {(code: string) => boolean} accepts
 */
function readList(value, accepts) {
  if (value === null) return null;
  if (!isList(value) || value.length === 0) throw malformed();
  const codes = value.map((code) => {
    if (typeof code !== "string" || !accepts(code)) throw malformed();
    return code;
  });
  return [...new Set(codes)].sort();
}

/** @param {Json} value */
function readPeriod(value) {
  if (value === null) return null;
  const period = members(value, ["from", "to"]);
  if (period === null) throw malformed();
  const { from, to } = period;
  if (typeof from !== "string" || typeof to !== "string" || !MONTH.test(from) || !MONTH.test(to) || from > to) {
    throw malformed();
  }
  return { from, to };
}

/**
 * @param {readonly string[]} codes
 * @param {Json} value
 */
function among(codes, value) {
  if (typeof value !== "string" || !codes.includes(value)) throw malformed();
  return value;
}

function malformed() {
  return new Refused("PAGE_MALFORMED");
}
