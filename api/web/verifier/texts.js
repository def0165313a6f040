// The words that the page gives the script, in the page's language: elements with `data-text` in a template.

import { CODES } from "./refused.js";
import { STATES, STEPS, VERDICTS } from "./steps.js";

/** All that a page must have. */
export const NAMES = [
  ...STEPS.flatMap(({ id, outcomes }) => ["title", "proves", "not", ...outcomes].map((part) => `step.${id}.${part}`)),
  ...STATES.map((state) => `state.${state}`),
  ...VERDICTS.map((verdict) => `verdict.${verdict}`),
  ...CODES.map((code) => `failure.${code}`),
  "forgotten",
];

/** @typedef {(name: string, values?: Record<string, string | number>) => string} Say */

/**
 * @param {ReadonlyMap<string, string>} texts
 * @param {string} language of the numbers
 * @returns {Say}
 */
export function speaker(texts, language) {
  const missing = NAMES.filter((name) => !texts.has(name));
  if (missing.length > 0) throw new Error(`the page lacks the texts ${missing.join(", ")}`);
  const format = new Intl.NumberFormat(language);
  return (name, values = {}) =>
    (texts.get(name) ?? "").replace(/\{([a-zA-Z]+)\}/g, (whole, key) => {
      const value = values[key];
      return value === undefined ? whole : typeof value === "number" ? format.format(value) : value;
    });
}
