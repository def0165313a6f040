// The steps of a verification, as data. Each rests on the ones before it and on nothing else. For each, the page has
// the texts `step.<id>.title`, `.proves`, `.not` (what it does not prove) and `.<outcome>`.

/**
 * `noted` where there was nothing to hold it against, `unproven` where it could not be taken to its end, `unreached`
 * where an earlier one ended the verification.
 *
 * @typedef {"waiting" | "running" | "passed" | "noted" | "failed" | "unproven" | "unreached"} State
 */
/** @typedef {"passed" | "failed" | "unproven"} Verdict */
/** @typedef {(typeof STEPS)[number]["id"]} StepId */

export const STEPS = /** @type {const} */ ([
  { id: "checkpoint", outcomes: ["signed"] },
  { id: "witnesses", outcomes: ["quorum", "none", "changed"] },
  { id: "leaves", outcomes: ["root", "kept", "anew"] },
  { id: "memory", outcomes: ["prefix", "stale", "first", "full", "blocked"] },
  { id: "openings", outcomes: ["kept"] },
  { id: "count", outcomes: ["agrees", "counted"] },
  { id: "certificate", outcomes: ["agrees", "absent"] },
]);

/** @type {readonly State[]} */
export const STATES = ["waiting", "running", "passed", "noted", "failed", "unproven", "unreached"];
/** @type {readonly Verdict[]} */
export const VERDICTS = ["passed", "failed", "unproven"];
