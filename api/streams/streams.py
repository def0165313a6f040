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
"""Open at a time in one process: some 20 KiB each, and as many sockets."""

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
    """The streams of one process. The pool belongs to the caller.

    ``ending`` is set when they are closed.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._open = 0
        self._published: Subscriptions | None = None
        self._starting = asyncio.Lock()
        self.ending = asyncio.Event()

    @asynccontextmanager
    async def published(self) -> AsyncIterator[Subscriptions]:
        """The leaves that everybody may read, as they are published. Raises StreamsFull.

        What it iterates over ends when the streams are closed.
        """
        if self._open >= MAX_STREAMS or self.ending.is_set():
            raise StreamsFull
        self._open += 1
        try:
            async with self._starting:
                if self._published is None:
                    self._published = Subscriptions(
                        self._pool, size=_SQL["published_size"], channel=PUBLICATION_CHANNEL
                    )
                    await self._published.__aenter__()
            yield self._published
        finally:
            self._open -= 1
            if self._open == 0:
                await self._stop()

    @property
    def pool(self) -> asyncpg.Pool:
        """Where what is published is read."""
        return self._pool

    async def published_size(self) -> int:
        """The size of the last published checkpoint; 0 while there is none."""
        size: int = await self._pool.fetchval(_SQL["published_size"])
        return size

    async def close(self) -> None:
        """End all streams: their clients are told to come back. Returns when no connection is held any more."""
        self.ending.set()
        await self._stop()

    async def _stop(self) -> None:
        stopped, self._published = self._published, None
        if stopped is not None:
            await stopped.close()


async def in_time(sending: Awaitable[T]) -> T:
    """Send, but wait no longer than ``SEND_SECONDS``. Raises SlowClient."""
    try:
        async with asyncio.timeout(SEND_SECONDS):
            return await sending
    except TimeoutError:
        raise SlowClient from None
