"""How much of the log is read: for a signature what is new, for a proof a few tiles, however large the log."""

from pathlib import Path
from typing import Any

import asyncpg
import pytest

from registry.log import audit as audit_module
from registry.log import reader, storage
from registry.log.keys import LogKeys, load_or_create
from registry.log.merkle import inclusion_ranges, range_nodes
from registry.log.publisher import Publisher
from registry.log.tiles import TILE_WIDTH, span_of
from registry.store import EventStore
from tests.integration.store.conftest import command, event

ORIGIN = "log.example.org/log"


@pytest.fixture
def keys(tmp_path: Path) -> LogKeys:
    return load_or_create(tmp_path, ORIGIN)


async def append(store: EventStore, count: int) -> None:
    for start in range(0, count, 500):
        await store.append(command(*(event() for _ in range(min(500, count - start)))))


class Reads:
    """How many leaves and tiles were read from the database."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.leaves = self.tiles = 0
        read_events, read_tiles = storage.read_events, storage.read_tiles

        async def count_events(*arguments: Any) -> list[storage.Leaf]:
            leaves = await read_events(*arguments)
            self.leaves += len(leaves)
            return leaves

        async def count_tiles(*arguments: Any) -> dict[storage.TileKey, list[bytes]]:
            tiles = await read_tiles(*arguments)
            self.tiles += len(tiles)
            return tiles

        monkeypatch.setattr(storage, "read_events", count_events)
        monkeypatch.setattr(storage, "read_tiles", count_tiles)


async def test_a_publication_reads_the_new_leaves_and_one_turn_of_old_ones(
    pool: asyncpg.Pool, keys: LogKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = EventStore(pool)
    publisher = Publisher(pool, keys, ORIGIN, tmp_path)
    await publisher.publish_once()
    turn = audit_module.BUNDLES_AT_ONCE * TILE_WIDTH
    for size in (3_000, 9_000):
        await append(store, size - await storage.count_events(pool))
        await publisher.publish_once()
        await append(store, 1_000)
        with monkeypatch.context() as patch:
            reads = Reads(patch)
            await publisher.publish_once()
        # Once to extend the tiles, once again to sign; with the last bundle begun before, and the turn.
        assert 2 * 1_000 <= reads.leaves <= 2 * 1_000 + TILE_WIDTH + turn
        assert reads.tiles < 40
    await store.close()


async def test_a_proof_is_made_of_a_few_tiles(
    pool: asyncpg.Pool, keys: LogKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = EventStore(pool)
    publisher = Publisher(pool, keys, ORIGIN, tmp_path)
    await publisher.publish_once()
    await append(store, 3_000)
    await publisher.publish_once()
    reads = Reads(monkeypatch)
    for asked, index in enumerate((0, 1_234, 2_999), 1):
        assert await reader.inclusion(pool, index) is not None
        assert reads.tiles <= 4 * asked
    assert reads.leaves == 0
    await store.close()


@pytest.mark.parametrize("size", [10, 300, 70_000, 10**6, 10**9, 2**40 + 12_345])
def test_the_tiles_of_a_proof_grow_with_the_logarithm(size: int) -> None:
    levels = -(-size.bit_length() // 8)
    for index in {0, 1, size // 3, size // 2, size - 1}:
        spans = [span_of(node) for span in inclusion_ranges(index, size) for node in range_nodes(*span)]
        assert len({(span.level, span.index) for span in spans}) <= 2 * levels
