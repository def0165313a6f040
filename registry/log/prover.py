"""Proofs about our own tree, out of the stored tiles."""

import asyncio

from registry.log import storage
from registry.log.audit import damaged, stored_root
from registry.log.merkle import consistency_proof, consistency_ranges, range_nodes
from registry.log.storage import Connection


class StoredTree:
    """For several who ask at once over one connection, which answers one query at a time. Every answer takes one
    query and O(log n) tiles."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._turn = asyncio.Lock()

    async def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """The proof that leads from size ``old`` to size ``new``. PublisherRefused when tiles for it are gone."""
        nodes = [node for span in consistency_ranges(old, new) for node in range_nodes(*span)]
        async with self._turn:
            read = await storage.read_nodes(self._connection, nodes)
        try:
            return tuple(consistency_proof(old, new, read))
        except KeyError:
            raise damaged(new - 1, "log_tiles") from None

    async def root(self, size: int) -> bytes:
        """The root at ``size``. PublisherRefused when the tiles over it are gone."""
        async with self._turn:
            return await stored_root(self._connection, size)
