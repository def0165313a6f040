"""Two organisations' programs: a register that publishes nothing alone, and the witness that watches it grow."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from registry.log.keys import load_or_create
from registry.log.policy import Policy
from registry.log.submission import shown_at
from tests.acceptance.conftest import CONSTANCIA, Program, constancia, free_port, report

ORIGIN = "register.example/log"


@contextmanager
def witnessing(directory: Path, port: int, vkey: str) -> Iterator[str]:
    """``constancia witness``; its line for somebody's policy."""
    command = [str(CONSTANCIA), "witness", "--name", "witness.example", "--log", vkey]
    with subprocess.Popen(
        [*command, "--data", str(directory), "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("CONSTANCIA_")},
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
    assert process.returncode == 0


def eventually(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@pytest.mark.slow
def test_a_register_publishes_only_what_its_witness_has_cosigned(
    start_program: Callable[..., Program], place: Path
) -> None:
    # Both need the other's key before they begin.
    vkey = load_or_create(place / "data", ORIGIN).log.verifier.vkey()
    port, memory, policy, state = free_port(), place / "witness", place / "policy", place / "state"
    shown = f"http://127.0.0.1:{port}/{shown_at(ORIGIN)}"
    with witnessing(memory, port, vkey) as line:
        policy.write_text(f"{line} http://127.0.0.1:{port}\nquorum {line.split()[1]}\n")
        program = start_program(
            CONSTANCIA_ORIGIN=ORIGIN, CONSTANCIA_POLICY_FILE=str(policy), CONSTANCIA_PUBLISH_EVERY="1"
        ).wait_until_ready()
        with program.client(program.new_key(["reports:write"])) as submitter:
            accepted = submitter.post("/v1/reports", json=report()).json()["events"][0]["position"]
            eventually(lambda: size(f"{program.url}/log/checkpoint") > accepted, program.output)
            assert size(shown) > accepted

            # What the register says it publishes under is enough to verify it by, once somebody else has said so.
            published = httpx.get(f"{program.url}/log/policy")
            assert published.headers["content-type"] == "text/plain; charset=utf-8"
            assert published.text == f"log {vkey}\n{policy.read_text()}"
            assert Policy.parse(published.content).smallest_quorum(["witness.example"])
            policy.write_bytes(published.content)
            given = ["--policy", str(policy), "--state", str(state), "--max-age", "1"]
            done = constancia("verify", program.url, *given)
            assert done.returncode == 0, done.stdout + done.stderr
            assert "They are the policy's quorum" in done.stdout

    # Alone, it goes on accepting and publishes nothing.
    with program.client(program.new_key(["reports:write"])) as submitter:
        eventually(lambda: failing(program) == {"publisher", "witnesses"}, program.output)
        before = size(f"{program.url}/log/checkpoint")
        answer = submitter.post("/v1/reports", json=report())
        assert answer.status_code == 201
        assert 'constancia_part_running{part="witnesses"} 0.0' in submitter.get("/metrics").text
        assert size(f"{program.url}/log/checkpoint") == before

    # The witness comes back with its memory, and what it had missed is published.
    with witnessing(memory, port, vkey):
        program.wait_until_ready()
        position = answer.json()["events"][0]["position"]
        eventually(lambda: size(f"{program.url}/log/checkpoint") > position, program.output)
        done = constancia("verify", program.url, "--state", str(state))
        assert done.returncode == 0, done.stdout + done.stderr
        assert "They are the policy's quorum" in done.stdout


def size(url: str) -> int:
    return int(httpx.get(url).text.split("\n")[1])


def failing(program: Program) -> set[str]:
    """The parts that are."""
    parts = httpx.get(f"{program.url}/readyz").json()["parts"]
    return {name for name, state in parts.items() if state == "failing"}
