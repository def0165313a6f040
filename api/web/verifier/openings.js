// Every opening against its commitment, and every facet against what earlier leaves of its incident said:
//
// 1. What an earlier leaf sealed opens with its key, and key and value give the commitment that stands there.
// 2. What stays sealed repeats that commitment and names that leaf.
// 3. An open value stays as it is, and so does the class.
// 4. Only a leaf with a reason may do otherwise. If it does, it seals anew all that it does not open.

import { readBase64, writeBase64 } from "./bytes.js";
import { write } from "./canonical.js";
import { FACETS } from "./disclosure.js";
import { Refused } from "./refused.js";
import { hmac } from "./sha256.js";

/** @typedef {import("./json.d.ts").Json} Json */
/** @typedef {import("./disclosure.js").Disclosure} Disclosure */
/** @typedef {import("./disclosure.js").FacetName} FacetName */
/** @typedef {{ leaf: number, id: string, disclosure: Disclosure }} Shown An incident as one leaf shows it. */

/**
 * The commitment to a value, in base64.
 *
 * @param {import("./sha256.js").Sha256} sha256
 * @param {Uint8Array} key 32 bytes
 * @param {string} id of the event whose leaf holds the commitment
 * @param {string} field
 * @param {Json} value
 */
export function commitment(sha256, key, id, field, value) {
  return writeBase64(hmac(sha256, key, `constancia/commit/v1\n${id}\n${field}\n${write(value)}`));
}

/** Follows all incidents through the leaves in order. */
export class Openings {
  /** @type {Map<string, Shown>} */
  #shown = new Map();
  #sha256;
  /** Facets that opened with their key. */
  opened = 0;

  /** @param {import("./sha256.js").Sha256} sha256 */
  constructor(sha256) {
    this.#sha256 = sha256;
  }

  /** Incidents seen so far. */
  get incidents() {
    return this.#shown.size;
  }

  /** Facets that are sealed now. */
  get sealed() {
    let sealed = 0;
    for (const { disclosure } of this.#shown.values()) {
      sealed += FACETS.filter((name) => disclosure.facets[name].sealed !== undefined).length;
    }
    return sealed;
  }

  /** @param {Shown} shown the next disclosure of the log */
  follow(shown) {
    const { disclosure } = shown;
    const last = this.#shown.get(disclosure.incident);
    for (const name of FACETS) {
      const facet = disclosure.facets[name];
      if (facet.sealed !== undefined) checkSealed(shown, name, last);
      else if (facet.key !== undefined) this.#checkOpening(shown, name, last);
      else if (last !== undefined) checkOpen(shown, name, last);
    }
    if (last !== undefined) checkCorrection(last, shown);
    this.#shown.set(disclosure.incident, shown);
  }

  /**
   * @param {Shown} shown
   * @param {FacetName} name
   * @param {Shown | undefined} last
   */
  #checkOpening(shown, name, last) {
    const { value, key = "", sealed_in: sealedIn } = shown.disclosure.facets[name];
    const before = last === undefined ? null : sealOf(last, name);
    const bytes = readBase64(key);
    const matches =
      before !== null &&
      before.sealedIn === sealedIn &&
      bytes?.length === 32 &&
      commitment(this.#sha256, bytes, before.sealedIn, name, value ?? null) === before.commitment;
    if (!matches) throw refused("OPENING_FALSE", shown, name);
    this.opened += 1;
  }
}

/**
 * How a facet is sealed, null where it is open.
 *
 * @param {Shown} shown
 * @param {FacetName} name
 */
function sealOf({ id, disclosure }, name) {
  const { sealed, sealed_in: sealedIn } = disclosure.facets[name];
  return sealed === undefined ? null : { commitment: sealed, sealedIn: sealedIn ?? id };
}

/**
 * A value without a key.
 *
 * @param {Shown} shown
 * @param {FacetName} name
 * @param {Shown} last
 */
function checkOpen(shown, name, last) {
  if (sealOf(last, name) !== null) throw refused("OPENING_FALSE", shown, name);
  const changed = !same(last.disclosure.facets[name].value, shown.disclosure.facets[name].value);
  if (changed && shown.disclosure.reason === null) throw refused("FACET_CHANGED", shown, name);
}

/**
 * @param {Shown} shown
 * @param {FacetName} name
 * @param {Shown | undefined} last
 */
function checkSealed(shown, name, last) {
  const { sealed, sealed_in: sealedIn } = shown.disclosure.facets[name];
  const before = last === undefined ? null : sealOf(last, name);
  const broken =
    sealedIn !== undefined
      ? before?.commitment !== sealed || before?.sealedIn !== sealedIn
      : (last !== undefined && shown.disclosure.reason === null) || before?.commitment === sealed;
  if (broken) throw refused("FACET_CHANGED", shown, name);
}

/**
 * @param {Shown} last
 * @param {Shown} shown
 */
function checkCorrection(last, shown) {
  const [then, now] = [last.disclosure, shown.disclosure];
  if (now.reason === null) {
    if (now.class !== then.class) throw refused("FACET_CHANGED", shown, "class");
    return;
  }
  const kept = FACETS.find((name) => now.facets[name].sealed !== undefined && sameSeal(last, shown, name));
  const changed = FACETS.some((name) => {
    const [before, after] = [then.facets[name], now.facets[name]];
    if (after.sealed !== undefined) return !sameSeal(last, shown, name);
    return before.sealed === undefined && !same(before.value, after.value);
  });
  if (kept !== undefined && changed) throw refused("FACET_CHANGED", shown, kept);
}

/**
 * @param {Shown} last
 * @param {Shown} shown
 * @param {FacetName} name
 */
function sameSeal(last, shown, name) {
  const [before, after] = [sealOf(last, name), sealOf(shown, name)];
  return before?.commitment === after?.commitment && before?.sealedIn === after?.sealedIn;
}

/**
 * @param {Json | undefined} one
 * @param {Json | undefined} other
 */
function same(one, other) {
  return one === other || write(one ?? null) === write(other ?? null);
}

/**
 * @param {import("./refused.js").Code} code
 * @param {Shown} shown
 * @param {string} facet
 */
function refused(code, { leaf, disclosure }, facet) {
  return new Refused(code, { leaf, incident: disclosure.incident, facet });
}
