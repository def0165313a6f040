// The log read once, in order: every leaf strictly, every promise kept, the last disclosure of each incident held.

import { Malformed, readDisclosure } from "./disclosure.js";
import { readOpenLeaf } from "./leaf.js";
import { Openings } from "./openings.js";
import { Refused } from "./refused.js";
import { Releases } from "./releases.js";

/** @typedef {import("./disclosure.js").Disclosure} Disclosure */

/** The definition that `count.js` implements: its id, and the SHA-256 of its text. */
export const DEFINITION = {
  id: "national-count/1",
  sha256: "55ecabc6246c6814f41d150e7d5ca8da7d95c80059e3cfa0c71ec4f145804535",
};

export class Recount {
  /** @type {Map<string, Disclosure>} The last of each incident. */
  disclosures = new Map();
  openLeaves = 0;

  /** @param {import("./sha256.js").Sha256} sha256 */
  constructor(sha256) {
    this.openings = new Openings(sha256);
    this.releases = new Releases(sha256);
  }

  /**
   * The next leaf that is not an entry leaf.
   *
   * @param {number} index
   * @param {Uint8Array} entry
   */
  add(index, entry) {
    const leaf = readOpenLeaf(entry, index);
    this.openLeaves += 1;
    this.releases.identify(index, leaf.id);
    if (leaf.type === "definition.adopted") this.releases.adoptDefinition(index, leaf.public);
    if (leaf.type === "policy.adopted") this.releases.adoptPolicy(index, leaf.public);
    if (leaf.type === "release.published") this.releases.publish(index, leaf.public);
    if (leaf.type !== "incident.disclosed") return;
    const disclosure = strictly(index, () => readDisclosure(leaf.public));
    this.releases.disclose(index, disclosure.incident);
    this.openings.follow({ leaf: index, id: leaf.id, disclosure });
    this.disclosures.set(disclosure.incident, disclosure);
  }

  /**
   * Whether the log is counted by the definition that is implemented here.
   *
   * @param {string | null} adopted
   */
  static checkDefinition(adopted) {
    if (adopted !== DEFINITION.sha256) {
      throw new Refused("DEFINITION_UNKNOWN", { adopted: adopted ?? "-", held: DEFINITION.sha256 });
    }
  }
}

/**
 * @template T
 * @param {number} leaf
 * @param {() => T} reads
 */
function strictly(leaf, reads) {
  try {
    return reads();
  } catch (error) {
    if (error instanceof Malformed) throw new Refused("LEAF_MALFORMED", { leaf, field: error.field });
    throw error;
  }
}
