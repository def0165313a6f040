"""Incidents: a verifying institution adjudicates what others reported."""

from typing import cast
from uuid import UUID

from registry.application import claims, references
from registry.application.drafts import (
    CertaintyDraft,
    FindingDraft,
    IncidentDraft,
    RetractionDraft,
    VictimDraft,
)
from registry.application.unit import Decision, Unit
from registry.domain.certainty import LinkedReport
from registry.domain.event import Private
from registry.domain.incident import Incident
from registry.domain.report import AttackReported, Report, ThreatReported
from registry.errors import InvalidInput
from registry.log.canonical import JSON


def open_incident(draft: IncidentDraft) -> Decision:
    """An occurrence, from the reports about it; with findings, victims and certainty in the same write if given."""

    async def decide(unit: Unit) -> Incident:
        reports = [
            _link(await references.find(unit, Report, reference, field), field)
            for field, reference in ((f"reports[{number}]", one) for number, one in enumerate(draft.reports))
        ]
        if len({report.report for report in reports}) != len(reports):
            raise InvalidInput(
                "reports",
                "Un mismo reporte aparece dos veces. Vincule cada reporte una sola vez.",
                "The same report appears twice. Link each report once.",
            )
        incident = unit.add(Incident.open(unit.act, incident_class=draft.class_, reports=reports))
        for number, finding in enumerate(draft.findings):
            await _find(unit, incident, finding, f"findings[{number}]")
        for number, victim in enumerate(draft.victims):
            await _record_victim(unit, incident, victim, f"victims[{number}]")
        if draft.certainty is not None:
            incident.set_certainty(unit.act, level=draft.certainty.level, basis=draft.certainty.basis)
        return incident

    return decide


def record_finding(incident_id: UUID, draft: FindingDraft) -> Decision:
    """When, where, what kind, or whether it was public already."""

    async def decide(unit: Unit) -> Incident:
        incident = await unit.target(Incident, incident_id)
        await _find(unit, incident, draft, "")
        return incident

    return decide


def record_victim(incident_id: UUID, draft: VictimDraft) -> Decision:
    """A victim, by person or by count."""

    async def decide(unit: Unit) -> Incident:
        incident = await unit.target(Incident, incident_id)
        await _record_victim(unit, incident, draft, "")
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


def _link(report: Report, field: str) -> LinkedReport:
    reported, report_class = report.report, report.report_class
    if not isinstance(reported, ThreatReported | AttackReported) or report_class is None:
        raise InvalidInput(
            field,
            "Solo se vinculan reportes de amenazas o ataques; los demás nunca se cuentan como incidente.",
            "Only reports of threats or attacks are linked; others are never counted as an incident.",
        )
    return LinkedReport(
        report=report.id,
        institution=reported.institution,
        recorded=reported.recorded,
        report_class=report_class,
        source_type=reported.source_type,
        directness=reported.directness,
        source=reported.source,
        derived_from=reported.derived_from,
        when=reported.when,
        where=reported.where,
    )


async def _find(unit: Unit, incident: Incident, draft: FindingDraft, field: str) -> None:
    prefix = f"{field}." if field else ""
    words: dict[str, JSON] = {
        "when_wording": draft.when.wording if draft.when else None,
        "where_wording": draft.where.wording if draft.where else None,
        "sources": cast("JSON", list(draft.sources)) or None,
    }
    private: Private = {incident.subject: {name: value for name, value in words.items() if value is not None}}
    incident.record_finding(
        unit.act,
        when=claims.when(unit, draft.when, f"{prefix}when"),
        where=await claims.where(unit, draft.where, f"{prefix}where") if draft.where else None,
        kind=draft.kind,
        already_public=draft.already_public,
        family_agrees=draft.family_agrees,
        private=private,
    )


async def _record_victim(unit: Unit, incident: Incident, draft: VictimDraft, field: str) -> None:
    prefix = field or "victim"
    victim, identity = await claims.victim(unit, draft, prefix)
    incident.record_victim(unit.act, victim, private=identity)
