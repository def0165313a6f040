// Answers questions about leaves, one JSON object per line: {"leaves", "query"} in, the count in its canonical form
// out, or {"malformed": field} for a leaf that breaks the definition's section 2.

import { createInterface } from "node:readline";

import { write } from "../../../api/web/verifier/canonical.js";
import { count } from "../../../api/web/verifier/count.js";
import { Malformed, readDisclosure } from "../../../api/web/verifier/disclosure.js";
import { readCanonical } from "../../../api/web/verifier/query.js";

for await (const line of createInterface({ input: process.stdin })) {
  const { leaves, query } = JSON.parse(line);
  const last = new Map();
  let answer;
  try {
    for (const leaf of leaves) {
      if (leaf.type === "incident.disclosed") last.set(leaf.public.incident, readDisclosure(leaf.public));
    }
    answer = count(last.values(), readCanonical(query));
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    answer = { malformed: error.field };
  }
  process.stdout.write(`${write(answer)}\n`);
}
