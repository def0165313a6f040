import json
import os
import sys
import urllib.error
import urllib.request

url = os.environ.get("CONSTANCIA_URL") or sys.exit("Falta CONSTANCIA_URL · CONSTANCIA_URL is missing")

try:
    with urllib.request.urlopen(f"{url}/v1/events/stream?after=0", timeout=45) as stream:
        for line in stream:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "data":
                event = json.loads(value)
                print(event["position"], event["type"], event.get("subject", ""))
                break
        else:
            sys.exit(f"{url}: no llegó ningún evento · no event came")
except urllib.error.HTTPError as refused:
    sys.exit(refused.read().decode())
except OSError as away:
    sys.exit(f"{url}: {away}")
