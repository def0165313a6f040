"""What a report's stream refuses: each rule's code, and in both languages what it says and what would be needed."""

from typing import Protocol
from uuid import UUID

from registry.domain.event import Act
from registry.errors import RuleViolated


class Submitted(Protocol):
    """What was submitted by an institution."""

    institution: UUID | None


def must_be_submitter(report: Submitted, act: Act) -> None:
    """An institution may dispute another's report, never amend or withdraw it."""
    if act.by.institution is None or act.by.institution != report.institution:
        raise RuleViolated(
            "report-belongs-to-its-institution",
            "Solo la institución que presentó el reporte lo enmienda o lo retira. Pídaselo, o dispute el incidente.",
            "Only the institution that submitted the report amends or withdraws it. Ask it to, or dispute the "
            "incident.",
        )


def must_be_triaged_by_others(report: Submitted, act: Act) -> None:
    """Submitter ≠ verifier."""
    if act.by.institution is None:
        raise RuleViolated(
            "verifier-needs-institution",
            "Dictaminar corresponde a la clave de una institución verificadora, no a la del operador.",
            "Adjudicating takes the key of a verifying institution, not the operator's.",
        )
    if act.by.institution == report.institution:
        raise RuleViolated(
            "submitter-is-not-verifier",
            "Su institución presentó este reporte; debe clasificarlo otra institución.",
            "Your institution submitted this report; another institution must triage it.",
        )


def withdrawn_already() -> RuleViolated:
    """A withdrawn report says nothing any more."""
    return RuleViolated(
        "report-withdrawn",
        "El reporte fue retirado y ya no cambia. Si la fuente lo sostiene de nuevo, presente un reporte nuevo.",
        "The report was withdrawn and changes no more. If the source says it again, submit a new report.",
    )


def quarter_answered(report: UUID) -> RuleViolated:
    """One answer of an institution for a quarter stands."""
    return RuleViolated(
        "quarter-answered-once",
        f"Su institución ya respondió por ese trimestre ({report}). No hace falta nada más; si la respuesta no vale, "
        "retírela antes.",
        f"Your institution answered for that quarter already ({report}). Nothing more is needed; if that answer does "
        "not hold, withdraw it first.",
    )


def nothing_to_triage() -> RuleViolated:
    """Nil reports and relocations of many."""
    return RuleViolated(
        "nothing-to-triage",
        "Solo se clasifican reportes de amenazas o ataques; los demás nunca son parte de un incidente.",
        "Only reports of threats or attacks are triaged; others are never part of an incident.",
    )


def already_linked() -> RuleViolated:
    """The same link twice."""
    return RuleViolated(
        "report-already-linked",
        "El reporte ya está vinculado a ese incidente. No hace falta nada más.",
        "The report is linked to that incident already. Nothing more is needed.",
    )


def linked_elsewhere(incident: UUID) -> RuleViolated:
    """A report is about one occurrence."""
    return RuleViolated(
        "report-linked-elsewhere",
        f"El reporte está vinculado al incidente {incident}. Si es el mismo hecho, fusione los incidentes; si no lo "
        "es, desvincúlelo primero o divida aquel.",
        f"The report is linked to incident {incident}. If it is the same occurrence, merge the incidents; if not, "
        "unlink it first or split that one.",
    )


def not_linked() -> RuleViolated:
    """There is no such link to take back."""
    return RuleViolated(
        "report-not-linked",
        "El reporte no está vinculado a ese incidente. Lea el reporte para ver su vínculo actual.",
        "The report is not linked to that incident. Read the report to see its current link.",
    )


def still_linked() -> RuleViolated:
    """What is linked is not set aside."""
    return RuleViolated(
        "report-still-linked",
        "El reporte está vinculado a un incidente. Desvincúlelo primero, con su motivo.",
        "The report is linked to an incident. Unlink it first, and give the reason.",
    )


def out_of_scope() -> RuleViolated:
    """Out of scope until triaged anew."""
    return RuleViolated(
        "report-out-of-scope",
        "El reporte fue declarado fuera de alcance. Clasifíquelo de nuevo (PENDING_INFO) antes de vincularlo.",
        "The report was found out of scope. Triage it again (PENDING_INFO) before you link it.",
    )


def rejected_before(institution: UUID) -> RuleViolated:
    """“Not the same” is respected."""
    return RuleViolated(
        "match-rejected",
        f"La institución {institution} registró que el reporte no trata de ese incidente. Otra institución "
        "verificadora puede reconsiderarlo: lo clasifica como PENDING_INFO indicando ese incidente.",
        f"Institution {institution} recorded that the report is not about that incident. Another verifying "
        "institution may reconsider: it triages the report as PENDING_INFO and names that incident.",
    )


def rejected_by_own_institution() -> RuleViolated:
    """Nobody takes back alone what it said."""
    return RuleViolated(
        "match-rejected-by-yourself",
        "Su institución registró que el reporte no trata de ese incidente. Debe reconsiderarlo otra institución "
        "verificadora.",
        "Your institution recorded that the report is not about that incident. Another verifying institution must "
        "reconsider it.",
    )
