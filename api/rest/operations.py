"""Every endpoint under ``/v1`` that records or shows facts: path, what the body holds, the use case that decides.

Summaries are for people who read the OpenAPI document: Spanish · English.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from registry.application import assignments, incidents, institutions, reports, sites
from registry.application.drafts import (
    AssignmentDraft,
    CertaintyDraft,
    Draft,
    EndDraft,
    FindingRecordDraft,
    IncidentDraft,
    InstitutionDraft,
    NilReportDraft,
    RelocationDraft,
    ReportDraft,
    RetractionDraft,
    SiteDraft,
    VictimRecordDraft,
)
from registry.application.unit import Decision


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
    Write("/v1/sites", SiteDraft, sites.register, "Registrar una sede · Register a site"),
    Write(
        "/v1/assignments",
        AssignmentDraft,
        assignments.register,
        "Registrar una asignación · Register an assignment",
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
        "/v1/reports",
        ReportDraft,
        reports.submit,
        "Reportar una amenaza, un ataque o reubicaciones · Report a threat, an attack or relocations",
    ),
    Write(
        "/v1/nil-reports",
        NilReportDraft,
        reports.nil,
        "Reportar un trimestre sin incidentes conocidos · Report a quarter without known incidents",
    ),
    Write("/v1/incidents", IncidentDraft, incidents.open_incident, "Abrir un incidente · Open an incident"),
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
        "/v1/incidents/{id}/certainty",
        CertaintyDraft,
        incidents.set_certainty,
        "Fijar la certeza de un incidente · Set the certainty of an incident",
        conditional=True,
    ),
    Write(
        "/v1/incidents/{id}/retraction",
        RetractionDraft,
        incidents.retract,
        "Retirar un incidente · Retract an incident",
        conditional=True,
    ),
)
