"""From a report's draft to what its events hold: claims in codes, and beside them what could identify somebody."""

from typing import Any, NamedTuple, cast
from uuid import UUID

import msgspec

from registry.application import claims
from registry.application.claims import references
from registry.application.drafts import EvidenceDraft, ReportDraft, WhereDraft
from registry.application.execution.unit import Unit
from registry.domain.claims import Range
from registry.domain.codes import KINDS, IncidentClass, ReportClass
from registry.domain.event import Private
from registry.domain.incident import Incident
from registry.domain.report import Report
from registry.domain.report_events import OccurrenceClaims, RelocationClaims
from registry.errors import InvalidInput
from registry.log.canonical import JSON


class Said(NamedTuple):
    """``source``: the fields of ``report.Source`` but the institution. ``private`` covers everybody who is named."""

    source: dict[str, Any]
    claims: OccurrenceClaims | RelocationClaims
    private: Private


async def read(unit: Unit, draft: ReportDraft, report_id: UUID, *, anew: bool = False) -> Said:
    """What a draft of this report says. Raises InvalidInput naming what contradicts what.

    ``anew``: it was said before; words that are left out now are null, so that the earlier ones no longer stand.
    """
    words = _words(draft)
    if not anew:
        words = {name: value for name, value in words.items() if value is not None}
    private: dict[str, dict[str, JSON]] = {f"report:{report_id}": words}
    source = {
        "source_type": draft.source_type,
        "directness": draft.directness,
        "source": unit.pseudonyms.source(draft.source_name) if draft.source_name else None,
        "derived_from": await _original(unit, draft, report_id),
    }
    if draft.class_ is ReportClass.RELOCATION:
        return Said(source, await _relocations(unit, draft), private)
    occurrence = await _occurrence(unit, draft, IncidentClass(draft.class_), private)
    return Said(source, occurrence, private)


async def _original(unit: Unit, draft: ReportDraft, report_id: UUID) -> UUID | None:
    """The report that this one repeats. None of those that it goes back to may be this report itself."""
    if draft.derived_from is None:
        return None
    original = await references.find(unit, Report, draft.derived_from, "derived_from")
    chain: set[UUID] = set()
    link: UUID | None = original.id
    while link is not None and link not in chain:
        if link == report_id:
            raise InvalidInput(
                "derived_from",
                "Ese reporte se deriva, a su vez, de este. Indique la fuente original, o quite el campo.",
                "That report derives, in turn, from this one. Name the original source, or remove the field.",
            )
        chain.add(link)
        earlier = await unit.find(Report, link)
        link = earlier.report.derived_from if earlier is not None and earlier.report is not None else None
    return original.id


async def _relocations(unit: Unit, draft: ReportDraft) -> RelocationClaims:
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
    return RelocationClaims(
        action=draft.action,
        unit=draft.unit,
        count=_count(draft),
        when=claims.when(unit, draft.when),
        where=tuple(
            [
                await claims.where(unit, place, f"where[{n}]", on=draft.when)
                for n, place in enumerate(_places(draft))
            ]
        ),
        trigger_incident=trigger.id if trigger else None,
    )


async def _occurrence(
    unit: Unit, draft: ReportDraft, incident_class: IncidentClass, private: dict[str, dict[str, JSON]]
) -> OccurrenceClaims:
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
        victim, identity = await claims.victim(unit, victim_draft, f"victims[{number}].")
        victims.append(victim)
        private |= {subject: dict(values) for subject, values in identity.items()}
    return OccurrenceClaims(
        when=claims.when(unit, draft.when),
        where=await claims.where(unit, draft.where, on=draft.when) if draft.where else None,
        kind=draft.kind,
        means=tuple(draft.means),
        perpetrator=draft.perpetrator,
        victims=tuple(victims),
        digests=_pseudonyms(draft.evidence, "digest", unit.pseudonyms.digest),
        urls=_pseudonyms(draft.evidence, "source_url", unit.pseudonyms.url),
    )


def _pseudonyms(evidence: list[EvidenceDraft], field: str, pseudonym: Any) -> tuple[str, ...]:
    """By which the same document is found again."""
    return tuple(sorted({pseudonym(named) for one in evidence if (named := getattr(one, field))}))


def _words(draft: ReportDraft) -> dict[str, JSON]:
    """What could identify somebody: it goes beside the event, encrypted."""
    places = _places(draft)
    return {
        "narrative": draft.narrative,
        "source_name": draft.source_name,
        "when_wording": draft.when.wording if draft.when else None,
        "where_wording": cast("JSON", [place.wording for place in places if place.wording]) or None,
        "evidence": cast("JSON", msgspec.to_builtins(draft.evidence)) or None,
    }


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
