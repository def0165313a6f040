"""Keeps read models up with the log, one task each, and builds anew those that an earlier program has left.

What a model's tables hold is always the fold of a prefix of the log; see ``projections.tables``. The log is watched
through the store's subscriptions: a notification is only a hint that saves waiting for the next poll.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NamedTuple

import asyncpg

from projections.errors import ProjectionError, ProjectionStopped
from projections.rebuild import renew
from projections.tables import BATCH, Connection, Projection, Tables
from registry.sql import load_queries
from registry.store.subscription import Subscriptions
from registry.store.transient import TRANSIENT

__all__ = ["BATCH", "Connection", "Projection", "Runner", "Status", "statuses"]

RETRY_SECONDS: Final = 1.0
"""Before asking again for tables that another process is advancing, or for a database that is away."""

_SQL = load_queries("projections", "runner.sql")
_LOG = logging.getLogger(__name__)


class Status(NamedTuple):
    """Where a projection stands: it covers ``position`` of ``size`` leaves. ``failed`` says why it stopped."""

    name: str
    version: int
    position: int
    failed: str | None
    size: int


class Runner:
    """Runs projections in this process. The pool belongs to the caller.

    ``stopped`` names those that ``run`` no longer follows: an operator must act, then start the process again.
    """

    def __init__(self, pool: asyncpg.Pool, projections: Sequence[Projection], *, batch: int = BATCH) -> None:
        self._pool, self._projections, self._batch = pool, tuple(projections), batch
        self.stopped: set[str] = set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Follow the log until ``stopping`` is set; a batch under way is finished first."""
        self.stopped.clear()
        async with Subscriptions(self._pool) as log, asyncio.TaskGroup() as tasks:
            for projection in self._projections:
                tasks.create_task(self._follow(projection, log, stopping))
            await stopping.wait()
            await log.close()

    async def catch_up(self) -> None:
        """Bring every projection up to the size that the log has now.

        Raises ProjectionStopped, OtherVersion for the tables of a newer program, RebuildRefused when those of an older
        one cannot be replaced.
        """
        for projection in self._projections:
            tables = Tables(self._pool, projection, batch=self._batch)
            await self._start(projection, tables)
            while (await tables.advance(wait=True)).more:
                pass

    async def _follow(self, projection: Projection, log: Subscriptions, stopping: asyncio.Event) -> None:
        tables = Tables(self._pool, projection, batch=self._batch)
        started = False
        while not stopping.is_set():
            try:
                if not started:
                    await self._start(projection, tables, stopping)
                    started = True
                    continue
                reached = await tables.advance()
            except ProjectionError as stop:
                self.stopped.add(projection.name)
                reason = stop.reason if isinstance(stop, ProjectionStopped) else stop.code
                _LOG.error("%s (%s)", stop.text.en, reason)
                return
            except TRANSIENT as error:
                _LOG.warning(
                    "projection %s waits for the database (%s)", projection.name, type(error).__name__
                )
                await _pause(stopping)
            else:
                if reached.position is None:
                    await _pause(stopping)
                elif not reached.more:
                    await log.grown_beyond(reached.position)

    async def _start(
        self, projection: Projection, tables: Tables, stopping: asyncio.Event | None = None
    ) -> None:
        """Tables of an earlier version are built anew: nothing is guessed, all that they hold follows from the log.

        Never those of a later version: while a register is upgraded, the programs still to be replaced would undo it.
        """
        version = await tables.start()
        if version < projection.version:
            _LOG.info(
                "projection %s is of version %s: building version %s",
                projection.name,
                version,
                projection.version,
            )
            await renew(self._pool, projection, batch=self._batch, stopping=stopping)


async def statuses(connection: Connection | asyncpg.Pool) -> list[Status]:
    """Where all projections stand, and the copies being built, for health checks and the operator."""
    return [Status(*row) for row in await connection.fetch(_SQL["status"])]


async def _pause(stopping: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), RETRY_SECONDS)
