// The whole verification, with Node's own fetch against a server of files. Each directory under CONSTANCIA_CASES is a
// case: the log's files and `case.json`, which says what page asked, what the browser remembered, and how it must end.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, test } from "node:test";

import { utf8 } from "../../../api/web/verifier/bytes.js";
import { KeptBundles } from "../../../api/web/verifier/kept.js";
import { browserEd25519 } from "../../../api/web/verifier/note.js";
import { readQuestion } from "../../../api/web/verifier/query.js";
import { Refused } from "../../../api/web/verifier/refused.js";
import { loadSha256 } from "../../../api/web/verifier/sha256.js";
import { hashedBundles, reader } from "../../../api/web/verifier/source.js";
import { STEPS } from "../../../api/web/verifier/steps.js";
import { verify } from "../../../api/web/verifier/verify.js";

const cases = process.env.CONSTANCIA_CASES;
const sha256 = await loadSha256();
const verifyEd25519 = await browserEd25519(globalThis.crypto.subtle);

const server = createServer(async ({ url }, response) => {
  try {
    response.end(await readFile(join(cases, decodeURIComponent(url))));
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
after(() => server.close());

for (const name of (await readdir(cases)).sort()) {
  const { question, asOf, shown, certificate, memory, full, expected } = JSON.parse(
    await readFile(join(cases, name, "case.json"), "utf8"),
  );
  const log = `http://127.0.0.1:${server.address().port}/${encodeURIComponent(name)}`;

  test(name, async () => {
    const store = new Map();
    let stored = new KeptBundles(
      {
        match: async (address) => store.get(address)?.clone(),
        put: async (address, response) => void store.set(address, response),
      },
      log,
    );
    const kept = new Map(memory === null ? [] : [[`constancia/verified/${log}`, memory]]);
    const read = reader(log);
    const told = new Map();
    let progressed = 0;
    const means = {
      log,
      read,
      hash: (address) => hashedBundles(read, stored, sha256, address),
      sha256,
      verifyEd25519,
      signal: new AbortController().signal,
      kept: {
        getItem: (key) => kept.get(key) ?? null,
        setItem: (key, value) => {
          if (full) throw new DOMException("no room", "QuotaExceededError");
          kept.set(key, value);
        },
      },
    };
    const figure = {
      query: readQuestion(question),
      asOf,
      shown,
      certificate: certificate === null ? null : async () => utf8(certificate),
    };
    const report = {
      step: (id, state, outcome, values, keys, evidence = []) => told.set(id, { state, outcome, values, evidence }),
      progress: (done) => (progressed = done),
    };
    const refused = await verify(figure, means, report).then(
      () => null,
      (error) => error,
    );
    if (expected.refused) {
      assert.ok(refused instanceof Refused, String(refused));
      assert.equal(refused.code, expected.refused);
      assert.deepEqual({ ...refused.values, ...expected.values }, refused.values);
      assert.equal([...told.values()].at(-1).state, "running");
      assert.equal(refused.evidence.length, ["ROLLED_BACK", "FORKED", "POLICY_WEAKENED"].includes(refused.code) ? 2 : 0);
      return;
    }
    assert.equal(refused, null, refused?.stack);
    assert.deepEqual(
      [...told.keys()],
      STEPS.map(({ id }) => id),
    );
    for (const { id, outcomes } of STEPS) assert.ok(outcomes.includes(told.get(id).outcome), id);
    for (const [id, outcome] of Object.entries(expected.outcomes ?? {}))
      assert.equal(told.get(id).outcome, outcome, id);
    for (const { outcome, evidence } of told.values()) assert.equal(evidence.length, outcome === "changed" ? 2 : 0);
    assert.equal(progressed, told.get("checkpoint").values.size);
    // What it saw now, it holds the next time to.
    await verify(figure, means, report);
    assert.equal(told.get("memory").outcome, full ? expected.outcomes.memory : "prefix");
    const { outcome, values } = told.get("leaves");
    assert.deepEqual([outcome, values.here], store.size > 0 ? ["kept", 2048 * store.size] : ["root", 0]);
    // What is kept is not believed: with other bytes it is fetched anew, and then kept right.
    for (const [change, expected] of [
      [(bytes) => bytes.map((byte, at) => (at === 1000 ? byte ^ 1 : byte)), "anew"],
      [(bytes) => bytes.slice(0, -1), "root"],
      [(bytes) => bytes, "kept"],
    ]) {
      for (const [address, response] of store) {
        const bytes = new Uint8Array(await response.clone().arrayBuffer());
        store.set(address, new Response(change(bytes)));
      }
      await verify(figure, means, report);
      assert.equal(told.get("leaves").outcome, store.size > 0 ? expected : "root");
    }
    // A storage that is full, or closed to the page, is as good as none.
    const closed = () => Promise.reject(new DOMException("no room", "QuotaExceededError"));
    for (const storage of [{ match: closed, put: closed }, null]) {
      stored = new KeptBundles(storage, log);
      await verify(figure, means, report);
      assert.equal(told.get("leaves").outcome, "root");
    }
  });
}
