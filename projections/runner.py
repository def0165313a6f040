"""Keeps read models up with the log: in batches, exactly once, resuming where it was killed.

A projection's position commits in the same transaction as what it wrote, under the lock of its row, so that any
number of processes may run at any time. An event that a projection cannot read stops that projection there, visibly:
nothing is ever skipped. A notification is only a hint that saves waiting for the next poll.

Batches of 1,000 events cost a hundredth and less of one transaction per event.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from projections.errors import ProjectionStopped
from registry.errors import RegistryError
from registry.sql import load_queries
from registry.store.records import Recorded
from registry.store.store import NOTIFICATION_CHANNEL
from registry.store.transient import TRANSIENT

_SQL = load_queries("projections", "runner.sql")
_LOG = logging.getLogger(__name__)

Connection: TypeAlias = asyncpg.Connection | PoolConnectionProxy
"""A connection of one's own, or one lent by a pool."""

BATCH = 1_000
"""Events per transaction."""

POLL_SECONDS = 1.0
"""How late an event may be seen when its notification was lost."""


class Projection(Protocol):
    """A read model. ``name`` is also its schema; ``version`` grows when its tables or meaning change."""

    name: str
    version: int

    async def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Fold events, in order, into the tables of its schema (first in the search path, so unqualified).

        Anything raised, but for a lost connection, stops the projection at the event that caused it.
        """


class Status(NamedTuple):
    """Where a projection stands: it covers ``position`` of ``size`` leaves. ``failed`` says why it stopped."""

    name: str
    version: int
    position: int
    failed: str | None
    size: int


class Runner:
    """Runs projections in this process, one task each. The pool belongs to the caller."""

    def __init__(self, pool: asyncpg.Pool, projections: Sequence[Projection], *, batch: int = BATCH) -> None:
        self._pool, self._projections, self._batch = pool, tuple(projections), batch
        self._hints = {projection.name: asyncio.Event() for projection in projections}

    async def run(self, stopping: asyncio.Event) -> None:
        """Follow the log until ``stopping`` is set; a batch under way is finished first."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(stopping))
            tasks.create_task(self._wake_when(stopping))
            for projection in self._projections:
                tasks.create_task(self._follow(projection, stopping))

    async def catch_up(self) -> None:
        """Bring every projection up to the size that the log has now. Raises ProjectionStopped."""
        for projection in self._projections:
            await self._start(projection)
            while await self._advance(projection):
                pass

    async def _follow(self, projection: Projection, stopping: asyncio.Event) -> None:
        hint = self._hints[projection.name]
        started = False
        while not stopping.is_set():
            hint.clear()
            try:
                if not started:
                    await self._start(projection)
                    started = True
                while not stopping.is_set() and await self._advance(projection):
                    pass
            except ProjectionStopped as stop:
                _LOG.error("%s", stop.text.en)
                return
            except TRANSIENT as error:
                _LOG.warning(
                    "projection %s waits for the database (%s)", projection.name, type(error).__name__
                )
                hint.clear()
            await _wait(hint, POLL_SECONDS)

    async def _start(self, projection: Projection) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_SQL["register"], projection.name, projection.version)
            await connection.execute(_SQL["retry"], projection.name)

    async def _advance(self, projection: Projection) -> bool:
        """Take one batch; whether there may be more. Raises ProjectionStopped at an event that cannot be read."""
        try:
            return await self._take(projection, self._batch)
        except Exception as error:
            if not _is_about_an_event(error):
                raise
        # Some event of the batch is at fault: go up to it one by one, and stop exactly there.
        try:
            for _ in range(self._batch):
                if not await self._take(projection, 1):
                    return False
        except Exception as error:
            if not _is_about_an_event(error):
                raise
            raise await self._stop(projection, error) from error
        return True

    async def _take(self, projection: Projection, limit: int) -> bool:
        """Fold up to ``limit`` events and the new position in one transaction; whether the batch was full."""
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(_SQL["take"], projection.name)
            if row is None:
                return False
            if row["failed"] is not None:
                raise ProjectionStopped(projection.name, row["position"])
            if row["version"] != projection.version:
                raise _OtherVersion(projection, row["version"])
            events = [
                Recorded(*event) for event in await connection.fetch(_SQL["page"], row["position"], limit)
            ]
            if not events:
                return False
            await connection.execute(f'SET LOCAL search_path TO "{projection.name}", public')
            await projection.apply(connection, events)
            await connection.execute(_SQL["advance"], projection.name, events[-1].position + 1)
            return len(events) == limit

    async def _stop(self, projection: Projection, error: Exception) -> ProjectionStopped:
        """Write down why it stopped. Only our own texts are kept: any other exception may quote the event."""
        reason = error.text.en if isinstance(error, RegistryError) else type(error).__name__
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(_SQL["take"], projection.name)
            if row is not None:
                await connection.execute(_SQL["stop"], projection.name, reason)
        return ProjectionStopped(projection.name, -1 if row is None else row["position"])

    async def _listen(self, stopping: asyncio.Event) -> None:
        """Turn notifications into hints. Listening starts before the first read, or events would be seen late."""
        while not stopping.is_set():
            with suppress(*TRANSIENT):
                async with self._pool.acquire() as connection:
                    await self._listen_on(connection, stopping)
            await _wait(stopping, POLL_SECONDS)

    async def _listen_on(self, connection: Connection, stopping: asyncio.Event) -> None:
        lost = asyncio.Event()

        def notified(*_: object) -> None:
            self._hint()

        def terminated(_: object) -> None:
            lost.set()

        connection.add_termination_listener(terminated)
        await connection.add_listener(NOTIFICATION_CHANNEL, notified)
        self._hint()
        try:
            await _either(stopping, lost)
        finally:
            connection.remove_termination_listener(terminated)
            if not connection.is_closed():
                await connection.remove_listener(NOTIFICATION_CHANNEL, notified)

    async def _wake_when(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        self._hint()

    def _hint(self) -> None:
        for hint in self._hints.values():
            hint.set()


class _OtherVersion(RegistryError):
    """The tables were built by another version of the projection; only a rebuild changes that."""

    def __init__(self, projection: Projection, stored: int) -> None:
        super().__init__(
            f"La proyección «{projection.name}» se construyó con su versión {stored} y este programa trae la "
            f"{projection.version}. Ejecute «constancia rebuild {projection.name}».",
            f"Projection “{projection.name}” was built by its version {stored} and this program has "
            f"{projection.version}. Run “constancia rebuild {projection.name}”.",
        )


def _is_about_an_event(error: Exception) -> bool:
    if isinstance(error, ProjectionStopped):
        return False
    return isinstance(error, asyncpg.DataError) or not isinstance(error, TRANSIENT)


async def statuses(connection: Connection | asyncpg.Pool) -> list[Status]:
    """Where all projections stand, for health checks and the operator."""
    return [Status(*row) for row in await connection.fetch(_SQL["status"])]


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)


async def _either(one: asyncio.Event, other: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in (one, other)]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
