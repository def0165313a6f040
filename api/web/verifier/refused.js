// Why a verification ends without its proof. The words for people are the page's; here are a code and its values.

/**
 * Every code. The page has a text `failure.<code>` for each.
 *
 * @typedef {(typeof CODES)[number]} Code
 */
export const CODES = /** @type {const} */ ([
  "UNAVAILABLE",
  "STOPPED",
  "NO_ED25519",
  "NO_WEBASSEMBLY",
  "UNEXPECTED",
  "PAGE_MALFORMED",
  "MEMORY_DAMAGED",
  "NOTE_MALFORMED",
  "KEY_MALFORMED",
  "SIGNATURE_FALSE",
  "NOT_SIGNED",
  "ANOTHER_LOG",
  "FILE_TOO_LONG",
  "CHECKPOINT_MALFORMED",
  "POLICY_MALFORMED",
  "QUORUM_MISSED",
  "POLICY_WEAKENED",
  "ROLLED_BACK",
  "FORKED",
  "FIGURE_AHEAD",
  "BUNDLE_MALFORMED",
  "LEAF_CHANGED",
  "ROOT_DIFFERS",
  "LEAF_MALFORMED",
  "LEAF_UNKNOWN",
  "RELEASE_FALSE",
  "OPENING_FALSE",
  "FACET_CHANGED",
  "DEFINITION_UNKNOWN",
  "COUNT_TOO_LARGE",
  "COUNT_DIFFERS",
  "CERTIFICATE_MALFORMED",
  "CERTIFICATE_DIFFERS",
]);

/** These prove nothing either way; all others say that the evidence is wrong.
 *
 * @type {ReadonlySet<Code>}
 */
const UNPROVEN = new Set([
  "UNAVAILABLE",
  "STOPPED",
  "NO_ED25519",
  "NO_WEBASSEMBLY",
  "UNEXPECTED",
  "PAGE_MALFORMED",
  "MEMORY_DAMAGED",
]);

export class Refused extends Error {
  /**
   * @param {Code} code
   * @param {Record<string, string | number>} [values] what the page's text for the code names
   * @param {string[]} [evidence] documents to keep, such as two notes that contradict each other
   */
  constructor(code, values = {}, evidence = []) {
    super(`${code} ${JSON.stringify(values)}`);
    this.code = code;
    this.values = values;
    this.evidence = evidence;
  }

  /** Whether it shows that something is false, not only that something could not be checked. */
  get contradicts() {
    return !UNPROVEN.has(this.code);
  }
}
