"""Events as streams deliver them: page after page, each reader what it may see, from any position and without end.

A page is read once for all who want the same one at the same time. Nobody holds a connection between two pages, and at
most ``READERS`` pages are read at a time, in all. A position to resume from is a size of the log: the next one wanted.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg

from api.shared import Shared
from api.streams.audience import Audience
from api.streams.envelope import OPEN_TYPES, Envelope, publicly
from api.streams.streams import Streams
from registry.log.leaf import ENTRY
from registry.sql import load_queries
from registry.store.subscription import (
    PAGE_BYTES,
    PAGE_EVENTS,
    READERS,
    RETRY_SECONDS,
    SCANNED_POSITIONS,
)
from registry.store.transient import TRANSIENT

REMEMBERED_PAGES: Final = 8
"""Of up to PAGE_BYTES of leaves. Those who have kept up want the same page, those who begin the same first ones."""

_SQL = load_queries("api.streams", "streams.sql")


class Wanted(NamedTuple):
    """Filters, both of which an event passes; None passes all. They see what the reader sees, and nothing behind it.

    ``types`` are names as in the envelope, ``subjects`` are ``<kind of record>/<id>``.
    """

    types: frozenset[str] | None = None
    subjects: frozenset[str] | None = None


ALL: Final = Wanted()


class StreamedEvent(NamedTuple):
    """``body`` is the CloudEvent as one line of JSON."""

    position: int
    type: str
    subject: str | None
    id: str
    body: bytes


class StreamPage(NamedTuple):
    """Events in the order of their positions. ``next`` is where to go on: everything before it that the reader may see
    and wants is in this page or was in one before."""

    events: tuple[StreamedEvent, ...]
    next: int


class Following:
    """All reading of streams in one process. Safe to share; owns no connection.

    :param streams: who is open, and what of the log is there to read.
    :param origin: the name of the log.
    """

    def __init__(self, streams: Streams, origin: str) -> None:
        self._streams = streams
        self._envelope = Envelope(origin)
        self._turns = asyncio.Semaphore(READERS)
        # Of a given piece of the log, a page is the same for ever.
        self._pages: Shared[StreamPage] = Shared(remembered=REMEMBERED_PAGES)

    async def size(self, audience: Audience) -> int:
        """Where somebody begins who wants only what is new."""
        _check(audience)
        return await self._streams.published_size()

    async def page(
        self, audience: Audience, after: int, limit: int = PAGE_EVENTS, wanted: Wanted = ALL
    ) -> StreamPage:
        """At most ``limit`` events from ``after`` on, as things stand now."""
        _check(audience)
        return await self._public(after, await self._streams.published_size(), limit, wanted)

    async def awaited(
        self, audience: Audience, after: int, limit: int, wanted: Wanted, seconds: float
    ) -> StreamPage:
        """The same, but where there is nothing now, the first events that come before that much time has passed.

        :raises StreamsFull: this process has as many streams as it can have.
        """
        page = await self.page(audience, after, limit, wanted)
        if page.events or not seconds:
            return page
        with suppress(TimeoutError):
            async with (
                asyncio.timeout(seconds),
                aclosing(self.pages(audience, page.next, wanted, limit)) as pages,
            ):
                async for page in pages:
                    if page.events:
                        break
        return page

    async def wait(self, audience: Audience, after: int, seconds: float) -> bool:
        """Whether there was something to see from ``after`` on, before that much time had passed.

        :raises StreamsFull: this process has as many streams as it can have.
        """
        return bool((await self.awaited(audience, after, 1, ALL, seconds)).events)

    async def pages(
        self, audience: Audience, after: int, wanted: Wanted = ALL, limit: int = PAGE_EVENTS
    ) -> AsyncGenerator[StreamPage, None]:
        """Pages from ``after`` on without end; it stops when streams are told to. While the database is away, waits.

        A page may be empty and only bring the position to resume from forward.

        :raises StreamsFull: at the first page; this process has as many streams as it can have.
        """
        _check(audience)
        async with self._streams.published() as log:
            while await log.grown_beyond(after):
                try:
                    page = await self._public(after, log.size, limit, wanted)
                except asyncpg.DataError:
                    raise
                except TRANSIENT:  # said once for all, by the connection that listens
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                after = page.next
                yield page

    async def _public(self, after: int, size: int, limit: int, wanted: Wanted) -> StreamPage:
        if after >= size:
            return StreamPage((), after)
        end = size if wanted.subjects is not None else min(size, after + SCANNED_POSITIONS)
        limit = min(limit, PAGE_EVENTS)
        return await self._pages.ask(
            (after, end, limit, wanted), lambda: self._read_public(after, end, limit, wanted)
        )

    async def _read_public(self, after: int, end: int, limit: int, wanted: Wanted) -> StreamPage:
        async with self._turns:
            rows = await self._public_rows(after, end, limit, wanted)
        encode, events, taken = self._envelope.encode, [], 0
        for position, event_id, stream, type_, leaf, leaf_hash in rows:
            taken += len(leaf)
            shown = publicly(type_, stream, leaf)
            if (wanted.types is None or shown.type in wanted.types) and (
                wanted.subjects is None or shown.subject in wanted.subjects
            ):
                body = encode(position, event_id, shown, leaf, leaf_hash)
                events.append(StreamedEvent(position, shown.type, shown.subject, str(event_id), body))
        cut = len(rows) == limit or taken >= PAGE_BYTES
        return StreamPage(tuple(events), rows[-1]["position"] + 1 if cut else end)

    async def _public_rows(self, after: int, end: int, limit: int, wanted: Wanted) -> list[asyncpg.Record]:
        """Those that may be wanted. The database is asked for types that leaves show, and for no others: how long it
        takes, and where a page ends, would tell what entries are."""
        pool = self._streams.pool
        if wanted.subjects is not None:
            streams = _streams(wanted.subjects)
            types = list(OPEN_TYPES if wanted.types is None else OPEN_TYPES & wanted.types)
            return await pool.fetch(
                _SQL["public_page_of_streams"], after, end, types, limit, PAGE_BYTES, streams
            )
        if wanted.types is None or ENTRY in wanted.types:
            return await pool.fetch(_SQL["public_page"], after, end, [], limit, PAGE_BYTES)
        types = list(OPEN_TYPES & wanted.types)
        return await pool.fetch(_SQL["public_page"], after, end, types, limit, PAGE_BYTES) if types else []


def _streams(subjects: frozenset[str]) -> list[UUID]:
    """Of subjects in their form; whether a stream is of that kind is seen when it is read."""
    return [UUID(subject.partition("/")[2]) for subject in subjects]


def _check(audience: Audience) -> None:
    if not audience.public:
        raise NotImplementedError("keyed audiences")
