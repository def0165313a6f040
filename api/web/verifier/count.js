// national-count/1, sections 4 to 8: the last disclosure of each incident and a question in, the answer out.

import { KINDS, NOTHING, NOT_REPORTED, plus, UNKNOWN } from "./disclosure.js";

/** @typedef {import("./disclosure.js").Bounds} Bounds */
/** @typedef {import("./disclosure.js").Disclosure} Disclosure */
/** @typedef {import("./query.js").Query} Query */
/** @typedef {{ dimension: string, state: string, value: string | null }} Cell */
/** @typedef {{ low: number, best: number, high: number }} Numbers */
/**
 * The answer in its canonical form.
 *
 * @typedef {Numbers & {
 *   disputed: number,
 *   excluded: { incidents: number, reason: string }[],
 *   rows: ({ key: Cell[] } & Numbers)[],
 * }} Count
 */

/** Verdicts in order: unless one filter says OUTSIDE, the greatest holds. */
const OUTSIDE = 0;
const MATCH = 1;
const VERDICTS = ["OUTSIDE", "MATCH", NOT_REPORTED, UNKNOWN, "UNDISCLOSED"];

/** Which of low, best and high an incident of each certainty enters. @type {Readonly<Record<string, Bounds>>} */
const ENTERS = { POSSIBLE: [0, 0, 1], PROBABLE: [0, 1, 1], CONFIRMED: [1, 1, 1] };

/**
 * @param {Iterable<Disclosure>} disclosures the last of each incident, in any order
 * @param {Query} query
 * @returns {Count}
 */
export function count(disclosures, query) {
  let whole = NOTHING;
  let disputed = 0;
  /** @type {Map<string, number>} */
  const excluded = new Map();
  /** @type {Map<string, { key: Cell[], bounds: Bounds }>} */
  const rows = new Map();
  for (const disclosure of disclosures) {
    const verdict = judge(disclosure, query);
    if (verdict === OUTSIDE) continue;
    const reason = exclusion(disclosure, query, verdict);
    if (reason !== null) {
      excluded.set(reason, (excluded.get(reason) ?? 0) + 1);
      continue;
    }
    whole = plus(whole, contribution(disclosure, query));
    disputed += disclosure.disputed ? 1 : 0;
    for (const { key, bounds } of query.group_by.length === 0 ? [] : parts(disclosure, query)) {
      const order = key.map(place).join("\n");
      rows.set(order, { key, bounds: plus(rows.get(order)?.bounds ?? NOTHING, bounds) });
    }
  }
  return {
    ...numbers(whole),
    disputed,
    excluded: [...excluded].sort(byFirst).map(([reason, incidents]) => ({ incidents, reason })),
    rows: [...rows]
      .sort(byFirst)
      .filter(([, { bounds }]) => bounds[2] > 0)
      .map(([, { key, bounds }]) => ({ key, ...numbers(bounds) })),
  };
}

/**
 * Section 4: whether the open facets put the incident into the question.
 *
 * @param {Disclosure} disclosure
 * @param {Query} query
 */
function judge(disclosure, { filter }) {
  const verdicts = [
    filter.class === null || filter.class.includes(disclosure.class) ? MATCH : OUTSIDE,
    byKind(disclosure, filter.kind),
    listed(disclosure.state, filter.state),
    byMunicipality(disclosure, filter.municipality),
    byPeriod(disclosure, filter.period),
  ];
  return verdicts.includes(OUTSIDE) ? OUTSIDE : Math.max(...verdicts);
}

/**
 * @param {string | null} value null where sealed
 * @param {readonly string[] | null} wanted
 */
function listed(value, wanted) {
  if (wanted === null || (value !== null && wanted.includes(value))) return MATCH;
  if (value === null) return VERDICTS.indexOf("UNDISCLOSED");
  return value === UNKNOWN || value === NOT_REPORTED ? VERDICTS.indexOf(value) : OUTSIDE;
}

/**
 * @param {Disclosure} disclosure
 * @param {readonly string[] | null} wanted
 */
function byKind(disclosure, wanted) {
  const possible = KINDS[disclosure.class];
  return wanted !== null && !wanted.some((kind) => possible?.has(kind)) ? OUTSIDE : listed(disclosure.kind, wanted);
}

/**
 * @param {Disclosure} disclosure
 * @param {readonly string[] | null} wanted
 */
function byMunicipality({ state, municipality }, wanted) {
  const known = state !== null && state !== UNKNOWN;
  const elsewhere = wanted?.every((code) => code !== UNKNOWN && code.slice(0, 2) !== state) ?? false;
  return known && elsewhere ? OUTSIDE : listed(municipality, wanted);
}

/**
 * @param {Disclosure} disclosure
 * @param {{ from: string, to: string } | null} period
 */
function byPeriod({ year, month }, period) {
  if (period === null) return MATCH;
  if (month !== null && month !== UNKNOWN) return period.from <= month && month <= period.to ? MATCH : OUTSIDE;
  if (year === null) return VERDICTS.indexOf("UNDISCLOSED");
  if (year === UNKNOWN) return VERDICTS.indexOf(UNKNOWN);
  const [first, last] = [`${year}-01`, `${year}-12`];
  if (period.from <= first && last <= period.to) return MATCH;
  if (last < period.from || period.to < first) return OUTSIDE;
  return VERDICTS.indexOf(month === null ? "UNDISCLOSED" : UNKNOWN);
}

/**
 * Section 5: the first reason that applies, null for an incident that counts.
 *
 * @param {Disclosure} disclosure
 * @param {Query} query
 * @param {number} verdict
 */
function exclusion(disclosure, query, verdict) {
  if (disclosure.status !== "ACTIVE") return disclosure.status;
  if (!Object.hasOwn(ENTERS, disclosure.certainty)) return disclosure.certainty;
  if (disclosure.tally === null) return "UNDISCLOSED";
  if (disclosure.tally[nexus(query)].victims[2] === 0) return "NO_IN_SCOPE_VICTIM";
  return verdict === MATCH ? null : (VERDICTS[verdict] ?? null);
}

/**
 * Section 6: how much an incident counts, for which there is no reason to exclude it.
 *
 * @param {Disclosure} disclosure
 * @param {Query} query
 * @returns {Bounds}
 */
function contribution({ tally, certainty }, query) {
  const scope = tally?.[nexus(query)];
  if (scope === undefined) return NOTHING;
  const { victims, deaths } = scope;
  if (query.unit === "DEATHS") return admitted(deaths, certainty);
  if (query.unit === "VICTIMISATIONS") return admitted(victims, certainty);
  return admitted([Math.min(victims[0], 1), Math.min(victims[1], 1), Math.min(victims[2], 1)], certainty);
}

/**
 * Section 7: the rows that a counted incident adds to. One, or with SEX one for each sex of its dead.
 *
 * @param {Disclosure} disclosure
 * @param {Query} query
 * @returns {{ key: Cell[], bounds: Bounds }[]}
 */
function parts(disclosure, query) {
  /** @type {[string | null, Bounds][]} */
  let bySex = [[null, contribution(disclosure, query)]];
  if (query.group_by.includes("SEX")) {
    if (bySex[0]?.[1][2] === 0) return [];
    if (disclosure.sex !== null) {
      bySex = [...disclosure.sex[nexus(query)]].map(([sex, bounds]) => [sex, admitted(bounds, disclosure.certainty)]);
    }
  }
  return bySex.map(([sex, bounds]) => ({
    key: query.group_by.map((dimension) => cell(dimension, dimension === "SEX" ? sex : facet(disclosure, dimension))),
    bounds,
  }));
}

/**
 * @param {Disclosure} disclosure
 * @param {string} dimension
 */
function facet(disclosure, dimension) {
  const name = /** @type {"class" | "kind" | "year" | "month" | "state" | "municipality" | "certainty"} */ (
    dimension.toLowerCase()
  );
  return disclosure[name];
}

/**
 * @param {string} dimension
 * @param {string | null} value
 * @returns {Cell}
 */
function cell(dimension, value) {
  if (value === null) return { dimension, state: "UNDISCLOSED", value };
  return value === UNKNOWN ? { dimension, state: UNKNOWN, value: null } : { dimension, state: "KNOWN", value };
}

/** @param {Cell} cell What sorts known values by their code, then unknown, then undisclosed. */
function place({ state, value }) {
  return state === "UNDISCLOSED" ? "2" : state === UNKNOWN ? "1" : `0${value}`;
}

/**
 * @param {Bounds} bounds
 * @param {string} certainty
 * @returns {Bounds}
 */
function admitted([low, best, high], certainty) {
  const enters = ENTERS[certainty] ?? NOTHING;
  return [low * enters[0], best * enters[1], high * enters[2]];
}

/** @param {Query} query */
function nexus(query) {
  return query.filter.nexus === "STRICT" ? "strict" : "broad";
}

/** @param {Bounds} bounds */
function numbers([low, best, high]) {
  return { low, best, high };
}

/**
 * By the order of the characters' codes.
 *
 * @param {readonly [string, unknown]} one
 * @param {readonly [string, unknown]} other
 */
function byFirst([one], [other]) {
  return one < other ? -1 : 1;
}
