const { CONSTANCIA_URL: url, CONSTANCIA_KEY: key } = process.env;
if (!url || !key) {
  console.error("Falta CONSTANCIA_URL o CONSTANCIA_KEY · CONSTANCIA_URL or CONSTANCIA_KEY is missing");
  process.exit(1);
}

const report = {
  class: "THREAT",
  kind: "ORDER_TO_LEAVE",
  source_type: "UNIVERSITY",
  directness: "DIRECT",
  when: { earliest: "2026-03-28", latest: "2026-03-30", precision: "INTERVAL" },
  where: { cvegeo: "16012", precision: "MUNICIPALITY" },
  victims: [{ role: "PASANTE_MEDICINE", outcome: "PSYCHOLOGICAL", nexus: "ON_DUTY_AT_SITE" }],
  narrative: "Dos personas armadas le ordenaron dejar la clínica.",
  source_record_id: "primer-envio-1",
};

try {
  const response = await fetch(`${url}/v1/reports`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify(report),
    signal: AbortSignal.timeout(30_000),
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(answer);
  console.log(answer);
} catch (error) {
  console.error(`${url}: ${error.cause ?? error.message}`);
  process.exitCode = 1;
}
