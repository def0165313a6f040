"""The real program as a process of its own, spoken to over HTTP as its users do."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

CONSTANCIA = Path(sys.executable).with_name("constancia")
START_SECONDS = 120
STOP_SECONDS = 30
COMMAND_SECONDS = 600

ALL_SCOPES = ["reports:write", "assignments:write", "imports:write", "events:read", "incidents:verify"]


def constancia(*arguments: str, typed: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """One command, to its end."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CONSTANCIA_")}
    return subprocess.run(
        [str(CONSTANCIA), *arguments],
        capture_output=True,
        text=True,
        input=typed,
        timeout=COMMAND_SECONDS,
        check=False,
        env={**clean, **environment},
    )


class Program:
    """``constancia up`` over one data directory. ``output`` is all it has printed, and its log."""

    def __init__(self, data: Path, port: int, *arguments: str, **environment: str) -> None:
        self.data, self.port = data, port
        self.url = f"http://127.0.0.1:{port}"
        self._log = data.with_name(f"{data.name}.log")
        clean = {name: value for name, value in os.environ.items() if not name.startswith("CONSTANCIA_")}
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(CONSTANCIA), "up", "--data", str(data), "--port", str(port), *arguments],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**clean, **environment},
            )

    @property
    def output(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def wait_until_ready(self) -> "Program":
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                pytest.fail(f"it ended with {self.process.returncode}:\n{self.output}")
            try:
                if httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200:
                    return self
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        pytest.fail(f"it was not ready in time:\n{self.output}")

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """The exit status."""
        if self.process.poll() is None:
            self.process.send_signal(by)
        return self.process.wait(STOP_SECONDS)

    def client(self, key: str | None = None, **headers: str) -> httpx.Client:
        bearer = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.Client(base_url=self.url, headers={**bearer, **headers}, timeout=30)

    @property
    def admin_key(self) -> str:
        return (self.data / "admin.key").read_text(encoding="utf-8").strip()

    def new_key(
        self, scopes: list[str], kind: str = "UNIVERSITY", name: str = "Universidad de Ejemplo"
    ) -> str:
        """A key of a new institution."""
        with self.client(self.admin_key) as admin:
            made = admin.post(
                "/v1/institutions", json={"name": f"{name} {uuid4()}", "kind": kind, "state": "16"}
            )
            assert made.status_code == 201, made.text
            wanted = {"institution": made.json()["id"], "scopes": scopes, "expires_on": "2099-12-31"}
            issued = admin.post("/v1/keys", json=wanted)
            assert issued.status_code == 201, issued.text
            key: str = issued.json()["key"]
            return key


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def directory() -> Iterator[Path]:
    """A directory that is nobody else's. pytest's own close at the start of another run, to a database's user too."""
    with tempfile.TemporaryDirectory(prefix="constancia-test-", ignore_cleanup_errors=True) as path:
        yield Path(path)


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory for one test's own program."""
    with directory() as path:
        yield path


@pytest.fixture(scope="session")
def shared_place() -> Iterator[Path]:
    """The directory of the program that all tests share."""
    with directory() as path:
        yield path


@pytest.fixture(scope="session")
def program(shared_place: Path) -> Iterator[Program]:
    """One running register for all tests, with a checkpoint and a release every second."""
    running = Program(
        shared_place / "data",
        free_port(),
        CONSTANCIA_PUBLISH_EVERY="1",
        CONSTANCIA_RELEASE_EVERY="1",
    )
    try:
        yield running.wait_until_ready()
    finally:
        if running.stop() != 0:
            pytest.fail(f"it did not end well:\n{running.output}")


@pytest.fixture
def start_program(place: Path) -> Iterator[Callable[..., Program]]:
    """Starts a register of the test's own; none outlives the test."""
    started: list[Program] = []

    def start(
        data: Path | None = None, port: int | None = None, *arguments: str, **environment: str
    ) -> Program:
        running = Program(data or place / "data", port or free_port(), *arguments, **environment)
        started.append(running)
        return running

    yield start
    for running in started:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()


@pytest.fixture(scope="session")
def submitter(program: Program) -> Iterator[httpx.Client]:
    """A university's client."""
    with program.client(program.new_key(["reports:write", "assignments:write", "events:read"])) as client:
        yield client


@pytest.fixture(scope="session")
def verifier(program: Program) -> Iterator[httpx.Client]:
    """A client of an institution that only verifies."""
    with program.client(
        program.new_key(["incidents:verify"], kind="ASSOCIATION", name="Observatorio")
    ) as client:
        yield client


@pytest.fixture(scope="session")
def anybody(program: Program) -> Iterator[httpx.Client]:
    """A client without a key."""
    with program.client() as client:
        yield client


def report(**changes: Any) -> dict[str, Any]:
    """A body for ``POST /v1/reports``: synthetic, complete, and private where it can be."""
    return {
        "class": "THREAT",
        "source_type": "UNIVERSITY",
        "directness": "DIRECT",
        "when": {"earliest": "2026-03-02", "latest": "2026-03-02", "precision": "DAY"},
        "where": {"state": "16", "cvegeo": "16012", "precision": "MUNICIPALITY"},
        "kind": "MESSAGE",
        "victims": [
            {
                "role": "PASANTE_MEDICINE",
                "sex": "FEMALE",
                "outcome": "PSYCHOLOGICAL",
                "nexus": "ON_DUTY_AT_SITE",
                "student": {"internal_id": "EJEMPLO-77"},
            }
        ],
        "narrative": "Un mensaje le ordenó no volver a la clínica.",
        **changes,
    }
