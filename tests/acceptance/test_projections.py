"""Read models as operators meet them: rebuilt beside the running program, stopped in plain sight, set going again."""

import asyncio
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

import asyncpg
import httpx

from tests.acceptance.conftest import CONSTANCIA, Program, constancia, report


def reports(client: httpx.Client) -> list[str]:
    """The ids that the list of reports names, page after page."""
    ids: list[str] = []
    after: dict[str, Any] = {}
    while True:
        page = client.get("/v1/reports", params={"limit": 200, **after}).json()
        ids += [item["id"] for item in page["items"]]
        if not page.get("next"):
            return ids
        after = {"after": page["next"]}


def until(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def submit(client: httpx.Client) -> str:
    made = client.post("/v1/reports", json=report())
    assert made.status_code == 201, made.text
    made_id: str = made.json()["id"]
    return made_id


class TestRebuild:
    def test_a_read_model_is_rebuilt_beside_the_running_program(
        self, program: Program, submitter: httpx.Client, anybody: httpx.Client
    ) -> None:
        made = submit(submitter)
        until(lambda: made in reports(submitter), "the report is not listed")
        before = reports(submitter)

        done = constancia("rebuild", "records", "--data", str(program.data))
        assert done.returncode == 0, done.stderr
        assert "records" in done.stdout
        assert reports(submitter)[: len(before)] == before
        later = submit(submitter)
        until(lambda: later in reports(submitter), "the program no longer follows the log")

        # Killed at whatever it is doing: nobody notices, and the next one starts over.
        for patience in (0.8, 1.5):
            killed = subprocess.Popen(
                [str(CONSTANCIA), "rebuild", "records", "--data", str(program.data)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            time.sleep(patience)
            killed.send_signal(signal.SIGKILL)
            killed.wait()
            assert later in reports(submitter)
        for name in ("records", "public_count", "waiting", "incidents", "placements", "answers"):
            assert constancia("rebuild", name, "--data", str(program.data)).returncode == 0
        assert later in reports(submitter)
        assert anybody.get("/readyz").status_code == 200

    def test_an_unknown_name_is_answered_with_the_known_ones(self) -> None:
        refused = constancia("rebuild", "everything")
        assert refused.returncode == 2
        assert "public_count" in refused.stderr


class TestPoison:
    def test_what_cannot_be_read_stops_its_model_visibly_and_nothing_else(
        self, database_url: str, start_program: Callable[..., Program]
    ) -> None:
        def sql(statement: str) -> None:
            async def run() -> None:
                connection = await asyncpg.connect(database_url)
                await connection.execute(statement)
                await connection.close()

            asyncio.run(run())

        first = start_program(CONSTANCIA_DATABASE_URL=database_url).wait_until_ready()
        key = first.new_key(["reports:write"])
        with first.client(key) as client, first.client() as operator:
            good = submit(client)
            until(lambda: reports(client) == [good], "the report is not listed")
            sql("ALTER TABLE records.streams ADD CONSTRAINT poison CHECK (noun <> 'report') NOT VALID")
            bad = submit(client)

            def figure(name: str, projection: str) -> str:
                wanted = f'constancia_projection_{name}{{projection="{projection}"}} '
                lines = operator.get("/metrics").text.splitlines()
                return next(line for line in lines if line.startswith(wanted)).removeprefix(wanted)

            until(lambda: figure("stopped", "records") == "1.0", "the figures do not show it")
            ready = operator.get("/readyz")
            assert ready.status_code == 503
            assert ready.json()["parts"]["projections"] == "stopped"
            assert operator.get("/healthz").status_code == 200
            assert "Projection “records” stopped at position" in first.output
            assert "CheckViolationError" in first.output
            assert bad not in first.output

            # Intake and the other models go on.
            later = submit(client)
            others = ("public_count", "waiting", "incidents", "placements", "answers")
            until(lambda: {figure("lag_events", other) for other in others} == {"0.0"}, "others stopped too")
            assert {figure("stopped", other) for other in others} == {"0.0"}
            assert float(figure("lag_events", "records")) >= 2
            assert reports(client) == [good]
        assert first.stop() == 0

        # Once the cause is gone, a restart goes on at that event.
        sql("ALTER TABLE records.streams DROP CONSTRAINT poison")
        second = start_program(
            first.data, first.port, CONSTANCIA_DATABASE_URL=database_url
        ).wait_until_ready()
        with second.client(key) as client:
            until(lambda: reports(client) == [good, bad, later], "it does not go on")
            assert client.get("/readyz").status_code == 200
