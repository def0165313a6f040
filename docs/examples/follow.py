"""Follow a register's events: python follow.py https://registro.example.org [AFTER]. Python 3.11, no other packages."""

import http.client
import json
import sys
import time
import urllib.request

url, after = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "0"
while True:
    try:
        request = urllib.request.Request(f"{url}/v1/events/stream", headers={"Last-Event-ID": after})
        with urllib.request.urlopen(request, timeout=45) as stream:  # there is a sign of life every 15 s
            block = {}
            for line in stream:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    block[name] = value
                    continue
                if "data" in block:
                    event = json.loads(block["data"])
                    print(
                        event["position"], event["type"], flush=True
                    )  # your work, before the position moves on
                after, block = block.get("id", after), {}
    except (OSError, http.client.HTTPException) as error:
        print(repr(error), file=sys.stderr)
    time.sleep(2)
