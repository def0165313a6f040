const { CONSTANCIA_URL: url } = process.env;
if (!url) {
  console.error("Falta CONSTANCIA_URL · CONSTANCIA_URL is missing");
  process.exit(1);
}

const query = `
{
  counts(unit: VICTIMISATIONS, groupBy: [YEAR]) {
    rows { key { label } low best high }
    total { low best high asOf { size } citation { text url } }
  }
}
`;

try {
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { Accept: "application/json", "Content-Type": "application/json" },
    body: JSON.stringify({ query }),
    signal: AbortSignal.timeout(30_000),
  });
  if (!response.ok) throw new Error(await response.text());
  const { data, errors } = await response.json();
  if (errors) throw new Error(errors[0].message);

  const { rows, total } = data.counts;
  for (const { key, low, best, high } of rows) console.log(key[0].label, low, best, high);
  console.log("Total", total.low, total.best, total.high);
  console.log(total.citation.text);
} catch (error) {
  console.error(`${url}: ${error.cause ?? error.message}`);
  process.exitCode = 1;
}
