"""Reports and the incidents that rest on them: what changes one changes the other, in the same write."""

from collections.abc import Iterable
from uuid import UUID

from registry.application.execution.unit import Unit
from registry.domain.certainty import LinkedReport
from registry.domain.incident import Incident
from registry.domain.report import Report
from registry.domain.report_events import AttackReported, ThreatReported
from registry.errors import InvalidInput


def linked_report(report: Report, field: str) -> LinkedReport:
    """The facts of a report that certainty rests on, as they are now.

    Raises InvalidInput, naming ``field``, for a report that can be part of no incident.
    """
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
        evidence=report.sealed_evidence,
    )


async def relink(unit: Unit, report: Report) -> None:
    """After a report has changed: the incident that links it rests on what it says now.

    A consequence, taken by whoever changed the report. The incident itself lowers a certainty that no longer holds.
    """
    for incident_id in sorted(report.incidents):
        incident = await unit.get(Incident, incident_id)
        incident.report_changed(unit.act, linked_report(report, "report"))


async def withdrawn(unit: Unit, report: Report, linked: Iterable[UUID]) -> None:
    """After a report was withdrawn: the incidents that linked it no longer rest on it. A consequence, as above."""
    for incident_id in sorted(linked):
        incident = await unit.get(Incident, incident_id)
        incident.source_withdrawn(unit.act, report.id)
