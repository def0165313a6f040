#!/bin/sh
set -eu
: "${CONSTANCIA_URL:?Falta CONSTANCIA_URL · CONSTANCIA_URL is missing}"
: "${CONSTANCIA_KEY:?Falta CONSTANCIA_KEY · CONSTANCIA_KEY is missing}"

answer=$(curl --silent --show-error --fail-with-body --max-time 30 "$CONSTANCIA_URL/v1/reports" \
    --header "Authorization: Bearer $CONSTANCIA_KEY" \
    --header 'Content-Type: application/json' \
    --data @- << 'REPORT'
{
  "class": "THREAT",
  "kind": "ORDER_TO_LEAVE",
  "source_type": "UNIVERSITY",
  "directness": "DIRECT",
  "when": {"earliest": "2026-03-28", "latest": "2026-03-30", "precision": "INTERVAL"},
  "where": {"cvegeo": "16012", "precision": "MUNICIPALITY"},
  "victims": [
    {"role": "PASANTE_MEDICINE", "outcome": "PSYCHOLOGICAL", "nexus": "ON_DUTY_AT_SITE"}
  ],
  "narrative": "Dos personas armadas le ordenaron dejar la clínica.",
  "source_record_id": "primer-envio-1"
}
REPORT
) || { printf '%s\n' "$answer" >&2; exit 1; }

printf '%s\n' "$answer"
