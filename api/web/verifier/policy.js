// Which witnesses must have cosigned: c2sp.org/tlog-policy.

import { readUtf8 } from "./bytes.js";
import { readKey, SIGNER, WITNESS } from "./note.js";
import { Refused } from "./refused.js";

/** @typedef {import("./note.js").Key} Key */
/** @typedef {import("./sha256.js").Sha256} Sha256 */
/**
 * Names are octets, one character each. `quorum` is the name of a witness or group, null where none is asked for.
 *
 * @typedef {{
 *   logs: Key[],
 *   witnesses: { name: string, key: Key }[],
 *   groups: { name: string, threshold: number, members: string[] }[],
 *   quorum: string | null,
 * }} Policy
 */

const LIMIT = 1 << 20;
const FORBIDDEN = /[\x00-\x08\x0b-\x1f\x7f]/;

/**
 * Reads a policy file. Refused, with the number of the line, for whatever the specification does not allow.
 *
 * @param {Sha256} sha256
 * @param {Uint8Array} data
 * @returns {Policy}
 */
export function readPolicy(sha256, data) {
  if (data.length > LIMIT) throw new Refused("POLICY_MALFORMED", { line: 0 });
  const reader = new Reader(sha256);
  // latin1: each octet is one character, so that names which are no UTF-8 are kept as they are.
  const text = Array.from(data, (byte) => String.fromCharCode(byte)).join("");
  text.split("\n").forEach((line, at) => {
    try {
      reader.read(line);
    } catch (error) {
      if (error instanceof RangeError || error instanceof Refused)
        throw new Refused("POLICY_MALFORMED", { line: at + 1 });
      throw error;
    }
  });
  return reader.policy();
}

/**
 * Whether cosignatures by the witnesses of these names are a quorum.
 *
 * @param {Policy} policy
 * @param {ReadonlySet<string>} names
 */
export function meets(policy, names) {
  if (policy.quorum === null) return true;
  const witnessing = new Set(policy.witnesses.filter(({ name }) => names.has(name)).map(({ name }) => name));
  for (const { name, threshold, members } of policy.groups) {
    if (members.filter((member) => witnessing.has(member)).length >= threshold) witnessing.add(name);
  }
  return witnessing.has(policy.quorum);
}

/**
 * Whether both ask for the same witnesses. Comments, addresses and the log's own line ask for nothing.
 *
 * @param {Policy} one
 * @param {Policy} other
 */
export function asksTheSame(one, other) {
  const [asked, askedToo] = [one, other].map(({ witnesses, groups, quorum }) =>
    JSON.stringify([witnesses.map(({ name, key }) => `${name} ${key.vkey}`).sort(), groups, quorum]),
  );
  return asked === askedToo;
}

/**
 * Since when, in POSIX seconds, a quorum vouches: the latest time at or after which enough of them cosigned. A single
 * witness whose clock is ahead cannot make a checkpoint younger than its quorum.
 *
 * @param {Policy} policy
 * @param {ReadonlyMap<string, number>} times
 */
export function quorumTime(policy, times) {
  const newestFirst = [...times].sort(([, one], [, other]) => other - one);
  const enough = newestFirst.findIndex((_, last) =>
    meets(policy, new Set(newestFirst.slice(0, last + 1).map(([name]) => name))),
  );
  return newestFirst[enough]?.[1] ?? null;
}

class Reader {
  #sha256;
  /** @type {Key[]} */
  #logs = [];
  /** @type {{ name: string, key: Key }[]} */
  #witnesses = [];
  /** @type {{ name: string, threshold: number, members: string[] }[]} */
  #groups = [];
  /** @type {Set<string>} */
  #names = new Set();
  /** @type {Set<string>} */
  #members = new Set();
  /** @type {Set<string>} */
  #keys = new Set();
  /** @type {string | undefined} */
  #quorum;

  /** @param {Sha256} sha256 */
  constructor(sha256) {
    this.#sha256 = sha256;
  }

  /** @param {string} line RangeError where it says nothing that the specification allows */
  read(line) {
    allow(!FORBIDDEN.test(line));
    const [keyword = "", ...items] = line.split(/[ \t]+/).filter((item) => item !== "");
    if (keyword === "" || keyword.startsWith("#")) return;
    if (keyword === "log") this.#log(items);
    else if (keyword === "witness") this.#witness(items);
    else if (keyword === "group") this.#group(items);
    else if (keyword === "quorum") this.#quorumLine(items);
    else allow(false);
  }

  /** @returns {Policy} */
  policy() {
    if (this.#quorum === undefined) throw new Refused("POLICY_MALFORMED", { line: 0 });
    const quorum = this.#quorum === "none" ? null : this.#quorum;
    return { logs: this.#logs, witnesses: this.#witnesses, groups: this.#groups, quorum };
  }

  /** @param {string[]} items */
  #log([vkey = "", ...rest]) {
    allow(rest.length <= 1);
    this.#logs.push(this.#newKey(vkey, SIGNER));
  }

  /** @param {string[]} items */
  #witness([name = "", vkey = "", ...rest]) {
    allow(rest.length <= 1);
    this.#newName(name);
    this.#witnesses.push({ name, key: this.#newKey(vkey, WITNESS) });
  }

  /** @param {string[]} items */
  #group([name = "", threshold = "", ...members]) {
    allow(members.length >= 1);
    for (const member of members) {
      allow(this.#names.has(member) && !this.#members.has(member));
      this.#members.add(member);
    }
    const spelled = /^[1-9][0-9]{0,8}$/.test(threshold) ? Number(threshold) : NaN;
    const needed = threshold === "all" ? members.length : threshold === "any" ? 1 : spelled;
    allow(needed <= members.length);
    this.#newName(name);
    this.#groups.push({ name, threshold: needed, members });
  }

  /** @param {string[]} items */
  #quorumLine([name = "", ...rest]) {
    allow(rest.length === 0 && this.#quorum === undefined && (name === "none" || this.#names.has(name)));
    this.#quorum = name;
  }

  /** @param {string} name */
  #newName(name) {
    allow(name !== "" && name !== "none" && !this.#names.has(name));
    this.#names.add(name);
  }

  /**
   * Two names for one key would let one witness count twice, and a log be its own witness.
   *
   * @param {string} octets
   * @param {number} type
   */
  #newKey(octets, type) {
    const vkey = readUtf8(Uint8Array.from(octets, (character) => character.charCodeAt(0)));
    allow(vkey !== null);
    const key = readKey(this.#sha256, vkey ?? "", type);
    for (const identity of [`key ${key.publicKey.join()}`, `id ${key.name}+${key.id.join()}`]) {
      allow(!this.#keys.has(identity));
      this.#keys.add(identity);
    }
    return key;
  }
}

/** @param {boolean} condition */
function allow(condition) {
  if (!condition) throw new RangeError("not allowed by c2sp.org/tlog-policy");
}
