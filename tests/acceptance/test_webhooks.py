"""Webhooks of the real program, received by the examples in the documentation, through a kill of the program."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import httpx
import pytest

from tests.acceptance.conftest import Program, directory, free_port, report

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
SECONDS = 60
SETTINGS = {"CONSTANCIA_PUBLISH_EVERY": "0.5", "CONSTANCIA_WEBHOOK_NETWORKS": "127.0.0.0/8"}


class Example:
    """A receiver as the documentation shows it. It prints the position and the type of each new event."""

    def __init__(self, command: list[str], port: int, key: str, output: Path) -> None:
        self._output = output
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                [*command, str(port)], stdout=file, stderr=file, env={**os.environ, "KEY": key}
            )
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return
            except ConnectionRefusedError:
                assert time.monotonic() < deadline
                time.sleep(0.05)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def positions(self) -> list[int]:
        lines = self._output.read_text(encoding="utf-8").splitlines()
        return [int(line.split()[0]) for line in lines if line.split()[0].isdecimal()]

    def wait_for(self, count: int) -> list[int]:
        deadline = time.monotonic() + SECONDS
        while len(self.positions()) < count:
            assert time.monotonic() < deadline, self._output.read_text(encoding="utf-8")
            time.sleep(0.05)
        return self.positions()


@pytest.fixture
def outputs() -> Iterator[Path]:
    with directory() as path:
        yield path


def send_rubbish(port: int, kind: str) -> None:
    """What anybody may send who knows the address; it must be refused, and must stop nothing."""
    now, version = str(int(time.time())), {"secret": "v1", "public_key": "v1a"}[kind]
    for timestamp, signature in [
        (None, None), ("x", f"{version},AAAA"), (now, None), (now, ""), (now, version), (now, f"{version},AAAA"),
        (now, f"{version},{'A' * 44}"), ("0", f"{version},{'A' * 44}"), (now, f"{version},ñ"),
    ]:  # fmt: skip
        headers = {"webhook-id": "1", "webhook-timestamp": timestamp, "webhook-signature": signature}
        given = [(name.encode(), value.encode()) for name, value in headers.items() if value is not None]
        assert httpx.post(f"http://127.0.0.1:{port}/", content=b"{}", headers=given).status_code == 401
    with socket.create_connection(("127.0.0.1", port)) as broken_off:
        broken_off.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")


def start_receiving(
    client: httpx.Client, command: list[str], key: str, output: Path
) -> tuple[Example, dict[str, str], int]:
    """A receiver, its endpoint, and the first position that it gets."""
    port = free_port()
    made = client.post("/v1/webhooks", json={"url": f"http://127.0.0.1:{port}/"}).json()
    start = client.get(f"/v1/webhooks/{made['id']}").json()["position"]
    example = Example(command, port, made[key], output)
    send_rubbish(port, key)
    # What came before it listened would be tried again after some seconds.
    assert client.post(f"/v1/webhooks/{made['id']}/replay").status_code == 201
    return example, made, start


def send_reports(client: httpx.Client, count: int) -> int:
    """The position of the last."""
    answers = [client.post("/v1/reports", json=report()).json() for _ in range(count)]
    last: int = answers[-1]["events"][-1]["position"]
    return last


def test_the_examples_receive_each_event_once_through_a_kill_of_the_program_and_nothing_unsigned(
    start_program: Callable[..., Program], outputs: Path
) -> None:
    if shutil.which("node") is None:
        pytest.skip("node is absent")
    program = start_program(**SETTINGS).wait_until_ready()
    commands = [sys.executable, str(EXAMPLES / "webhook.py")], ["node", str(EXAMPLES / "webhook.mjs")]
    started: list[tuple[Example, dict[str, str], int]] = []
    with program.client(program.new_key(["webhooks:manage", "reports:write"])) as client:
        try:
            for number, (command, key) in enumerate(product(commands, ("public_key", "secret"))):
                started.append(start_receiving(client, command, key, outputs / str(number)))
            send_reports(client, 20)
            started[0][0].wait_for(2)
            program.stop(signal.SIGKILL)
            program = start_program(program.data, program.port, **SETTINGS).wait_until_ready()
            last = send_reports(client, 3)
            for example, made, start in started:
                assert example.wait_for(last + 1 - start) == list(range(start, last + 1))
                test = f"/v1/webhooks/{made['id']}/test"
                assert client.post(test).json()["status"] == 204
                # After two rotations, its key signs no more.
                for _ in range(2):
                    assert client.post(f"/v1/webhooks/{made['id']}/rotate").status_code == 201
                assert client.post(test).json()["status"] == 401
        finally:
            for example, *_ in started:
                example.stop()
    assert program.stop() == 0
