const { CONSTANCIA_URL: url } = process.env;
if (!url) {
  console.error("Falta CONSTANCIA_URL · CONSTANCIA_URL is missing");
  process.exit(1);
}

try {
  const response = await fetch(`${url}/v1/events/stream?after=0`, { signal: AbortSignal.timeout(60_000) });
  if (!response.ok) throw new Error(await response.text());

  let text = "";
  let event;
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const data = /^data: (.*)\n/m.exec(text);
    if (data) {
      event = JSON.parse(data[1]);
      break;
    }
  }
  if (!event) throw new Error("no llegó ningún evento · no event came");
  console.log(event.position, event.type, event.subject ?? "");
} catch (error) {
  console.error(`${url}: ${error.cause ?? error.message}`);
  process.exitCode = 1;
}
