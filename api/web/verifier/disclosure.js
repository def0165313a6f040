// What one `incident.disclosed` leaf says, by section 2 of national-count/1. A leaf that two readers could understand
// differently is refused.

import { isList, members } from "./canonical.js";

/** @typedef {import("./json.d.ts").Json} Json */
/** @typedef {readonly [low: number, best: number, high: number]} Bounds */
/** @typedef {{ victims: Bounds, deaths: Bounds }} Scope */
/** @typedef {"strict" | "broad"} Nexus */
/** @typedef {"tally" | "year" | "state" | "kind" | "municipality" | "month" | "sex"} FacetName */
/**
 * How a facet stands in one leaf: with a value, and where an earlier leaf sealed it, the key and that leaf's id; or
 * sealed, by this leaf or still by an earlier one.
 *
 * @typedef {{ value?: Json, sealed?: string, key?: string, sealed_in?: string }} Facet
 */
/**
 * One incident as one leaf shows it. Of the facets, null where sealed.
 *
 * @typedef {{
 *   incident: string,
 *   status: string,
 *   certainty: string,
 *   disputed: boolean,
 *   class: string,
 *   reason: string | null,
 *   tally: Record<Nexus, Scope> | null,
 *   year: string | null,
 *   state: string | null,
 *   kind: string | null,
 *   municipality: string | null,
 *   month: string | null,
 *   sex: Record<Nexus, ReadonlyMap<string, Bounds>> | null,
 *   facets: Record<FacetName, Facet>,
 * }} Disclosure
 */

/** @type {readonly FacetName[]} */
export const FACETS = ["tally", "year", "state", "kind", "municipality", "month", "sex"];
export const UNKNOWN = "UNKNOWN";
export const NOT_REPORTED = "NOT_REPORTED";
export const CLASSES = ["THREAT", "ATTACK"];
export const CERTAINTIES = ["RUMOUR", "POSSIBLE", "PROBABLE", "CONFIRMED", "REFUTED"];

/** @type {Readonly<Record<string, ReadonlySet<string>>>} */
export const KINDS = {
  THREAT: new Set([
    ...["VERBAL", "MESSAGE", "WRITTEN", "SURVEILLANCE", "ARMED_INTIMIDATION", "ORDER_TO_LEAVE", "AGAINST_FAMILY"],
    ...["LYNCHING_THREAT", UNKNOWN, NOT_REPORTED],
  ]),
  ATTACK: new Set([
    ...["PHYSICAL_ASSAULT", "ARMED_ATTACK", "ABDUCTION", "COERCED_CARE", "SEXUAL_VIOLENCE", "HARASSMENT", "EXTORTION"],
    ...["ROBBERY", "SITE_ATTACK", "OBSTRUCTION", "DISAPPEARANCE", "DEATH_UNDETERMINED", UNKNOWN, NOT_REPORTED],
  ]),
};
/** The codes of the 32 states. */
export const STATES = Array.from({ length: 32 }, (_, at) => String(at + 1).padStart(2, "0"));
export const MONTH = /^[0-9]{4}-(0[1-9]|1[0-2])$/;
export const MUNICIPALITY = /^[0-9]{5}$/;
export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const STATUSES = ["ACTIVE", "MERGED", "RETRACTED"];
const SEXES = new Set(["FEMALE", "MALE", "OTHER", UNKNOWN, NOT_REPORTED]);
const YEAR = /^[0-9]{4}$/;
/** @type {readonly Nexus[]} */
const NEXUS = ["strict", "broad"];

/** The name of the field that breaks the form. Caught by who knows the leaf's number. */
export class Malformed extends Error {
  /** @param {string} field */
  constructor(field) {
    super(field);
    this.field = field;
  }
}

/**
 * @param {Json} value the `public` object of the leaf
 * @returns {Disclosure}
 */
export function readDisclosure(value) {
  const fields = members(value, [
    ...["incident", "status", "merged_into", "certainty", "disputed", "class", "reason", "facets", "waived"],
  ]);
  if (fields === null) throw new Malformed("public");
  const incident = text(fields.incident, (code) => UUID.test(code), "incident");
  const status = text(fields.status, (code) => STATUSES.includes(code), "status");
  const certainty = text(fields.certainty, (code) => CERTAINTIES.includes(code), "certainty");
  const incidentClass = text(fields.class, (code) => CLASSES.includes(code), "class");
  const { merged_into: mergedInto, disputed, reason } = fields;
  if (mergedInto !== null) text(mergedInto ?? null, (code) => UUID.test(code), "merged_into");
  must((status === "MERGED") === (mergedInto !== null), "merged_into");
  if (typeof disputed !== "boolean") throw new Malformed("disputed");
  if (typeof reason !== "string" && reason !== null) throw new Malformed("reason");

  const given = members(fields.facets, FACETS);
  if (given === null) throw new Malformed("facets");
  const facets = /** @type {Record<FacetName, Facet>} */ (
    Object.fromEntries(FACETS.map((name) => [name, readFacet(given[name], name)]))
  );
  checkWaived(fields.waived, facets);
  /** @type {(name: FacetName, accepts: (code: string) => boolean) => string | null} */
  const code = (name, accepts) => {
    const facet = facets[name];
    return facet.value === undefined ? null : text(facet.value, accepts, name);
  };
  const disclosure = {
    incident,
    status,
    certainty,
    disputed,
    class: incidentClass,
    reason,
    tally: facets.tally.value === undefined ? null : readTally(facets.tally.value),
    year: code("year", (year) => year === UNKNOWN || YEAR.test(year)),
    state: code("state", (state) => state === UNKNOWN || STATES.includes(state)),
    kind: code("kind", (kind) => KINDS[incidentClass]?.has(kind) ?? false),
    municipality: code("municipality", (place) => place === UNKNOWN || MUNICIPALITY.test(place)),
    month: code("month", (month) => month === UNKNOWN || MONTH.test(month)),
    sex: facets.sex.value === undefined ? null : readSex(facets.sex.value),
    facets,
  };
  checkAgreement(disclosure);
  return disclosure;
}

/**
 * @param {Json} value
 * @param {FacetName} name
 * @returns {Facet}
 */
function readFacet(value, name) {
  const open = members(value, ["value"]);
  if (open !== null) return open;
  const opened = members(value, ["value", "key", "sealed_in"]);
  if (opened !== null)
    return { value: opened.value, key: text(opened.key, any, name), sealed_in: id(opened.sealed_in, name) };
  const sealed = members(value, ["sealed"]);
  if (sealed !== null) return { sealed: text(sealed.sealed, any, name) };
  const still = members(value, ["sealed", "sealed_in"]);
  if (still !== null) return { sealed: text(still.sealed, any, name), sealed_in: id(still.sealed_in, name) };
  throw new Malformed(name);
}

/**
 * @param {Json | undefined} value names of open facets, each once, in the order of the characters' codes
 * @param {Record<FacetName, Facet>} facets
 */
function checkWaived(value, facets) {
  const names = isList(value) ? value : null;
  const sorted = names?.every((name, at) => {
    const open = FACETS.some((facet) => facet === name && facets[facet].value !== undefined);
    const before = at === 0 ? "" : names[at - 1];
    return open && typeof name === "string" && typeof before === "string" && before < name;
  });
  must(sorted ?? false, "waived");
}

/**
 * @param {Json} value
 * @returns {Record<Nexus, Scope>}
 */
function readTally(value) {
  const both = members(value, NEXUS);
  if (both === null) throw new Malformed("tally");
  return { strict: readScope(both.strict, "tally.strict"), broad: readScope(both.broad, "tally.broad") };
}

/**
 * @param {Json} value
 * @param {string} name
 * @returns {Scope}
 */
function readScope(value, name) {
  const fields = members(value, ["victims", "deaths"]);
  if (fields === null) throw new Malformed(name);
  const scope = { victims: readBounds(fields.victims, name), deaths: readBounds(fields.deaths, name) };
  must(within(scope.deaths, scope.victims), name);
  return scope;
}

/**
 * @param {Json} value
 * @returns {Record<Nexus, Map<string, Bounds>>}
 */
function readSex(value) {
  if (value === "NOT_APPLICABLE") return { strict: new Map(), broad: new Map() };
  const both = members(value, NEXUS);
  if (both === null) throw new Malformed("sex");
  return { strict: readBySex(both.strict, "sex.strict"), broad: readBySex(both.broad, "sex.broad") };
}

/**
 * @param {Json} value
 * @param {string} name
 */
function readBySex(value, name) {
  if (typeof value !== "object" || value === null || isList(value)) throw new Malformed(name);
  return new Map(
    Object.entries(value).map(([sex, bounds]) => {
      must(SEXES.has(sex), name);
      return [sex, readBounds(bounds, name)];
    }),
  );
}

/**
 * @param {Json} value
 * @param {string} name
 * @returns {Bounds}
 */
function readBounds(value, name) {
  const [low, best, high, ...rest] = isList(value) ? value : [];
  const whole = [low, best, high].every((part) => Number.isSafeInteger(part));
  if (!whole || rest.length > 0 || !(0 <= Number(low) && Number(low) <= Number(best) && Number(best) <= Number(high))) {
    throw new Malformed(name);
  }
  return [Number(low), Number(best), Number(high)];
}

/** @param {Disclosure} disclosure Open facets must not contradict each other, or parts would not sum to the whole. */
function checkAgreement({ tally, sex, state, municipality, year, month }) {
  if (tally !== null) {
    const { strict, broad } = tally;
    must(within(strict.victims, broad.victims) && within(strict.deaths, broad.deaths), "tally");
    for (const nexus of sex === null ? [] : NEXUS) {
      const sum = [...(sex?.[nexus].values() ?? [])].reduce(plus, NOTHING);
      must(
        sum.every((part, at) => part === tally[nexus].deaths[at]),
        "sex",
      );
    }
  }
  must(!contradicts(state, municipality, 2), "municipality");
  must(!contradicts(year, month, 4), "month");
}

/** @type {Bounds} */
export const NOTHING = [0, 0, 0];

/**
 * @param {Bounds} one
 * @param {Bounds} other
 * @returns {Bounds}
 */
export function plus(one, other) {
  return [one[0] + other[0], one[1] + other[1], one[2] + other[2]];
}

/**
 * @param {Bounds} part
 * @param {Bounds} whole
 */
function within(part, whole) {
  return part[0] <= whole[0] && part[1] <= whole[1] && part[2] <= whole[2];
}

/**
 * Whether a known part lies outside its open parent.
 *
 * @param {string | null} parent
 * @param {string | null} part
 * @param {number} length of the parent's code
 */
function contradicts(parent, part, length) {
  return parent !== null && part !== null && part !== UNKNOWN && part.slice(0, length) !== parent;
}

/**
 * @param {Json | undefined} value
 * @param {(code: string) => boolean} accepts
 * @param {string} field
 */
function text(value, accepts, field) {
  if (typeof value !== "string" || !accepts(value)) throw new Malformed(field);
  return value;
}

/**
 * @param {Json} value
 * @param {string} field
 */
function id(value, field) {
  return text(value, (code) => UUID.test(code), field);
}

function any() {
  return true;
}

/**
 * @param {boolean} condition
 * @param {string} field
 */
function must(condition, field) {
  if (!condition) throw new Malformed(field);
}
