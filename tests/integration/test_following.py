"""What streams deliver: each reader all that it may see, nothing else, in order, from any position."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from uuid import UUID, uuid4

import asyncpg
import pytest

from api.streams.audience import PUBLIC
from api.streams.following import ALL, Following, StreamPage, Wanted
from api.streams.streams import Streams
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
        assert not await following.wait(PUBLIC, 2, 0.2)
        assert not more.done()
        waiting = asyncio.ensure_future(following.wait(PUBLIC, 2, 30))
        await publish(pool)
        assert positions(await more) == [2, 3]
        assert await waiting
        more = asyncio.ensure_future(anext(pages))
        await asyncio.sleep(0)
        await streams.close()
        with pytest.raises(StopAsyncIteration):
            await more
