import json
import os
import sys
import urllib.error
import urllib.request

url = os.environ.get("CONSTANCIA_URL") or sys.exit("Falta CONSTANCIA_URL · CONSTANCIA_URL is missing")
key = os.environ.get("CONSTANCIA_KEY") or sys.exit("Falta CONSTANCIA_KEY · CONSTANCIA_KEY is missing")

report = {
    "class": "THREAT",
    "kind": "ORDER_TO_LEAVE",
    "source_type": "UNIVERSITY",
    "directness": "DIRECT",
    "when": {"earliest": "2026-03-28", "latest": "2026-03-30", "precision": "INTERVAL"},
    "where": {"cvegeo": "16012", "precision": "MUNICIPALITY"},
    "victims": [
        {"role": "PASANTE_MEDICINE", "outcome": "PSYCHOLOGICAL", "nexus": "ON_DUTY_AT_SITE"},
    ],
    "narrative": "Dos personas armadas le ordenaron dejar la clínica.",
    "source_record_id": "primer-envio-1",
}
request = urllib.request.Request(
    f"{url}/v1/reports",
    data=json.dumps(report).encode(),
    headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
)
try:
    with urllib.request.urlopen(request, timeout=30) as response:
        print(response.read().decode())
except urllib.error.HTTPError as refused:
    sys.exit(refused.read().decode())
except OSError as away:
    sys.exit(f"{url}: {away}")
