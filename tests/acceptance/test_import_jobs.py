"""A large import through the running program: killed in the middle, and cut off on its way in."""

import json
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.acceptance.conftest import Program

ROWS = 12_000
SECONDS = 120


def lines(count: int) -> bytes:
    rows = (
        {"class": "THREAT", "source_type": "UNIVERSITY", "kind": "MESSAGE", "source_record_id": f"r-{number}"}
        for number in range(count)
    )
    return "\n".join(map(json.dumps, rows)).encode()


def until(client: httpx.Client, path: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + SECONDS
    job: dict[str, Any] = client.get(path).json()
    while not condition(job):
        assert time.monotonic() < deadline, job
        time.sleep(0.05)
        job = client.get(path).json()
    return job


def test_a_killed_server_goes_on_with_an_import_and_a_cut_upload_leaves_nothing(
    start_program: Callable[..., Program],
) -> None:
    program = start_program().wait_until_ready()
    key = program.new_key(["imports:write", "reports:write"])
    query = "/v1/imports?records=reports&mode=partial"
    with program.client(key) as client:
        # Half of an upload, then nothing more.
        with socket.create_connection(("127.0.0.1", program.port)) as half:
            head = f"POST {query} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
            head += f"Content-Type: application/x-ndjson\r\nContent-Length: {len(lines(ROWS))}\r\n\r\n"
            half.sendall(head.encode() + lines(ROWS // 2))
        started = client.post(query, content=lines(ROWS), headers={"Content-Type": "application/x-ndjson"})
        assert started.status_code == 202, started.text
        path = started.headers["location"]
        until(client, path, lambda job: job["done"] > 0)
    program.stop(signal.SIGKILL)

    again = start_program(program.data, program.port).wait_until_ready()
    with again.client(key) as client:
        job = until(client, path, lambda job: job["status"] == "FINISHED")
        assert (job["done"], job["created"], job["unchanged"], job["failed"]) == (ROWS, ROWS, 0, 0)
        once = client.post(query, content=lines(900), headers={"Content-Type": "application/x-ndjson"}).json()
        assert once["unchanged"] == 900
        template = client.get("/templates/reports.xlsx", headers={"Authorization": ""})
        assert (template.status_code, template.content[:2]) == (200, b"PK")
