"""What the public may fetch of the log: up to the last published checkpoint, nothing beyond it.

c2sp.org/tlog-tiles@v0.1.0. The stored tiles are ahead of the checkpoint while the publisher works, and events
always are, so every answer is cut to what the checkpoint covers; a narrower partial tile is the beginning of a
wider one. Leaves are stored once, with their events: a bundle is their bytes as they are, each behind its length.
"""

import asyncpg

from registry.log import storage
from registry.log.merkle import inclusion_proof, inclusion_ranges, range_nodes
from registry.log.proof import Proof
from registry.log.tiles import TILE_WIDTH, BundleAddress, TileAddress, encode_bundle, parse_path, width_at

CHECKPOINT_MEDIA_TYPE = "text/plain; charset=utf-8"
CHECKPOINT_CACHE_CONTROL = "public, max-age=2"
"""The checkpoint changes; "cached a few seconds at most"."""

TILE_MEDIA_TYPE = "application/octet-stream"
TILE_CACHE_CONTROL = "public, max-age=31536000, immutable"
"""A tile or bundle of a given path never changes. What does not exist yet must not be cached, or it never
would."""


async def checkpoint_note(pool: asyncpg.Pool) -> str | None:
    """The latest published checkpoint as a signed note; None before the first."""
    latest = await storage.latest_checkpoint(pool)
    return latest.note if latest else None


async def tile(pool: asyncpg.Pool, path: str) -> bytes | None:
    """The tile or entry bundle at ``path`` (``tile/0/000.p/7``); None when no published checkpoint reaches so
    far.

    MalformedLog when ``path`` is not the spelling that the specification prescribes.
    """
    address = parse_path(path)
    latest = await storage.latest_checkpoint(pool)
    level = address.level if isinstance(address, TileAddress) else 0
    if latest is None or width_at(latest.size, level, address.index) < address.width:
        return None
    if isinstance(address, BundleAddress):
        entries = await storage.read_entries(pool, address.index * TILE_WIDTH, address.width)
        # Fewer are a damaged database, which the publisher names; half a bundle would be no bundle.
        return encode_bundle(entries) if len(entries) == address.width else None
    hashes = (await storage.read_tiles(pool, [(level, address.index)])).get((level, address.index), [])
    # Fewer are being rebuilt after a refusal.
    return b"".join(hashes[: address.width]) if len(hashes) >= address.width else None


async def inclusion(pool: asyncpg.Pool, index: int) -> Proof | None:
    """The proof that leaf ``index`` is in the latest published checkpoint; None when it is not (yet).

    Reads O(log n) tiles in one query.
    """
    latest = await storage.latest_checkpoint(pool)
    if latest is None or not 0 <= index < latest.size:
        return None
    nodes = [node for span in inclusion_ranges(index, latest.size) for node in range_nodes(*span)]
    try:
        hashes = inclusion_proof(index, latest.size, await storage.read_nodes(pool, nodes))
    except KeyError:  # being rebuilt after a refusal
        return None
    return Proof(index, tuple(hashes), latest.note)
