// Checks one receipt against the served log, with nothing but node's own crypto. No code is shared with the register.
//
//   node check.mjs URL < submission.json
//
// URL is the log's prefix. The submission is {"vkey", "receiptVkey", "event": {position, leaf, openings, receipt}}: the
// log's keys and one event of an answer to a write. Prints what was checked as one line of JSON; throws otherwise.

import assert from "node:assert/strict";
import { createHash, createHmac, createPublicKey, verify } from "node:crypto";
import { text } from "node:stream/consumers";

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();

/** Standard base64, one spelling. */
function base64(encoded) {
  const bytes = Buffer.from(encoded, "base64");
  assert.equal(bytes.toString("base64"), encoded, "not standard base64");
  return bytes;
}

/** c2sp.org/signed-note, "Verifier keys": name+id+base64(type || key), split at the first two plus signs. */
function readKey(vkey) {
  const [, name, id, encoded] = /^([^+\s]+)\+([0-9a-f]{8})\+(.+)$/.exec(vkey);
  const data = base64(encoded);
  assert.equal(data.length, 33);
  assert.equal(data[0], 1, "not an Ed25519 key");
  assert.equal(sha256(`${name}\n`, data).subarray(0, 4).toString("hex"), id, "another key's id");
  const jwk = { kty: "OKP", crv: "Ed25519", x: data.subarray(1).toString("base64url") };
  return { name, id, key: createPublicKey({ key: jwk, format: "jwk" }) };
}

/** c2sp.org/signed-note: the signed text, split from its signatures at the last empty line. */
function openNote(note, { name, id, key }) {
  const split = note.lastIndexOf("\n\n");
  assert.ok(split >= 0 && note.endsWith("\n"), "not a note");
  const signed = note.slice(0, split + 1);
  const lines = note.slice(split + 2, -1).split("\n");
  assert.ok(lines.length <= 16, "too many signatures");
  let known = 0;
  for (const line of lines) {
    const [, signer, encoded] = /^— ([^ +]+) ([A-Za-z0-9+/=]+)$/.exec(line);
    const data = base64(encoded);
    if (signer !== name || data.subarray(0, 4).toString("hex") !== id) continue;
    assert.ok(verify(null, Buffer.from(signed), key, data.subarray(4)), "a false signature");
    known += 1;
  }
  assert.equal(known, 1, `not signed once by ${name}`);
  return signed;
}

/** c2sp.org/tlog-checkpoint. */
function readCheckpoint(signed, origin) {
  const [name, size, root, end] = signed.split("\n");
  assert.equal(name, origin);
  assert.match(size, /^(0|[1-9][0-9]*)$/);
  assert.equal(end, "");
  assert.equal(base64(root).length, 32);
  return { size: Number(size), root };
}

/** RFC 6962 section 2.1.1, read as the recursion that it is: the root that the path leads to. */
function rootFrom(leaf, index, size, path) {
  if (size === 1) {
    assert.equal(path.length, 0, "the path is too long");
    return leaf;
  }
  assert.ok(path.length > 0, "the path is too short");
  let split = 1;
  while (split * 2 < size) split *= 2;
  const sibling = path.at(-1);
  const rest = path.slice(0, -1);
  return index < split
    ? sha256("\x01", rootFrom(leaf, index, split, rest), sibling)
    : sha256("\x01", sibling, rootFrom(leaf, index - split, size - split, rest));
}

/** RFC 8785: JSON.stringify writes strings and numbers as it asks; the members are sorted by UTF-16 code units. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
  return `{${members.join(",")}}`;
}

/** The commitment that an opening opens: HMAC-SHA-256 under its own key of 32 bytes. */
function commitment(eventId, field, { key, value }) {
  const secret = base64(key);
  assert.equal(secret.length, 32);
  return createHmac("sha256", secret)
    .update(`constancia/commit/v1\n${eventId}\n${field}\n${canonical(value)}`)
    .digest("base64");
}

async function fetchText(url) {
  const response = await fetch(url);
  assert.equal(response.status, 200, url);
  return response.text();
}

const url = process.argv[2];
const { vkey, receiptVkey, event } = JSON.parse(await text(process.stdin));
const logKey = readKey(vkey);
const receiptKey = readKey(receiptVkey);
const origin = logKey.name;

// The checkpoint.
const latest = readCheckpoint(openNote(await fetchText(`${url}/checkpoint`), logKey), origin);
assert.ok(latest.size > event.position, "no checkpoint covers the event yet");

// The leaf, in the tree that a checkpoint signs (c2sp.org/tlog-proof).
const leaf = sha256("\x00", event.leaf);
const served = await fetchText(`${url}/proof/${event.position}`);
const end = served.indexOf("\n\n");
const [header, index, ...path] = served.slice(0, end).split("\n");
assert.equal(header, "c2sp.org/tlog-proof@v1");
assert.equal(index, `index ${event.position}`);
const proved = readCheckpoint(openNote(served.slice(end + 2), logKey), origin);
assert.ok(proved.size > event.position);
const hashes = path.map(base64);
assert.ok(hashes.every((hash) => hash.length === 32));
assert.equal(rootFrom(leaf, event.position, proved.size, hashes).toString("base64"), proved.root, "another root");
if (proved.size === latest.size) assert.equal(proved.root, latest.root, "two roots for one size");

// What the leaf commits to.
const { id, sealed, type, v } = JSON.parse(event.leaf);
assert.equal(canonical({ id, sealed, type, v }), event.leaf, "the leaf is not canonical");
const opened = Object.keys(event.openings);
assert.deepEqual(opened, Object.keys(sealed));
for (const field of opened) assert.equal(commitment(id, field, event.openings[field]), sealed[field], field);

// The receipt.
const lines = openNote(event.receipt, receiptKey).split("\n");
assert.equal(receiptKey.name, `${origin}/receipt/v1`);
assert.deepEqual(lines.slice(0, 4), [
  `${origin}/receipt/v1`,
  origin,
  `index ${event.position}`,
  `leaf ${leaf.toString("base64")}`,
]);
const [received, mergeBy] = [/^received (\d+)$/.exec(lines[4])[1], /^merge-by (\d+)$/.exec(lines[5])[1]].map(Number);
assert.ok(received <= mergeBy);
assert.deepEqual(lines.slice(6), [""]);

console.log(JSON.stringify({ size: proved.size, index: event.position, hashes: hashes.length, opened }));
