"""Builds a read model anew beside the tables in use, and puts the new ones in their place in one transaction.

The copy is a schema of its own, ``<name>_rebuild``, with a row of its own in ``projections.positions``, and is filled
as any tables are: in batches, by any number of processes, with its position in the same transaction. Readers, and
whoever advances the tables in use, notice nothing. When the copy has reached the head of the log, it takes the place of
the old tables under the locks of both rows. A kill leaves the old tables or the new ones, and at most a copy beside
them, which the next rebuild removes.
"""

import asyncio
import logging
from contextlib import suppress
from enum import Enum, auto
from typing import Final

import asyncpg

from projections.errors import OtherVersion, ProjectionStopped, RebuildRefused
from projections.tables import BATCH, Connection, Projection, Tables, is_about_an_event
from registry.sql import load_queries

SUFFIX: Final = "_rebuild"

READERS_WAIT_SECONDS: Final = 0.5
"""How long the switch may hold up new readers behind those it waits for itself.

Less than PostgreSQL's ``deadlock_timeout`` (1 s), so that of a reader and a switch that wait for each other it is the
switch that gives up.
"""

PAUSE_SECONDS: Final = 0.5
"""Before the switch is tried again."""

_SQL = load_queries("projections", "rebuild.sql")
_LOG = logging.getLogger(__name__)


class _Switch(Enum):
    DONE = auto()
    AGAIN = auto()  # somebody reads the old tables just now, or an event needs a closer look
    NO_COPY = auto()  # another process has put it in place, or away


class _Unreadable(Exception):
    """An event of the last batch cannot be read; which one, ``Tables.advance`` finds out."""


async def rebuild(pool: asyncpg.Pool, projection: Projection, *, batch: int = BATCH) -> int:
    """Build the model's tables from the first event on, whatever they hold now; the position that they cover.

    Raises RebuildRefused, with the tables in use as they were, when an event cannot be read or something else depends
    on the old tables; OtherVersion when another program is rebuilding the same model.
    """
    try:
        while True:
            await _begin(pool, projection, afresh=True)
            position = await _finish(pool, projection, batch, asyncio.Event())
            if position is not None:
                return position
    except ProjectionStopped as stop:
        await _discard(pool, projection)
        raise RebuildRefused(
            f"La reconstrucción de «{projection.name}» se detuvo en la posición {stop.position} ({stop.reason}). Las "
            "tablas en uso quedan como estaban. Corrija la causa y repita.",
            f"The rebuild of “{projection.name}” stopped at position {stop.position} ({stop.reason}). The tables in "
            "use are as they were. Correct the cause and repeat.",
        ) from stop


async def renew(
    pool: asyncpg.Pool, projection: Projection, *, batch: int = BATCH, stopping: asyncio.Event | None = None
) -> None:
    """Bring the model's tables from an earlier version to the projection's, with whoever else is about it.

    A copy of this version that a kill has left is gone on with, as the tables in use would be. Ends early when
    ``stopping`` is set. Raises ProjectionStopped, with the copy kept for the next start, OtherVersion when a later
    version is in place or on its way, and RebuildRefused when something else depends on the old tables.
    """
    stopping = stopping or asyncio.Event()
    while not stopping.is_set():
        if not await _begin(pool, projection, afresh=False):
            return
        await _finish(pool, projection, batch, stopping)


async def _begin(pool: asyncpg.Pool, projection: Projection, *, afresh: bool) -> bool:
    """Have a copy to fill: a new one if ``afresh``, or if there is none of this version. False: none is needed."""
    name, ours = projection.name, projection.version
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_SQL["register"], name, ours)
        live, copy = await _lock(connection, name)
        if not afresh:
            for row in (live, copy):
                if row is not None and row["version"] > ours:
                    raise OtherVersion(name, row["version"], ours)
            if live is not None and live["version"] == ours:
                return False
            if copy is not None and copy["version"] == ours:
                await connection.execute(_SQL["retry"], name + SUFFIX)
                return True
        await _drop_copy(connection, name)
        await _create_copy(connection, name)
        await connection.execute(_SQL["register"], name + SUFFIX, ours)
    return True


async def _finish(
    pool: asyncpg.Pool, projection: Projection, batch: int, stopping: asyncio.Event
) -> int | None:
    """Fill the copy and put it in place; the position that it covers, None when the copy is gone or ``stopping``."""
    copy = Tables(pool, projection, schema=projection.name + SUFFIX, batch=batch)
    analysed = False
    while not stopping.is_set():
        reached = await copy.advance(wait=True)
        if reached.more:
            continue
        if not analysed:
            await _analyse(pool, copy.schema)
            analysed = True
        outcome, position = await _switch(pool, projection, copy, batch)
        if outcome is _Switch.DONE:
            _LOG.info("projection %s was rebuilt and stands at %s", projection.name, position)
            return position
        if outcome is _Switch.NO_COPY:
            return None
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), PAUSE_SECONDS)
    return None


async def _switch(
    pool: asyncpg.Pool, projection: Projection, copy: Tables, batch: int
) -> tuple[_Switch, int]:
    """Bring the copy to the head of the log while nobody can advance the tables in use, then put it in their place."""
    name = projection.name
    try:
        async with pool.acquire() as connection, connection.transaction():
            _, row = await _lock(connection, name)
            if row is None:
                return _Switch.NO_COPY, 0
            if row["version"] != projection.version or row["failed"] is not None:
                return _Switch.AGAIN, 0
            position = await _fold_rest(connection, copy, row["position"], batch)
            await _replace(connection, name)
            await connection.execute(_SQL["take_place"], name, projection.version, position)
            await connection.execute(_SQL["forget"], copy.schema)
            return _Switch.DONE, position
    except (_Unreadable, asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
        return _Switch.AGAIN, 0
    except asyncpg.DependentObjectsStillExistError as error:
        raise RebuildRefused(
            f"Hay objetos que dependen de las tablas de «{name}» ({error.detail}). Quítelos, repita y créelos de "
            "nuevo sobre las tablas reconstruidas.",
            f"There are objects that depend on the tables of “{name}” ({error.detail}). Drop them, repeat, and make "
            "them anew on the rebuilt tables.",
        ) from error


async def _fold_rest(connection: Connection, copy: Tables, position: int, batch: int) -> int:
    """Fold what has come since; the position reached."""
    try:
        while folded := await copy.fold(connection, position, batch):
            position += folded
    except Exception as error:
        if is_about_an_event(error):
            raise _Unreadable from error
        raise
    return position


async def _replace(connection: Connection, name: str) -> None:
    """The old schema goes, table by table so that nothing made by others goes with it, and the copy gets its name."""
    tables = ", ".join(f'"{name}"."{table}"' for table in await _tables(connection, name))
    await connection.execute(f"SET LOCAL lock_timeout TO '{READERS_WAIT_SECONDS}s'")
    await connection.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")
    await connection.execute(f"DROP TABLE {tables}")
    await connection.execute(f'DROP SCHEMA "{name}"')
    await connection.execute(f'ALTER SCHEMA "{name}{SUFFIX}" RENAME TO "{name}"')


async def _create_copy(connection: Connection, name: str) -> None:
    """Empty tables like those in use: with the same names of everything, which later migrations rely on, and the same
    privileges."""
    # Within the schema, definitions name its tables without it, so that they make the same in another.
    await connection.execute(f'SET LOCAL search_path TO "{name}"')
    definition = await connection.fetch(_SQL["definition"], name, name + SUFFIX)
    await connection.execute(f'CREATE SCHEMA "{name}{SUFFIX}"')
    await connection.execute(f'SET LOCAL search_path TO "{name}{SUFFIX}"')
    for row in definition:
        await connection.execute(row["statement"])


async def _discard(pool: asyncpg.Pool, projection: Projection) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await _lock(connection, projection.name)
        await _drop_copy(connection, projection.name)


async def _drop_copy(connection: Connection, name: str) -> None:
    await connection.execute(f'DROP SCHEMA IF EXISTS "{name}{SUFFIX}" CASCADE')
    await connection.execute(_SQL["forget"], name + SUFFIX)


async def _lock(connection: Connection, name: str) -> tuple[asyncpg.Record | None, asyncpg.Record | None]:
    """The rows of the tables in use and of the copy, always locked in this order."""
    live = await connection.fetchrow(_SQL["lock"], name)
    return live, await connection.fetchrow(_SQL["lock"], name + SUFFIX)


async def _tables(connection: Connection, schema: str) -> list[str]:
    return [row["name"] for row in await connection.fetch(_SQL["tables"], schema)]


async def _analyse(pool: asyncpg.Pool, schema: str) -> None:
    """Else the first questions to the new tables would be planned as if they were empty."""
    # Another process may put the copy in place at any moment, which has analysed it before: then there is none left.
    with suppress(asyncpg.InvalidSchemaNameError, asyncpg.UndefinedTableError):
        async with pool.acquire() as connection:
            for table in await _tables(connection, schema):
                await connection.execute(f'ANALYZE "{schema}"."{table}"')
