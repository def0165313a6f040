"""A report as matching knows it: folded from its events, so that it can be kept and brought forward."""

from collections.abc import Iterable
from uuid import UUID

import msgspec

from registry.domain.codes import IncidentClass, SourceType, TriageDecision
from registry.domain.event import Event
from registry.domain.report_events import (
    AttackReported,
    EvidenceAttached,
    IncidentReported,
    MatchRejected,
    OccurrenceClaims,
    ReportAmended,
    ReportTriaged,
    ReportWithdrawn,
    ThreatReported,
)
from registry.matching.description import Description, describe


class ReportFacts(msgspec.Struct, frozen=True, kw_only=True):
    """``attached`` are the documents of files, which stay whatever is amended."""

    institution: UUID
    description: Description
    attached: frozenset[str] = frozenset()
    incident: UUID | None = None
    rejected: frozenset[UUID] = frozenset()
    withdrawn: bool = False

    @property
    def documents(self) -> frozenset[str]:
        return self.description.documents | self.attached

    @property
    def compared(self) -> Description:
        """The description with all documents."""
        return msgspec.structs.replace(self.description, documents=self.documents)


def fold(facts: ReportFacts | None, event: Event) -> ReportFacts | None:
    """The facts after an event; None as long as the report is not about one occurrence."""
    match event:
        case ThreatReported():
            return _first(event, IncidentClass.THREAT)
        case AttackReported():
            return _first(event, IncidentClass.ATTACK)
    if facts is None:
        return None
    replace = msgspec.structs.replace
    match event:
        case ReportAmended(claims=OccurrenceClaims() as claims):
            said = _describe(claims, facts.description.incident_class, event.source_type, facts.institution)
            return replace(facts, description=said)
        case ReportWithdrawn():
            return replace(facts, withdrawn=True, incident=None)
        case ReportTriaged(decision=TriageDecision.LINK):
            return replace(facts, incident=event.incident)
        case ReportTriaged(incident=UUID() as left):
            linked = None if facts.incident == left else facts.incident
            return replace(facts, incident=linked, rejected=facts.rejected - {left})
        case MatchRejected():
            return replace(facts, rejected=facts.rejected | {event.incident})
        case EvidenceAttached():
            return replace(facts, attached=facts.attached | {*event.digests, *event.urls})
    return facts


def facts_of(events: Iterable[Event]) -> ReportFacts | None:
    """The facts of a report from its whole stream."""
    facts: ReportFacts | None = None
    for event in events:
        facts = fold(facts, event)
    return facts


def _first(event: IncidentReported, incident_class: IncidentClass) -> ReportFacts:
    said = _describe(event, incident_class, event.source_type, event.institution)
    return ReportFacts(institution=event.institution, description=said)


def _describe(
    claims: IncidentReported | OccurrenceClaims,
    incident_class: IncidentClass,
    source_type: SourceType,
    institution: UUID,
) -> Description:
    return describe(
        incident_class=incident_class,
        when=claims.when,
        where=claims.where,
        kind=claims.kind,
        victims=claims.victims,
        sources=[(source_type, institution)],
        documents=(*claims.digests, *claims.urls),
    )
