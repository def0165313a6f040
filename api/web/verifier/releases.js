// The register's announcements against each other: definition, policy and releases.

import { hex, utf8 } from "./bytes.js";
import { isList, members, write } from "./canonical.js";
import { UUID } from "./disclosure.js";
import { Refused } from "./refused.js";

/** @typedef {import("./json.d.ts").Json} Json */

const SHA256 = /^[0-9a-f]{64}$/;
const QUARTER = /^[0-9]{4}-Q[1-4]$/;

/** Follows the open leaves in order. */
export class Releases {
  /** @type {string | null} The SHA-256 of the definition that holds. */
  definition = null;
  /** @type {string | null} */
  #policy = null;
  published = 0;
  /** @type {string[]} Incidents disclosed since the last release, in order. */
  pending = [];
  /** @type {Set<string>} */
  #ids = new Set();
  #sha256;

  /** @param {import("./sha256.js").Sha256} sha256 */
  constructor(sha256) {
    this.#sha256 = sha256;
  }

  /**
   * An id, on which commitments rest, is used once.
   *
   * @param {number} leaf
   * @param {Json} id
   */
  identify(leaf, id) {
    if (typeof id !== "string" || !UUID.test(id) || this.#ids.has(id)) throw refused(leaf, "id");
    this.#ids.add(id);
  }

  /**
   * @param {number} leaf
   * @param {Json} value
   */
  adoptDefinition(leaf, value) {
    const adopted = members(value, ["id", "sha256"]);
    this.definition = digest(leaf, adopted?.id, adopted?.sha256);
  }

  /**
   * The SHA-256 of a policy is that of its canonical form.
   *
   * @param {number} leaf
   * @param {Json} value
   */
  adoptPolicy(leaf, value) {
    const adopted = members(value, ["id", "sha256", "policy"]);
    this.#policy = digest(leaf, adopted?.id, adopted?.sha256);
    const actual = hex(this.#sha256(utf8(write(adopted?.policy ?? null) ?? "")));
    if (actual !== this.#policy) throw refused(leaf, "sha256");
  }

  /**
   * After a definition and a policy were adopted; in the order of the ids, which are random, so that it tells nothing.
   *
   * @param {number} leaf
   * @param {string} incident
   */
  disclose(leaf, incident) {
    const before = this.pending.at(-1);
    if (this.definition === null || this.#policy === null) throw refused(leaf, "definition, policy");
    if (before !== undefined && before >= incident) throw refused(leaf, "incident");
    this.pending.push(incident);
  }

  /**
   * It says truly how many incidents it disclosed, and under which definition and policy.
   *
   * @param {number} leaf
   * @param {Json} value
   */
  publish(leaf, value) {
    const release = members(value, ["release", "definition", "policy", "disclosed", "answers", "tables"]);
    if (release === null) throw refused(leaf, "public");
    if (release.disclosed !== this.pending.length) throw refused(leaf, "disclosed");
    if (release.definition === null || release.definition !== this.definition) throw refused(leaf, "definition");
    if (release.policy === null || release.policy !== this.#policy) throw refused(leaf, "policy");
    this.identify(leaf, release.release);
    if (!isList(release.answers) || !eachOnce(release.answers)) throw refused(leaf, "answers");
    if (!isList(release.tables)) throw refused(leaf, "tables");
    this.pending = [];
    this.published += 1;
  }
}

/** @param {Json[]} answers one per institution and quarter */
function eachOnce(answers) {
  const seen = new Set();
  return answers.every((value) => {
    const { institution, quarter, answer } = members(value, ["institution", "quarter", "answer"]) ?? {};
    const formed = typeof institution === "string" && UUID.test(institution) && typeof quarter === "string";
    const key = `${institution} ${quarter}`;
    const first = !seen.has(key);
    seen.add(key);
    return formed && QUARTER.test(quarter) && (answer === "ANSWERED" || answer === "NOT_ANSWERED") && first;
  });
}

/**
 * @param {number} leaf
 * @param {Json | undefined} id
 * @param {Json | undefined} sha256
 */
function digest(leaf, id, sha256) {
  if (typeof id !== "string" || typeof sha256 !== "string" || !SHA256.test(sha256)) throw refused(leaf, "sha256");
  return sha256;
}

/**
 * @param {number} leaf
 * @param {string} field
 */
function refused(leaf, field) {
  return new Refused("RELEASE_FALSE", { leaf, field });
}
