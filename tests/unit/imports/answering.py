"""A stand-in for the server that senders talk to."""

from collections.abc import Callable

import httpx

Handler = Callable[[httpx.Request], httpx.Response]


def taken(request: httpx.Request) -> httpx.Response:
    """As the server answers when every row is new."""
    rows = request.content.decode().strip().split("\n")
    results = [
        {"row": number, "status": "created", "positions": []} for number, _ in enumerate(rows, start=1)
    ]
    counts = {"rows": len(rows), "created": len(rows), "unchanged": 0, "failed": 0}
    return httpx.Response(200, json={"mode": "partial", "records": "reports", **counts, "results": results})
