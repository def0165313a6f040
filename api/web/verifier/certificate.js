// Count certificates: a signed note of six lines, and whether the leaves say the same.

import { readDecimal, readHash, writeBase64 } from "./bytes.js";
import { read, write } from "./canonical.js";
import { openNote } from "./note.js";
import { DEFINITION } from "./recount.js";
import { Refused } from "./refused.js";

/** @typedef {import("./count.js").Count} Count */
/** @typedef {import("./json.d.ts").Json} Json */
/** @typedef {import("./query.js").Query} Query */
/**
 * @typedef {{
 *   origin: string, definition: string, sha256: string, query: Json, result: Json, size: number, root: string,
 *   keys: import("./note.js").Key[],
 * }} Certificate
 */

const SUFFIX = "/count/v1";

/**
 * The certificate in a note that one of the keys for counts signed.
 *
 * @param {string | null} note
 * @param {readonly import("./note.js").Key[]} keys
 * @param {import("./note.js").VerifyEd25519} verifyEd25519
 * @returns {Promise<Certificate>}
 */
export async function openCertificate(note, keys, verifyEd25519) {
  const { text, verified } = await openNote(note, keys, verifyEd25519);
  const [name = "", adopted = "", question = "", answer = "", digits = "", root = "", ...rest] = text.split("\n");
  const [, definition, sha256] = /^([a-z0-9][a-z0-9./-]*) ([0-9a-f]{64})$/.exec(adopted) ?? [];
  const query = read(question);
  const result = read(answer);
  const size = readDecimal(digits);
  const hash = readHash(root);
  const ours = name.endsWith(SUFFIX) && verified.some(({ key }) => key.name === name);
  if (
    !ours ||
    rest.length !== 1 ||
    definition === undefined ||
    sha256 === undefined ||
    query === undefined ||
    result === undefined ||
    size === null ||
    hash === null
  ) {
    throw new Refused("CERTIFICATE_MALFORMED");
  }
  const origin = name.slice(0, -SUFFIX.length);
  const signers = verified.map(({ key }) => key);
  return { origin, definition, sha256, query, result, size, root: writeBase64(hash), keys: signers };
}

/**
 * Holds the certificate against the log as it was at the size of the count. Refused, naming the part that differs.
 *
 * @param {Certificate} certificate
 * @param {{ origin: string, size: number, root: string, query: Query, count: Count }} actual
 */
export function checkCertificate(certificate, { origin, size, root, query, count }) {
  const differing = [
    certificate.origin !== origin && "origin",
    (certificate.definition !== DEFINITION.id || certificate.sha256 !== DEFINITION.sha256) && "definition",
    certificate.size !== size && "size",
    certificate.root !== root && "root",
    write(certificate.query) !== write(query) && "query",
    write(certificate.result) !== write(count) && "result",
  ].filter((part) => part !== false);
  if (differing.length > 0) throw new Refused("CERTIFICATE_DIFFERS", { parts: differing.join(", ") });
}
