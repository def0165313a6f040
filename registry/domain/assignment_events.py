"""What happens to a student's year of service, as events. Codes, days and pseudonyms only."""

from datetime import date
from uuid import UUID

import msgspec

from registry.domain.codes import (
    AssignmentEnd,
    CorrectionReason,
    PlazaType,
    RelocationDecision,
    RelocationReason,
    RelocationRequester,
    SuspensionReason,
)
from registry.domain.event import Event
from registry.domain.service import SelectionRank


class AssignmentRegistered(Event, frozen=True, kw_only=True, omit_defaults=True):
    """``student`` is a keyed pseudonym; who it is lies in the vault. An unknown ``selection_rank`` is not stored."""

    TOPIC = "assignment.registered"

    student: str
    institution: UUID
    site: UUID
    promotion: str
    plaza_type: PlazaType
    starts: date
    planned_end: date
    selection_rank: SelectionRank | None = None


class AssignmentStarted(Event, frozen=True, kw_only=True):
    """The student took up service; without it, the planned day stands."""

    TOPIC = "assignment.started"

    on: date


class AssignmentSuspended(Event, frozen=True, kw_only=True):
    """``on`` is the first day without service."""

    TOPIC = "assignment.suspended"

    on: date
    reason: SuspensionReason


class AssignmentResumed(Event, frozen=True, kw_only=True):
    """``on`` is the first day of service again."""

    TOPIC = "assignment.resumed"

    on: date


class RelocationRequested(Event, frozen=True, kw_only=True):
    """A change of site was asked for; whether it is granted is another event."""

    TOPIC = "assignment.relocation_requested"

    requester: RelocationRequester
    reason: RelocationReason
    on: date
    trigger_incident: UUID | None


class RelocationDecided(Event, frozen=True, kw_only=True):
    """``request`` is the version of the request that it answers."""

    TOPIC = "assignment.relocation_decided"

    request: int
    decision: RelocationDecision
    on: date


class AssignmentRelocated(Event, frozen=True, kw_only=True):
    """``request`` is the version of the granted request that it carries out, if there was one."""

    TOPIC = "assignment.relocated"

    from_: UUID = msgspec.field(name="from")
    to: UUID
    effective: date
    reason: RelocationReason
    trigger_incident: UUID | None
    request: int | None


class AssignmentEnded(Event, frozen=True, kw_only=True):
    """``on`` is the last day of service, or the day of the cancellation."""

    TOPIC = "assignment.ended"

    reason: AssignmentEnd
    on: date


class AssignmentCorrected(Event, frozen=True, kw_only=True):
    """One field of the event of version ``event`` (1: the registration), with the value that stood and the right one.

    Values are written as in that event's JSON. ``new`` None for a date: that did not happen.
    """

    TOPIC = "assignment.corrected"

    event: int
    field: str
    old: str | None
    new: str | None
    reason: CorrectionReason

    def touched(self) -> tuple[str, ...]:
        return (self.field,)
