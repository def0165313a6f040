"""The recorder beyond the library's contract: repeated calls, errors, names, and the plans of its queries."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from uuid import UUID, uuid4

import asyncpg
import pytest
from eventsourcing.persistence import (
    DataError,
    IntegrityError,
    OperationalError,
    PersistenceError,
    ProgrammingError,
    StoredEvent,
)

from registry.database import connect_pool
from registry.domain.mapper import decode_event
from registry.errors import UnknownEvent, VersionConflict
from registry.log.merkle import leaf_hash
from registry.sql import load_queries
from registry.store import EventStore, NewEvent
from registry.store.recorder import Recorder
from registry.store.subscription import Subscriptions
from tests.events import Leaf, store_leaves
from tests.integration.store.conftest import event


@pytest.fixture
async def recorder(pool: asyncpg.Pool, store: EventStore) -> AsyncIterator[Recorder]:
    async with Subscriptions(pool) as subscriptions:
        yield Recorder(store, subscriptions)


def named(name: str, stream: UUID | None = None, version: int = 1) -> NewEvent:
    event_id = uuid4()
    return NewEvent(
        event_id, stream or uuid4(), version, name, b"{}", event_id.bytes, leaf_hash(event_id.bytes)
    )


async def test_whoever_repeats_a_call_gets_the_answer_of_the_first(recorder: Recorder) -> None:
    events = [event(), event()]
    assert await recorder.insert_events(events) == [1, 2]
    assert await recorder.insert_events([event()]) == [3]
    assert await recorder.insert_events(events) == [1, 2]
    assert await recorder.max_notification_id() == 3


async def test_a_conflict_is_an_integrity_error_that_names_our_own(recorder: Recorder) -> None:
    stream = uuid4()
    await recorder.insert_events([event(stream, 1)])
    with pytest.raises(IntegrityError) as caught:
        await recorder.insert_events([event(stream, 1)])
    assert isinstance(caught.value.__cause__, VersionConflict)


async def test_a_command_that_borrows_a_stored_event_is_refused(recorder: Recorder) -> None:
    stored = event()
    await recorder.insert_events([stored])
    with pytest.raises(IntegrityError):
        await recorder.insert_events([stored, event()])
    assert await recorder.max_notification_id() == 1


async def test_a_leaf_that_is_too_large_is_an_integrity_error_that_does_not_quote_it(
    recorder: Recorder,
) -> None:
    with pytest.raises(IntegrityError) as caught:
        await recorder.insert_events([event(leaf=b"secret" * 20_000)])
    assert str(caught.value) == "CheckViolationError"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [((None, -1), DataError), ((2**64, 1), DataError)],
    ids=["a negative limit", "a start beyond the greatest"],
)
async def test_values_that_cannot_be_are_data_errors(
    recorder: Recorder, arguments: tuple[int | None, int], error: type[PersistenceError]
) -> None:
    with pytest.raises(error):
        await recorder.select_notifications(*arguments)


async def test_a_table_that_is_missing_is_a_programming_error(recorder: Recorder, pool: asyncpg.Pool) -> None:
    await pool.execute("ALTER TABLE events RENAME TO elsewhere")
    with pytest.raises(ProgrammingError):
        await recorder.select_events(uuid4())


async def test_a_database_that_is_away_is_an_operational_error(database_url: str) -> None:
    pool = await connect_pool(database_url)
    store = EventStore(pool)
    recorder = Recorder(store, Subscriptions(pool))
    await store.close()
    with pytest.raises(OperationalError):
        await recorder.insert_events([event()])
    await pool.close()
    with pytest.raises(OperationalError):
        await recorder.select_events(uuid4())


async def test_any_name_is_stored_and_read_back_and_only_decoding_refuses_it(recorder: Recorder) -> None:
    stored = named("nobody.knows_this")
    await recorder.insert_events([stored])
    (found,) = await recorder.select_events(stored.stream_id)
    assert found == StoredEvent(stored.stream_id, 1, "nobody.knows_this", b"{}")
    with pytest.raises(UnknownEvent):
        decode_event(found.topic, found.state)


async def test_a_subscription_to_topics_goes_on_from_an_id(recorder: Recorder) -> None:
    await recorder.insert_events([named(name) for name in ("a", "b", "a", "c", "a")])
    async with asyncio.timeout(30), aclosing(recorder.subscribe(gt=1, topics=["a"])) as notifications:
        found = [(await anext(notifications)).id for _ in range(2)]
        await recorder.insert_events([named("c"), named("a")])
        assert [*found, (await anext(notifications)).id] == [3, 5, 7]


@pytest.mark.parametrize("analysed", [False, True])
async def test_pages_are_read_along_an_index_however_long_the_log(pool: asyncpg.Pool, analysed: bool) -> None:
    """asyncpg prepares every statement, so that PostgreSQL soon plans it without knowing its arguments."""
    queries = load_queries("registry.store", "queries.sql")
    async with pool.acquire() as connection:
        await store_leaves(connection, [Leaf("report.submitted")] * 3000)
        if analysed:
            await connection.execute("ANALYZE events")
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        for name, types, values in (
            ("following", "bigint, bigint, text[], bigint, bigint", "0, 100, '{}', 500, 1000"),
            ("notifications", "bigint, bigint, text[], bigint", "0, 100, '{}', 500"),
            ("stream_forwards", "uuid, bigint, bigint, bigint", "gen_random_uuid(), 0, 10, 5"),
            ("stream_backwards", "uuid, bigint, bigint, bigint", "gen_random_uuid(), 0, 10, 5"),
        ):
            await connection.execute(f"PREPARE {name} ({types}) AS {queries[name]}")
            rows = await connection.fetch(f"EXPLAIN EXECUTE {name} ({values})")
            plan = "\n".join(row[0] for row in rows)
            assert "Index Scan" in plan, plan
            assert not any(node in plan for node in ("Seq Scan", "Bitmap", "Sort")), plan
        await connection.execute("RESET plan_cache_mode")
