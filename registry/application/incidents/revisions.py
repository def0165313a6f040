"""What is decided about an incident after it was opened: disputes, corrections, merges, splits."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from registry.application import claims
from registry.application.claims import references
from registry.application.drafts import (
    DisputeDraft,
    DisputeResolutionDraft,
    IncidentCorrectionDraft,
    MergeDraft,
    SplitDraft,
    VictimCorrectionDraft,
    VictimDraft,
)
from registry.application.execution.unit import Decision, Unit, no_such_record
from registry.application.incidents.decisions import find_all, victim_found
from registry.domain.claims import NOBODY, ONE, Victim
from registry.domain.codes import Outcome
from registry.domain.event import NOTHING_PRIVATE, Private
from registry.domain.incident import Incident
from registry.domain.incident_events import CorrectedField
from registry.domain.report import Report
from registry.errors import InvalidInput
from registry.log.canonical import JSON


def dispute(incident_id: UUID, draft: DisputeDraft) -> Decision:
    """Any institution contests an incident that it can know of: its own reports', or one that is public."""

    async def decide(unit: Unit) -> Incident:
        institution = unit.institution
        incident = await unit.target(Incident, incident_id)
        reported = any(report.institution == institution for report in incident.reports)
        if not (unit.actor.sees_all or reported or incident.disclosure is not None):
            raise no_such_record()
        incident.dispute(unit.act, draft.ground, private=_words(incident, statement=draft.statement))
        return incident

    return decide


def resolve_dispute(incident_id: UUID, draft: DisputeResolutionDraft) -> Decision:
    """Neither the disputing nor a reporting institution decides who is right."""

    async def decide(unit: Unit) -> Incident:
        incident = await unit.target(Incident, incident_id)
        number = draft.dispute
        if number is None:
            still_open = [n for n, one in enumerate(incident.disputes, 1) if one.decision is None]
            if len(still_open) != 1:
                raise InvalidInput(
                    "dispute",
                    "Indique el número de la disputa: solo puede omitirse cuando hay exactamente una abierta.",
                    "Give the number of the dispute: it can be left out only while exactly one is open.",
                )
            (number,) = still_open
        incident.resolve_dispute(
            unit.act, number, draft.decision, private=_words(incident, resolution=draft.resolution)
        )
        return incident

    return decide


def correct(incident_id: UUID, draft: IncidentCorrectionDraft) -> Decision:
    """What was recorded stays in the log beside what should have been, and why."""

    async def decide(unit: Unit) -> Incident:
        incident = await unit.target(Incident, incident_id)
        given: dict[CorrectedField, Any] = {
            "class": draft.class_,
            "when": claims.when(unit, draft.when),
            "where": await claims.where(unit, draft.where, on=draft.when) if draft.where else None,
            "kind": draft.kind,
            "means": None if draft.means is None else tuple(draft.means),
            "perpetrator": draft.perpetrator,
        }
        identity: Private = NOTHING_PRIVATE
        number: int | None = None
        if draft.victim is not None:
            number = draft.victim.number
            given["victim"], identity = await _corrected(unit, incident, draft.victim)
        new = {field: value for field, value in given.items() if value is not None}
        if not new:
            raise InvalidInput(
                "",
                "Indique al menos un valor: class, when, where, kind, means, perpetrator o victim.",
                "Give at least one value: class, when, where, kind, means, perpetrator or victim.",
            )
        words = _words(
            incident,
            authority=draft.authority,
            when_wording=draft.when.wording if draft.when else None,
            where_wording=draft.where.wording if draft.where else None,
        )
        incident.correct(unit.act, new, victim=number, reason=draft.reason, private={**identity, **words})
        return incident

    return decide


def merge(incident_id: UUID, draft: MergeDraft) -> Decision:
    """Two incidents are one: this one becomes a redirect, its reports are linked to the other."""

    async def decide(unit: Unit) -> Incident:
        incident = await unit.target(Incident, incident_id)
        into = await references.find(unit, Incident, draft.into, "into")
        reports = [await unit.get(Report, report.report) for report in incident.reports]
        incident.merge(unit.act, into, draft.reason)
        for report in reports:
            report.unlink(unit.act, incident.id)
            report.link(unit.act, into.id)
        return incident

    return decide


def split(incident_id: UUID, draft: SplitDraft) -> Decision:
    """One incident is two: the answer is about the new one."""

    async def decide(unit: Unit) -> Incident:
        whole = await unit.target(Incident, incident_id)
        reports = [
            await references.find(unit, Report, reference, f"reports[{number}]")
            for number, reference in enumerate(draft.reports)
        ]
        part = whole.split(
            unit.act,
            incident_class=draft.class_ or whole.incident_class,
            reports=[report.id for report in reports],
            victims=draft.victims,
            reason=draft.reason,
        )
        unit.lead(part)
        for report in reports:
            report.unlink(unit.act, whole.id)
            report.link(unit.act, part.id)
        await find_all(unit, part, draft.findings)
        if draft.certainty is not None:
            part.set_certainty(unit.act, level=draft.certainty.level, basis=draft.certainty.basis)
        return part

    return decide


async def _corrected(unit: Unit, incident: Incident, draft: VictimCorrectionDraft) -> tuple[Victim, Private]:
    """The victim as it should have been recorded, and what identifies a person who is named now."""
    known = incident.victim(draft.number)
    if draft.unidentified and (draft.student or draft.assignment or draft.person):
        raise InvalidInput(
            "victim.unidentified",
            "No puede quitarse la identificación y dar otra a la vez. Deje solo la que corresponde.",
            "The identification cannot be taken away and given anew at once. Leave only the one that is right.",
        )
    codes = {
        name: value
        for name in ("role", "sex", "outcome", "nexus", "count")
        if (value := getattr(draft, name)) is not None
    }
    changed = msgspec.structs.replace(known, **codes)
    if draft.manner is not None or changed.outcome is not Outcome.KILLED:
        changed = msgspec.structs.replace(changed, manner=draft.manner)
    taken_out = changed.count == NOBODY
    if changed.person is not None and not (taken_out or draft.unidentified) and changed.count != ONE:
        raise InvalidInput(
            "victim.count",
            "Una persona identificada es exactamente una víctima. Quite la identificación (unidentified) o deje el "
            "conteo en 1.",
            "An identified person is exactly one victim. Remove the identification (unidentified) or leave the count "
            "at 1.",
        )
    # Checked as one that is sent anew: codes against each other, and the person against assignment and count.
    as_sent = VictimDraft(
        role=changed.role,
        outcome=changed.outcome,
        manner=changed.manner,
        count=None if taken_out else changed.count,
        student=draft.student,
        assignment=draft.assignment,
        person=draft.person,
    )
    sent, identity = await victim_found(unit, incident, as_sent, "victim.")
    if draft.unidentified or sent.person is not None:
        changed = msgspec.structs.replace(changed, person=sent.person, assignment=sent.assignment)
    return changed, identity


def _words(incident: Incident, **words: str | None) -> Mapping[str, Mapping[str, JSON]]:
    """What could identify somebody: it goes beside the event, encrypted."""
    return {incident.subject: {name: value for name, value in words.items() if value is not None}}
