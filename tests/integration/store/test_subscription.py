"""Subscribers see every position, once, in order: whatever is lost, killed, slow or cancelled."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from asyncpg.pool import PoolConnectionProxy

from registry.database import connect_pool, migrate
from registry.embedded import EmbeddedServer
from registry.errors import StoreUnavailable
from registry.store import EventStore, Recorded
from registry.store import subscription as module
from registry.store.subscription import Subscriptions
from tests.events import Leaf, store_leaves
from tests.integration.store.conftest import command, event, kill_server

PATIENCE = 30


@pytest.fixture
async def subscriptions(pool: asyncpg.Pool) -> AsyncIterator[Subscriptions]:
    async with Subscriptions(pool) as subscriptions:
        yield subscriptions


@pytest.fixture
def no_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events arrive by notification or not at all."""
    monkeypatch.setattr(module, "POLL_SECONDS", 3600)


async def append(store: EventStore, count: int) -> None:
    await asyncio.gather(*(store.append(command()) for _ in range(count)))


async def first(subscriptions: Subscriptions, count: int, after: int = 0) -> list[int]:
    """The positions of the next ``count`` events."""
    seen: list[int] = []
    async with asyncio.timeout(PATIENCE), aclosing(subscriptions.events(after)) as events:
        async for one in events:
            seen.append(one.position)
            if len(seen) == count:
                break
    return seen


def lent(pool: asyncpg.Pool) -> int:
    """Connections that are out of the pool."""
    return pool.get_size() - pool.get_idle_size()


async def terminate_listeners(pool: asyncpg.Pool, server: str) -> int:
    """End the connections that wait for notifications, from a connection that is none of theirs."""
    database = await pool.fetchval("SELECT current_database()")
    administrator = await asyncpg.connect(server)
    try:
        return len(
            await administrator.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = $1 AND query LIKE '%SELECT size FROM head%'",
                database,
            )
        )
    finally:
        await administrator.close()


async def test_a_subscriber_gets_what_is_stored_and_then_what_comes(
    store: EventStore, subscriptions: Subscriptions, no_poll: None
) -> None:
    await append(store, 5)
    following = asyncio.create_task(first(subscriptions, 8, after=2))
    await first(subscriptions, 5)
    await append(store, 5)
    assert await following == list(range(2, 10))


async def test_every_position_comes_in_order_while_a_transaction_stays_open(
    store: EventStore, pool: asyncpg.Pool, subscriptions: Subscriptions
) -> None:
    async with pool.acquire() as other, other.transaction(isolation="repeatable_read"):
        await other.fetchval("SELECT size FROM head")  # an old snapshot that stays open
        following = [asyncio.create_task(first(subscriptions, 300)) for _ in range(3)]
        for _ in range(10):
            await append(store, 30)
        assert await asyncio.gather(*following) == [list(range(300))] * 3


async def test_an_append_held_open_delays_its_events_and_loses_none(
    store: EventStore, pool: asyncpg.Pool, subscriptions: Subscriptions
) -> None:
    following = asyncio.create_task(first(subscriptions, 6))
    async with pool.acquire() as other:
        held = other.transaction()
        await held.start()
        await store_leaves(other, [Leaf("report.submitted")] * 2)
        waiting = asyncio.create_task(append(store, 4))
        await asyncio.sleep(0.1)
        assert subscriptions.size == 0
        await held.commit()
    await waiting
    assert await following == list(range(6))


async def test_a_lost_notification_delays_no_longer_than_the_poll(
    pool: asyncpg.Pool, subscriptions: Subscriptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POLL_SECONDS", 0.05)
    following = asyncio.create_task(first(subscriptions, 3))
    async with pool.acquire() as connection:
        await store_leaves(connection, [Leaf("report.submitted")] * 3, notify=False)
    assert await following == [0, 1, 2]


async def test_a_database_that_cannot_listen_is_polled(
    store: EventStore, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = 0

    async def refuse(*_: object) -> None:
        nonlocal refused
        refused += 1
        raise asyncpg.ReadOnlySQLTransactionError("cannot execute LISTEN during recovery")

    monkeypatch.setattr(module, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(PoolConnectionProxy, "add_listener", refuse)
    async with Subscriptions(pool) as subscriptions:
        following = asyncio.create_task(first(subscriptions, 2))
        await append(store, 1)
        await append(store, 1)
        assert await following == [0, 1]
    assert refused == 1


async def test_what_is_stored_just_before_it_listens_is_not_overlooked(
    store: EventStore, pool: asyncpg.Pool, no_poll: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    listen = PoolConnectionProxy.add_listener

    async def listen_late(*arguments: Any) -> None:
        await append(store, 1)
        await listen(*arguments)

    monkeypatch.setattr(PoolConnectionProxy, "add_listener", listen_late)
    async with Subscriptions(pool) as subscriptions:
        assert await first(subscriptions, 1) == [0]


async def test_the_loss_of_the_listening_connection_loses_no_event(
    store: EventStore, pool: asyncpg.Pool, server: str, subscriptions: Subscriptions, no_poll: None
) -> None:
    following = asyncio.create_task(first(subscriptions, 40))
    for stored in range(5, 45, 10):
        await append(store, 5)
        await first(subscriptions, stored)
        assert await terminate_listeners(pool, server) == 1
        await append(store, 5)
    assert await following == list(range(40))


async def test_all_subscribers_share_one_connection(
    store: EventStore, pool: asyncpg.Pool, subscriptions: Subscriptions
) -> None:
    await store.connections.close()  # it keeps none from now on: all that are lent are the subscribers'
    following = [asyncio.create_task(first(subscriptions, 20)) for _ in range(200)]
    for _ in range(4):
        await append(store, 5)
        assert lent(pool) <= 1 + module.READERS
    assert await asyncio.gather(*following) == [list(range(20))] * 200
    assert lent(pool) == 1


async def test_subscribers_that_have_kept_up_read_a_page_once(
    store: EventStore, subscriptions: Subscriptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0
    read = module.read_page

    async def counted(*asked: Any) -> module.Page:
        nonlocal reads
        reads += 1
        return await read(*asked)

    monkeypatch.setattr(module, "read_page", counted)
    following = [asyncio.create_task(first(subscriptions, 1)) for _ in range(100)]
    await asyncio.sleep(0)
    await append(store, 1)
    await asyncio.gather(*following)
    assert reads <= module.READERS


async def test_a_subscriber_that_never_reads_on_costs_nobody_anything(
    store: EventStore, pool: asyncpg.Pool, subscriptions: Subscriptions
) -> None:
    await store.connections.close()  # it keeps none from now on: all that are lent are the subscribers'
    await append(store, 1)
    idle = [subscriptions.events() for _ in range(100)]
    for events in idle:
        await anext(events)  # and never again
    following = asyncio.create_task(first(subscriptions, 1001))
    await append(store, 1000)

    assert await following == list(range(1001))
    assert lent(pool) == 1
    assert [(await anext(events)).position for events in idle] == [1] * 100
    for events in idle:
        await events.aclose()


async def test_cancelled_subscribers_leave_no_connection_behind(
    store: EventStore, pool: asyncpg.Pool, server: str
) -> None:
    await store.connections.close()  # it keeps none from now on: all that are lent are the subscribers'
    async with Subscriptions(pool) as subscriptions:
        await append(store, 100)
        for steps in range(30):
            following = asyncio.create_task(first(subscriptions, 1000))
            for _ in range(steps):
                await asyncio.sleep(0)
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
        assert await first(subscriptions, 100) == list(range(100))
        assert lent(pool) == 1
    assert lent(pool) == 0
    assert await terminate_listeners(pool, server) == 0


@pytest.mark.parametrize("steps", range(6))
async def test_closing_in_the_moment_of_a_notification_does_not_wait_for_the_next(
    store: EventStore, pool: asyncpg.Pool, no_poll: None, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    notified: list[Callable[[], None]] = []
    listen = PoolConnectionProxy.add_listener

    async def remember(connection: Any, channel: str, callback: Any) -> None:
        notified.append(callback)
        await listen(connection, channel, callback)

    monkeypatch.setattr(PoolConnectionProxy, "add_listener", remember)
    await append(store, 1)
    async with Subscriptions(pool) as subscriptions:
        await first(subscriptions, 1)
        await asyncio.sleep(0.05)  # it waits for a notification now
        notified[0]()
        for _ in range(steps):
            await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE):
            await subscriptions.close()


async def test_closing_ends_every_subscription_as_if_it_were_at_its_end(
    store: EventStore, subscriptions: Subscriptions
) -> None:
    await append(store, 3)

    async def all_there_is() -> list[Recorded]:
        return [one async for one in subscriptions.events()]

    following = [asyncio.create_task(all_there_is()) for _ in range(5)]
    await first(subscriptions, 3)
    await asyncio.sleep(0.1)
    await subscriptions.close()
    async with asyncio.timeout(PATIENCE):
        assert [len(events) for events in await asyncio.gather(*following)] == [3] * 5
    assert not await subscriptions.grown_beyond(0)


async def test_what_the_watch_cannot_survive_reaches_every_subscriber(
    pool: asyncpg.Pool, subscriptions: Subscriptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POLL_SECONDS", 0.05)
    following = asyncio.create_task(first(subscriptions, 1))
    await pool.execute("DROP TABLE head")
    with pytest.raises(asyncpg.UndefinedTableError):
        await following


async def test_pages_are_bounded_in_events_and_in_bytes(
    store: EventStore, subscriptions: Subscriptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE_BYTES", 25_000)
    for size in (10_000, 10_000, 10_000, 60_000, 1, 1, 1, 1, 1):
        await store.append(command(event(leaf=b"x" * size)))

    sizes: list[list[int]] = []
    async with asyncio.timeout(PATIENCE), aclosing(subscriptions.pages(limit=4)) as pages:
        async for page in pages:
            sizes.append([len(one.leaf) for one in page])
            if page[-1].position == 8:
                break
    assert sizes == [[10_000] * 3, [60_000], [1] * 4, [1]]


@pytest.mark.parametrize("scanned", [1, 3, 10_000])
@pytest.mark.parametrize("limit", [1, 2, 500])
async def test_a_subscriber_to_some_types_gets_all_of_them(
    pool: asyncpg.Pool,
    subscriptions: Subscriptions,
    monkeypatch: pytest.MonkeyPatch,
    scanned: int,
    limit: int,
) -> None:
    monkeypatch.setattr(module, "SCANNED_POSITIONS", scanned)
    types = ["a", "b", "c", "c", "c", "c", "a", "a", "c", "b"]
    async with pool.acquire() as connection:
        await store_leaves(connection, [Leaf(one) for one in types], notify=True)

    seen: list[int] = []
    async with asyncio.timeout(PATIENCE):
        async for page in subscriptions.pages(types=["a", "b"], limit=limit):
            assert len(page) <= limit
            seen += [one.position for one in page]
            if seen[-1] == 9:
                break
    assert seen == [0, 1, 6, 7, 9]


async def test_a_replica_that_is_behind_the_one_that_told_the_size_makes_no_gap(pool: asyncpg.Pool) -> None:
    async with (
        asyncio.timeout(30),
        Subscriptions(pool, size="SELECT 6") as log,
        aclosing(log.pages()) as pages,
    ):
        found: list[int] = []
        while len(found) < 6:
            async with pool.acquire() as connection:
                await store_leaves(connection, [Leaf("report.submitted")] * 2)
            found += [one.position for one in await anext(pages)]
    assert found == list(range(6))


@pytest.mark.slow
async def test_a_server_killed_and_started_again_loses_no_event(data_directory: Path) -> None:
    async with EmbeddedServer(data_directory) as address:
        await migrate(address)
        pool = await connect_pool(address, min_size=1, max_size=6)
        store = EventStore(pool)
        stopping = asyncio.Event()
        seen: list[int] = []

        async def submit() -> None:
            while not stopping.is_set():
                with suppress(StoreUnavailable):
                    await store.append(command())

        async def follow(subscriptions: Subscriptions) -> None:
            async for page in subscriptions.pages():
                seen.extend(one.position for one in page)

        async def until(count: int) -> None:
            async with asyncio.timeout(PATIENCE):
                while len(seen) < count:  # noqa: ASYNC110 - the follower is the one that is looked at
                    await asyncio.sleep(0.05)

        async with Subscriptions(pool) as subscriptions:
            following = asyncio.create_task(follow(subscriptions))
            submitters = [asyncio.create_task(submit()) for _ in range(8)]
            for _ in range(2):
                await asyncio.sleep(0.5)
                before = len(seen)
                await asyncio.to_thread(kill_server, data_directory)
                async with EmbeddedServer(data_directory):  # another user finds it gone and starts it again
                    await until(before + 100)
            stopping.set()
            await asyncio.gather(*submitters)
            size = await store.size()
            await until(size)
        await following
        assert seen == list(range(size))
        await store.close()
        await pool.close()
