"""The tables of one read model: they take the next events of the log, each exactly once, wherever a kill may fall.

One row of ``projections.positions`` stands for one schema of tables, and whoever holds its lock may advance them, so
that any number of processes may run at any time. The row's position commits in the same transaction as what was
written. An event that cannot be read stops the tables there, visibly: nothing is ever skipped.

Batches of 1,000 events cost a hundredth and less of one transaction per event.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, Protocol, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from projections.errors import OtherVersion, ProjectionStopped
from registry.errors import RegistryError
from registry.sql import load_queries
from registry.store.records import Recorded
from registry.store.transient import TRANSIENT

Connection: TypeAlias = asyncpg.Connection | PoolConnectionProxy
"""A connection of one's own, or one lent by a pool."""

BATCH: Final = 1_000
"""Events per transaction."""

_SQL = load_queries("projections", "tables.sql")


class Projection(Protocol):
    """A read model. ``name`` is also its schema; ``version`` grows when its tables or their meaning change.

    The migrations make its tables. One that changes them leaves what is in them readable, by a default for instance:
    they serve until those of the new version are built beside them and take their place.
    """

    name: str
    version: int

    async def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Fold events, in order, into its tables, which it names without a schema: they may be a copy being built.

        Anything raised, but for a lost connection, stops the projection at the event that caused it.
        """


class Reached(NamedTuple):
    """The next position wanted, None while another process is advancing; ``more``: there may be more events now."""

    position: int | None
    more: bool


class Tables:
    """A projection's tables in one schema: its own unless ``schema`` names another."""

    def __init__(
        self, pool: asyncpg.Pool, projection: Projection, *, schema: str | None = None, batch: int = BATCH
    ) -> None:
        self._pool, self._projection, self._batch = pool, projection, batch
        self.schema = schema or projection.name

    async def start(self) -> int:
        """Begin, or go on where they stopped. The version of the projection that they were built by."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_SQL["register"], self.schema, self._projection.version)
            version: int = await connection.fetchval(_SQL["retry"], self.schema)
            return version

    async def advance(self, *, wait: bool = False) -> Reached:
        """Take one batch.

        Tables that another process is just advancing are left to it, unless ``wait``. Raises ProjectionStopped at an
        event that cannot be read, OtherVersion for tables that this program must not write to.
        """
        try:
            return await self._take(self._batch, wait)
        except Exception as error:
            if not is_about_an_event(error):
                raise
        # Some event of the batch is at fault: go up to it one by one, and stop exactly there.
        reached = Reached(None, False)
        for _ in range(self._batch):
            reached = await self._take_one(wait)
            if not reached.more:
                break
        return reached

    async def fold(self, connection: Connection, position: int, limit: int) -> int:
        """Fold up to ``limit`` events from ``position`` on; how many there were.

        Within the caller's transaction, which holds the lock of the row.
        """
        events = [Recorded(*event) for event in await connection.fetch(_SQL["page"], position, limit)]
        if events:
            await connection.execute(f'SET LOCAL search_path TO "{self.schema}", public')
            await self._projection.apply(connection, events)
            await connection.execute(_SQL["advance"], self.schema, events[-1].position + 1)
        return len(events)

    async def _take(self, limit: int, wait: bool) -> Reached:
        """Fold up to ``limit`` events and the new position in one transaction."""
        async with self._pool.acquire() as connection, connection.transaction():
            position = await self._lock(connection, wait)
            if position is None:
                return Reached(None, False)
            folded = await self.fold(connection, position, limit)
            return Reached(position + folded, folded == limit)

    async def _take_one(self, wait: bool) -> Reached:
        """Fold one event, or write down why it cannot be, under the same lock."""
        async with self._pool.acquire() as connection, connection.transaction():
            position = await self._lock(connection, wait)
            if position is None:
                return Reached(None, False)
            try:
                async with connection.transaction():
                    folded = await self.fold(connection, position, 1)
                    return Reached(position + folded, folded == 1)
            except Exception as error:
                if not is_about_an_event(error):
                    raise
                stopped = ProjectionStopped(self.schema, position, _reason(error))
                stopped.__cause__ = error
                await connection.execute(_SQL["stop"], self.schema, stopped.reason)
        raise stopped

    async def _lock(self, connection: Connection, wait: bool) -> int | None:
        """The position, until the caller's transaction ends nobody else's to change; None while it is another's."""
        row = await connection.fetchrow(_SQL["lock" if wait else "lock_if_free"], self.schema)
        if row is None:
            return None
        if row["version"] != self._projection.version:
            raise OtherVersion(self._projection.name, row["version"], self._projection.version)
        if row["failed"] is not None:
            raise ProjectionStopped(self.schema, row["position"], row["failed"])
        position: int = row["position"]
        return position


def columns(rows: Iterable[Sequence[object]]) -> list[list[object]]:
    """Rows, of which there is at least one, as the parallel arrays that ``unnest`` makes rows of again."""
    return [list(column) for column in zip(*rows, strict=True)]


def _reason(error: Exception) -> str:
    """Only our own texts are kept: any other exception may quote the event."""
    return error.text.en if isinstance(error, RegistryError) else type(error).__name__


def is_about_an_event(error: Exception) -> bool:
    """Whether the same events would fail again; not so when the database or another program is in the way."""
    if isinstance(error, ProjectionStopped | OtherVersion):
        return False
    return isinstance(error, asyncpg.DataError) or not isinstance(error, TRANSIENT)
