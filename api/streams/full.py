"""Events as a key sees them: whole, in codes, as soon as they are stored.

What is private (identity, narrative, evidence, contact) is in no stream, to nobody: it is read record by record, where
the reader can say why. So an entry can be checked against its leaf only where it has nothing private; the sender of any
other got the opening with the answer.

What another institution did in a stream of one's own is told as far as reading the record tells it: that it was
triaged, but neither by whom nor to what incident; of anything else, only that something came.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from api.streams.envelope import HIDDEN, OPEN_TYPES, Envelope, Shown, publicly, subject_of
from api.streams.ownership import Owner, Ownership
from api.streams.wanted import Wanted
from registry.application.execution.application import Application
from registry.application.execution.sealing import Coded, read_coded
from registry.application.reading import people_in
from registry.domain.mapper import EVENTS, decode_event
from registry.domain.report_events import ReportTriaged
from registry.log.leaf import ENTRY
from registry.privacy import reads
from registry.sql import load_queries
from registry.store.records import Recorded
from registry.store.subscription import PAGE_BYTES, read_page

TOLD_OF_OTHERS: Final = frozenset({ReportTriaged.TOPIC})
"""What others do in a stream of one's own that one learns of by name: reading the report shows it, too."""

_SQL = load_queries("api.streams", "streams.sql")


class Seen(NamedTuple):
    """An event as one reader sees it: ``read`` is what the audit of private reads says of it, None of what is open."""

    position: int
    event_id: UUID
    shown: Shown
    body: bytes
    read: reads.Shown | None


class Piece(NamedTuple):
    """Of a piece of the log, what a reader sees and wants, in order. ``reached`` is where the piece ends.

    ``last`` is the last position in it that the reader sees, wanted or not: what lies behind may be others', and when
    it came is not to be told.
    """

    events: list[Seen]
    last: int | None
    reached: int


class FullEvents:
    """The whole log of one register, for those who hold a key. The pool must know all of it."""

    def __init__(self, pool: asyncpg.Pool, app: Application, envelope: Envelope) -> None:
        self.app = app
        self._pool, self._envelope = pool, envelope
        self._ownership = Ownership(pool)

    async def everything(self, after: int, size: int, limit: int, wanted: Wanted) -> Piece:
        """For verifiers and analysts: at most ``limit`` events from ``after`` on and below ``size``."""
        if wanted.streams is not None:
            return await self._of_streams(None, wanted.streams, [], after, size, limit, wanted)
        page = await read_page(self._pool, after, size, list(wanted.types or ()), limit)
        return await self._piece(None, page.events, page.next, wanted)

    async def own(self, institution: UUID, after: int, size: int, limit: int, wanted: Wanted) -> Piece:
        """For an institution: the same of its own streams, and of what is open to everybody."""
        if wanted.streams is not None:
            owners = await self._ownership.owners(wanted.streams)
            own = [stream for stream, owner in owners.items() if owner.institution == institution]
            others = [stream for stream, owner in owners.items() if owner.institution != institution]
            return await self._of_streams(institution, own, others, after, size, limit, wanted)
        found = await self._ownership.positions(institution, after, size, limit)
        return await self._at(institution, found.positions, found.reached, wanted)

    async def last(self, institution: UUID, size: int) -> int | None:
        """The last position below ``size`` that an institution sees."""
        return await self._ownership.last(institution, size)

    async def _of_streams(
        self,
        institution: UUID | None,
        whole: list[UUID],
        open_only: list[UUID],
        after: int,
        size: int,
        limit: int,
        wanted: Wanted,
    ) -> Piece:
        rows = await self._pool.fetch(
            _SQL["positions_of_streams"], after, size, whole, limit, open_only, list(OPEN_TYPES)
        )
        positions = [row["position"] for row in rows]
        reached = positions[-1] + 1 if len(positions) == limit else size
        return await self._at(institution, positions, reached, wanted)

    async def _at(
        self, institution: UUID | None, positions: list[int], reached: int, wanted: Wanted
    ) -> Piece:
        if not positions:
            return Piece([], None, reached)
        rows = await self._pool.fetch(_SQL["by_positions"], positions, PAGE_BYTES)
        recorded = [Recorded(*row) for row in rows]
        if len(recorded) < len(positions):
            reached = recorded[-1].position + 1
        return await self._piece(institution, recorded, reached, wanted)

    async def _piece(
        self, institution: UUID | None, recorded: Sequence[Recorded], reached: int, wanted: Wanted
    ) -> Piece:
        """``institution`` None sees all of them."""
        closed = [one for one in recorded if not EVENTS[one.type].OPEN]
        owners = await self._ownership.owners(one.stream_id for one in closed)
        visible: list[tuple[Recorded, Shown]] = []
        for one in recorded:
            shown = _shown(one, owners.get(one.stream_id), institution)
            if shown is not HIDDEN:
                visible.append((one, shown))
        passed = [(one, shown) for one, shown in visible if wanted.passes(shown)]
        whole = [one for one, shown in passed if not EVENTS[one.type].OPEN and _is_told(one, institution)]
        coded = await read_coded(self.app.store, self.app.vault, whole)
        by_id = {one.recorded.event_id: one for one in coded}
        return Piece(
            [self._seen(one, shown, by_id.get(one.event_id), owners) for one, shown in passed],
            visible[-1][0].position if visible else None,
            reached,
        )

    def _seen(self, one: Recorded, shown: Shown, coded: Coded | None, owners: Mapping[UUID, Owner]) -> Seen:
        time = more = read = None
        if coded is not None:
            time, more = str(coded.value["recorded"]), _members(coded)
            read = _read(coded, owners[one.stream_id])
        body = self._envelope.encode(
            one.position, one.event_id, shown, one.leaf, one.leaf_hash, time=time, more=more
        )
        return Seen(one.position, one.event_id, shown, body, read)


def _shown(one: Recorded, owner: Owner | None, institution: UUID | None) -> Shown:
    """HIDDEN where the institution sees nothing of it."""
    if EVENTS[one.type].OPEN:
        return publicly(one.type, one.stream_id, one.leaf)
    if institution is not None and (owner is None or owner.institution != institution):
        return HIDDEN
    told = one.type in TOLD_OF_OTHERS or _is_told(one, institution)
    return Shown(one.type if told else ENTRY, subject_of(one.type, one.stream_id))


def _is_told(one: Recorded, institution: UUID | None) -> bool:
    """Whether the reader sees all of an entry in a stream that it follows: its own act, or that of anybody."""
    return institution is None or decode_event(one.type, one.state).by.institution == institution


def _members(coded: Coded) -> bytes:
    event = {name: value for name, value in coded.value.items() if name != "private"}
    more = b'"event":' + msgspec.json.encode(event)
    if coded.opening is not None:
        more += b',"openings":{"content":%b}' % msgspec.json.encode(coded.opening)
    return more


def _read(coded: Coded, owner: Owner) -> reads.Shown:
    people = {*coded.people, *people_in(coded.value)}
    return reads.Shown(
        noun=owner.noun,
        record=coded.recorded.stream_id,
        owner=owner.institution,
        people=tuple(sorted(people)),
        fields=("type", *coded.event.touched()),
    )


def merged(shown: Iterable[reads.Shown]) -> list[reads.Shown]:
    """One for each record, as other answers are noted, too."""
    by_record: dict[UUID, reads.Shown] = {}
    for one in shown:
        known = by_record.get(one.record)
        if known is not None:
            one = msgspec.structs.replace(
                one,
                people=tuple(sorted({*known.people, *one.people})),
                fields=tuple(sorted({*known.fields, *one.fields})),
            )
        by_record[one.record] = one
    return list(by_record.values())
