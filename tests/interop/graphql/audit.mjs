// The audit suite of the npm package graphql-http (the reference of the GraphQL over HTTP draft) against a running server.
// Usage: node audit.mjs URL. Prints {"ok": n, "notice": n, ...} and, on standard error, each audit that is not ok.
import { serverAudits } from "graphql-http";

const found = {};
for (const audit of serverAudits({ url: process.argv[2], fetchFn: fetch })) {
  const result = await audit.fn();
  found[result.status] = (found[result.status] ?? 0) + 1;
  if (result.status !== "ok") {
    console.error(result.status, result.id, result.name, result.reason);
  }
}
console.log(JSON.stringify(found));
