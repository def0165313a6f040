"""Reports: an institution submits what a source says. Nothing is merged, corrected or overwritten here."""

from typing import Any, cast
from uuid import UUID, uuid4

import msgspec

from registry.application import claims, references
from registry.application.drafts import NilReportDraft, ReportDraft, WhereDraft
from registry.application.unit import Decision, Unit
from registry.domain.claims import Range
from registry.domain.codes import KINDS, IncidentClass, ReportClass
from registry.domain.event import Private
from registry.domain.incident import Incident
from registry.domain.report import AttackReported, RelocationReported, Report, ThreatReported
from registry.errors import InvalidInput
from registry.log.canonical import JSON


def submit(draft: ReportDraft) -> Decision:
    """One source's account of a threat, an attack, or of relocations of many."""

    async def decide(unit: Unit) -> Report:
        institution = unit.institution
        original = (
            await references.find(unit, Report, draft.derived_from, "derived_from")
            if draft.derived_from
            else None
        )
        report_id = uuid4()
        private: dict[str, dict[str, JSON]] = {f"report:{report_id}": _words(draft)}
        source: dict[str, Any] = {
            "institution": institution,
            "source_type": draft.source_type,
            "directness": draft.directness,
            "source": unit.pseudonyms.source(draft.source_name) if draft.source_name else None,
            "derived_from": original.id if original else None,
            "when": claims.when(unit, draft.when),
        }
        if draft.class_ is ReportClass.RELOCATION:
            return unit.add(await _relocation(unit, draft, report_id, private, source))
        return unit.add(
            await _occurrence(unit, draft, IncidentClass(draft.class_), report_id, private, source)
        )

    return decide


def nil(draft: NilReportDraft) -> Decision:
    """The institution knows of nothing in a quarter; in public it looks the same as having reported."""

    async def decide(unit: Unit) -> Report:
        closes = _quarter_end(draft.quarter)
        if closes >= unit.act.at.date().isoformat():
            raise InvalidInput(
                "quarter",
                "El trimestre no ha terminado. Responda por él cuando cierre.",
                "The quarter has not ended. Answer for it once it has closed.",
            )
        return unit.add(Report.nil(unit.act, institution=unit.institution, quarter=draft.quarter))

    return decide


async def _relocation(
    unit: Unit, draft: ReportDraft, report_id: UUID, private: Private, source: dict[str, Any]
) -> Report:
    if draft.action is None:
        raise InvalidInput(
            "action",
            "Un reporte de clase RELOCATION indica qué se hizo (action).",
            "A report of class RELOCATION says what was done (action).",
        )
    if draft.victims or draft.means or draft.perpetrator:
        raise InvalidInput(
            "class",
            "Un reporte RELOCATION no lleva víctimas, medios ni responsables. Repórtelos como ATTACK o THREAT.",
            "A report of class RELOCATION has no victims, means or perpetrator. Report those as ATTACK or THREAT.",
        )
    trigger = (
        await references.find(unit, Incident, draft.trigger_incident, "trigger_incident")
        if draft.trigger_incident
        else None
    )
    return Report.submit(
        unit.act,
        RelocationReported,
        report_id=report_id,
        private=private,
        action=draft.action,
        unit=draft.unit,
        count=_count(draft),
        where=tuple(
            [await claims.where(unit, place, f"where[{n}]") for n, place in enumerate(_places(draft))]
        ),
        trigger_incident=trigger.id if trigger else None,
        **source,
    )


async def _occurrence(
    unit: Unit,
    draft: ReportDraft,
    incident_class: IncidentClass,
    report_id: UUID,
    private: dict[str, dict[str, JSON]],
    source: dict[str, Any],
) -> Report:
    for field in ("action", "unit", "low", "best", "high", "trigger_incident"):
        if getattr(draft, field) is not None:
            raise InvalidInput(
                field,
                "Este campo es solo de los reportes de clase RELOCATION.",
                "This field belongs to reports of class RELOCATION only.",
            )
    if isinstance(draft.where, list):
        raise InvalidInput(
            "where",
            "Un reporte de amenaza o ataque tiene un solo lugar. Envíe un reporte por lugar.",
            "A report of a threat or attack has one place. Send one report per place.",
        )
    if draft.kind not in KINDS[incident_class]:
        accepted = ", ".join(sorted(KINDS[incident_class]))
        raise InvalidInput(
            "kind",
            f"No es un tipo de la clase {incident_class}. Se acepta: {accepted}.",
            f"Not a kind of class {incident_class}. Accepted: {accepted}.",
        )
    victims = []
    for number, victim_draft in enumerate(draft.victims):
        victim, identity = await claims.victim(unit, victim_draft, f"victims[{number}]")
        victims.append(victim)
        private |= {subject: dict(values) for subject, values in identity.items()}
    return Report.submit(
        unit.act,
        ThreatReported if incident_class is IncidentClass.THREAT else AttackReported,
        report_id=report_id,
        private=private,
        where=await claims.where(unit, draft.where) if draft.where else None,
        kind=draft.kind,
        means=tuple(draft.means),
        perpetrator=draft.perpetrator,
        victims=tuple(victims),
        **source,
    )


def _words(draft: ReportDraft) -> dict[str, JSON]:
    """What could identify somebody: it goes beside the event, encrypted."""
    places = _places(draft)
    words: dict[str, JSON] = {
        "narrative": draft.narrative,
        "source_name": draft.source_name,
        "when_wording": draft.when.wording if draft.when else None,
        "where_wording": cast("JSON", [place.wording for place in places if place.wording]) or None,
        "evidence": cast("JSON", msgspec.to_builtins(draft.evidence)) or None,
    }
    return {name: value for name, value in words.items() if value is not None}


def _places(draft: ReportDraft) -> list[WhereDraft]:
    if isinstance(draft.where, list):
        return draft.where
    return [draft.where] if draft.where else []


def _count(draft: ReportDraft) -> Range | None:
    given = (draft.low, draft.best, draft.high)
    if given == (None, None, None):
        return None
    low, best, high = given
    if low is None or best is None or high is None or not low <= best <= high:
        raise InvalidInput(
            "best",
            "Indique low, best y high juntos, con low ≤ best ≤ high.",
            "Give low, best and high together, with low ≤ best ≤ high.",
        )
    return Range(low=low, best=best, high=high)


def _quarter_end(quarter: str) -> str:
    """The last day of ``YYYY-Qn``, as ISO text."""
    year, number = quarter.split("-Q")
    return f"{year}-{('03-31', '06-30', '09-30', '12-31')[int(number) - 1]}"
