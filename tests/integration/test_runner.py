"""The runner: every event once, in order, for any batch; resumed after a kill; stopped visibly by poison."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import asyncpg
import pytest

from projections.errors import OtherVersion, ProjectionStopped
from projections.models.waiting import Waiting
from projections.runner import Connection, Runner, statuses
from registry.errors import UnknownEvent
from registry.store.records import Recorded
from tests.events import Leaf, store_leaves


class Diary:
    """A projection that writes down each position. ``poison`` is one that it cannot read."""

    name = "diary"
    version = 1

    def __init__(self, poison: int | None = None, error: Exception | None = None) -> None:
        self.poison, self.error = poison, error or ValueError("quotes a private value")
        self.batches: list[int] = []

    async def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        self.batches.append(len(events))
        for event in events:
            # The unique key makes an event that comes twice an error.
            await connection.execute("INSERT INTO entries (position) VALUES ($1)", event.position)
            if event.position == self.poison:
                raise self.error


@pytest.fixture(autouse=True)
async def diary(pool: asyncpg.Pool) -> None:
    await pool.execute("CREATE SCHEMA diary; CREATE TABLE diary.entries (position bigint PRIMARY KEY)")


async def written(pool: asyncpg.Pool) -> list[int]:
    return [
        row["position"] for row in await pool.fetch("SELECT position FROM diary.entries ORDER BY position")
    ]


async def store(pool: asyncpg.Pool, leaves: int | Sequence[Leaf], notify: bool = False) -> None:
    async with pool.acquire() as connection:
        events = [Leaf("assignment.ended")] * leaves if isinstance(leaves, int) else leaves
        await store_leaves(connection, events, notify)


async def until(pool: asyncpg.Pool, count: int) -> None:
    async with asyncio.timeout(5):
        while len(await written(pool)) < count:  # noqa: ASYNC110 - another connection's commit sets no event
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("batch", [1, 3, 7, 1000])
async def test_every_event_is_folded_once_whatever_the_batches(pool: asyncpg.Pool, batch: int) -> None:
    await store(pool, 7)

    await Runner(pool, [Diary()], batch=batch).catch_up()
    await store(pool, 2)
    await Runner(pool, [Diary()], batch=batch).catch_up()

    assert await written(pool) == list(range(9))


async def test_a_runner_killed_within_a_batch_loses_and_repeats_nothing(pool: asyncpg.Pool) -> None:
    await store(pool, 10)
    reached = asyncio.Event()

    class Stuck(Diary):
        async def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
            await super().apply(connection, events)
            if events[-1].position >= 5:
                reached.set()
                await asyncio.Event().wait()

    killed = asyncio.create_task(Runner(pool, [Stuck()], batch=4).catch_up())
    await reached.wait()
    killed.cancel()
    with pytest.raises(asyncio.CancelledError):
        await killed
    assert await written(pool) == [0, 1, 2, 3]

    await Runner(pool, [Diary()], batch=4).catch_up()
    assert await written(pool) == list(range(10))


async def test_several_processes_never_fold_an_event_twice(pool: asyncpg.Pool) -> None:
    await store(pool, 60)

    for _ in range(3):
        await asyncio.gather(*(Runner(pool, [Diary()], batch=5).catch_up() for _ in range(4)))

    assert await written(pool) == list(range(60))


async def test_an_unreadable_event_stops_its_projection_there_and_no_other(pool: asyncpg.Pool) -> None:
    await store(pool, 10)

    with pytest.raises(ProjectionStopped, match="position 6"):
        await Runner(pool, [Waiting(), Diary(poison=6)], batch=4).catch_up()

    assert await written(pool) == list(range(6))
    diary, waiting = await statuses(pool)
    assert (diary.name, diary.position, diary.size) == ("diary", 6, 10)
    assert diary.failed == "ValueError"
    assert (waiting.name, waiting.position, waiting.failed) == ("waiting", 10, None)


async def test_a_reason_of_our_own_is_kept_in_words(pool: asyncpg.Pool) -> None:
    await store(pool, 1)

    with pytest.raises(ProjectionStopped):
        await Runner(pool, [Diary(poison=0, error=UnknownEvent("unheard.of"))]).catch_up()

    (status,) = await statuses(pool)
    assert status.failed is not None
    assert "unheard.of" in status.failed


async def test_a_stopped_projection_goes_on_where_it_stood_once_it_can_read_the_event(
    pool: asyncpg.Pool,
) -> None:
    await store(pool, 10)
    with pytest.raises(ProjectionStopped):
        await Runner(pool, [Diary(poison=6)]).catch_up()

    await Runner(pool, [Diary()]).catch_up()

    assert await written(pool) == list(range(10))
    (status,) = await statuses(pool)
    assert status.failed is None


async def test_tables_of_a_newer_program_are_left_to_it(pool: asyncpg.Pool) -> None:
    await store(pool, 1)
    newer = Diary()
    newer.version = 2
    await Runner(pool, [newer]).catch_up()
    await store(pool, 1)

    with pytest.raises(OtherVersion, match="constancia rebuild diary"):
        await Runner(pool, [Diary()]).catch_up()

    # The newer program itself is not disturbed.
    (status,) = await statuses(pool)
    assert (status.version, status.failed) == (2, None)
    await Runner(pool, [newer]).catch_up()
    assert await written(pool) == [0, 1]


async def test_a_program_that_is_overtaken_by_a_newer_one_says_so_and_goes_on_with_the_rest(
    pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture
) -> None:
    stopping, newer = asyncio.Event(), Diary()
    newer.version = 2
    runner = Runner(pool, [Diary(), Waiting()])
    running = asyncio.create_task(runner.run(stopping))
    await store(pool, 1, notify=True)
    await until(pool, 1)
    await Runner(pool, [newer]).catch_up()

    await store(pool, 1, notify=True)
    async with asyncio.timeout(5):
        while not runner.stopped:  # noqa: ASYNC110 - a set that sets no event
            await asyncio.sleep(0.01)
        while {status.position for status in await statuses(pool) if status.name == "waiting"} != {2}:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert runner.stopped == {"diary"}
    assert "OTHER_VERSION" in caplog.text

    stopping.set()
    await asyncio.wait_for(running, 5)


async def test_a_running_projection_follows_the_log_until_it_is_told_to_stop(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.store.subscription.POLL_SECONDS", 30)
    stopping = asyncio.Event()
    running = asyncio.create_task(Runner(pool, [Diary()]).run(stopping))
    await store(pool, 2, notify=True)
    await until(pool, 2)

    # Only the notification can have told it: the next poll is half a minute away.
    await store(pool, 1, notify=True)
    await until(pool, 3)

    stopping.set()
    await asyncio.wait_for(running, 5)


async def test_without_a_notification_an_event_is_found_by_the_next_poll(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.store.subscription.POLL_SECONDS", 0.05)
    stopping = asyncio.Event()
    running = asyncio.create_task(Runner(pool, [Diary()]).run(stopping))
    await store(pool, 1)
    await until(pool, 1)
    await store(pool, 1)
    await until(pool, 2)

    stopping.set()
    await asyncio.wait_for(running, 5)


async def test_a_lost_connection_is_no_reason_to_stop(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.store.subscription.POLL_SECONDS", 0.05)
    stopping = asyncio.Event()
    running = asyncio.create_task(Runner(pool, [Diary()]).run(stopping))
    await store(pool, 1)
    await until(pool, 1)

    await pool.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await store(pool, 1)
    await until(pool, 2)

    stopping.set()
    await asyncio.wait_for(running, 5)


def state(level: str) -> bytes:
    return (
        f'{{"stream":"{UUID(int=1, version=4)}","version":1,"event_id":"{UUID(int=2, version=4)}",'
        f'"recorded":"2026-11-22T00:00:00Z","by":{{"institution":null,"key":null}},"level":"{level}","criteria":[],"basis":[]}}'
    ).encode()


async def test_incidents_wait_from_their_adjudication_to_their_release(pool: asyncpg.Pool) -> None:
    possible, rumour = UUID(int=7, version=4), UUID(int=8, version=4)
    await store(
        pool,
        [
            Leaf("incident.certainty_set", None, possible, state("POSSIBLE")),  # 0: waits
            Leaf("incident.certainty_set", None, rumour, state("RUMOUR")),  # 1: waits for nothing
            Leaf("incident.disclosed", {}, possible),  # 2: released
            Leaf("incident.certainty_set", None, possible, state("CONFIRMED")),  # 3: waits again
            Leaf("release.published", {}),  # 4: considered, nothing public had changed
        ],
    )

    await Runner(pool, [Waiting()]).catch_up()

    spans = await pool.fetch("SELECT incident, since, until FROM waiting.intervals ORDER BY since")
    assert [tuple(row) for row in spans] == [(possible, 0, 2), (possible, 3, 4)]
