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
from api.streams.full import FullEvents, merged
from api.streams.streams import Streams
from api.streams.wanted import ALL, Wanted
from registry.application.execution.application import Application
from registry.log.leaf import ENTRY
from registry.privacy import reads
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


class _Reading(NamedTuple):
    """A piece of the log as a reader sees it, up to ``reached``. ``noted`` is to be noted before it is shown.

    ``page`` is the same for all whom ``reached`` may be told. The others learn of ``last``, the last position that they
    see, and of nothing behind it: when something came that is not theirs is not to be told. ``final`` unless the
    database that was read is a replica that has still to receive some of it.
    """

    events: tuple[StreamedEvent, ...]
    reached: int
    noted: tuple[reads.Shown, ...] = ()
    last: int | None = None
    page: StreamPage | None = None
    final: bool = True

    def page_after(self, after: int) -> StreamPage:
        if self.page is not None:
            return self.page
        return StreamPage(self.events, after if self.last is None else self.last + 1)


class Following:
    """All reading of streams in one process. Safe to share; owns no connection.

    :param streams: who is open, and what of the log is there to read.
    :param origin: the name of the log.
    :param app: what the events of those with a key are read with; without it there is none but the public.
    """

    def __init__(self, streams: Streams, origin: str, app: Application | None = None) -> None:
        self._streams = streams
        self._envelope = Envelope(origin)
        self._full = None if app is None else FullEvents(streams.log, app, self._envelope)
        self._turns = asyncio.Semaphore(READERS)
        # Of a given piece of the log, a public page is the same for ever. What a key shows may be erased: that is read
        # once for all who want it at the same moment, and not kept.
        self._public_pages: Shared[_Reading] = Shared(
            keep=lambda reading: reading.final, remembered=REMEMBERED_PAGES
        )
        self._full_pages: Shared[_Reading] = Shared(keep=lambda _: False)

    async def size(self, audience: Audience) -> int:
        """Where somebody begins who wants only what is new."""
        if audience.public:
            return await self._streams.published_size()
        size = await self._keyed().app.store.size()
        if audience.everything or audience.institution is None:
            return size
        last = await self._keyed().last(audience.institution, size)
        return 0 if last is None else last + 1

    async def page(
        self, audience: Audience, after: int, limit: int = PAGE_EVENTS, wanted: Wanted = ALL
    ) -> StreamPage:
        """At most ``limit`` events from ``after`` on, as things stand now. What a key shows is noted before it does."""
        if audience.public:
            size = await self._streams.published_size()
        else:
            size = await self._keyed().app.store.size()
        reading = await self._read(audience, after, size, limit, wanted)
        # Who may not be told how far was looked goes on until there is something to see: each time behind all others.
        while reading.page is None and reading.last is None and reading.reached < size:
            reading = await self._read(audience, reading.reached, size, limit, wanted)
        await self._note(audience, reading)
        return reading.page_after(after)

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

    async def pages(
        self, audience: Audience, after: int, wanted: Wanted = ALL, limit: int = PAGE_EVENTS
    ) -> AsyncGenerator[StreamPage, None]:
        """Pages from ``after`` on without end; it stops when streams are told to. While the database is away, waits.

        A page may be empty and only bring the position to resume from forward.

        :raises StreamsFull: at the first page; this process has as many streams as it can have.
        """
        streams = self._streams
        async with streams.published() if audience.public else streams.whole() as log:
            reached = after
            while await log.grown_beyond(reached):
                try:
                    reading = await self._read(audience, reached, log.size, limit, wanted)
                    await self._note(audience, reading)
                except asyncpg.DataError:
                    raise
                except TRANSIENT:  # said once for all, by the connection that listens
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                if reading.reached == reached:  # this database is behind the one that told the size
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                reached = reading.reached
                page = reading.page_after(after)
                if page.events or page.next > after:
                    after = page.next
                    yield page

    async def _read(self, audience: Audience, after: int, size: int, limit: int, wanted: Wanted) -> _Reading:
        limit = min(limit, PAGE_EVENTS)
        if after >= size:
            return _Reading((), after)
        if audience.public:
            end = size if wanted.subjects is not None else min(size, after + SCANNED_POSITIONS)
            return await self._public_pages.ask(
                (after, end, limit, wanted), lambda: self._read_public(after, end, limit, wanted)
            )
        reader = None if audience.everything else audience.institution
        return await self._full_pages.ask(
            (reader, after, size, limit, wanted), lambda: self._read_full(reader, after, size, limit, wanted)
        )

    async def _read_full(
        self, reader: UUID | None, after: int, size: int, limit: int, wanted: Wanted
    ) -> _Reading:
        """``reader`` None sees all of it."""
        full = self._keyed()
        async with self._turns:
            if reader is None:
                piece = await full.everything(after, size, limit, wanted)
            else:
                piece = await full.own(reader, after, size, limit, wanted)
        events = tuple(
            StreamedEvent(one.position, one.shown.type, one.shown.subject, str(one.event_id), one.body)
            for one in piece.events
        )
        noted = merged(one.read for one in piece.events if one.read is not None)
        page = StreamPage(events, piece.reached) if reader is None else None
        return _Reading(events, piece.reached, tuple(noted), piece.last, page)

    async def _read_public(self, after: int, end: int, limit: int, wanted: Wanted) -> _Reading:
        async with self._turns:
            rows, known = await self._public_rows(after, end, limit, wanted)
        encode, events, taken = self._envelope.encode, [], 0
        for position, event_id, stream, type_, leaf, leaf_hash, _ in rows:
            taken += len(leaf)
            shown = publicly(type_, stream, leaf)
            if wanted.passes(shown):
                body = encode(position, event_id, shown, leaf, leaf_hash)
                events.append(StreamedEvent(position, shown.type, shown.subject, str(event_id), body))
        cut = len(rows) == limit or taken >= PAGE_BYTES
        reached = rows[-1]["position"] + 1 if cut else max(after, min(end, known))
        return _Reading(
            tuple(events), reached, page=StreamPage(tuple(events), reached), final=cut or known >= end
        )

    async def _note(self, audience: Audience, reading: _Reading) -> None:
        if reading.noted:
            await self._keyed().app.reads.note(
                audience.institution, audience.key, audience.purpose, reading.noted
            )

    def _keyed(self) -> FullEvents:
        if self._full is None:
            raise RuntimeError(
                "Following was made without what the events of a key are read with; pass the app."
            )
        return self._full

    async def _public_rows(
        self, after: int, end: int, limit: int, wanted: Wanted
    ) -> tuple[list[asyncpg.Record], int]:
        """Those that may be wanted, and how much of the log the database has that was asked: of several replicas, this
        one may be behind the one that told ``end``.

        The database is asked for types that leaves show, and for no others: how long it takes, and where a page ends,
        would tell what entries are.
        """
        pool = self._streams.pool
        if wanted.streams is not None:
            types = list(OPEN_TYPES if wanted.types is None else OPEN_TYPES & wanted.types)
            rows = await pool.fetch(
                _SQL["public_page_of_streams"], after, end, types, limit, PAGE_BYTES, wanted.streams
            )
        else:
            entries = wanted.types is None or ENTRY in wanted.types
            types = [] if entries else list(OPEN_TYPES & (wanted.types or frozenset()))
            if not entries and not types:
                return [], end
            rows = await pool.fetch(_SQL["public_page"], after, end, types, limit, PAGE_BYTES)
        known: int = rows[0]["known"]
        return ([] if rows[0]["position"] is None else rows), known
