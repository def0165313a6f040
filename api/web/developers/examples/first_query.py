import json
import os
import sys
import urllib.error
import urllib.request

url = os.environ.get("CONSTANCIA_URL") or sys.exit("Falta CONSTANCIA_URL · CONSTANCIA_URL is missing")

query = """
{
  counts(unit: VICTIMISATIONS, groupBy: [YEAR]) {
    rows { key { label } low best high }
    total { low best high asOf { size } citation { text url } }
  }
}
"""
request = urllib.request.Request(
    f"{url}/graphql",
    data=json.dumps({"query": query}).encode(),
    headers={"Accept": "application/json", "Content-Type": "application/json"},
)
try:
    with urllib.request.urlopen(request, timeout=30) as response:
        answer = json.load(response)
except urllib.error.HTTPError as refused:
    sys.exit(refused.read().decode())
except OSError as away:
    sys.exit(f"{url}: {away}")
if "errors" in answer:
    sys.exit(answer["errors"][0]["message"])

counts = answer["data"]["counts"]
for row in counts["rows"]:
    print(row["key"][0]["label"], row["low"], row["best"], row["high"])
total = counts["total"]
print("Total", total["low"], total["best"], total["high"])
print(total["citation"]["text"])
