// Receive webhooks: KEY=whpk_… node webhook.mjs PORT. Node 20, no packages; whsec_… works too.
import { createHmac, createPublicKey, timingSafeEqual, verify } from "node:crypto";
import { createServer } from "node:http";

const [kind, key] = process.env.KEY.split(/_(.*)/s);
const secret = Buffer.from(key, "base64");
const TOLERANCE = 300; // seconds
const seen = new Set(); // yours belongs into the transaction that stores the event

// Whether the register has signed this request, now (Standard Webhooks 1.0).
function verified(headers, body) {
  const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signatures } = headers;
  if (!id || !signatures || !(Math.abs(Date.now() / 1000 - at) <= TOLERANCE)) return false;
  const signed = Buffer.concat([Buffer.from(`${id}.${at}.`), body]);
  // Two of each while secrets are rotated.
  return signatures.split(" ").some((signature) => {
    const [version, value] = signature.split(",");
    const given = Buffer.from(value ?? "", "base64");
    if (kind === "whsec" && version === "v1") {
      const expected = createHmac("sha256", secret).update(signed).digest();
      return given.length === expected.length && timingSafeEqual(expected, given);
    }
    if (kind === "whpk" && version === "v1a") {
      const jwk = { kty: "OKP", crv: "Ed25519", x: secret.toString("base64url") };
      return verify(null, signed, createPublicKey({ key: jwk, format: "jwk" }), given);
    }
    return false;
  });
}

async function receive(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const accepted = verified(request.headers, body);
  const id = request.headers["webhook-id"];
  if (accepted && !seen.has(id)) { // an event may come again, never too early
    const event = JSON.parse(body);
    console.log(event.position, event.type); // your work, before the answer
    seen.add(id);
  }
  response.writeHead(accepted ? 204 : 401).end();
}

createServer((request, response) => {
  // A sender that goes away in the middle, say: it will come again.
  receive(request, response).catch(() => response.destroy());
}).listen(Number(process.argv[2]), "127.0.0.1");
