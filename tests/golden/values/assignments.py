"""Events of assignments."""

from datetime import date

from registry.domain.assignment_events import (
    AssignmentCorrected,
    AssignmentEnded,
    AssignmentRegistered,
    AssignmentRelocated,
    AssignmentResumed,
    AssignmentStarted,
    AssignmentSuspended,
    RelocationDecided,
    RelocationRequested,
)
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
from tests.golden.values.common import STUDENT, UNIVERSITY, envelope, numbered

ASSIGNMENTS: dict[str, Event] = {
    "assignment.registered.v1.year": AssignmentRegistered(
        **envelope(20, 1, UNIVERSITY),
        student=STUDENT,
        institution=numbered(1),
        site=numbered(11),
        promotion="2026-02",
        plaza_type=PlazaType.C,
        starts=date(2026, 2, 1),
        planned_end=date(2027, 1, 31),
    ),
    "assignment.relocated.v1.full": AssignmentRelocated(
        **envelope(20, 2, UNIVERSITY),
        from_=numbered(11),
        to=numbered(12),
        effective=date(2026, 3, 1),
        reason=RelocationReason.THREAT,
        trigger_incident=numbered(40),
        request=24,
    ),
    "assignment.relocated.v1.bare": AssignmentRelocated(
        **envelope(20, 3, UNIVERSITY),
        from_=numbered(12),
        to=numbered(11),
        effective=date(2026, 5, 1),
        reason=RelocationReason.ADMINISTRATIVE,
        trigger_incident=None,
        request=None,
    ),
    "assignment.ended.v1.completed": AssignmentEnded(
        **envelope(20, 4, UNIVERSITY), reason=AssignmentEnd.COMPLETED, on=date(2027, 1, 31)
    ),
    "assignment.registered.v1.eventful": AssignmentRegistered(
        **envelope(21, 1, UNIVERSITY),
        student=STUDENT,
        institution=numbered(1),
        site=numbered(13),
        promotion="2026-1",
        plaza_type=PlazaType.C,
        starts=date(2026, 2, 1),
        planned_end=date(2027, 1, 31),
    ),
    "assignment.registered.v1.ranked": AssignmentRegistered(
        **envelope(22, 1, UNIVERSITY),
        student=STUDENT,
        institution=numbered(1),
        site=numbered(13),
        promotion="2026-2",
        plaza_type=PlazaType.A,
        starts=date(2026, 8, 1),
        planned_end=date(2027, 7, 31),
        selection_rank=1_204,
    ),
    "assignment.started.v1.late": AssignmentStarted(**envelope(21, 2, UNIVERSITY), on=date(2026, 2, 4)),
    "assignment.suspended.v1.threat": AssignmentSuspended(
        **envelope(21, 3, UNIVERSITY), on=date(2026, 2, 20), reason=SuspensionReason.THREAT
    ),
    "assignment.resumed.v1.month_later": AssignmentResumed(
        **envelope(21, 4, UNIVERSITY), on=date(2026, 3, 20)
    ),
    "assignment.relocation_requested.v1.family": RelocationRequested(
        **envelope(21, 5, UNIVERSITY),
        requester=RelocationRequester.FAMILY,
        reason=RelocationReason.THREAT,
        on=date(2026, 2, 21),
        trigger_incident=numbered(40),
    ),
    "assignment.relocation_requested.v1.student": RelocationRequested(
        **envelope(21, 6, UNIVERSITY),
        requester=RelocationRequester.STUDENT,
        reason=RelocationReason.INSECURITY,
        on=date(2026, 3, 2),
        trigger_incident=None,
    ),
    "assignment.relocation_decided.v1.denied": RelocationDecided(
        **envelope(21, 7, UNIVERSITY),
        request=5,
        decision=RelocationDecision.DENIED,
        on=date(2026, 2, 25),
    ),
    "assignment.corrected.v1.planned_end": AssignmentCorrected(
        **envelope(21, 8, UNIVERSITY),
        event=1,
        field="planned_end",
        old="2027-01-31",
        new="2027-02-28",
        reason=CorrectionReason.NEW_EVIDENCE,
    ),
    "assignment.corrected.v1.trigger": AssignmentCorrected(
        **envelope(21, 9, UNIVERSITY),
        event=6,
        field="trigger_incident",
        old=None,
        new=str(numbered(40)),
        reason=CorrectionReason.NEW_EVIDENCE,
    ),
    "assignment.corrected.v1.not_so": AssignmentCorrected(
        **envelope(21, 10, UNIVERSITY),
        event=4,
        field="on",
        old="2026-03-20",
        new=None,
        reason=CorrectionReason.DATA_ENTRY,
    ),
}
