"""Triage: a reviewer of another institution says what a waiting report is part of, or that it is part of nothing."""

from collections.abc import Iterable
from uuid import UUID

from registry.application.claims import references
from registry.application.drafts import MatchRejectionDraft, TriageDraft
from registry.application.execution.unit import Decision, Unit, no_such_record
from registry.application.reports import linking
from registry.domain.codes import TriageDecision
from registry.domain.incident import Incident
from registry.domain.report import Report
from registry.errors import InvalidInput


def triage(report_id: UUID, draft: TriageDraft) -> Decision:
    """LINK to an incident, OUT_OF_SCOPE, or PENDING_INFO; the last two take a link back, which needs a reason."""

    async def decide(unit: Unit) -> Report:
        report = await _report(unit, report_id)
        named = (
            await references.find(unit, Incident, draft.incident, "incident")
            if draft.incident is not None
            else None
        )
        if draft.decision is TriageDecision.LINK:
            if named is None:
                raise InvalidInput(
                    "incident",
                    "Indique a qué incidente se vincula. Si no existe, ábralo con este reporte.",
                    "Name the incident that it is linked to. If there is none, open it with this report.",
                )
            report.link(unit.act, named.id)
            named.link_report(unit.act, linking.linked_report(report, "report"))
        elif report.incidents:
            leaving = [named.id] if named is not None else sorted(report.incidents)
            await _unlink(unit, report, draft, leaving)
        else:
            report.set_aside(unit.act, draft.decision, reconsidered=named.id if named else None)
        return report

    return decide


def reject_match(report_id: UUID, draft: MatchRejectionDraft) -> Decision:
    """Not the same: the pair is proposed no more, and cannot be linked until another institution reconsiders it."""

    async def decide(unit: Unit) -> Report:
        report = await _report(unit, report_id)
        incident = await references.find(unit, Incident, draft.incident, "incident")
        report.reject_match(unit.act, incident.id)
        return report

    return decide


async def _unlink(unit: Unit, report: Report, draft: TriageDraft, leaving: Iterable[UUID]) -> None:
    if draft.reason is None:
        raise InvalidInput(
            "reason",
            "El reporte está vinculado a un incidente. Indique por qué deja de estarlo (reason).",
            "The report is linked to an incident. Say why it no longer is (reason).",
        )
    for incident_id in leaving:
        incident = await unit.get(Incident, incident_id)
        report.unlink(unit.act, incident_id, draft.decision)
        incident.unlink_report(unit.act, report.id, draft.reason)


async def _report(unit: Unit, report_id: UUID) -> Report:
    report = await unit.target(Report, report_id)
    if report.report is None:
        raise no_such_record()
    return report
