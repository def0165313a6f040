"""Reports: what one source said. Kept apart from incidents for ever, however often it is repeated or contradicted."""

from typing import Any, ClassVar
from uuid import UUID

from registry.domain.claims import Perpetrator, Range, Victim, When, Where
from registry.domain.codes import (
    Directness,
    Means,
    RelocationAction,
    RelocationUnit,
    ReportClass,
    SourceType,
)
from registry.domain.event import Act, Aggregate, Event, Private


class Source(Event, frozen=True, kw_only=True):
    """Who said it. ``institution`` submitted it; ``source`` is the keyed pseudonym of who said it, if another."""

    institution: UUID
    source_type: SourceType
    directness: Directness
    source: str | None
    derived_from: UUID | None


class IncidentReported(Source, frozen=True, kw_only=True):
    """A source's account of one occurrence. Narrative, wording and evidence are private."""

    when: When | None
    where: Where | None
    kind: str
    means: tuple[Means, ...]
    perpetrator: Perpetrator | None
    victims: tuple[Victim, ...]


class ThreatReported(IncidentReported, frozen=True, kw_only=True):
    TOPIC = "threat.reported"


class AttackReported(IncidentReported, frozen=True, kw_only=True):
    TOPIC = "attack.reported"


class RelocationReported(Source, frozen=True, kw_only=True):
    """What someone says about many students or places; never counted as an incident."""

    TOPIC = "relocation.reported"

    action: RelocationAction
    unit: RelocationUnit | None
    count: Range | None
    when: When | None
    where: tuple[Where, ...]
    trigger_incident: UUID | None


class NilReported(Event, frozen=True, kw_only=True):
    """An institution's answer for a quarter in which it knows of nothing."""

    TOPIC = "nil.reported"

    institution: UUID
    quarter: str


ReportedEvent = ThreatReported | AttackReported | RelocationReported


class Report(Aggregate, kw_only=True):
    NOUN: ClassVar[str] = "report"

    report: ReportedEvent | None = None
    quarter: str | None = None
    """Set on nil reports only, which have no ``report``."""

    @classmethod
    def submit(
        cls, act: Act, event_type: type[ReportedEvent], *, report_id: UUID, private: Private, **data: Any
    ) -> "Report":
        report = cls(id=report_id)
        report.trigger(event_type, act, private=private, **data)
        return report

    @classmethod
    def nil(cls, act: Act, *, institution: UUID, quarter: str) -> "Report":
        report = cls.new()
        report.trigger(NilReported, act, institution=institution, quarter=quarter)
        return report

    @property
    def report_class(self) -> ReportClass | None:
        match self.report:
            case ThreatReported():
                return ReportClass.THREAT
            case AttackReported():
                return ReportClass.ATTACK
            case RelocationReported():
                return ReportClass.RELOCATION
            case None:
                return None

    def apply(self, event: Event) -> None:
        match event:
            case ThreatReported() | AttackReported() | RelocationReported():
                self.report = event
            case NilReported():
                self.quarter = event.quarter
