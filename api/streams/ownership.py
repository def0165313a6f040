"""Whose an event is: what an institution sees of the log at once, without reading all of it.

A read model lists the positions that each institution sees (``projections.models.records``). It is a moment behind, so
what it does not know yet is looked through here, once for all who follow.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from heapq import merge
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg

from api.shared import Shared
from projections.models import records
from registry.domain.mapper import EVENTS, decode_event, noun_of
from registry.sql import load_queries
from registry.store.subscription import SCANNED_POSITIONS

LOOKED_THROUGH: Final = 1_000
"""Positions looked through at a time. Who is no further behind does not ask the read model at all."""

REMEMBERED_STREAMS: Final = 20_000
"""Streams whose owner is remembered, some 300 bytes each: it never changes."""

REMEMBERED_STRETCHES: Final = 16

_SQL = load_queries("api.streams", "streams.sql")


class Owner(NamedTuple):
    """The kind of record that a stream is, and whose; None where it belongs to all."""

    noun: str
    institution: UUID | None


class Found(NamedTuple):
    """Positions that an institution sees, and how far the log was looked through for them."""

    positions: list[int]
    reached: int


class _Stretch(NamedTuple):
    """The positions of a piece of the log that everybody sees, and those that an institution does."""

    everybodys: tuple[int, ...]
    own: Mapping[UUID, tuple[int, ...]]


class Ownership:
    """Of one register. The pool must know the whole log."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._owners: OrderedDict[UUID, Owner] = OrderedDict()
        self._stretches: Shared[_Stretch] = Shared(remembered=REMEMBERED_STRETCHES)

    async def owners(self, streams: Iterable[UUID]) -> Mapping[UUID, Owner]:
        """What these streams are, all of which there are."""
        wanted = dict.fromkeys(streams)
        known = {stream: self._owners[stream] for stream in wanted if stream in self._owners}
        if unknown := [stream for stream in wanted if stream not in known]:
            for stream, type_, state in await self._pool.fetch(_SQL["first_events"], unknown):
                known[stream] = self._learn(stream, type_, state)
        return known

    async def positions(self, institution: UUID, after: int, size: int, limit: int) -> Found:
        """The first positions from ``after`` on and below ``size`` that an institution sees, at most ``limit``.

        Looks through ``SCANNED_POSITIONS`` at most, however far behind the read model is: others wait meanwhile.
        """
        positions, reached = list[int](), after
        if size - after > LOOKED_THROUGH:
            known = await records.visible(self._pool, institution, after, size, limit)
            positions, reached = known.positions, max(after, min(size, known.reached))
        until = min(size, reached + SCANNED_POSITIONS)
        while reached < until and len(positions) < limit:
            end = min(until, reached + LOOKED_THROUGH)
            positions += await self._seen(institution, reached, end)
            reached = end
        if len(positions) >= limit:
            positions = positions[:limit]
            reached = positions[-1] + 1
        return Found(positions, reached)

    async def last(self, institution: UUID, size: int) -> int | None:
        """The last position below ``size`` that an institution sees."""
        known = await records.last_visible(self._pool, institution)
        positions, reached = known.positions, known.reached
        while reached < size:
            end = min(size, reached + LOOKED_THROUGH)
            positions += await self._seen(institution, reached, end)
            reached = end
        return positions[-1] if positions else None

    async def _seen(self, institution: UUID, start: int, end: int) -> Iterable[int]:
        stretch = await self._stretches.ask((start, end), lambda: self._look_through(start, end))
        return merge(stretch.everybodys, stretch.own.get(institution, ()))

    async def _look_through(self, start: int, end: int) -> _Stretch:
        rows = await self._pool.fetch(_SQL["whose"], start, end)
        for _, stream, type_, state in rows:
            if state is not None:
                self._learn(stream, type_, state)
        owners = await self.owners(stream for _, stream, type_, _ in rows if not EVENTS[type_].OPEN)
        everybodys: list[int] = []
        own: dict[UUID, list[int]] = {}
        for position, stream, type_, _ in rows:
            if EVENTS[type_].OPEN:
                everybodys.append(position)
            elif (institution := owners[stream].institution) is not None:
                own.setdefault(institution, []).append(position)
        return _Stretch(
            tuple(everybodys), {institution: tuple(positions) for institution, positions in own.items()}
        )

    def _learn(self, stream: UUID, type_: str, state: bytes) -> Owner:
        """From the first event of a stream."""
        noun = noun_of(type_)
        owner = Owner(noun, records.owner_of(noun, decode_event(type_, state)))
        self._owners[stream] = owner
        while len(self._owners) > REMEMBERED_STREAMS:
            self._owners.popitem(last=False)
        return owner
