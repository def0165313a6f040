"""Every endpoint under ``/v1`` that records or shows facts: path, what the body holds, the use case that decides.

Summaries are for people who read the OpenAPI document: Spanish · English.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from registry.application import assignments, incidents, reports
from registry.application.drafts import (
    AmendmentDraft,
    AssignmentCorrectionDraft,
    AssignmentDraft,
    CertaintyDraft,
    ConditionsDraft,
    DisputeDraft,
    DisputeResolutionDraft,
    Draft,
    EndDraft,
    FindingRecordDraft,
    IncidentCorrectionDraft,
    IncidentDraft,
    InstitutionDraft,
    InstitutionNameDraft,
    LinkDraft,
    MatchRejectionDraft,
    MergeDraft,
    NilReportDraft,
    OutcomeDraft,
    ReinstatementDraft,
    RelocationDecisionDraft,
    RelocationDraft,
    RelocationRequestDraft,
    ReopeningDraft,
    ReportDraft,
    ResumptionDraft,
    RetractionDraft,
    SiteCodeDraft,
    SiteDraft,
    SiteSuspensionDraft,
    SplitDraft,
    StartDraft,
    SuspensionDraft,
    TriageDraft,
    VictimRecordDraft,
    WithdrawalDraft,
)
from registry.application.execution.unit import Decision
from registry.application.incidents import revisions
from registry.application.places import institutions, sites
from registry.application.reports import triage


@dataclass(frozen=True, slots=True)
class Write:
    """One ``POST``. ``decide([id,] draft)`` makes the decision to execute; ``{id}`` in the path names the record.

    ``conditional``: a decision on the record as read, so ``If-Match`` is required.
    """

    path: str
    draft: type[Draft]
    decide: Callable[..., Decision]
    summary: str
    conditional: bool = False

    @property
    def collection(self) -> str:
        """Where the record that is made or changed is read: ``/v1/reports``."""
        return collection_of(self.path)

    @property
    def on_record(self) -> bool:
        return "{id}" in self.path


def collection_of(path: str) -> str:
    """The collection under ``/v1`` that a path, or a path template, belongs to."""
    return "/".join(path.split("/")[:3])


WRITES: Final = (
    Write(
        "/v1/institutions",
        InstitutionDraft,
        institutions.register,
        "Registrar una institución · Register an institution",
    ),
    Write(
        "/v1/institutions/{id}/names",
        InstitutionNameDraft,
        institutions.rename,
        "Cambiar el nombre de una institución · Rename an institution",
    ),
    Write("/v1/sites", SiteDraft, sites.register, "Registrar una sede · Register a site"),
    Write(
        "/v1/sites/{id}/codes",
        SiteCodeDraft,
        sites.recode,
        "Registrar la CLUES nueva de una sede · Record the new CLUES of a site",
    ),
    Write(
        "/v1/sites/{id}/conditions",
        ConditionsDraft,
        sites.record_conditions,
        "Registrar las condiciones de una sede · Record the conditions of a site",
    ),
    Write(
        "/v1/sites/{id}/suspension",
        SiteSuspensionDraft,
        sites.suspend,
        "Suspender una sede: se retira su plaza · Suspend a site: its plaza is removed",
    ),
    Write("/v1/sites/{id}/reopening", ReopeningDraft, sites.reopen, "Reabrir una sede · Reopen a site"),
    Write(
        "/v1/assignments",
        AssignmentDraft,
        assignments.register,
        "Registrar una asignación · Register an assignment",
    ),
    Write(
        "/v1/assignments/{id}/start",
        StartDraft,
        assignments.start,
        "Registrar el inicio del servicio · Record the start of service",
    ),
    Write(
        "/v1/assignments/{id}/suspension",
        SuspensionDraft,
        assignments.suspend,
        "Suspender el servicio · Suspend service",
    ),
    Write(
        "/v1/assignments/{id}/resumption",
        ResumptionDraft,
        assignments.resume,
        "Reanudar el servicio · Resume service",
    ),
    Write(
        "/v1/assignments/{id}/relocation-requests",
        RelocationRequestDraft,
        assignments.request_relocation,
        "Registrar una solicitud de cambio de sede · Record a request for a change of site",
    ),
    Write(
        "/v1/assignments/{id}/relocation-decisions",
        RelocationDecisionDraft,
        assignments.decide_relocation,
        "Registrar la respuesta a una solicitud de cambio · Record the decision on a request for a change",
    ),
    Write(
        "/v1/assignments/{id}/relocations",
        RelocationDraft,
        assignments.relocate,
        "Reubicar una asignación · Relocate an assignment",
    ),
    Write(
        "/v1/assignments/{id}/end", EndDraft, assignments.end, "Terminar una asignación · End an assignment"
    ),
    Write(
        "/v1/assignments/{id}/corrections",
        AssignmentCorrectionDraft,
        assignments.correct,
        "Corregir un dato de una asignación · Correct a datum of an assignment",
        conditional=True,
    ),
    Write(
        "/v1/reports",
        ReportDraft,
        reports.submit,
        "Reportar una amenaza, un ataque o reubicaciones · Report a threat, an attack or relocations",
    ),
    Write(
        "/v1/reports/{id}/amendments",
        AmendmentDraft,
        reports.amend,
        "Enmendar un reporte · Amend a report",
        conditional=True,
    ),
    Write(
        "/v1/reports/{id}/withdrawal",
        WithdrawalDraft,
        reports.withdraw,
        "Retirar un reporte · Withdraw a report",
        conditional=True,
    ),
    Write(
        "/v1/reports/{id}/triage",
        TriageDraft,
        triage.triage,
        "Clasificar un reporte: vincularlo, apartarlo o pedir datos · Triage a report: link it, set it aside or ask",
    ),
    Write(
        "/v1/reports/{id}/match-rejections",
        MatchRejectionDraft,
        triage.reject_match,
        "Registrar que un reporte no es de un incidente · Record that a report is not about an incident",
    ),
    Write(
        "/v1/nil-reports",
        NilReportDraft,
        reports.nil,
        "Reportar un trimestre sin incidentes conocidos · Report a quarter without known incidents",
    ),
    Write(
        "/v1/nil-reports/{id}/withdrawal",
        WithdrawalDraft,
        reports.withdraw_nil,
        "Retirar la respuesta por un trimestre · Withdraw the answer for a quarter",
        conditional=True,
    ),
    Write("/v1/incidents", IncidentDraft, incidents.open_incident, "Abrir un incidente · Open an incident"),
    Write(
        "/v1/incidents/{id}/reports",
        LinkDraft,
        incidents.link_report,
        "Vincular un reporte a un incidente, o desvincularlo · Link a report to an incident, or unlink it",
    ),
    Write(
        "/v1/incidents/{id}/victims",
        VictimRecordDraft,
        incidents.record_victim,
        "Registrar víctimas de un incidente · Record victims of an incident",
    ),
    Write(
        "/v1/incidents/{id}/findings",
        FindingRecordDraft,
        incidents.record_finding,
        "Registrar un hallazgo sobre un incidente · Record a finding on an incident",
    ),
    Write(
        "/v1/incidents/{id}/outcomes",
        OutcomeDraft,
        incidents.update_outcome,
        "Registrar lo que fue de una víctima · Record what became of a victim",
    ),
    Write(
        "/v1/incidents/{id}/certainty",
        CertaintyDraft,
        incidents.set_certainty,
        "Fijar la certeza de un incidente · Set the certainty of an incident",
        conditional=True,
    ),
    Write(
        "/v1/incidents/{id}/dispute",
        DisputeDraft,
        revisions.dispute,
        "Disputar un incidente · Dispute an incident",
    ),
    Write(
        "/v1/incidents/{id}/dispute-resolution",
        DisputeResolutionDraft,
        revisions.resolve_dispute,
        "Resolver una disputa · Resolve a dispute",
    ),
    Write(
        "/v1/incidents/{id}/corrections",
        IncidentCorrectionDraft,
        revisions.correct,
        "Corregir un incidente · Correct an incident",
        conditional=True,
    ),
    Write(
        "/v1/incidents/{id}/retraction",
        RetractionDraft,
        incidents.retract,
        "Retirar un incidente · Retract an incident",
        conditional=True,
    ),
    Write(
        "/v1/incidents/{id}/reinstatement",
        ReinstatementDraft,
        incidents.reinstate,
        "Restituir un incidente retirado · Reinstate a retracted incident",
    ),
    Write(
        "/v1/incidents/{id}/merge",
        MergeDraft,
        revisions.merge,
        "Fusionar un incidente con otro · Merge an incident into another",
        conditional=True,
    ),
    Write(
        "/v1/incidents/{id}/split",
        SplitDraft,
        revisions.split,
        "Dividir un incidente · Split an incident",
        conditional=True,
    ),
)
