"""A year of service as its facts tell it: where the student is when, what pauses it, what was asked for. Pure.

Days are civil dates. A stay or a suspension lasts from ``since`` (included) until ``until`` (excluded); the day of the
end, planned or not, is a day of service. Whatever the facts say about days beyond the service (a move that death came
before) is cut off here, in one place: stays never overlap, nor do suspensions, and all lie within the service.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Annotated, NamedTuple
from uuid import UUID

import msgspec

from registry.domain.codes import (
    AssignmentEnd,
    PlazaType,
    RelocationDecision,
    RelocationReason,
    RelocationRequester,
    SuspensionReason,
)

ONE_DAY = timedelta(days=1)

REGISTRATION = 1
"""The version of the event that registered the assignment."""

Promotion = Annotated[str, msgspec.Meta(pattern=r"^(19|20)[0-9]{2}-[12]$")]


SelectionRank = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
"""Place in the order in which students of a promotion chose their sites; 1 chose first."""


class Fact(msgspec.Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """What one event added. ``version`` is the event's: by it, decisions and corrections name what they are about."""

    version: int


class Started(Fact, frozen=True, kw_only=True):
    on: date


class Suspended(Fact, frozen=True, kw_only=True):
    on: date
    reason: SuspensionReason


class Resumed(Fact, frozen=True, kw_only=True):
    """``on`` is the first day of service again."""

    on: date


class Requested(Fact, frozen=True, kw_only=True):
    """A change of site was asked for."""

    by: RelocationRequester
    reason: RelocationReason
    on: date
    trigger_incident: UUID | None


class Decided(Fact, frozen=True, kw_only=True):
    """``request`` is the version of the request that it answers."""

    request: int
    decision: RelocationDecision
    on: date


class Relocated(Fact, frozen=True, kw_only=True):
    """``effective`` is the first day at site ``to``; ``request`` the version of the request that it carries out."""

    to: UUID
    effective: date
    reason: RelocationReason
    trigger_incident: UUID | None
    request: int | None


class Ended(Fact, frozen=True, kw_only=True):
    """``on`` is the last day of service."""

    reason: AssignmentEnd
    on: date


AnyFact = Started | Suspended | Resumed | Requested | Decided | Relocated | Ended

DATED_BY: dict[type[AnyFact], str] = {
    Started: "on",
    Suspended: "on",
    Resumed: "on",
    Requested: "on",
    Decided: "on",
    Relocated: "effective",
    Ended: "on",
}
"""The field of each fact that says when; a fact without it did not happen."""


class Stay(NamedTuple):
    site: UUID
    since: date
    until: date


class Suspension(NamedTuple):
    """``resumed`` is None while it lasts, and where the service ended in it; ``until`` is then the service's end."""

    version: int
    reason: SuspensionReason
    since: date
    until: date
    resumed: date | None


class Request(NamedTuple):
    """A request with what became of it."""

    asked: Requested
    decided: Decided | None
    relocated: Relocated | None


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """What was registered, and the facts since, in the order in which they were recorded."""

    site: UUID
    promotion: str
    plaza_type: PlazaType
    starts: date
    planned_end: date
    selection_rank: SelectionRank | None = None
    facts: tuple[AnyFact, ...] = ()

    def add(self, *facts: AnyFact) -> "Service":
        return msgspec.structs.replace(self, facts=(*self.facts, *facts))

    @property
    def started(self) -> Started | None:
        return next((fact for fact in self.facts if isinstance(fact, Started)), None)

    @property
    def ended(self) -> Ended | None:
        return next((fact for fact in self.facts if isinstance(fact, Ended)), None)

    @property
    def relocations(self) -> list[Relocated]:
        return [fact for fact in self.facts if isinstance(fact, Relocated)]

    @property
    def begin(self) -> date:
        """The first day of service: as it was recorded, else as it was planned."""
        return self.started.on if self.started else self.starts

    @property
    def over(self) -> date:
        """The first day after the service, as things stand."""
        return (self.ended.on if self.ended else self.planned_end) + ONE_DAY

    @property
    def took_place(self) -> bool:
        """Whether there is a day of service: not where it ended before its beginning, or was cancelled unstarted."""
        if self.ended is None:
            return True
        cancelled = self.ended.reason is AssignmentEnd.CANCELLED and self.started is None
        return not cancelled and self.ended.on >= self.begin

    @property
    def suspended(self) -> Suspended | None:
        """The suspension that has not been resumed from."""
        last = next((fact for fact in reversed(self.facts) if isinstance(fact, Suspended | Resumed)), None)
        return last if isinstance(last, Suspended) else None

    def request(self, version: int) -> Request | None:
        """The request that was recorded as this version; None if that was something else."""
        return next((request for request in self.requests() if request.asked.version == version), None)

    def requests(self) -> list[Request]:
        decisions = {fact.request: fact for fact in self.facts if isinstance(fact, Decided)}
        relocations = {fact.request: fact for fact in self.relocations if fact.request is not None}
        return [
            Request(fact, decisions.get(fact.version), relocations.get(fact.version))
            for fact in self.facts
            if isinstance(fact, Requested)
        ]

    def arrival(self, version: int) -> tuple[UUID, date] | None:
        """The site that the event of this version brings the student to, and its day; None if it brings to none."""
        if version == REGISTRATION:
            return self.site, self.starts
        return next(((move.to, move.effective) for move in self.relocations if move.version == version), None)

    def last_site(self) -> UUID:
        """Where the student goes on, or went last, by all that was recorded."""
        relocations = self.relocations
        return relocations[-1].to if relocations else self.site

    def stays(self) -> list[Stay]:
        """Where the student is, or was, in order; suspensions are not cut out."""
        if not self.took_place:
            return []
        moves = [(self.begin, self.site)]
        moves += [(max(move.effective, self.begin), move.to) for move in self.relocations]
        ends = [since for since, _ in moves[1:]] + [self.over]
        return [
            Stay(site, since, min(until, self.over))
            for (since, site), until in zip(moves, ends, strict=True)
            if since < min(until, self.over)
        ]

    def suspensions(self) -> list[Suspension]:
        """When service pauses, or paused, in order."""
        if not self.took_place:
            return []
        return [one for one in self._paired() if one.since < one.until]

    def presence(self) -> list[Stay]:
        """The stays without the suspensions: the days on which a student is assigned to a place."""
        pauses = self.suspensions()
        return [part for stay in self.stays() for part in _without(stay, pauses)]

    def _paired(self) -> Iterator[Suspension]:
        """Each suspension with the resumption that was recorded after it."""
        under_way: Suspended | None = None
        for fact in self.facts:
            if isinstance(fact, Suspended):
                under_way = fact
            elif isinstance(fact, Resumed) and under_way is not None:
                yield self._suspension(under_way, fact.on)
                under_way = None
        if under_way is not None:
            yield self._suspension(under_way, None)

    def _suspension(self, fact: Suspended, resumed: date | None) -> Suspension:
        until = self.over if resumed is None else min(resumed, self.over)
        return Suspension(fact.version, fact.reason, max(fact.on, self.begin), until, resumed)


def _without(stay: Stay, pauses: list[Suspension]) -> Iterator[Stay]:
    since = stay.since
    for pause in pauses:
        if since < pause.since and since < stay.until:
            yield stay._replace(since=since, until=min(pause.since, stay.until))
        since = max(since, pause.until)
    if since < stay.until:
        yield stay._replace(since=since)
