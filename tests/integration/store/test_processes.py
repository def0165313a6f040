"""Several processes append at once, and are killed at work: nothing acknowledged is lost, doubled or renumbered."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from uuid import UUID, uuid4

import asyncpg
import pytest

from registry.store import EventStore
from tests.conftest import ROOT
from tests.integration.store.conftest import command

PROCESSES = 8

CONNECTIONS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND backend_type = 'client backend'"
)


@pytest.fixture
def running() -> Iterator[ExitStack]:
    """Ends every process that a test has started, whatever becomes of the test."""
    with ExitStack() as running:
        yield running


def start_appender(running: ExitStack, *arguments: object) -> subprocess.Popen[str]:
    appender = running.enter_context(
        subprocess.Popen(
            [sys.executable, "-m", "tests.integration.store.appender", *map(str, arguments)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
    )  # fmt: skip
    running.callback(appender.kill)  # before it is waited for
    return appender


def line(appender: subprocess.Popen[str]) -> str:
    assert appender.stdout is not None
    return appender.stdout.readline()


def go(appender: subprocess.Popen[str]) -> None:
    assert appender.stdin is not None
    appender.stdin.write("\n")
    appender.stdin.flush()


def acknowledged(lines: list[str]) -> dict[int, UUID]:
    """Position to event id, of the lines that were written to their end."""
    found: dict[int, UUID] = {}
    for one in lines:
        if one.endswith("\n"):
            event_id, position = one.split()
            assert int(position) not in found
            found[int(position)] = UUID(event_id)
    return found


async def stored(database: asyncpg.Pool | asyncpg.Connection) -> dict[int, UUID]:
    """Position to event id, having made sure that there is no gap."""
    rows = await database.fetch("SELECT position, event_id FROM events ORDER BY position")
    assert [row["position"] for row in rows] == list(range(await database.fetchval("SELECT size FROM head")))
    return {row["position"]: row["event_id"] for row in rows}


def rest(appender: subprocess.Popen[str]) -> list[str]:
    assert appender.stdout is not None
    return appender.stdout.readlines()


@pytest.mark.slow
async def test_processes_that_start_at_once_on_an_empty_database_append_without_gap_or_loss(
    empty_database_url: str, running: ExitStack
) -> None:
    appenders = [start_appender(running, empty_database_url, 16, 10) for _ in range(PROCESSES)]
    for appender in appenders:
        assert await asyncio.to_thread(line, appender) == "ready\n"
    for appender in appenders:
        go(appender)
    lines = await asyncio.gather(*(asyncio.to_thread(rest, appender) for appender in appenders))
    assert [appender.wait() for appender in appenders] == [0] * PROCESSES

    connection = await asyncpg.connect(empty_database_url)
    try:
        everything = acknowledged([one for each in lines for one in each])
        assert len(everything) == PROCESSES * 16 * 10 * 2
        assert await stored(connection) == everything
    finally:
        await connection.close()


@pytest.mark.slow
async def test_processes_that_contend_for_one_stream_give_each_version_to_one_of_them(
    store: EventStore, pool: asyncpg.Pool, database_url: str, running: ExitStack
) -> None:
    stream = uuid4()
    appenders = [start_appender(running, database_url, 1, 10, stream) for _ in range(4)]
    for appender in appenders:
        assert await asyncio.to_thread(line, appender) == "ready\n"
    for appender in appenders:
        go(appender)
    lines = await asyncio.gather(*(asyncio.to_thread(rest, appender) for appender in appenders))

    assert await stored(pool) == acknowledged([one for each in lines for one in each])
    assert [one.version for one in await store.read_stream(stream)] == list(range(1, 41))


@pytest.mark.slow
async def test_a_process_killed_under_load_has_stored_all_that_it_acknowledged(
    pool: asyncpg.Pool, database_url: str, running: ExitStack
) -> None:
    everything: dict[int, UUID] = {}
    for kill in range(5):
        appender = start_appender(running, database_url, 32, 0)
        assert await asyncio.to_thread(line, appender) == "ready\n"
        go(appender)
        lines = [await asyncio.to_thread(line, appender) for _ in range(100 * (kill + 1))]
        appender.kill()
        lines += await asyncio.to_thread(rest, appender)
        new = acknowledged(lines)
        assert everything.keys().isdisjoint(new)
        everything |= new

    # What a killed process had sent may still be stored, unacknowledged, until the server finds its connection closed.
    async with asyncio.timeout(30):
        while await pool.fetchval(CONNECTIONS) > pool.get_size():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    other = EventStore(pool)
    answer = await other.append(command())
    await other.close()
    found = await stored(pool)
    assert answer.positions == (len(found) - 1,)
    assert {position: found[position] for position in everything} == everything
    assert len(set(found.values())) == len(found)
