"""What is on record of a site: what happened there, who left and who came, when it took no students. Private."""

from datetime import date
from typing import Literal
from uuid import UUID

import msgspec

from projections.lookup import Lookup
from projections.models import mentions
from registry.domain.assignment import Assignment
from registry.domain.claims import When
from registry.domain.codes import Certainty, IncidentStatus, RelocationReason, ReportClass
from registry.domain.incident import Incident
from registry.domain.report import Report
from registry.domain.report_events import AttackReported, ThreatReported
from registry.domain.site import Closure, Conditions, Site


class IncidentThere(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    incident_class: str = msgspec.field(name="class")
    kind: str | None
    when: When | None
    certainty: Certainty | None
    status: IncidentStatus


class ReportThere(msgspec.Struct, frozen=True, kw_only=True):
    """A report of a threat or an attack there that is linked to no incident."""

    id: UUID
    report_class: ReportClass = msgspec.field(name="class")
    kind: str
    when: When | None


class RelocationThere(msgspec.Struct, frozen=True, kw_only=True):
    """A student who left for another site, or came from one."""

    assignment: UUID
    direction: Literal["FROM", "TO"]
    effective: date
    reason: RelocationReason
    trigger_incident: UUID | None


class SiteHistory(msgspec.Struct, frozen=True, kw_only=True):
    """Each list in the order of its days, what has none last."""

    site: UUID
    incidents: list[IncidentThere]
    reports: list[ReportThere]
    relocations: list[RelocationThere]
    suspensions: list[Closure]
    conditions: list[Conditions]


async def site_history(lookup: Lookup, site_id: UUID) -> SiteHistory:
    """Raises NotFound if there is no such site."""
    site = await lookup.one(Site, site_id)
    subjects = [mentions.site(site_id)]
    history = SiteHistory(
        site=site_id,
        incidents=await _incidents(lookup, subjects, site_id),
        reports=await _reports(lookup, subjects, site_id),
        relocations=await _relocations(lookup, subjects, site_id),
        suspensions=list(site.closures),
        conditions=sorted(site.conditions, key=lambda found: found.on),
    )
    await lookup.note()
    return history


async def _incidents(lookup: Lookup, subjects: list[str], site_id: UUID) -> list[IncidentThere]:
    found = []
    for incident in await lookup.mentioning(Incident, subjects):
        if incident.where is not None and incident.where.site == site_id:
            lookup.show(incident, "class", "kind", "when", "where", "certainty", "status")
            found.append(
                IncidentThere(
                    id=incident.id,
                    incident_class=incident.incident_class.value,
                    kind=incident.kind,
                    when=incident.when,
                    certainty=incident.certainty,
                    status=incident.status,
                )
            )
    return sorted(found, key=lambda one: _last(one.when))


async def _reports(lookup: Lookup, subjects: list[str], site_id: UUID) -> list[ReportThere]:
    found = []
    for report in await lookup.mentioning(Report, subjects):
        said, report_class = report.report, report.report_class
        if not isinstance(said, ThreatReported | AttackReported) or report_class is None:
            continue
        if report.withdrawn is None and not report.incidents and said.where and said.where.site == site_id:
            lookup.show(report, "class", "kind", "when", "where")
            found.append(ReportThere(id=report.id, report_class=report_class, kind=said.kind, when=said.when))
    return sorted(found, key=lambda one: _last(one.when))


async def _relocations(lookup: Lookup, subjects: list[str], site_id: UUID) -> list[RelocationThere]:
    found: list[RelocationThere] = []
    for assignment in await lookup.mentioning(Assignment, subjects):
        left = assignment.service.site
        for move in assignment.service.relocations:
            directions: list[Literal["FROM", "TO"]] = []
            if left == site_id:
                directions.append("FROM")
            if move.to == site_id:
                directions.append("TO")
            found += [
                RelocationThere(
                    assignment=assignment.id,
                    direction=direction,
                    effective=move.effective,
                    reason=move.reason,
                    trigger_incident=move.trigger_incident,
                )
                for direction in directions
            ]
            if directions:
                lookup.show(assignment, "relocations", people=[assignment.student])
            left = move.to
    return sorted(found, key=lambda one: one.effective)


def _last(when: When | None) -> date:
    return when.latest if when else date.max
