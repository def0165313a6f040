"""A log of made-up leaves, and what must be true of whatever is published of it."""

from pathlib import Path

import asyncpg

from registry.log import reader, storage
from registry.log.checkpoint import open_checkpoint
from registry.log.keys import LogKeys
from registry.log.last_signed import LastSigned, TreeHead
from registry.log.merkle import leaf_hash, root
from registry.log.tiles import bundle_path, decode_bundle, tile_path, tiles_of

ORIGIN = "log.example.org/log"


class CrashedError(Exception):
    """The process ends here."""


def leaf(position: int) -> bytes:
    """Leaves of several lengths, so that a bundle is not just a table of equal rows."""
    return b'{"n":%d,"x":"%b"}' % (position, b"x" * (position % 7))


def expected_root(size: int) -> bytes:
    return root(leaf_hash(leaf(position)) for position in range(size))


async def append(pool: asyncpg.Pool, count: int) -> None:
    """Accept ``count`` more events, as the store would."""
    start = await storage.count_events(pool)
    leaves = [leaf(position) for position in range(start, start + count)]
    await pool.execute(
        "INSERT INTO events (position, event_id, stream_id, version, type, state, leaf, leaf_hash) "
        "SELECT position, gen_random_uuid(), gen_random_uuid(), 1, 'attack.reported', '', leaf, hash "
        "FROM unnest($1::bigint[], $2::bytea[], $3::bytea[]) AS new (position, leaf, hash)",
        range(start, start + count),
        leaves,
        [leaf_hash(each) for each in leaves],
    )


async def flip(pool: asyncpg.Pool, table: str, column: str, where: str, byte: int = 7) -> None:
    """One bit of one stored byte."""
    done = await pool.execute(
        f"UPDATE {table} SET {column} = set_byte({column}, $1, get_byte({column}, $1) # 1) WHERE {where}",
        byte,
    )
    assert done == "UPDATE 1"


async def published_size(pool: asyncpg.Pool) -> int | None:
    latest = await storage.latest_checkpoint(pool)
    return latest.size if latest else None


async def assert_sound(pool: asyncpg.Pool, keys: LogKeys, directory: Path, size: int) -> None:
    """All that the public can fetch is the log of the first ``size`` leaves, and last_signed says the
    same."""
    note = await reader.checkpoint_note(pool)
    assert note is not None
    checkpoint, _ = open_checkpoint(note, ORIGIN, [keys.log.verifier])
    assert (checkpoint.size, checkpoint.root) == (size, expected_root(size))
    assert LastSigned(directory).read() == TreeHead(size, checkpoint.root)
    hashes = [leaf_hash(leaf(position)) for position in range(size)]
    for tile in tiles_of(size):
        wide = 256**tile.level
        first = tile.index * 256
        served = await reader.tile(pool, tile_path(tile.level, tile.index, tile.width))
        assert served == b"".join(
            root(hashes[number * wide : (number + 1) * wide]) for number in range(first, first + tile.width)
        )
        if tile.level == 0:
            bundle = await reader.tile(pool, bundle_path(tile.index, tile.width))
            assert bundle is not None
            assert decode_bundle(bundle, tile.width) == [leaf(first + at) for at in range(tile.width)]
