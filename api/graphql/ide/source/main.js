// GraphiQL, asking the register that served it and nobody else.
import { GraphiQL } from "graphiql";
import "graphiql/style.css";
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import "./page.css";

// From /graphql/ide.
const ENDPOINT = "../graphql";

const EXAMPLE = `# ¿Cuántos? · How many?
{
  count {
    low
    best
    high
    excluded { reason incidents }
    asOf { size publishedAt }
    citation { text }
  }
}
`;

// A key belongs into the headers of a question: {"Authorization": "Bearer …"}. It is never stored.
async function ask(body, { headers } = {}) {
  const subscribes = /^\s*subscription\b/m.test(body.query) && body.operationName !== "IntrospectionQuery";
  const answer = await fetch(ENDPOINT, {
    method: "POST",
    headers: {
      accept: subscribes ? "text/event-stream" : "application/graphql-response+json, application/json",
      "content-type": "application/json",
      ...headers,
    },
    body: JSON.stringify(body),
    credentials: "omit",
  });
  return answer.headers.get("content-type")?.startsWith("text/event-stream") ? events(answer) : answer.json();
}

// Server-sent events, as graphql-sse names them: “next” with a result each, then “complete”.
async function* events(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += value;
      const blocks = text.split("\n\n");
      text = blocks.pop();
      for (const block of blocks) {
        const said = Object.fromEntries(block.split("\n").map((line) => line.split(/: ?(.*)/s)));
        if (said.event === "complete") return;
        if (said.event === "next") yield JSON.parse(said.data);
      }
    }
  } finally {
    await reader.cancel();
  }
}

createRoot(document.getElementById("ide")).render(
  createElement(
    GraphiQL,
    { fetcher: ask, defaultQuery: EXAMPLE },
    createElement(GraphiQL.Logo, null, "Constancia"),
  ),
);
