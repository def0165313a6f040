"""The log's tables: leaves in, tiles and checkpoints in and out. SQL in ``storage.sql``."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from registry.log.merkle import Node, ReadNode, root
from registry.log.tiles import TILE_WIDTH, span_of, split_hashes
from registry.sql import load_queries

SQL = load_queries("registry.log", "storage.sql")

PUBLICATION_CHANNEL: Final = "constancia_checkpoints"
"""Where the database tells, without saying more, that a checkpoint was published."""

Connection: TypeAlias = asyncpg.Connection | PoolConnectionProxy
Database: TypeAlias = Connection | asyncpg.Pool
"""Whatever can run one query."""

TileKey: TypeAlias = tuple[int, int]
"""Level and index."""


class Leaf(NamedTuple):
    """A stored event as the log sees it."""

    position: int
    leaf: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class PublishedCheckpoint:
    """A checkpoint that readers can see. Times are UTC: first published, and last signed anew."""

    size: int
    root: bytes
    note: str
    published_at: datetime
    refreshed_at: datetime


async def count_events(database: Database) -> int:
    """How many events are committed."""
    count: int = await database.fetchval(SQL["count_events"])
    return count


async def read_events(database: Database, start: int, limit: int) -> list[Leaf]:
    """The leaves from position ``start`` on."""
    return [Leaf(*row) for row in await database.fetch(SQL["read_events"], start, limit)]


async def read_entries(database: Database, start: int, count: int) -> list[bytes]:
    """The leaves' bytes from position ``start`` on: fewer than ``count`` when rows are missing."""
    rows = await database.fetch(SQL["read_entries"], start, start + count - 1)
    return [row["leaf"] for row in rows]


async def stored_size(database: Database) -> int:
    """How many leaves the stored tiles cover: those of all levels are written by one statement."""
    last = await database.fetchrow(SQL["last_tile"])
    return int(last["index"] * TILE_WIDTH + last["width"]) if last else 0


async def read_tiles(database: Database, wanted: Collection[TileKey]) -> dict[TileKey, list[bytes]]:
    """The hashes of those of the wanted tiles that are stored."""
    rows = await database.fetch(
        SQL["read_tiles"], [level for level, _ in wanted], [index for _, index in wanted]
    )
    return {(row["level"], row["index"]): split_hashes(row["data"]) for row in rows}


async def read_nodes(database: Database, nodes: Collection[Node]) -> ReadNode:
    """A reader of these nodes' hashes, from O(log n) tiles in one query. KeyError there when a tile is too
    short."""
    spans = {node: span_of(node) for node in nodes}
    tiles = await read_tiles(database, {(span.level, span.index) for span in spans.values()})

    def read(node: Node) -> bytes:
        span = spans[node]
        hashes = tiles[span.level, span.index][span.start : span.stop]
        if len(hashes) < span.stop - span.start:
            raise KeyError(node)
        return root(hashes)

    return read


async def extend_tiles(database: Database, tiles: Mapping[TileKey, Sequence[bytes]]) -> None:
    """Write tiles, all or none. One that does not continue the stored bytes is left as it is: the audit finds
    and names it."""
    keys = sorted(tiles)  # one order for all writers, or two could deadlock
    await database.execute(
        SQL["extend_tiles"],
        [level for level, _ in keys],
        [index for _, index in keys],
        [len(tiles[key]) for key in keys],
        [b"".join(tiles[key]) for key in keys],
    )


async def publish(database: Database, size: int, root: bytes, note: str) -> PublishedCheckpoint | None:
    """Show this checkpoint from now on; None when another root was published for its size."""
    return _checkpoint(await database.fetchrow(SQL["publish"], size, root, note))


async def latest_checkpoint(database: Database) -> PublishedCheckpoint | None:
    """The checkpoint that readers see; None before the first."""
    return _checkpoint(await database.fetchrow(SQL["latest_checkpoint"]))


def _checkpoint(row: asyncpg.Record | None) -> PublishedCheckpoint | None:
    return PublishedCheckpoint(**row) if row else None
