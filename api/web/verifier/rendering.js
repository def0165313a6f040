// The steps on the page, as a list that grows its findings. Only text is ever written, never markup.

import { STEPS } from "./steps.js";
import { speaker } from "./texts.js";

/** @typedef {import("./steps.js").State} State */
/** @typedef {import("./steps.js").StepId} StepId */
/** @typedef {Record<string, string | number>} Values */

/** How numbers are written: in Spanish as in Mexico, not as in Spain. @type {Readonly<Record<string, string>>} */
const NUMBERS = { es: "es-MX" };

export class Rendering {
  #list;
  #say;
  #status;
  /** @type {Map<StepId, HTMLLIElement>} */
  #items = new Map();
  /** @type {HTMLProgressElement | null} How far that step is, below the verdict. */
  #bar = null;
  /** @type {StepId} The step that is being taken. */
  current = STEPS[0].id;

  /**
   * @param {HTMLElement} section
   * @throws {Error} where the page lacks a part or a text
   */
  constructor(section) {
    this.#list = part(section, "[data-steps]");
    this.#status = part(section, "[data-verdict]");
    const { content } = /** @type {HTMLTemplateElement} */ (part(section, "template[data-texts]"));
    const texts = [...content.querySelectorAll("[data-text]")].map(
      (element) => /** @type {const} */ ([element.getAttribute("data-text") ?? "", spaced(element.textContent)]),
    );
    this.#say = speaker(new Map(texts), NUMBERS[document.documentElement.lang] ?? "en");
  }

  /** All steps, waiting. */
  begin() {
    this.#status.textContent = this.#say("state.running");
    this.#status.dataset["verdict"] = "";
    this.#list.replaceChildren(
      ...STEPS.map(({ id }) => {
        const item = document.createElement("li");
        item.dataset["step"] = id;
        item.append(
          paragraph("title", this.#say(`step.${id}.title`), "h3"),
          paragraph("state", ""),
          paragraph("outcome", ""),
          paragraph("proves", this.#say(`step.${id}.proves`)),
          paragraph("not", this.#say(`step.${id}.not`)),
        );
        this.#items.set(id, item);
        this.#show(item, "waiting");
        return item;
      }),
    );
  }

  /**
   * @param {StepId} id
   * @param {State} state
   * @param {string} [outcome]
   * @param {Values} [values]
   * @param {string[]} [keys] that signed
   * @param {string[]} [evidence] documents to keep
   */
  step(id, state, outcome, values, keys = [], evidence = []) {
    this.current = id;
    const item = this.#item(id);
    this.#show(item, state);
    this.#bar?.remove();
    this.#bar = null;
    if (state === "running") this.#status.textContent = `${this.#say("state.running")} ${this.#say(`step.${id}.title`)}`;
    if (outcome !== undefined)
      part(item, "[data-part=outcome]").textContent = this.#say(`step.${id}.${outcome}`, values);
    // To be compared with the one that somebody has on paper.
    for (const key of keys) part(item, "[data-part=outcome]").after(paragraph("key", key));
    for (const note of evidence) item.append(paragraph("evidence", note, "pre"));
  }

  /**
   * @param {number} done
   * @param {number} total
   */
  progress(done, total) {
    if (this.#bar === null) {
      this.#bar = document.createElement("progress");
      this.#bar.setAttribute("aria-label", this.#say(`step.${this.current}.title`));
      this.#status.after(this.#bar);
    }
    this.#bar.max = total;
    this.#bar.value = done;
  }

  /** Every step was taken. */
  passed() {
    this.#conclude("passed");
  }

  /** @param {import("./refused.js").Refused} refused by the step that is being taken */
  refused(refused) {
    const item = this.#item(this.current);
    const verdict = refused.contradicts ? "failed" : "unproven";
    this.step(this.current, verdict, undefined, {}, [], refused.evidence);
    const why = this.#say(`failure.${refused.code}`, refused.values);
    part(item, "[data-part=outcome]").textContent = why;
    for (const later of this.#items.values()) {
      if (later.dataset["state"] === "waiting") this.#show(later, "unreached");
    }
    this.#conclude(verdict);
    this.#status.append(paragraph("why", `${this.#say(`step.${this.current}.title`)}: ${why}`, "span"));
  }

  /** What this browser kept is gone. */
  forgotten() {
    this.#status.dataset["verdict"] = "";
    this.#status.textContent = this.#say("forgotten");
  }

  /** @param {import("./steps.js").Verdict} verdict */
  #conclude(verdict) {
    this.#status.dataset["verdict"] = verdict;
    this.#status.textContent = this.#say(`verdict.${verdict}`);
  }

  /** @param {StepId} id */
  #item(id) {
    const item = this.#items.get(id);
    if (item === undefined) throw new Error(`no step ${id}`);
    return item;
  }

  /**
   * @param {HTMLLIElement} item
   * @param {State} state
   */
  #show(item, state) {
    item.dataset["state"] = state;
    part(item, "[data-part=state]").textContent = this.#say(`state.${state}`);
  }
}

/**
 * @param {ParentNode} parent
 * @param {string} selector
 * @returns {HTMLElement}
 */
function part(parent, selector) {
  const found = parent.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`the page lacks ${selector}`);
  return found;
}

/**
 * @param {string} name
 * @param {string} text
 * @param {string} [tag]
 */
function paragraph(name, text, tag = "p") {
  const element = document.createElement(tag);
  element.dataset["part"] = name;
  element.textContent = text;
  return element;
}

/** @param {string | null} text Line breaks of the markup are spaces. */
function spaced(text) {
  return (text ?? "").replace(/\s+/g, " ").trim();
}
