"""Following the log as it grows: by position, from any position, for as long as one likes.

One connection per process listens for all subscribers. It listens first and then reads the size of the log, again
whenever it is notified, and at the latest after ``POLL_SECONDS``: a notification is only a hint, and where the database
cannot listen at all (a standby), polling alone does. Subscribers learn the size from it; one that has everything asks
the database nothing, and one that is behind reads pages at its own pace and holds nothing between two of them.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from typing import NamedTuple, Self

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from registry.sql import load_queries
from registry.store.records import Recorded
from registry.store.store import NOTIFICATION_CHANNEL
from registry.store.transient import TRANSIENT

POLL_SECONDS = 1.0
"""How late an event may be seen when its notification was lost."""

RETRY_SECONDS = 0.25
"""Between two attempts to reach a database that is away."""

ANSWER_SECONDS = 10.0
"""After this long without an answer, the connection that listens is taken for dead, whatever its socket says."""

PAGE_EVENTS = 500
PAGE_BYTES = 1024 * 1024
"""A page ends with the event that reaches this many bytes of state and leaf, so it may exceed them by one event."""

SCANNED_POSITIONS = 10_000
"""How far one statement looks for events of the types that a subscriber wants."""

READERS = 2
"""Pages read at a time, in all: however many subscribers there are, the writer finds a connection in the pool."""

REMEMBERED_PAGES = 4
"""Subscribers that have kept up want the same page at the same time: it is read once."""

_CANNOT_LISTEN = (asyncpg.ReadOnlySQLTransactionError, asyncpg.FeatureNotSupportedError)

_QUERIES = load_queries("registry.store", "queries.sql")
_LOG = logging.getLogger(__name__)


class _Want(NamedTuple):
    after: int
    types: tuple[str, ...]
    limit: int


class Page(NamedTuple):
    """``next`` is where the page after this one begins; events in between are of types that are not wanted."""

    events: tuple[Recorded, ...]
    next: int


async def read_page(pool: asyncpg.Pool, after: int, size: int, types: Sequence[str], limit: int) -> Page:
    """At most ``limit`` events of these types (none = all) from ``after`` on, where the log has ``size`` events."""
    end = min(size, after + SCANNED_POSITIONS)
    rows = await pool.fetch(_QUERIES["following"], after, end, types, limit, PAGE_BYTES)
    events = tuple(Recorded(*row) for row in rows)
    if not types:  # every position has its event: those missing are yet to come to this replica
        return Page(events, after + len(events))
    cut = len(events) == limit or sum(len(event.state) + len(event.leaf) for event in events) >= PAGE_BYTES
    return Page(events, events[-1].position + 1 if cut else end)


class Subscriptions:
    """All that follows the log in this process. Use it as a context; the pool belongs to the caller.

    Keeps one of the pool's connections, and borrows up to ``READERS`` more while pages are read.

    :param size: a statement that tells how many events there are to follow, where that is not the whole log.
    :param channel: where the database tells that this number may have grown.
    """

    def __init__(
        self, pool: asyncpg.Pool, *, size: str = _QUERIES["size"], channel: str = NOTIFICATION_CHANNEL
    ) -> None:
        self._pool = pool
        self._size_query = size
        self._channel = channel
        self._size = 0
        # Set, and replaced, whenever the size grows or there is nothing more to come.
        self._changed = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._turns = asyncio.Semaphore(READERS)
        self._remembered: OrderedDict[_Want, Page] = OrderedDict()

    async def __aenter__(self) -> Self:
        self._watching = asyncio.create_task(self._watch(), name="log watch")
        self._watching.add_done_callback(lambda _: self._wake())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End every subscription: its iterator stops as if it were at an end. May be called more than once."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])

    @property
    def size(self) -> int:
        """The size of the log as last seen; it may have grown since."""
        return self._size

    async def grown_beyond(self, position: int) -> bool:
        """Wait until the log has an event at ``position``, or False: closed, there is nothing more to wait for.

        Raises what ended the watch, if anything but closing did.
        """
        while not self._ended():
            if self._size > position:
                return True
            await self._changed.wait()
        return False

    async def pages(
        self, after: int = 0, *, types: Sequence[str] = (), limit: int = PAGE_EVENTS
    ) -> AsyncGenerator[tuple[Recorded, ...], None]:
        """Events from position ``after`` on (a log size = the next position wanted), in order, without end.

        A page holds at least one event and at most ``limit``. While the database is away, the next page waits.

        :param types: only events of these names; none = all.
        """
        while await self.grown_beyond(after):
            try:
                page = await self._page(_Want(after, tuple(types), limit))
            except asyncpg.DataError:
                raise
            except TRANSIENT:  # said once for all, by the connection that listens
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if page.next == after:  # read from a replica that is behind the one that told the size
                await asyncio.sleep(RETRY_SECONDS)
                continue
            after = page.next
            if page.events:
                yield page.events

    async def events(self, after: int = 0, *, types: Sequence[str] = ()) -> AsyncGenerator[Recorded, None]:
        """The same, one event at a time."""
        async with aclosing(self.pages(after, types=types)) as pages:
            async for page in pages:
                for event in page:
                    yield event

    async def _page(self, want: _Want) -> Page:
        async with self._turns:
            page = self._remembered.get(want)
            if page is None:
                page = await read_page(self._pool, want.after, self._size, want.types, want.limit)
                if page.next > want.after:
                    self._remembered[want] = page
                while len(self._remembered) > REMEMBERED_PAGES:
                    self._remembered.popitem(last=False)
            return page

    def _ended(self) -> bool:
        if self._watching is None:
            raise RuntimeError(
                "Subscriptions is used before it is entered; write “async with Subscriptions(…)”."
            )
        if self._watching.done() and not self._watching.cancelled():
            self._watching.result()  # raises what ended it
        return self._watching.done()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _watch(self) -> None:
        """Keep a connection that listens, over any number of losses."""
        while True:
            try:
                async with self._pool.acquire() as connection:
                    await self._watch_through(connection)
            except asyncpg.DataError:
                raise
            except TRANSIENT as error:
                _LOG.warning("subscriptions wait for the database (%s)", type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)

    async def _watch_through(self, connection: PoolConnectionProxy) -> None:
        hint = asyncio.Event()

        def hinted(*_: object) -> None:
            hint.set()

        connection.add_termination_listener(hinted)  # a lost connection is noticed by reading through it
        try:
            try:
                await connection.add_listener(self._channel, hinted)
            except _CANNOT_LISTEN:
                _LOG.info("this database cannot listen; new events are looked for every %s s", POLL_SECONDS)
            while True:
                hint.clear()
                self._saw(await connection.fetchval(self._size_query, timeout=ANSWER_SECONDS))
                # Not wait_for: before Python 3.12 it forgets that it was cancelled if the hint comes at the same time.
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await hint.wait()
        finally:
            # Closed, not lent again: it would go on listening. Unless it was lost and has left the pool by itself.
            with suppress(asyncpg.InterfaceError):
                connection.terminate()

    def _saw(self, size: int) -> None:
        if size > self._size:
            self._size = size
            self._wake()
