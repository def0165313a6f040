"""The store's connections: borrowed from the pool, and some of them kept at hand from one statement to the next.

The pool lends each connection anew and takes it back in a task of its own: measured, 47 of the 165 µs that a caller
waits for the history of a stream of 100 events, and as much for every commit.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

Connection: TypeAlias = PoolConnectionProxy

KEPT_OF_ALL: Final = 4
"""One in so many of the pool's connections may stay here; all others are everybody's.

Of ten that is two, and under load two batches are under way (``writer``), so neither of them waits for the pool.
"""

LARGE: Final = 8
"""Of a smaller pool none stays: listeners and the lock of an import hold four of it for as long as they like, and
whoever else asks it for one must not wait for the store's next statement.
"""


class Connections:
    """Lends connections. Owns those that it keeps, until ``close``; the pool belongs to the caller."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        size = pool.get_max_size()
        self._most = size // KEPT_OF_ALL if size >= LARGE else 0
        self._kept: list[Connection] = []
        self._waiting = 0

    @asynccontextmanager
    async def lent(self) -> AsyncGenerator[Connection, None]:
        """A connection for statements outside of transactions. After an error the pool decides what becomes of it.

        None is kept while somebody waits for the pool, who would not learn of it.
        """
        connection = await self._borrow()
        try:
            yield connection
        except BaseException:
            await self._pool.release(connection)
            raise
        if len(self._kept) < self._most and not self._waiting:
            self._kept.append(connection)
        else:
            await self._pool.release(connection)

    async def fetch(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        """The rows of one statement."""
        async with self.lent() as connection:
            rows: list[asyncpg.Record] = await connection.fetch(query, *arguments)
            return rows

    async def close(self) -> None:
        """Gives back what is kept, and keeps nothing from now on: what is lent then goes back to the pool."""
        self._most = 0
        kept, self._kept = self._kept, []
        # One that is lost just now has been closed by the pool; the others go back all the same, for it waits for them.
        await asyncio.gather(*map(self._pool.release, kept), return_exceptions=True)

    async def _borrow(self) -> Connection:
        while self._kept:
            connection = self._kept.pop()
            try:
                if not connection.is_closed():
                    return connection
            except asyncpg.InterfaceError:
                continue  # lost at rest: the pool has noticed, and taken it back
            await self._pool.release(connection)
        self._waiting += 1
        try:
            return await self._pool.acquire()
        finally:
            self._waiting -= 1
