// The words come from the page. NAMES is printed for who checks that the page has them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { NAMES, speaker } from "../../../api/web/verifier/texts.js";

test("a text is said with its values, numbers as the language writes them", () => {
  const texts = new Map(NAMES.map((name) => [name, "{size} {other} {name}"]));
  assert.equal(speaker(texts, "en")("state.failed", { size: 1234, name: "<b>" }), "1,234 {other} <b>");
  texts.delete("state.failed");
  assert.throws(() => speaker(texts, "en"), /state\.failed/);
});
