"""What streams deliver: each reader all that it may see, nothing else, in order, from any position."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from uuid import UUID, uuid4

import asyncpg
import pytest

from api.streams.audience import PUBLIC
from api.streams.following import _SQL, Following, StreamPage
from api.streams.streams import Streams
from api.streams.wanted import ALL, Wanted
from registry.log import storage
from registry.log.merkle import leaf_hash
from tests.events import Leaf, store_leaves

ORIGIN = "register.example/log"
INCIDENT = UUID("0b5e0f7e-9d0c-4c55-8a41-0d6a3b1c2d3e")
ENTRY = Leaf("attack.reported")
RELEASE = Leaf("release.published", {"disclosed": 1})
DISCLOSED = Leaf("incident.disclosed", {"incident": str(INCIDENT)}, INCIDENT)
BEHIND = Leaf("incident.certainty_set", None, INCIDENT)


@pytest.fixture
async def streams(pool: asyncpg.Pool) -> AsyncIterator[Streams]:
    streams = Streams(pool)
    yield streams
    await streams.close()


@pytest.fixture
def following(streams: Streams) -> Following:
    return Following(streams, ORIGIN)


async def store(pool: asyncpg.Pool, *leaves: Leaf) -> None:
    async with pool.acquire() as connection:
        await store_leaves(connection, leaves, notify=True)


async def publish(pool: asyncpg.Pool) -> int:
    size = await storage.count_events(pool)
    assert await storage.publish(pool, size, bytes(32), "note") is not None
    return size


def positions(page: StreamPage) -> list[int]:
    return [event.position for event in page.events]


async def test_the_public_sees_what_a_checkpoint_covers_and_of_entries_only_the_leaf(
    pool: asyncpg.Pool, following: Following
) -> None:
    await store(pool, ENTRY, BEHIND, DISCLOSED)
    assert await following.page(PUBLIC, 0) == StreamPage((), 0)
    assert await following.size(PUBLIC) == 0
    size = await publish(pool)
    await store(pool, DISCLOSED)  # no checkpoint covers it
    page = await following.page(PUBLIC, 0)
    assert (page.next, await following.size(PUBLIC)) == (size, size)
    assert [(event.position, event.type, event.subject) for event in page.events] == [
        (0, "entry", None),
        (1, "entry", None),
        (2, "incident.disclosed", f"incident/{INCIDENT}"),
    ]
    stored = await pool.fetch("SELECT event_id, leaf, leaf_hash FROM events ORDER BY position")
    for event, (event_id, leaf, digest) in zip(page.events, stored, strict=False):
        body = json.loads(event.body)
        assert event.id == body["id"] == str(event_id)
        assert body["data"] == {"leaf": json.loads(leaf)}
        assert body["leafhash"] == digest.hex() == leaf_hash(leaf).hex()
        assert "time" not in body


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (ALL, [0, 1, 2, 3, 4]),
        (Wanted(types=frozenset({"entry"})), [0, 1, 3]),
        (Wanted(types=frozenset({"entry", "release.published"})), [0, 1, 3, 4]),
        (Wanted(types=frozenset({"incident.disclosed"})), [2]),
        # What an entry is, no filter tells.
        (Wanted(types=frozenset({"attack.reported", "incident.certainty_set"})), []),
        (Wanted(subjects=frozenset({f"incident/{INCIDENT}"})), [2]),
        (Wanted(frozenset({"entry"}), frozenset({f"incident/{INCIDENT}"})), []),
        (Wanted(subjects=frozenset({f"report/{INCIDENT}", f"site/{uuid4()}"})), []),
    ],
)
async def test_filters_see_what_the_reader_sees(
    pool: asyncpg.Pool, following: Following, wanted: Wanted, found: list[int]
) -> None:
    await store(pool, ENTRY, BEHIND, DISCLOSED, BEHIND, RELEASE)
    size = await publish(pool)
    page = await following.page(PUBLIC, 0, 500, wanted)
    assert (positions(page), page.next) == (found, size)
    for limit in (1, 2, 3):
        after, seen = 0, []
        while after < size:
            page = await following.page(PUBLIC, after, limit, wanted)
            assert page.next > after
            after = page.next
            seen += positions(page)
        assert seen == found


async def test_pages_come_as_checkpoints_do_and_end_with_the_streams(
    pool: asyncpg.Pool, streams: Streams, following: Following
) -> None:
    await store(pool, ENTRY, RELEASE)
    await publish(pool)
    async with asyncio.timeout(30), aclosing(following.pages(PUBLIC, 1)) as pages:
        assert positions(await anext(pages)) == [1]
        more = asyncio.ensure_future(anext(pages))
        await store(pool, ENTRY, DISCLOSED)
        assert await following.awaited(PUBLIC, 2, 500, ALL, 0.2) == StreamPage((), 2)
        assert not more.done()
        waiting = asyncio.ensure_future(following.awaited(PUBLIC, 2, 500, ALL, 30))
        await publish(pool)
        assert positions(await more) == [2, 3]
        assert positions(await waiting) == [2, 3]
        more = asyncio.ensure_future(anext(pages))
        await asyncio.sleep(0)
        await streams.close()
        with pytest.raises(StopAsyncIteration):
            await more


@pytest.mark.parametrize("types", [None, frozenset({"release.published"})])
async def test_a_replica_that_is_behind_another_one_makes_no_gap(
    pool: asyncpg.Pool,
    streams: Streams,
    following: Following,
    monkeypatch: pytest.MonkeyPatch,
    types: frozenset[str] | None,
) -> None:
    async def told_by_another() -> int:
        return 6

    monkeypatch.setattr(streams, "published_size", told_by_another)
    await store(pool, RELEASE, RELEASE)
    wanted = Wanted(types)
    for size in (2, 4, 6):
        page = await following.page(PUBLIC, size - 2, 500, wanted)
        assert (positions(page), page.next) == ([size - 2, size - 1], size)
        assert await following.page(PUBLIC, size, 500, wanted) == StreamPage((), size)
        await store(pool, RELEASE, RELEASE)


async def test_records_are_found_without_a_look_at_all_positions(pool: asyncpg.Pool) -> None:
    await store(pool, *[Leaf("incident.disclosed", {}, uuid4()) for _ in range(1_000)])
    bounds = "bigint, bigint"
    for name, types, arguments in (
        ("public_page_of_streams", "text[], bigint, bigint, uuid[]", "'{a}', 100, 1000, '{%s}'"),
        ("positions_of_streams", "uuid[], bigint, uuid[], text[]", "'{%s}', 100, '{}', '{a}'"),
    ):
        async with pool.acquire() as connection:
            await connection.execute("ANALYZE events")
            # As it is run from the sixth time on: the planner does not know the bounds any more.
            await connection.execute("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off")
            await connection.execute(f"PREPARE plan_of_{name} ({bounds}, {types}) AS {_SQL[name]}")
            plan = await connection.fetch(f"EXPLAIN EXECUTE plan_of_{name} (0, 1000, {arguments % INCIDENT})")
            text = "\n".join(row[0] for row in plan)
            assert "events_stream_id_version_key" in text
            assert "events_pkey" not in text
