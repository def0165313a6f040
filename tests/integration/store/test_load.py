"""Large, conflicting and poisoned commands beside ordinary ones. Told by order, never by time."""

import asyncio
from itertools import pairwise
from uuid import uuid4

import asyncpg
import pytest

from registry.log.merkle import leaf_hash
from registry.store import Answer, EventStore, NewEvent, Outcome
from tests.integration.store.conftest import command, event

EVENTS, STATE = 320, 64 * 1024  # 20 MB


def large_event() -> NewEvent:
    event_id = uuid4()
    leaf = event_id.bytes
    return NewEvent(event_id, uuid4(), 1, "site.registered", b"s" * STATE, leaf, leaf_hash(leaf))


async def append_until(store: EventStore, stopping: asyncio.Event) -> list[int]:
    """Positions of small commands, one after the other."""
    positions: list[int] = []
    while not stopping.is_set():
        positions += (await store.append(command())).positions
    return positions


async def assert_gapless(pool: asyncpg.Pool, size: int) -> None:
    rows = await pool.fetch("SELECT position FROM events ORDER BY position")
    assert [row["position"] for row in rows] == list(range(size))
    assert await pool.fetchval("SELECT size FROM head") == size


async def test_twenty_megabytes_of_commands_let_another_process_in_between(
    store: EventStore, pool: asyncpg.Pool
) -> None:
    other = EventStore(pool)
    stopping = asyncio.Event()
    small = asyncio.create_task(append_until(other, stopping))
    answers = await asyncio.gather(*(store.append(command(large_event())) for _ in range(EVENTS)))
    stopping.set()
    positions = await small
    await other.close()

    # Of two batches that are under way, either may be stored first.
    large = [answer.positions[0] for answer in answers]
    assert any(min(large) < position < max(large) for position in positions)
    await assert_gapless(pool, EVENTS + len(positions))


async def test_a_single_command_of_twenty_megabytes_is_one_block_and_readers_go_on(
    store: EventStore, pool: asyncpg.Pool
) -> None:
    other = EventStore(pool)
    await store.append(command())
    reads = 0
    async with asyncio.TaskGroup() as tasks:
        large = tasks.create_task(store.append(command(*(large_event() for _ in range(EVENTS)))))
        small = [tasks.create_task(one.append(command())) for one in (store, other) for _ in range(20)]
        while not large.done():
            assert len(await store.read(0, 1)) == 1
            reads += 1
    await other.close()

    assert reads > 1
    assert all(after == before + 1 for before, after in pairwise(large.result().positions))
    assert all(one.result().outcome is Outcome.STORED for one in small)
    await assert_gapless(pool, 1 + EVENTS + 40)


@pytest.mark.parametrize("poisoned", [False, True])
async def test_one_tenth_conflicts_and_one_tenth_oversize_events_leave_the_others_alone(
    store: EventStore, pool: asyncpg.Pool, poisoned: bool
) -> None:
    taken = [uuid4() for _ in range(50)]
    await asyncio.gather(*(store.append(command(event(stream, 1))) for stream in taken))
    commands = []
    for number in range(500):
        if number % 10 == 3:
            commands.append(command(event(), event(taken[number // 10], 1)))
        elif number % 10 == 7 and poisoned:
            commands.append(command(event(), event(leaf=b"x" * 65_536)))
        else:
            commands.append(command(event()))
    answers = await asyncio.gather(*(store.append(one) for one in commands), return_exceptions=True)

    stored: list[int] = []
    for number, answer in enumerate(answers):
        if number % 10 == 7 and poisoned:
            assert isinstance(answer, asyncpg.CheckViolationError)
        else:
            assert isinstance(answer, Answer)
            assert answer.outcome is (Outcome.CONFLICT if number % 10 == 3 else Outcome.STORED)
            stored += answer.positions if answer.outcome is Outcome.STORED else ()
    assert sorted(stored) == list(range(50, 50 + len(stored)))
    await assert_gapless(pool, 50 + (400 if poisoned else 450))


async def test_a_poisoned_command_costs_its_batch_few_commits(store: EventStore, pool: asyncpg.Pool) -> None:
    poison = command(event(leaf=b"x" * 65_536))
    commands = [command() for _ in range(255)]
    commands.insert(100, poison)
    answers = await asyncio.gather(*(store.append(one) for one in commands), return_exceptions=True)

    assert sum(isinstance(answer, asyncpg.CheckViolationError) for answer in answers) == 1
    await assert_gapless(pool, 255)
    # xmin is the transaction that stored a row: halves of halves, 256 = 2 ** 8, besides what was alone at first.
    assert await pool.fetchval("SELECT count(DISTINCT xmin::text) FROM events") <= 9
