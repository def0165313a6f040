"""A server that lies: it passes on what another one says, changed in places. For tests that a checker checks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import NamedTuple

import httpx


class Said(NamedTuple):
    """One answer. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


Change = Callable[[str, Said], Said]
"""From a path and what the honest server says, what the lying one does."""


@contextmanager
def altered(url: str, change: Change) -> Iterator[str]:
    """The address of a server that says what ``url`` says, as ``change`` has it."""
    honest = httpx.Client(base_url=url, timeout=30)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer = honest.get(self.path, headers={"Accept-Encoding": "identity"})
            kept = {
                name: value
                for name, value in answer.headers.items()
                if name in ("content-type", "cache-control")
            }
            said = change(self.path, Said(answer.status_code, kept, answer.content))
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            self.wfile.write(said.body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        honest.close()
