"""The publisher against a real database: what it publishes, when, and what the public may fetch."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from registry.log import reader, storage
from registry.log.checkpoint import open_checkpoint
from registry.log.keys import LogKeys
from registry.log.merkle import EMPTY_ROOT, leaf_hash
from registry.log.publisher import Publisher, next_due
from registry.log.tiles import BundleAddress, TileAddress, bundle_path, decode_bundle, tile_path
from tests.integration.publisher.leaves import (
    ORIGIN,
    CrashedError,
    append,
    assert_sound,
    flip,
    leaf,
    published_size,
)

# What it publishes


async def test_an_empty_log_has_a_checkpoint_of_size_0(
    start: Callable[[], Publisher], keys: LogKeys, pool: asyncpg.Pool
) -> None:
    published = await start().publish_once()
    assert (published.size, published.root) == (0, EMPTY_ROOT)
    assert published.note.startswith(
        f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— {ORIGIN} "
    )
    assert open_checkpoint(published.note, ORIGIN, [keys.log.verifier])[0].size == 0
    assert await reader.tile(pool, "tile/0/000.p/1") is None


@pytest.mark.parametrize("sizes", [[1], [255, 256, 257], [1, 600, 600, 601], [2, 3000]])
async def test_every_checkpoint_covers_all_accepted_events_and_the_tiles_to_prove_it(
    start: Callable[[], Publisher], pool: asyncpg.Pool, keys: LogKeys, tmp_path: Path, sizes: list[int]
) -> None:
    publisher = start()
    size = 0
    for next_size in sizes:
        await append(pool, next_size - size)
        size = next_size
        assert (await publisher.publish_once()).size == size
        await assert_sound(pool, keys, tmp_path, size)


@pytest.mark.slow
async def test_a_log_of_70000_leaves_has_the_tiles_of_the_specification(
    start: Callable[[], Publisher], pool: asyncpg.Pool, keys: LogKeys, tmp_path: Path
) -> None:
    publisher = start()
    await append(pool, 65_000)
    await publisher.publish_once()
    await append(pool, 5_000)
    await publisher.publish_once()
    await assert_sound(pool, keys, tmp_path, 70_000)
    rows = await pool.fetch("SELECT level, width, count(*) FROM log_tiles GROUP BY 1, 2 ORDER BY 1, 2")
    assert [tuple(row) for row in rows] == [(0, 112, 1), (0, 256, 273), (1, 17, 1), (1, 256, 1), (2, 1, 1)]
    proof = await reader.inclusion(pool, 65_535)
    assert proof is not None
    proof.verify(leaf_hash(leaf(65_535)), ORIGIN, [keys.log.verifier])


async def test_without_new_events_the_same_checkpoint_is_published_again(
    start: Callable[[], Publisher], pool: asyncpg.Pool
) -> None:
    await append(pool, 3)
    first = await start().publish_once()
    second = await start().publish_once()
    assert (second.note, second.published_at) == (first.note, first.published_at)
    assert second.refreshed_at > first.refreshed_at
    assert await pool.fetchval("SELECT count(*) FROM checkpoints") == 1


async def test_an_event_that_is_not_committed_is_never_covered(
    start: Callable[[], Publisher], pool: asyncpg.Pool
) -> None:
    await append(pool, 2)
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(
            "INSERT INTO events VALUES (2, gen_random_uuid(), gen_random_uuid(), 1, 't', '', $1, $2)",
            leaf(2),
            leaf_hash(leaf(2)),
        )
        assert (await start().publish_once()).size == 2
        await transaction.rollback()
    assert (await start().publish_once()).size == 2


# When it publishes


def test_the_times_of_publication_do_not_depend_on_events_or_starts() -> None:
    day = 86400.0
    midnight = datetime(2026, 11, 23, tzinfo=UTC)
    assert next_due(datetime(2026, 11, 22, 14, 5, tzinfo=UTC), day) == midnight
    assert next_due(datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC), day) == midnight
    assert next_due(midnight, day) == datetime(2026, 11, 24, tzinfo=UTC)
    assert next_due(None, day) < datetime(2026, 1, 1, tzinfo=UTC)


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110  # nothing signals what the database holds
            await asyncio.sleep(0.01)


async def test_it_publishes_every_cadence_until_it_is_told_to_stop(
    start: Callable[[], Publisher], pool: asyncpg.Pool
) -> None:
    stopping = asyncio.Event()
    running = asyncio.create_task(start().run(0.05, stopping))
    for size in (3, 6):
        await append(pool, 3)
        await until(lambda size=size: is_published(pool, size))  # type: ignore[misc]  # a lambda's default
    stopping.set()
    await asyncio.wait_for(running, 5)


async def is_published(pool: asyncpg.Pool, size: int) -> bool:
    return await published_size(pool) == size


async def test_a_refusal_is_shown_and_ends_when_its_cause_does(
    start: Callable[[], Publisher], pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture
) -> None:
    await append(pool, 300)
    await start().publish_once()
    await flip(pool, "events", "leaf", "position = 20")
    await append(pool, 10)
    publisher, stopping = start(), asyncio.Event()
    running = asyncio.create_task(publisher.run(0.05, stopping))

    async def refused() -> bool:
        return publisher.refused is not None

    await until(refused)
    assert "events do not match leaf 20" in caplog.text
    await flip(pool, "events", "leaf", "position = 20")
    await until(lambda: is_published(pool, 310))
    stopping.set()
    await asyncio.wait_for(running, 5)
    assert publisher.refused is None


async def test_a_publisher_that_is_stopped_before_it_began_does_nothing(
    start: Callable[[], Publisher], pool: asyncpg.Pool
) -> None:
    stopping = asyncio.Event()
    stopping.set()
    await start().run(0.05, stopping)
    assert await published_size(pool) is None


# What the public may fetch


async def test_nothing_is_served_beyond_the_published_checkpoint(
    start: Callable[[], Publisher], pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await append(pool, 300)
    publisher = start()
    await publisher.publish_once()
    await append(pool, 300)

    def crash(*_: Any) -> str:
        raise CrashedError

    monkeypatch.setattr(publisher, "_sign", crash)
    with pytest.raises(CrashedError):
        await publisher.publish_once()
    assert await storage.stored_size(pool) == 600
    hidden = [TileAddress(0, 1), TileAddress(0, 1, 45), TileAddress(0, 2, 1), TileAddress(1, 0, 2)]
    for tile in hidden:
        assert await reader.tile(pool, tile_path(tile.level, tile.index, tile.width)) is None
    for bundle in (BundleAddress(1), BundleAddress(1, 45), BundleAddress(2, 1)):
        assert await reader.tile(pool, bundle_path(bundle.index, bundle.width)) is None
    assert await reader.inclusion(pool, 300) is None


async def test_a_narrower_tile_is_the_beginning_of_the_wider(
    start: Callable[[], Publisher], pool: asyncpg.Pool
) -> None:
    await append(pool, 300)
    await start().publish_once()
    whole = await reader.tile(pool, "tile/0/000")
    bundle = await reader.tile(pool, "tile/entries/000")
    assert whole is not None
    assert bundle is not None
    assert await reader.tile(pool, "tile/0/000.p/9") == whole[: 9 * 32]
    narrower = await reader.tile(pool, "tile/entries/000.p/9")
    assert narrower is not None
    assert bundle.startswith(narrower)
    assert decode_bundle(narrower, 9) == [leaf(position) for position in range(9)]


@pytest.mark.parametrize("size", [1, 2, 257, 600])
async def test_every_leaf_can_be_proved_offline(
    start: Callable[[], Publisher], pool: asyncpg.Pool, keys: LogKeys, size: int
) -> None:
    await append(pool, size)
    await start().publish_once()
    for index in {0, 1, 255, 256, 511, 512, size - 1} & set(range(size)):
        proof = await reader.inclusion(pool, index)
        assert proof is not None
        assert (
            proof.parse(proof.text()).verify(leaf_hash(leaf(index)), ORIGIN, [keys.log.verifier]).size == size
        )
    for index in (-1, size, 2**70):
        assert await reader.inclusion(pool, index) is None
