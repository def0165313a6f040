"""What an incident is at any moment: the state that its events fold to."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from registry.domain.certainty import LinkedReport
from registry.domain.claims import NOBODY, Perpetrator, Victim, When, Where, without
from registry.domain.codes import (
    Certainty,
    CertaintyBasis,
    CorrectionReason,
    DisputeGround,
    DisputeOutcome,
    IncidentClass,
    IncidentStatus,
    Means,
    Outcome,
)
from registry.domain.event import Aggregate, Event
from registry.domain.incident_events import (
    CertaintySet,
    DisputeResolved,
    FindingRecorded,
    IncidentCorrected,
    IncidentDisclosed,
    IncidentDisputed,
    IncidentMerged,
    IncidentOpened,
    IncidentReinstated,
    IncidentRetracted,
    IncidentSplit,
    OutcomeUpdated,
    ReportLinked,
    ReportUnlinked,
    VictimRecorded,
)

REVIEWERS_NEEDED = 2
"""Organisations that must agree before CONFIRMED, or "already public", takes effect."""

CORRECTABLE: dict[str, Any] = {
    "class": IncidentClass,
    "when": When | None,
    "where": Where | None,
    "kind": str | None,
    "means": tuple[Means, ...] | None,
    "perpetrator": Perpetrator | None,
    "victim": Victim,
}
"""The fields of a correction, and the types of their values."""


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    """One institution's objection; ``decision`` None while it is open."""

    ground: DisputeGround
    institution: UUID | None
    decision: DisputeOutcome | None = None


class IncidentRecord(Aggregate, kw_only=True):
    """The fields that events set. What may be decided is in ``Incident``."""

    NOUN: ClassVar[str] = "incident"

    incident_class: IncidentClass = IncidentClass.ATTACK
    reports: tuple[LinkedReport, ...] = ()
    """Those linked now, with the facts that they have now."""
    reported: datetime | None = None
    """When the earliest report that was ever linked was recorded."""
    when: When | None = None
    where: Where | None = None
    kind: str | None = None
    means: tuple[Means, ...] | None = None
    perpetrator: Perpetrator | None = None
    found_public_by: frozenset[UUID] = frozenset()
    family_agrees: bool = False
    family_objects: bool = False
    """A person it is about, or the family, has objected: no reviewer finds any more that the family agrees."""
    victims: tuple[Victim, ...] = ()
    """In order of their numbers. One whose count is 0 turned out to be none: numbers are never given twice."""
    certainty: Certainty | None = None
    criteria: tuple[str, ...] = ()
    basis: tuple[CertaintyBasis, ...] = ()
    """What held, and what was cited, when the certainty was last set."""
    confirmed_by: frozenset[UUID] = frozenset()
    ever_possible: bool = False
    """Is, or was, POSSIBLE or better: from then on every change is released."""
    disputes: tuple[Dispute, ...] = ()
    """In order of their numbers."""
    retracted: CorrectionReason | None = None
    retracted_by: UUID | None = None
    merged_into: UUID | None = None
    split_from: UUID | None = None
    correction: CorrectionReason | None = None
    """The reason of the newest change that has not been released yet."""
    disclosure: dict[str, Any] | None = None
    disclosed_in: UUID | None = None
    """The event that made ``disclosure`` public."""

    @property
    def already_public(self) -> bool:
        return len(self.found_public_by) >= REVIEWERS_NEEDED

    @property
    def disputed(self) -> bool:
        """Whether an objection is open."""
        return any(dispute.decision is None for dispute in self.disputes)

    @property
    def status(self) -> IncidentStatus:
        if self.merged_into is not None:
            return IncidentStatus.MERGED
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

    @property
    def stands(self) -> bool:
        """Whether it is still held to have happened, as an incident of its own."""
        return self.status not in (IncidentStatus.MERGED, IncidentStatus.RETRACTED, IncidentStatus.REFUTED)

    @property
    def killed(self) -> frozenset[str]:
        """Pseudonyms of those whom it says to have been killed, while it stands."""
        if not self.stands:
            return frozenset()
        return frozenset(
            victim.person
            for victim in self.victims
            if victim.person is not None and victim.outcome is Outcome.KILLED and victim.count != NOBODY
        )

    @property
    def exclusive(self) -> frozenset[str]:
        return frozenset(f"killed:{person}" for person in self.killed)

    def linked(self, report: UUID) -> LinkedReport | None:
        """The report as it is linked now."""
        return next((one for one in self.reports if one.report == report), None)

    def apply(self, event: Event) -> None:
        match event:
            case IncidentOpened():
                self.incident_class = event.incident_class
                for report in event.reports:
                    self._apply_link(report)
            case ReportLinked():
                self._apply_link(event.report)
            case ReportUnlinked():
                self.reports = tuple(one for one in self.reports if one.report != event.report)
            case FindingRecorded():
                self._apply_finding(event)
            case VictimRecorded():
                self.victims = (*self.victims, event.victim)
                self.correction = CorrectionReason.NEW_EVIDENCE
            case OutcomeUpdated():
                self._apply_outcome(event)
            case CertaintySet():
                self._apply_certainty(event)
            case IncidentCorrected():
                self._apply_correction(event)
            case _:
                self._apply_standing(event)

    def _apply_standing(self, event: Event) -> None:
        """What changes how the incident stands, and nothing that is known of it."""
        match event:
            case IncidentDisputed():
                self.disputes = (
                    *self.disputes,
                    Dispute(ground=event.ground, institution=event.by.institution),
                )
            case DisputeResolved():
                self._apply_resolution(event)
            case IncidentRetracted():
                self.retracted = self.correction = event.reason
                self.retracted_by = event.by.institution
            case IncidentReinstated():
                self.retracted, self.retracted_by, self.correction = None, None, event.reason
            case IncidentMerged():
                self.merged_into, self.correction = event.into, event.reason
            case IncidentSplit():
                self.split_from = event.from_
            case IncidentDisclosed():
                self.disclosure, self.disclosed_in, self.correction = event.disclosure, event.event_id, None

    def _apply_link(self, report: LinkedReport) -> None:
        others = tuple(one for one in self.reports if one.report != report.report)
        self.reports = (*others, report)
        self.reported = min(self.reported or report.recorded, report.recorded)
        # Who has reported it no longer counts among those who reviewed it.
        self.confirmed_by -= {report.institution}
        self.found_public_by -= {report.institution}

    def _apply_finding(self, event: FindingRecorded) -> None:
        self.when = event.when or self.when
        self.where = event.where or self.where
        self.kind = event.kind or self.kind
        self.means = self.means if event.means is None else event.means
        self.perpetrator = event.perpetrator or self.perpetrator
        reviewer = event.by.institution
        if event.family_agrees is not None:
            self.family_agrees = event.family_agrees
            self.family_objects |= reviewer is None
        if reviewer is not None and event.already_public is not None:
            self.found_public_by = (
                self.found_public_by | {reviewer}
                if event.already_public
                else self.found_public_by - {reviewer}
            )
        # Reviewers find; what the register itself records is what a person has asked for.
        self.correction = (
            CorrectionReason.DATA_SUBJECT_REQUEST if reviewer is None else CorrectionReason.NEW_EVIDENCE
        )

    def _apply_outcome(self, event: OutcomeUpdated) -> None:
        victim = self.victims[event.victim - 1]
        known = msgspec.structs.replace(victim, outcome=event.outcome, manner=event.manner)
        if event.count is None:
            self._replace_victim(event.victim, known)
        else:
            self._replace_victim(
                event.victim, msgspec.structs.replace(victim, count=without(victim.count, event.count))
            )
            self.victims = (*self.victims, msgspec.structs.replace(known, count=event.count))
        self.correction = CorrectionReason.NEW_EVIDENCE

    def _apply_certainty(self, event: CertaintySet) -> None:
        reviewer = event.by.institution
        self.criteria, self.basis = event.criteria, event.basis
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

    def _apply_resolution(self, event: DisputeResolved) -> None:
        disputes = list(self.disputes)
        disputes[event.dispute - 1] = msgspec.structs.replace(
            disputes[event.dispute - 1], decision=event.decision
        )
        self.disputes = tuple(disputes)

    def _apply_correction(self, event: IncidentCorrected) -> None:
        new = msgspec.convert(event.new, CORRECTABLE[event.field])
        if event.victim is not None:
            self._replace_victim(event.victim, new)
        else:
            setattr(self, "incident_class" if event.field == "class" else event.field, new)
        self.correction = event.reason

    def _replace_victim(self, number: int, victim: Victim) -> None:
        self.victims = (*self.victims[: number - 1], victim, *self.victims[number:])
