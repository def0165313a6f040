"""All that is streamed from this process, by whatever protocol: who follows, what they follow, and when it ends.

One connection of the pool listens for all streams, from the first that opens until the last has ended; a stream has
none of its own. Streams pull: each asks for its next page when its client has taken the one before, and those that have
kept up are given the same page, read once. So a slow client holds nothing but its own place, and who takes longer than
``SEND_SECONDS`` for one message is dropped. At shutdown streams end first, before the server waits for them.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import asyncpg

from registry.errors import RegistryError
from registry.log.storage import PUBLICATION_CHANNEL
from registry.sql import load_queries
from registry.store.subscription import Subscriptions

MAX_STREAMS: Final = 2_000
"""Open at a time in one process: some 35 KiB each, beside what it has still to take, and as many sockets."""

SEND_SECONDS: Final = 10.0
"""How long a client may take for one message before it is dropped. It can come back where it stopped."""

HEARTBEAT_SECONDS: Final = 15.0
"""Between two signs of life, so that proxies, which close what is silent for a minute, keep a stream open."""

_SQL = load_queries("api.streams", "streams.sql")

T = TypeVar("T")


class StreamsFull(RegistryError):
    """No further stream can be opened in this process."""

    def __init__(self) -> None:
        super().__init__(
            "Hay demasiadas conexiones abiertas. Intente de nuevo en un minuto.",
            "Too many streams are open. Try again in a minute.",
        )


class SlowClient(Exception):
    """The client did not take a message in time; its connection is given up."""


class Streams:
    """The streams of one process. The pools belong to the caller.

    ``pool`` is where what is published is read, ``log`` where the whole log is: a replica may serve the first and is a
    moment behind for the second; the same, if none is given. ``ending`` is set when they are closed.
    """

    def __init__(self, pool: asyncpg.Pool, log: asyncpg.Pool | None = None) -> None:
        self.pool = pool
        self.log = log or pool
        self._open = 0
        self._published = _Listener(pool, size=_SQL["published_size"], channel=PUBLICATION_CHANNEL)
        self._whole = _Listener(self.log)
        self.ending = asyncio.Event()

    @asynccontextmanager
    async def published(self) -> AsyncIterator[Subscriptions]:
        """The leaves that everybody may read, as they are published. Raises StreamsFull.

        What it iterates over ends when the streams are closed.
        """
        async with self._opened(self._published) as log:
            yield log

    @asynccontextmanager
    async def whole(self) -> AsyncIterator[Subscriptions]:
        """The same of the whole log, as it grows: what of it somebody may see is for the caller to decide."""
        async with self._opened(self._whole) as log:
            yield log

    async def published_size(self) -> int:
        """The size of the last published checkpoint; 0 while there is none."""
        size: int = await self.pool.fetchval(_SQL["published_size"])
        return size

    async def close(self) -> None:
        """End all streams: their clients are told to come back. Returns when no connection is held any more."""
        self.ending.set()
        await self._published.stop()
        await self._whole.stop()

    def check_room(self) -> None:
        """Whether one more could be opened just now. Raises StreamsFull."""
        if self._open >= MAX_STREAMS or self.ending.is_set():
            raise StreamsFull

    @asynccontextmanager
    async def _opened(self, listener: "_Listener") -> AsyncIterator[Subscriptions]:
        self.check_room()
        self._open += 1
        try:
            async with listener.listening() as log:
                yield log
        finally:
            self._open -= 1


class _Listener:
    """One connection that listens while anybody does. ``arguments`` are those of Subscriptions."""

    def __init__(self, pool: asyncpg.Pool, **arguments: str) -> None:
        self._pool, self._arguments = pool, arguments
        self._users = 0
        self._log: Subscriptions | None = None
        self._starting = asyncio.Lock()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Subscriptions]:
        self._users += 1
        try:
            async with self._starting:
                if self._log is None:
                    self._log = Subscriptions(self._pool, **self._arguments)
                    await self._log.__aenter__()
            yield self._log
        finally:
            self._users -= 1
            if self._users == 0:
                await self.stop()

    async def stop(self) -> None:
        stopped, self._log = self._log, None
        if stopped is not None:
            await stopped.close()


async def in_time(sending: Awaitable[T]) -> T:
    """Send, but wait no longer than ``SEND_SECONDS``. Raises SlowClient."""
    try:
        async with asyncio.timeout(SEND_SECONDS):
            return await sending
    except TimeoutError:
        raise SlowClient from None
