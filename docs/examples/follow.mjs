// Follow a register's events: node follow.mjs https://registro.example.org [AFTER]. Node 20, no packages.
let [url, after = "0"] = process.argv.slice(2);

for (;;) {
  try {
    const answer = await fetch(`${url}/v1/events/stream`, { headers: { "Last-Event-ID": after } });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    let rest = "";
    for await (const text of answer.body.pipeThrough(new TextDecoderStream())) {
      const blocks = (rest + text).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s)));
        if (fields.data) {
          const event = JSON.parse(fields.data);
          console.log(event.position, event.type); // your work, before the position moves on
        }
        after = fields.id ?? after;
      }
    }
  } catch (error) {
    console.error(String(error));
  }
  await new Promise((done) => setTimeout(done, 2000));
}
