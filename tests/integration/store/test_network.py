"""Connections cut between client and server, in any place: every command is stored once, and its answer is true."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest

from registry.database import connect_pool
from registry.errors import StoreUnavailable
from registry.store import Answer, Command, EventStore, Idempotency, Outcome
from registry.store import subscription as subscription_module
from registry.store import writer as writer_module
from registry.store.subscription import Subscriptions
from tests.integration.store.conftest import command, event
from tests.integration.store.proxy import Proxy


@pytest.fixture
async def proxy(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Proxy]:
    monkeypatch.setattr(writer_module, "RETRY_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(subscription_module, "RETRY_SECONDS", 0.01)
    async with Proxy(database_url) as proxy:
        yield proxy


@pytest.fixture
async def far_pool(proxy: Proxy) -> AsyncIterator[asyncpg.Pool]:
    """Connections that go through the proxy."""
    pool = await connect_pool(proxy.address, max_size=4)
    yield pool
    async with asyncio.timeout(10):
        await pool.close()


@pytest.fixture
async def far_store(far_pool: asyncpg.Pool) -> AsyncIterator[EventStore]:
    store = EventStore(far_pool)
    yield store
    await store.close()


def appends(count: int) -> Callable[[bytes], bool]:
    """The replies to the first ``count`` appends that reached the database, whatever they say."""
    left = count

    def lost(reply: bytes) -> bool:
        nonlocal left
        hit = left > 0 and any(outcome.encode() in reply for outcome in Outcome)
        left -= hit
        return hit

    return lost


async def assert_true(pool: asyncpg.Pool, given: list[tuple[Command, Answer]]) -> None:
    """Every answer names the positions at which the command's own events are stored; there is nothing else."""
    rows = await pool.fetch("SELECT position, event_id FROM events ORDER BY position")
    assert [row["position"] for row in rows] == list(range(await pool.fetchval("SELECT size FROM head")))
    assert len(rows) == sum(len(one.events) for one, _ in given)
    for one, answer in given:
        assert [rows[position]["event_id"] for position in answer.positions] == [
            new.event_id for new in one.events
        ]


@pytest.mark.parametrize("cuts", [1, 3])
async def test_a_reply_cut_off_after_the_commit_comes_with_the_same_positions(
    far_store: EventStore, proxy: Proxy, pool: asyncpg.Pool, cuts: int
) -> None:
    await far_store.append(command())
    proxy.loses_result = appends(cuts)
    one = command(event(), event())
    answer = await far_store.append(one)

    assert proxy.cuts == cuts
    assert (answer.outcome, answer.positions) == (Outcome.DUPLICATE, (1, 2))
    assert await pool.fetchval("SELECT count(*) FROM events") == 3


async def test_a_reply_that_never_comes_is_asked_for_again_over_another_connection(
    far_store: EventStore, proxy: Proxy, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await far_store.append(command())
    monkeypatch.setattr(writer_module, "ANSWER_SECONDS", 0.5)
    proxy.swallows_result = appends(1)
    one = command(event(), event())
    answer = await far_store.append(one)
    assert (answer.outcome, answer.positions) == (Outcome.DUPLICATE, (1, 2))

    # Silence for as long as it is tried: the outcome is unknown, until it is asked for by repeating.
    monkeypatch.setattr(writer_module, "RETRY_SECONDS", 0)
    proxy.swallows_result = appends(1)
    other = command()
    with pytest.raises(StoreUnavailable):
        await far_store.append(other)
    again = await far_store.append(other)
    assert (again.outcome, again.positions) == (Outcome.DUPLICATE, (3,))
    assert await pool.fetchval("SELECT count(*) FROM events") == 4


async def test_a_caller_told_that_the_outcome_is_unknown_learns_it_by_repeating(
    far_store: EventStore, proxy: Proxy, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "RETRY_SECONDS", 0)
    proxy.loses_result = appends(1)
    key = Idempotency(event().event_id, "key", b"h" * 32)
    one = command(event(), event(), idempotency=key)
    with pytest.raises(StoreUnavailable):
        await far_store.append(one)

    # With the same event ids, or, where they were made anew, by the Idempotency-Key.
    by_ids = await far_store.append(one)
    by_key = await far_store.append(command(event(), event(), idempotency=key))
    assert (by_ids.outcome, by_ids.positions) == (Outcome.DUPLICATE, (0, 1))
    assert (by_key.outcome, by_key.positions, by_key.event_ids) == (
        Outcome.REPLAYED,
        (0, 1),
        by_ids.event_ids,
    )
    assert await pool.fetchval("SELECT count(*) FROM events") == 2


async def test_batches_whose_replies_are_lost_are_stored_once(
    far_store: EventStore, proxy: Proxy, pool: asyncpg.Pool
) -> None:
    proxy.loses_result = appends(5)
    given = [command(event(), event()) for _ in range(300)]
    answers = await asyncio.gather(*(far_store.append(one) for one in given))
    assert proxy.cuts == 5
    await assert_true(pool, list(zip(given, answers, strict=True)))


@pytest.mark.parametrize("seed", range(4))
async def test_connections_cut_anywhere_lose_nothing_and_double_nothing(
    far_store: EventStore, far_pool: asyncpg.Pool, proxy: Proxy, pool: asyncpg.Pool, seed: int
) -> None:
    chance = random.Random(seed)
    proxy.budgets = iter([chance.randint(1, 30_000) for _ in range(25)])
    given: list[tuple[Command, Answer]] = []
    seen: list[int] = []

    async def submit() -> None:
        for _ in range(25):
            one = command(event(), event())
            given.append((one, await far_store.append(one)))

    async def follow() -> None:
        async for page in subscriptions.pages(limit=7):
            seen.extend(one.position for one in page)
            if len(seen) == 16 * 25 * 2:
                return

    async with Subscriptions(far_pool) as subscriptions, asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        tasks.create_task(follow())
        for _ in range(16):
            tasks.create_task(submit())
    assert proxy.cuts > 5
    assert seen == list(range(len(seen)))
    await assert_true(pool, given)
