"""Incidents: the adjudicated occurrence, the only thing that public counts are made from."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from registry.domain import certainty as criteria
from registry.domain.certainty import LinkedReport
from registry.domain.claims import Victim, When, Where
from registry.domain.codes import (
    KINDS,
    Certainty,
    CertaintyBasis,
    CorrectionReason,
    IncidentClass,
    IncidentStatus,
)
from registry.domain.event import NOTHING_PRIVATE, Act, Aggregate, Event, Private
from registry.errors import InvalidInput, RuleViolated
from registry.log.canonical import JSON

REVIEWERS_NEEDED = 2
"""Organisations that must agree before CONFIRMED, or "already public", takes effect."""


class IncidentOpened(Event, frozen=True, kw_only=True):
    TOPIC = "incident.opened"

    incident_class: IncidentClass
    reports: tuple[LinkedReport, ...]


class FindingRecorded(Event, frozen=True, kw_only=True):
    """What a reviewer found; exactly one field has a value. Wording and source URLs are private."""

    TOPIC = "incident.finding_recorded"

    when: When | None
    where: Where | None
    kind: str | None
    already_public: bool | None
    family_agrees: bool | None


class VictimRecorded(Event, frozen=True, kw_only=True):
    TOPIC = "incident.victim_recorded"

    victim: Victim


class CertaintySet(Event, frozen=True, kw_only=True):
    """``criteria`` are those that held when the reviewer decided, ``basis`` what the reviewer cites."""

    TOPIC = "incident.certainty_set"

    level: Certainty
    criteria: tuple[str, ...]
    basis: tuple[CertaintyBasis, ...]


class IncidentRetracted(Event, frozen=True, kw_only=True):
    TOPIC = "incident.retracted"

    reason: CorrectionReason


class IncidentDisclosed(Event, frozen=True, kw_only=True):
    """What a release makes public of one incident: the content of its open leaf."""

    TOPIC = "incident.disclosed"
    OPEN = True

    disclosure: dict[str, Any]

    def public(self) -> dict[str, JSON]:
        return self.disclosure


class Incident(Aggregate, kw_only=True):
    NOUN: ClassVar[str] = "incident"

    incident_class: IncidentClass = IncidentClass.ATTACK
    reports: tuple[LinkedReport, ...] = ()
    when: When | None = None
    where: Where | None = None
    kind: str | None = None
    found_public_by: frozenset[UUID] = frozenset()
    family_agrees: bool = False
    victims: tuple[Victim, ...] = ()
    certainty: Certainty | None = None
    confirmed_by: frozenset[UUID] = frozenset()
    ever_possible: bool = False
    """Is, or was, POSSIBLE or better: from then on every change is released."""
    retracted: CorrectionReason | None = None
    correction: CorrectionReason | None = None
    """The reason of the newest change that has not been released yet."""
    disclosure: dict[str, Any] | None = None
    disclosed_in: UUID | None = None
    """The event that made ``disclosure`` public."""

    @property
    def already_public(self) -> bool:
        return len(self.found_public_by) >= REVIEWERS_NEEDED

    @property
    def status(self) -> IncidentStatus:
        if self.retracted is not None:
            return IncidentStatus.RETRACTED
        match self.certainty:
            case None:
                return IncidentStatus.UNDER_REVIEW
            case Certainty.REFUTED:
                return IncidentStatus.REFUTED
            case Certainty.CONFIRMED:
                return IncidentStatus.VERIFIED
            case _:
                return IncidentStatus.PROVISIONAL

    @classmethod
    def open(
        cls,
        act: Act,
        *,
        incident_class: IncidentClass,
        reports: Sequence[LinkedReport],
    ) -> "Incident":
        if not reports:
            raise InvalidInput(
                "reports",
                "Un incidente se abre a partir de al menos un reporte. Indique sus identificadores.",
                "An incident is opened from at least one report. Name their ids.",
            )
        incident = cls.new()
        incident._four_eyes(act, reports)
        incident.trigger(IncidentOpened, act, incident_class=incident_class, reports=tuple(reports))
        return incident

    def record_finding(
        self,
        act: Act,
        *,
        when: When | None = None,
        where: Where | None = None,
        kind: str | None = None,
        already_public: bool | None = None,
        family_agrees: bool | None = None,
        private: Private = NOTHING_PRIVATE,
    ) -> None:
        self._must_be_open(act)
        if sum(value is not None for value in (when, where, kind, already_public, family_agrees)) != 1:
            raise InvalidInput(
                "findings",
                "Cada hallazgo lleva exactamente uno de: when, where, kind, already_public, family_agrees.",
                "Each finding holds exactly one of: when, where, kind, already_public, family_agrees.",
            )
        if kind is not None and kind not in KINDS[self.incident_class]:
            accepted = ", ".join(sorted(KINDS[self.incident_class]))
            raise InvalidInput(
                "kind",
                f"No es un tipo de la clase {self.incident_class}. Se acepta: {accepted}.",
                f"Not a kind of class {self.incident_class}. Accepted: {accepted}.",
            )
        self.trigger(
            FindingRecorded,
            act,
            private=private,
            when=when,
            where=where,
            kind=kind,
            already_public=already_public,
            family_agrees=family_agrees,
        )

    def record_victim(self, act: Act, victim: Victim, *, private: Private = NOTHING_PRIVATE) -> None:
        self._must_be_open(act)
        if victim.person is not None and any(known.person == victim.person for known in self.victims):
            raise RuleViolated(
                "victim-recorded-once",
                "Esa persona ya es víctima de este incidente. Corrija su registro en vez de repetirla.",
                "That person is a victim of this incident already. Correct the record instead of repeating it.",
            )
        self.trigger(VictimRecorded, act, private=private, victim=victim)

    def set_certainty(self, act: Act, *, level: Certainty, basis: tuple[CertaintyBasis, ...]) -> None:
        """Raising needs the level's criteria, lowering is free, REFUTED is final."""
        self._must_be_open(act)
        if self.certainty is Certainty.REFUTED:
            raise RuleViolated(
                "refuted-is-final",
                "El incidente fue refutado y ese dictamen es definitivo. Si hay fuentes nuevas, abra otro incidente.",
                "The incident was refuted, and that is final. Open a new incident if there are new sources.",
            )
        met = criteria.criteria_met(self.reports, basis)
        lacking = criteria.missing(level, met)
        if lacking and (self.certainty is None or level.rank > self.certainty.rank):
            raise RuleViolated(
                "certainty-criteria-missing",
                f"{level} requiere además: {', '.join(lacking)}. Vincule las fuentes que falten o fije un nivel menor.",
                f"{level} also needs: {', '.join(lacking)}. Link the missing sources or set a lower level.",
            )
        self.trigger(CertaintySet, act, level=level, criteria=met, basis=basis)

    def retract(self, act: Act, reason: CorrectionReason) -> None:
        self._must_be_open(act)
        self.trigger(IncidentRetracted, act, reason=reason)

    def disclose(
        self,
        act: Act,
        *,
        event_id: UUID,
        disclosure: dict[str, JSON],
        facets: dict[str, JSON],
        commitment_keys: Mapping[str, bytes],
    ) -> None:
        """Releases only. ``facets`` are all values, the sealed ones included, which stay private."""
        self.trigger(
            IncidentDisclosed,
            act,
            event_id=event_id,
            private={self.subject: {"facets": facets}},
            commitment_keys=commitment_keys,
            disclosure=disclosure,
        )

    def _four_eyes(self, act: Act, reports: Sequence[LinkedReport]) -> None:
        """Submitter ≠ verifier: whoever adjudicates belongs to another institution than every reporting one."""
        if act.by.institution is None:
            raise RuleViolated(
                "verifier-needs-institution",
                "Dictaminar corresponde a la clave de una institución verificadora, no a la del operador.",
                "Adjudicating takes the key of a verifying institution, not the operator's.",
            )
        if act.by.institution in {report.institution for report in reports}:
            raise RuleViolated(
                "submitter-is-not-verifier",
                "Su institución presentó uno de los reportes de este incidente; debe dictaminar otra institución.",
                "Your institution submitted one of this incident's reports; another institution must adjudicate.",
            )

    def _must_be_open(self, act: Act) -> None:
        self._four_eyes(act, self.reports)
        if self.retracted is not None:
            raise RuleViolated(
                "incident-retracted",
                "El incidente fue retirado y ya no cambia.",
                "The incident was retracted and changes no more.",
            )

    def apply(self, event: Event) -> None:
        match event:
            case IncidentOpened():
                self.incident_class, self.reports = event.incident_class, event.reports
            case FindingRecorded():
                self._apply_finding(event)
            case VictimRecorded():
                self.victims = (*self.victims, event.victim)
                self.correction = CorrectionReason.NEW_EVIDENCE
            case CertaintySet():
                self._apply_certainty(event)
            case IncidentRetracted():
                self.retracted = self.correction = event.reason
            case IncidentDisclosed():
                self.disclosure, self.disclosed_in, self.correction = event.disclosure, event.event_id, None

    def _apply_finding(self, event: FindingRecorded) -> None:
        self.when = event.when or self.when
        self.where = event.where or self.where
        self.kind = event.kind or self.kind
        if event.family_agrees is not None:
            self.family_agrees = event.family_agrees
        reviewer = event.by.institution
        if reviewer is not None and event.already_public is not None:
            self.found_public_by = (
                self.found_public_by | {reviewer}
                if event.already_public
                else self.found_public_by - {reviewer}
            )
        self.correction = CorrectionReason.NEW_EVIDENCE

    def _apply_certainty(self, event: CertaintySet) -> None:
        reviewer = event.by.institution
        if event.level is not Certainty.CONFIRMED:
            self.certainty, self.confirmed_by = event.level, frozenset()
        elif reviewer is not None:
            self.confirmed_by |= {reviewer}
            if len(self.confirmed_by) >= REVIEWERS_NEEDED:
                self.certainty = Certainty.CONFIRMED
            elif self.certainty is None or self.certainty.rank < Certainty.PROBABLE.rank:
                # One reviewer's CONFIRMED establishes all that it includes but itself.
                self.certainty = Certainty.PROBABLE
        if self.certainty in (Certainty.POSSIBLE, Certainty.PROBABLE, Certainty.CONFIRMED):
            self.ever_possible = True
