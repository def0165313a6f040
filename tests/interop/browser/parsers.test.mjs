// What each parser of the page's verifier accepts, and that it refuses everything else.

import assert from "node:assert/strict";
import { createHash, randomBytes, randomInt } from "node:crypto";
import { test } from "node:test";

import {
  concatenate,
  hex,
  readBase64,
  readDecimal,
  readHash,
  readUtf8,
  utf8,
  writeBase64,
} from "../../../api/web/verifier/bytes.js";
import { read, write } from "../../../api/web/verifier/canonical.js";
import { openCheckpoint, readCheckpoint } from "../../../api/web/verifier/checkpoint.js";
import { KeptBundles } from "../../../api/web/verifier/kept.js";
import { isEntryLeaf, readOpenLeaf } from "../../../api/web/verifier/leaf.js";
import { perfectRoot, Tree } from "../../../api/web/verifier/merkle.js";
import { browserEd25519, readKey, splitNote, WITNESS } from "../../../api/web/verifier/note.js";
import { commitment } from "../../../api/web/verifier/openings.js";
import { meets, quorumTime, readPolicy } from "../../../api/web/verifier/policy.js";
import { readCanonical, readQuestion } from "../../../api/web/verifier/query.js";
import { Refused } from "../../../api/web/verifier/refused.js";
import { hmac, loadSha256 } from "../../../api/web/verifier/sha256.js";
import { hashedBundles, reader } from "../../../api/web/verifier/source.js";
import { bundlePath, bundlesOf, readBundle, tilePath, writeBundle } from "../../../api/web/verifier/tiles.js";

const sha256 = await loadSha256();
const refuses = (code, action) => assert.throws(action, (error) => error instanceof Refused && error.code === code);

const VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const EMPTY = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
const SIGNATURE = `— example.com/foo ${writeBase64(new Uint8Array(68))}\n`;

test("base64, hashes, decimals and UTF-8 have one spelling", () => {
  assert.deepEqual([...readBase64("AQI=")], [1, 2]);
  for (const text of ["AQI", "AQJ=", "A Q=", "AQI=\n", "_-8=", "=", "AQI=="])
    assert.equal(readBase64(text), null, text);
  assert.equal(readHash("AQI="), null);
  assert.equal(readDecimal("9007199254740991"), 2 ** 53 - 1);
  for (const text of ["", "01", "-1", "1.0", "1e3", "9007199254740992", " 1", "１"])
    assert.equal(readDecimal(text), null, text);
  assert.equal(readUtf8(Uint8Array.of(0xc0, 0x80)), null);
  assert.equal(readUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x31)), "\ufeff1");
});

test("SHA-256 is that of Node, of messages of every length, one by one and many at once", () => {
  const lengths = [...Array.from({ length: 200 }, (_, length) => length), 65_535, 300_000, 158, 158];
  const messages = lengths.map((length) => Uint8Array.from({ length }, (_, at) => (at * 31 + length) & 0xff));
  const known = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest("hex");
  const together = sha256.each(7, messages);
  messages.forEach((message, at) => {
    assert.equal(hex(sha256(message)), known(message));
    assert.equal(hex(together.subarray(32 * at, 32 * at + 32)), known(Uint8Array.of(7), message));
  });
  assert.equal(hex(sha256(messages[3], messages[70])), known(messages[3], messages[70]));
  assert.equal(sha256.each(0, []).length, 0);
});

test("SHA-256 gives the answers of FIPS 180-4, and Node's of random messages in batches of every size", () => {
  for (const [text, hash] of [
    ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
    [
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    ],
    ["a".repeat(1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"],
  ])
    assert.equal(hex(sha256(utf8(text))), hash);
  const known = (message) => createHash("sha256").update(Uint8Array.of(1)).update(message).digest();
  // More of one length than are handed over at once, and few, so that lanes are left over, behind many.
  for (const count of [5000, 1, 2, 3, 4, 5, 7, 2049]) {
    const lengths = Array.from({ length: count }, () => (randomInt(4) === 0 ? randomInt(2000) : 157));
    const messages = lengths.map((length) => new Uint8Array(randomBytes(length)));
    assert.deepEqual(Buffer.from(sha256.each(1, messages)), Buffer.concat(messages.map(known)));
  }
});

test("HMAC-SHA-256 gives the answers of RFC 4231 and the commitment of docs/log.md", () => {
  const made = hmac(sha256, new Uint8Array(20).fill(0x0b), "Hi There");
  assert.equal(hex(made), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  const key = Uint8Array.from({ length: 32 }, (_, at) => at);
  const sealed = commitment(sha256, key, "3f2b1c9e-7a54-4d0e-9c1b-2a6f8e5d4c3b", "state", "16");
  assert.equal(sealed, "cX/O2Iuu3Rn3LYLlboPFWZvmhOcnG1sDzfX6hWWHQGg=");
});

test("canonical JSON is read only as it is written", () => {
  const text = '{"a":[1,-1,true,null,"ñ\\u0001\\n\\"\u007f\u2028"],"b":{}}';
  assert.equal(write(read(text)), text);
  // Keys that look like numbers stand in the order of their characters, not where JavaScript puts them.
  assert.deepEqual(read('{"10":1,"9":1,"a":{"":2}}'), { 9: 1, 10: 1, a: { "": 2 } });
  const others = [
    ['{"a":1,"a":1}', '{"b":1,"a":1}', '{ "a":1}', "1.0", "1e2", "-0", "0.5", "9007199254740992", "01", "NaN", ""],
    [
      '"\\u00f1"',
      '"\\/"',
      '"\\ud800"',
      '"n\u0303"',
      '{"ñ":1}',
      '"\\u000A"',
      "[1,]",
      "\ufeff1",
      '{"__proto__":1,"__proto__":1}',
      '{"9":1,"10":1}',
      '[{"b":"\\ud800"}]',
    ],
    ["[".repeat(65) + "]".repeat(65)],
  ].flat();
  for (const other of others) assert.equal(read(other), undefined, other);
  assert.notEqual(read("[".repeat(64) + "]".repeat(64)), undefined);
  assert.equal(read(null), undefined);
});

test("a key is read only where its id belongs to it", () => {
  assert.equal(readKey(sha256, VKEY).name, "example.com/foo");
  for (const vkey of [
    "",
    "a+b",
    VKEY.replace("530d", "530e"),
    VKEY.replace("foo", "bar"),
    VKEY.replace("Aek", "Ael"),
    `${VKEY}\n`,
    VKEY.replace("example.com/foo", "example com"),
    VKEY.slice(0, -4),
  ])
    refuses("KEY_MALFORMED", () => readKey(sha256, vkey));
  refuses("KEY_MALFORMED", () => readKey(sha256, VKEY, WITNESS));
});

test("a note is text, an empty line, and signature lines", () => {
  assert.equal(splitNote(`a\n\nb\n\n${SIGNATURE}`).text, "a\n\nb\n");
  for (const note of [
    null,
    "",
    "a\n",
    "a\n\n",
    "a\n\n\n",
    `a\n\n${SIGNATURE.trimEnd()}`,
    `a\t\n\n${SIGNATURE}`,
    `a\ud800\n\n${SIGNATURE}`,
    `a\n\n-${SIGNATURE.slice(1)}`,
    "a\n\n— name AQIDBA==\n",
    "a\n\n— na+me AQIDBAU=\n",
    "a\n\n— name AQIDBAU\n",
    "a\n\n—  AQIDBAU=\n",
    `a\n\n${SIGNATURE.repeat(17)}`,
    `a\n\n${SIGNATURE}\r\n`,
  ])
    refuses("NOTE_MALFORMED", () => splitNote(note));
});

test("a checkpoint is origin, size and root", () => {
  assert.deepEqual(readCheckpoint(`o\n0\n${EMPTY}\n`), { origin: "o", size: 0, root: EMPTY });
  const root = writeBase64(new Uint8Array(32));
  for (const text of [
    "",
    `o\n0\n${root}\n`,
    `o\n1\n${root}`,
    `o\n01\n${root}\n`,
    `o\n1\nAQI=\n`,
    `\n1\n${root}\n`,
    `o\n1\n${root}\n\n`,
    "o\n1\n",
  ])
    refuses("CHECKPOINT_MALFORMED", () => readCheckpoint(text));
});

test("a browser without Ed25519 is told so, and a false signature is never taken for true", async () => {
  const rejected = (code) => (error) => error instanceof Refused && error.code === code;
  await assert.rejects(browserEd25519(undefined), rejected("NO_ED25519"));
  const without = { importKey: () => Promise.reject(new DOMException("unknown", "NotSupportedError")) };
  await assert.rejects(browserEd25519(without), rejected("NO_ED25519"));
  const verifyEd25519 = await browserEd25519(globalThis.crypto.subtle);
  const key = readKey(sha256, VKEY);
  const line = `— ${key.name} ${writeBase64(Uint8Array.of(...key.id, ...new Uint8Array(64)))}\n`;
  const text = `${key.name}\n0\n${EMPTY}\n\n`;
  await assert.rejects(openCheckpoint(text + line, [key], verifyEd25519), rejected("SIGNATURE_FALSE"));
  await assert.rejects(openCheckpoint(text + SIGNATURE, [key], verifyEd25519), rejected("NOT_SIGNED"));
});

test("a policy follows c2sp.org/tlog-policy", () => {
  const parse = (text) => readPolicy(sha256, utf8(text));
  assert.equal(parse(`# any\n\nlog ${VKEY} https://example.com\nquorum none\n`).quorum, null);
  for (const [line, text] of [
    [0, ""],
    [1, "quorum all\n"],
    [2, "quorum none\nquorum none\n"],
    [1, "watch x\n"],
    [1, `witness w ${VKEY}\nquorum w\n`],
    [2, `log ${VKEY}\nlog ${VKEY}\nquorum none\n`],
    [1, "group g 1 w\n"],
    [1, "group g 0\n"],
    [1, "quorum none\r\n"],
    [1, "log\n"],
  ]) {
    assert.throws(
      () => parse(text),
      (error) => error.code === "POLICY_MALFORMED" && error.values.line === line,
      text,
    );
  }
  const witnesses = ["a", "b", "c"].map((name) => ({ name, key: null }));
  const groups = [{ name: "g", threshold: 2, members: ["a", "b", "c"] }];
  const policy = { logs: [], witnesses, groups, quorum: "g" };
  assert.equal(meets(policy, new Set(["a"])), false);
  assert.equal(meets(policy, new Set(["a", "c"])), true);
  assert.equal(
    quorumTime(
      policy,
      new Map([
        ["a", 9],
        ["b", 3],
        ["c", 5],
      ]),
    ),
    5,
  );
  assert.equal(quorumTime(policy, new Map([["a", 9]])), null);
});

test("paths and bundles are those of c2sp.org/tlog-tiles", () => {
  assert.equal(bundlePath(1234067), "tile/entries/x001/x234/067");
  assert.equal(tilePath(1, 273, 112), "tile/1/273.p/112");
  assert.deepEqual(
    bundlesOf(256, 769).map(({ number, width }) => [number, width]),
    [
      [1, 256],
      [2, 256],
      [3, 1],
    ],
  );
  const bundle = Uint8Array.of(0, 1, 7, 0, 0, 0, 2, 8, 9);
  assert.deepEqual(
    readBundle(bundle, 3).map((entry) => [...entry]),
    [[7], [], [8, 9]],
  );
  assert.deepEqual(writeBundle(readBundle(bundle, 3)), bundle);
  assert.deepEqual(readBundle(bundle, 2, true).length, 2);
  for (const [data, width] of [
    [bundle, 2],
    [bundle, 4],
    [bundle.slice(0, -1), 3],
    [Uint8Array.of(0), 1],
  ]) {
    assert.equal(readBundle(data, width), null);
  }
});

test("nothing is taken from the browser's own cache, where another log may have left its bundles", async (context) => {
  const asked = [];
  context.mock.method(globalThis, "fetch", async (address, { cache }) => {
    asked.push([address, cache]);
    return new Response(writeBundle([utf8("leaf")]));
  });
  const read = reader("https://example.org/log");
  await hashedBundles(read, new KeptBundles(null, ""), sha256, { run: 0, from: 0, to: 1, cuts: [], anew: false });
  await read("checkpoint");
  assert.deepEqual(asked, [
    ["https://example.org/log/tile/entries/000.p/1", "no-store"],
    ["https://example.org/log/checkpoint", "no-store"],
  ]);
});

test("a tree gives one root, however it is put together", () => {
  const hashes = Array.from({ length: 13 }, (_, at) => sha256(Uint8Array.of(0, at)));
  const leaves = new Tree(sha256);
  hashes.forEach((hash) => leaves.append(hash));
  const parts = new Tree(sha256);
  parts.append(perfectRoot(sha256, concatenate(...hashes.slice(0, 8))), 8);
  parts.append(perfectRoot(sha256, concatenate(...hashes.slice(8, 12))), 4);
  parts.append(hashes[12]);
  assert.deepEqual(parts.root(), leaves.root());
  assert.equal(writeBase64(new Tree(sha256).root()), EMPTY);
  assert.throws(() => parts.append(hashes[0], 2), RangeError);
  assert.throws(() => perfectRoot(sha256, concatenate(...hashes.slice(0, 6))), RangeError);
});

test("a leaf has one of two shapes", () => {
  const entry = `{"id":"3f2b1c9e-7a54-4d0e-9c1b-2a6f8e5d4c3b","sealed":{"content":"${EMPTY}"},"type":"entry","v":1}`;
  assert.ok(isEntryLeaf(utf8(entry)));
  for (const other of [
    entry.replace("-4d0e", "-5d0e"),
    entry.replace("-9c1b", "-cc1b"),
    entry.replace("FU=", "FV="),
    `${entry} `,
  ]) {
    assert.ok(!isEntryLeaf(utf8(other)), other);
    refuses("LEAF_MALFORMED", () => readOpenLeaf(utf8(other), 0));
  }
  const open = {
    id: "3f2b1c9e-7a54-4d0e-9c1b-2a6f8e5d4c3b",
    public: {},
    recorded: "2024-02-29",
    type: "site.registered",
    v: 1,
  };
  const leaf = (changed) => utf8(write({ ...open, ...changed }));
  assert.equal(readOpenLeaf(leaf({}), 0).type, "site.registered");
  for (const changed of [
    { v: 2 },
    { v: true },
    { id: "3F2B1C9E-7a54-4d0e-9c1b-2a6f8e5d4c3b" },
    { recorded: "2023-02-29" },
    { recorded: "20240229" },
    { recorded: "0000-01-01" },
    { recorded: "2024-13-01" },
    { public: [] },
    { public: null },
    { type: 1 },
    { more: 1 },
  ])
    refuses("LEAF_MALFORMED", () => readOpenLeaf(leaf(changed), 0));
  refuses("LEAF_UNKNOWN", () => readOpenLeaf(leaf({ type: "site.closed" }), 0));
  refuses("LEAF_MALFORMED", () => readOpenLeaf(Uint8Array.of(0xff), 0));
});

test("a question is asked in its form", () => {
  const query = readQuestion({ filter: { state: ["16", "01", "16"], nexus: "BROAD" }, groupBy: ["YEAR"] });
  assert.deepEqual(query.filter.state, ["01", "16"]);
  assert.deepEqual(readCanonical(query), query);
  assert.equal(readCanonical({ ...query, filter: { ...query.filter, state: ["16", "01"] } }), null);
  assert.equal(readCanonical({ ...query, filter: { ...query.filter, weather: null } }), null);
  for (const asked of [
    { unit: "PERSONS" },
    { filter: { weather: ["RAIN"] } },
    { filter: [] },
    { filter: { state: [] } },
    { filter: { state: "16" } },
    { filter: { state: ["33"] } },
    { filter: { kind: ["THEFT"] } },
    { filter: { municipality: ["99001"] } },
    { filter: { period: {} } },
    { filter: { period: { from: "2020-02", to: "2020-01" } } },
    { filter: { period: { from: "2020", to: "2021" } } },
    { groupBy: ["SEX"] },
    { groupBy: ["YEAR", "YEAR"] },
    { groupBy: "YEAR" },
    { groupBy: ["DAY"] },
  ])
    refuses("PAGE_MALFORMED", () => readQuestion(asked));
});
