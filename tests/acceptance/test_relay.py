"""A running register relays to NATS, as part of ``up`` and as a process of its own; somebody else reads it there."""

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from api.delivery.relay.connection import connected
from tests.acceptance.conftest import CONSTANCIA, Program
from tests.nats import NatsServer

CONSUMER = Path(__file__).parents[2] / "docs" / "examples" / "nats_consumer.py"
PATIENCE = 60


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CONSTANCIA_")}
    return subprocess.run(
        command, env={**clean, **environment}, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


async def publish_foreign(url: str) -> None:
    async with connected([url]) as (client, _):
        await client.jetstream().publish("constancia.entry", b"foreign")


@pytest.mark.slow
def test_the_program_relays_and_proves_it_and_a_consumer_keeps_what_it_reads(
    start_program: Callable[..., Program], place: Path
) -> None:
    broker, deadline = NatsServer(place / "nats").start(), time.monotonic() + PATIENCE
    database, data = place / "events.db", str(place / "data")
    check = (str(CONSTANCIA), "relay", "--check", "--data", data)
    try:
        program = start_program(
            None,
            None,
            CONSTANCIA_PUBLISH_EVERY="1",
            CONSTANCIA_RELEASE_EVERY="86400",
            CONSTANCIA_NATS_URL=broker.url,
        ).wait_until_ready()
        with program.client() as anybody:
            assert anybody.get("/readyz").json()["parts"]["relay"] == "running"
            assert 'constancia_part_running{part="relay"} 1.0' in anybody.get("/metrics").text
            for wanted in (2, 4):  # the consumer is ended and started again
                while len(anybody.get("/v1/events").json()["items"]) < wanted:
                    program.new_key(["events:read"])
                    time.sleep(1)
                read = run(sys.executable, str(CONSUMER), broker.url, str(database), str(wanted))
                assert read.returncode == 0, read.stderr
            events = anybody.get("/v1/events").json()["items"]
        kept = sqlite3.connect(database)
        positions = kept.execute("SELECT position, type FROM events ORDER BY position").fetchall()
        kept.close()
        assert positions == [(event["position"], event["type"]) for event in events][: len(positions)]
        assert len(positions) >= 4

        checked = run(*check, CONSTANCIA_NATS_URL=broker.url)
        assert checked.returncode in (0, 3), checked.stderr  # 3: a checkpoint came just now
        assert "Las primeras" in checked.stderr or "lead to the root of the last checkpoint" in checked.stdout

        asyncio.run(publish_foreign(broker.url))
        program.new_key(["events:read"])  # what comes next finds its place taken
        with program.client() as anybody:
            while (parts := anybody.get("/readyz").json()["parts"])["relay"] != "stopped":
                assert time.monotonic() < deadline, parts
                time.sleep(0.1)
        checked = run(*check, CONSTANCIA_NATS_URL=broker.url)
        assert checked.returncode == 1
        assert "VERIFICATION FAILED" in checked.stderr
        alone = run(str(CONSTANCIA), "relay", "--data", data, CONSTANCIA_NATS_URL=broker.url)
        assert alone.returncode == 1
        assert "delete it (nats stream rm)" in alone.stderr
    finally:
        broker.kill()
