"""Was there a warning? What is on record before an incident, and what the incident set in motion. Private.

Before: threats at the same site or to the same student; changes of site that were asked for, and what was decided.

Dates are intervals: what may have come before is shown, and whether it must have. What is missing is not held against
anything: undated threats are listed, without days.
"""

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Protocol, TypeVar
from uuid import UUID

import msgspec

from projections.intervals import Days, certainly_before, day, days_between, interval
from projections.lookup import Lookup
from projections.models import mentions
from registry.domain.assignment import Assignment
from registry.domain.claims import NOBODY, Range, Victim, When, Where
from registry.domain.codes import (
    Certainty,
    IncidentClass,
    IncidentStatus,
    RelocationAction,
    RelocationDecision,
    RelocationReason,
    RelocationRequester,
    RelocationUnit,
)
from registry.domain.incident import Incident
from registry.domain.report import Report
from registry.domain.report_events import RelocationReported, ThreatReported
from registry.domain.service import Request


class Basis(StrEnum):
    """Why a threat concerns an incident: the same site, the site where a victim was assigned then, the same student."""

    SITE = "SITE"
    ASSIGNED_SITE = "ASSIGNED_SITE"
    STUDENT = "STUDENT"


class EarlierThreat(msgspec.Struct, frozen=True, kw_only=True):
    """``noun``: incident, or report where no incident in this list stands for it.

    ``before``: it must have come before; False: it may have; None: a date is missing. ``incidents`` are those that a
    report is linked to.
    """

    noun: str
    id: UUID
    kind: str | None
    certainty: Certainty | None
    when: When | None
    site: UUID | None
    basis: list[Basis]
    before: bool | None
    days: Days | None
    incidents: list[UUID]


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    decision: RelocationDecision
    on: date


class AskedRelocation(msgspec.Struct, frozen=True, kw_only=True):
    """A change of site that was asked for. ``victims`` are the numbers, in the incident, of whom it is about.

    ``days`` are those from the request to the incident, or of one that the incident triggered, since the incident.
    """

    assignment: UUID
    version: int
    victims: list[int]
    by: RelocationRequester
    reason: RelocationReason
    on: date
    trigger_incident: UUID | None
    decision: Decision | None
    relocated_on: date | None
    days: Days | None


class TriggeredRelocation(msgspec.Struct, frozen=True, kw_only=True):
    """``days`` are those since the incident."""

    assignment: UUID
    version: int
    to: UUID
    effective: date
    reason: RelocationReason
    days: Days | None


class TriggeredReport(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says about many who moved, or were to, because of it."""

    id: UUID
    action: RelocationAction
    unit: RelocationUnit | None
    count: Range | None
    when: When | None
    days: Days | None


class Warnings(msgspec.Struct, frozen=True, kw_only=True):
    """What came before an incident, the nearest first, and what it triggered. Nobody is named, nor by pseudonym."""

    incident: UUID
    status: IncidentStatus
    merged_into: UUID | None
    when: When | None
    sites: list[UUID]
    threats: list[EarlierThreat]
    requests: list[AskedRelocation]
    triggered_requests: list[AskedRelocation]
    triggered_relocations: list[TriggeredRelocation]
    triggered_reports: list[TriggeredReport]


async def warnings(lookup: Lookup, incident_id: UUID) -> Warnings:
    """Raises NotFound if there is no such incident."""
    incident = await lookup.one(Incident, incident_id)
    people = _people(incident.victims)
    lookup.show(incident, "when", "where", "victims", people=people)
    named = [mentions.person(person) for person in people]
    assignments = [one for one in await lookup.mentioning(Assignment, named) if one.student in people]
    sites = _sites(incident, assignments)
    ids = await _taken_in(lookup, incident_id)
    moved = await lookup.mentioning(Assignment, [mentions.incident(one) for one in ids])
    for one in [*assignments, *moved]:
        lookup.show(one, "relocation_requests", "relocations", "stays", people=[one.student])
    answer = Warnings(
        incident=incident_id,
        status=incident.status,
        merged_into=incident.merged_into,
        when=incident.when,
        sites=sorted(sites),
        threats=await _threats(lookup, incident, sites, people),
        requests=_requests_before(incident, assignments),
        triggered_requests=_requests_triggered(incident, ids, moved),
        triggered_relocations=_relocations_triggered(incident, ids, moved),
        triggered_reports=await _reports_triggered(lookup, incident, ids),
    )
    await lookup.note()
    return answer


async def _taken_in(lookup: Lookup, incident_id: UUID) -> frozenset[UUID]:
    """The incident with those that were merged into it: what named one of them is about the same occurrence."""
    found, last = frozenset({incident_id}), frozenset({incident_id})
    while last:
        merged = await lookup.mentioning(Incident, [mentions.incident(one) for one in last])
        last = frozenset(one.id for one in merged if one.merged_into in last) - found
        found |= last
    return found


async def _threats(
    lookup: Lookup, incident: Incident, sites: dict[UUID, Basis], people: frozenset[str]
) -> list[EarlierThreat]:
    """Incidents, and reports that none of these incidents stands for."""
    subjects = [*map(mentions.site, sites), *map(mentions.person, people)]
    found: list[EarlierThreat] = []
    for other in await lookup.mentioning(Incident, subjects):
        basis = _basis(other.where, other.victims, sites, people)
        if other.id == incident.id or other.incident_class is not IncidentClass.THREAT or not other.stands:
            continue
        if basis and not _came_after(other.when, incident):
            lookup.show(other, "kind", "when", "where", people=_people(other.victims))
            found.append(_threat(other, other, basis, incident))
    listed = {threat.id for threat in found}
    for report in await lookup.mentioning(Report, subjects):
        said = report.report
        if not isinstance(said, ThreatReported) or report.withdrawn is not None:
            continue
        if report.incidents & (listed | {incident.id}) or _came_after(said.when, incident):
            continue
        if basis := _basis(said.where, said.victims, sites, people):
            lookup.show(report, "kind", "when", "where", people=_people(said.victims))
            found.append(_threat(report, said, basis, incident))
    return _nearest_first(found)


def _threat(
    record: Incident | Report, said: Incident | ThreatReported, basis: list[Basis], incident: Incident
) -> EarlierThreat:
    this, that = interval(said.when), interval(incident.when)
    return EarlierThreat(
        noun=record.NOUN,
        id=record.id,
        kind=said.kind,
        certainty=record.certainty if isinstance(record, Incident) else None,
        when=said.when,
        site=said.where.site if said.where else None,
        basis=basis,
        before=certainly_before(this, that),
        days=days_between(this, that),
        incidents=sorted(record.incidents) if isinstance(record, Report) else [],
    )


def _requests_before(incident: Incident, assignments: Iterable[Assignment]) -> list[AskedRelocation]:
    happened = interval(incident.when)
    return _nearest_first(
        _asked(one, request, incident, days_between(day(request.asked.on), happened))
        for one in assignments
        for request in one.service.requests()
        if happened is None or request.asked.on <= happened[1]
    )


def _requests_triggered(
    incident: Incident, ids: frozenset[UUID], moved: Iterable[Assignment]
) -> list[AskedRelocation]:
    happened = interval(incident.when)
    return _nearest_first(
        _asked(one, request, incident, days_between(happened, day(request.asked.on)))
        for one in moved
        for request in one.service.requests()
        if request.asked.trigger_incident in ids
    )


def _asked(
    assignment: Assignment, request: Request, incident: Incident, days: Days | None
) -> AskedRelocation:
    asked, decided = request.asked, request.decided
    return AskedRelocation(
        assignment=assignment.id,
        version=asked.version,
        victims=[
            number for number, victim in enumerate(incident.victims, 1) if victim.person == assignment.student
        ],
        by=asked.by,
        reason=asked.reason,
        on=asked.on,
        trigger_incident=asked.trigger_incident,
        decision=Decision(decision=decided.decision, on=decided.on) if decided else None,
        relocated_on=request.relocated.effective if request.relocated else None,
        days=days,
    )


def _relocations_triggered(
    incident: Incident, ids: frozenset[UUID], moved: Iterable[Assignment]
) -> list[TriggeredRelocation]:
    return _nearest_first(
        TriggeredRelocation(
            assignment=one.id,
            version=move.version,
            to=move.to,
            effective=move.effective,
            reason=move.reason,
            days=days_between(interval(incident.when), day(move.effective)),
        )
        for one in moved
        for move in one.service.relocations
        if move.trigger_incident in ids
    )


async def _reports_triggered(
    lookup: Lookup, incident: Incident, ids: frozenset[UUID]
) -> list[TriggeredReport]:
    found = []
    for report in await lookup.mentioning(Report, [mentions.incident(one) for one in ids]):
        said = report.report
        if isinstance(said, RelocationReported) and report.withdrawn is None and said.trigger_incident in ids:
            lookup.show(report, "action", "unit", "count", "when")
            days = days_between(interval(incident.when), interval(said.when))
            found.append(
                TriggeredReport(
                    id=report.id,
                    action=said.action,
                    unit=said.unit,
                    count=said.count,
                    when=said.when,
                    days=days,
                )
            )
    return _nearest_first(found)


def _people(victims: Iterable[Victim]) -> frozenset[str]:
    return frozenset(victim.person for victim in victims if victim.person and victim.count != NOBODY)


def _sites(incident: Incident, assignments: Iterable[Assignment]) -> dict[UUID, Basis]:
    """Where it happened, and where its victims were assigned then."""
    sites = {}
    if incident.when is not None:
        first, last = incident.when.earliest or incident.when.latest, incident.when.latest
        sites = {
            stay.site: Basis.ASSIGNED_SITE
            for one in assignments
            for stay in one.service.stays()
            if stay.since <= last and stay.until > first
        }
    if incident.where is not None and incident.where.site is not None:
        sites[incident.where.site] = Basis.SITE
    return sites


def _basis(
    where: Where | None, victims: Iterable[Victim], sites: dict[UUID, Basis], people: frozenset[str]
) -> list[Basis]:
    at = sites.get(where.site) if where is not None and where.site is not None else None
    return [*([at] if at else []), *([Basis.STUDENT] if _people(victims) & people else [])]


def _came_after(when: When | None, incident: Incident) -> bool:
    return certainly_before(interval(incident.when), interval(when)) is True


class _Distant(Protocol):
    @property
    def days(self) -> Days | None: ...


D = TypeVar("D", bound=_Distant)


def _nearest_first(found: Iterable[D]) -> list[D]:
    """By the fewest days that there can be; what has no date comes last."""
    return sorted(found, key=lambda one: (one.days is None, one.days.least if one.days else 0))
