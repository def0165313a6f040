"""What happens to an incident, as events: adjudicated, linked, found, disputed, corrected, withdrawn, made public."""

from datetime import date
from typing import Any, Literal
from uuid import UUID

import msgspec

from registry.domain.certainty import LinkedReport
from registry.domain.claims import Perpetrator, Range, Victim, When, Where
from registry.domain.codes import (
    Certainty,
    CertaintyBasis,
    CorrectionReason,
    DisputeGround,
    DisputeOutcome,
    IncidentClass,
    Manner,
    Means,
    Outcome,
)
from registry.domain.event import Event
from registry.log.canonical import JSON


class IncidentOpened(Event, frozen=True, kw_only=True):
    """A reviewer opens an incident from reports of one occurrence."""

    TOPIC = "incident.opened"

    incident_class: IncidentClass
    reports: tuple[LinkedReport, ...]


class ReportLinked(Event, frozen=True, kw_only=True):
    """A report is about this incident; linked again, with the facts that it has since."""

    TOPIC = "incident.report_linked"

    report: LinkedReport


class ReportUnlinked(Event, frozen=True, kw_only=True):
    """A report is about this incident no more."""

    TOPIC = "incident.report_unlinked"

    report: UUID
    reason: CorrectionReason


class FindingRecorded(Event, frozen=True, kw_only=True):
    """What a reviewer found; exactly one field has a value. Wording and source URLs are private.

    ``basis`` and ``reports`` are what it rests on.
    """

    TOPIC = "incident.finding_recorded"

    when: When | None
    where: Where | None
    kind: str | None
    means: tuple[Means, ...] | None
    perpetrator: Perpetrator | None
    already_public: bool | None
    family_agrees: bool | None
    basis: tuple[CertaintyBasis, ...]
    reports: tuple[UUID, ...]

    def touched(self) -> tuple[str, ...]:
        return tuple(name for name in FINDINGS if getattr(self, name) is not None)


FINDINGS = ("when", "where", "kind", "means", "perpetrator", "already_public", "family_agrees")
"""The fields of a finding, one of which has a value."""


class VictimRecorded(Event, frozen=True, kw_only=True):
    """Victims are numbered from 1 in the order in which they are recorded."""

    TOPIC = "incident.victim_recorded"

    victim: Victim


class OutcomeUpdated(Event, frozen=True, kw_only=True):
    """What became of a victim, known since ``known_on``. It counts on the day of the attack, whenever it came.

    ``count`` is how many of several alike it became of; the rest keep their outcome, and these get the next number.
    None: all of them.
    """

    TOPIC = "incident.outcome_updated"

    victim: int
    outcome: Outcome
    manner: Manner | None
    count: Range | None
    known_on: date


class CertaintySet(Event, frozen=True, kw_only=True):
    """``criteria`` are those that held when it was decided, ``basis`` what the reviewer cites."""

    TOPIC = "incident.certainty_set"

    level: Certainty
    criteria: tuple[str, ...]
    basis: tuple[CertaintyBasis, ...]


class IncidentDisputed(Event, frozen=True, kw_only=True):
    """An institution contests it. Disputes are numbered from 1; what it says is private."""

    TOPIC = "incident.disputed"

    ground: DisputeGround


class DisputeResolved(Event, frozen=True, kw_only=True):
    """Another institution has decided on a dispute. UPHELD changes nothing by itself."""

    TOPIC = "incident.dispute_resolved"

    dispute: int
    decision: DisputeOutcome


CorrectedField = Literal["class", "when", "where", "kind", "means", "perpetrator", "victim"]
"""What can be corrected, under the names in which it is sent."""


class IncidentCorrected(Event, frozen=True, kw_only=True):
    """What was recorded, and what should have been; on whose authority is private.

    ``victim`` is the number of the victim that the field ``victim`` is about, None for the others.
    """

    TOPIC = "incident.corrected"

    field: CorrectedField
    victim: int | None
    old: Any
    new: Any
    reason: CorrectionReason

    def touched(self) -> tuple[str, ...]:
        return (self.field,)


class IncidentRetracted(Event, frozen=True, kw_only=True):
    """It counts no more, and stays in sight with the reason."""

    TOPIC = "incident.retracted"

    reason: CorrectionReason


class IncidentReinstated(Event, frozen=True, kw_only=True):
    """Another institution takes the retraction back: it counts as before."""

    TOPIC = "incident.reinstated"

    reason: CorrectionReason


class IncidentMerged(Event, frozen=True, kw_only=True):
    """This incident is the same as another, which has its reports from now on."""

    TOPIC = "incident.merged"

    into: UUID
    reason: CorrectionReason


class IncidentSplit(Event, frozen=True, kw_only=True):
    """This incident was thought to be a part of another."""

    TOPIC = "incident.split"

    from_: UUID = msgspec.field(name="from")
    reason: CorrectionReason


class IncidentDisclosed(Event, frozen=True, kw_only=True):
    """What a release makes public of one incident: the content of its open leaf."""

    TOPIC = "incident.disclosed"
    OPEN = True

    disclosure: dict[str, Any]

    def public(self) -> dict[str, JSON]:
        return self.disclosure
