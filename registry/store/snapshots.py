"""Where snapshots lie: one per stream, beside the events and never in their transaction."""

from uuid import UUID

import asyncpg

from registry.domain.snapshot import Snapshot
from registry.sql import load_queries

_QUERIES = load_queries("registry.store", "snapshots.sql")


class Snapshots:
    """The snapshots of all streams. The pool belongs to the caller."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def latest(self, stream_id: UUID) -> Snapshot | None:
        """The snapshot of a stream as it lies there, unchecked: see ``Snapshot.mutate``."""
        row = await self._pool.fetchrow(_QUERIES["latest"], stream_id)
        if row is None:
            return None
        return Snapshot(
            originator_id=row["stream_id"],
            originator_version=row["version"],
            topic=row["topic"],
            shape=row["shape"],
            state=row["state"],
            digest=row["digest"],
        )

    async def save(self, snapshot: Snapshot) -> None:
        """Keeps this one instead of the one before."""
        await self._pool.execute(
            _QUERIES["save"],
            snapshot.originator_id,
            snapshot.originator_version,
            snapshot.topic,
            snapshot.shape,
            snapshot.state,
            snapshot.digest,
        )
