"""Incidents: a verifying institution adjudicates what others reported. What it decides later is in ``revisions``."""

from collections.abc import Sequence
from typing import cast
from uuid import UUID

from registry.application import claims
from registry.application.claims import references
from registry.application.claims.days import must_have_come
from registry.application.drafts import (
    CertaintyDraft,
    FindingDraft,
    IncidentDraft,
    LinkDraft,
    OutcomeDraft,
    ReinstatementDraft,
    RetractionDraft,
    VictimDraft,
)
from registry.application.execution.unit import Decision, Unit
from registry.application.reports.linking import linked_report
from registry.domain.claims import Victim
from registry.domain.event import Private
from registry.domain.incident import Incident
from registry.domain.report import Report
from registry.errors import InvalidInput
from registry.log.canonical import JSON


def open_incident(draft: IncidentDraft) -> Decision:
    """An occurrence, from the reports about it; with findings, victims and certainty in the same write if given."""

    async def decide(unit: Unit) -> Incident:
        reports = [
            await references.find(unit, Report, reference, f"reports[{number}]")
            for number, reference in enumerate(draft.reports)
        ]
        if len({report.id for report in reports}) != len(reports):
            raise InvalidInput(
                "reports",
                "Un mismo reporte aparece dos veces. Vincule cada reporte una sola vez.",
                "The same report appears twice. Link each report once.",
            )
        linked = [linked_report(report, f"reports[{number}]") for number, report in enumerate(reports)]
        incident = unit.lead(Incident.open(unit.act, incident_class=draft.class_, reports=linked))
        for report in reports:
            report.link(unit.act, incident.id)
        await find_all(unit, incident, draft.findings)
        for number, victim in enumerate(draft.victims):
            await _record_victim(unit, incident, victim, f"victims[{number}].")
        if draft.certainty is not None:
            incident.set_certainty(unit.act, level=draft.certainty.level, basis=draft.certainty.basis)
        return incident

    return decide


def link_report(incident_id: UUID, draft: LinkDraft) -> Decision:
    """A report is about this incident, or is not after all; both streams move together."""

    async def decide(unit: Unit) -> Incident:
        incident = await unit.target(Incident, incident_id)
        match draft:
            case LinkDraft(report=named, remove=None, reason=None) if named is not None:
                report = await references.find(unit, Report, named, "report")
                incident.link_report(unit.act, linked_report(report, "report"))
                report.link(unit.act, incident.id)
            case LinkDraft(report=None, remove=named, reason=reason) if named is not None and reason:
                report = await references.find(unit, Report, named, "remove")
                incident.unlink_report(unit.act, report.id, reason)
                report.unlink(unit.act, incident.id)
            case _:
                raise InvalidInput(
                    "report",
                    "Indique el reporte que se vincula (report), o el que se desvincula (remove) con motivo (reason).",
                    "Name the report to link (report), or the one to unlink (remove) with its reason (reason).",
                )
        return incident

    return decide


def record_finding(incident_id: UUID, draft: FindingDraft) -> Decision:
    """When, where, what kind, by what means, by whom, or whether it was public already."""

    async def decide(unit: Unit) -> Incident:
        incident = await unit.target(Incident, incident_id)
        await _find(unit, incident, draft)
        return incident

    return decide


def record_victim(incident_id: UUID, draft: VictimDraft) -> Decision:
    """A victim, by person or by count."""

    async def decide(unit: Unit) -> Incident:
        incident = await unit.target(Incident, incident_id)
        await _record_victim(unit, incident, draft, "")
        return incident

    return decide


def update_outcome(incident_id: UUID, draft: OutcomeDraft) -> Decision:
    """What became of a victim later: it counts on the day of the attack."""

    async def decide(unit: Unit) -> Incident:
        incident = await unit.target(Incident, incident_id)
        known_on = draft.known_on or unit.act.at.date()
        must_have_come(unit, known_on, "known_on")
        if incident.when is not None and known_on < (incident.when.earliest or known_on):
            raise InvalidInput(
                "known_on",
                "La fecha es anterior al hecho. Indique el día en que se supo, o corrija la fecha del incidente.",
                "The date is before the occurrence. Give the day on which it became known, or correct the incident's.",
            )
        incident.update_outcome(
            unit.act,
            victim=draft.victim,
            outcome=draft.outcome,
            manner=draft.manner,
            count=draft.count,
            known_on=known_on,
        )
        return incident

    return decide


def set_certainty(incident_id: UUID, draft: CertaintyDraft) -> Decision:
    """How well it is established, within what the linked reports allow."""

    async def decide(unit: Unit) -> Incident:
        incident = await unit.target(Incident, incident_id)
        incident.set_certainty(unit.act, level=draft.level, basis=draft.basis)
        return incident

    return decide


def retract(incident_id: UUID, draft: RetractionDraft) -> Decision:
    """It counts no more; that it did, and why it no longer does, stays public."""

    async def decide(unit: Unit) -> Incident:
        incident = await unit.target(Incident, incident_id)
        incident.retract(unit.act, draft.reason)
        return incident

    return decide


def reinstate(incident_id: UUID, draft: ReinstatementDraft) -> Decision:
    """The retraction was wrong: it counts again as it did."""

    async def decide(unit: Unit) -> Incident:
        incident = await unit.target(Incident, incident_id)
        incident.reinstate(unit.act, draft.reason)
        return incident

    return decide


async def find_all(unit: Unit, incident: Incident, drafts: Sequence[FindingDraft]) -> None:
    """Records the findings that a body lists; errors name their fields behind ``findings[0]``."""
    for number, draft in enumerate(drafts):
        try:
            await _find(unit, incident, draft)
        except InvalidInput as error:
            raise error.within(f"findings[{number}]") from error


async def _find(unit: Unit, incident: Incident, draft: FindingDraft) -> None:
    words: dict[str, JSON] = {
        "when_wording": draft.when.wording if draft.when else None,
        "where_wording": draft.where.wording if draft.where else None,
        "sources": cast("JSON", list(draft.sources)) or None,
    }
    private: Private = {incident.subject: {name: value for name, value in words.items() if value is not None}}
    reports = [
        (await references.find(unit, Report, reference, f"reports[{number}]")).id
        for number, reference in enumerate(draft.reports)
    ]
    incident.record_finding(
        unit.act,
        when=claims.when(unit, draft.when, "when"),
        where=await claims.where(unit, draft.where, "where", on=draft.when) if draft.where else None,
        kind=draft.kind,
        means=None if draft.means is None else tuple(draft.means),
        perpetrator=draft.perpetrator,
        already_public=draft.already_public,
        family_agrees=draft.family_agrees,
        basis=draft.basis,
        reports=tuple(reports),
        private=private,
    )


async def _record_victim(unit: Unit, incident: Incident, draft: VictimDraft, prefix: str) -> None:
    victim, identity = await victim_found(unit, incident, draft, prefix)
    incident.record_victim(unit.act, victim, private=identity)


async def victim_found(
    unit: Unit, incident: Incident, draft: VictimDraft, prefix: str
) -> tuple[Victim, Private]:
    """``claims.victim``, and by ``person`` only somebody whom the incident's reports name.

    Reviewers see no identities: this is how they say that it is the person whom a report is about.
    """
    if draft.person is not None:
        linked = [await unit.get(Report, one.report) for one in incident.reports]
        if not any(draft.person in report.people for report in linked):
            raise InvalidInput(
                f"{prefix}person",
                "Ningún reporte vinculado nombra a esa persona. Copie «person» de una víctima de un reporte vinculado, "
                "o vincule antes el reporte.",
                "No linked report names that person. Copy “person” from a victim of a linked report, or link the "
                "report first.",
            )
    return await claims.victim(unit, draft, prefix, person=draft.person)
