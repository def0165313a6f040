"""Assignments: one student's year of service, from registration to end, and where it takes place."""

from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from registry.domain import service_corrections, service_order
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
from registry.domain.event import Act, Aggregate, Event, Private
from registry.domain.service import (
    AnyFact,
    Decided,
    Ended,
    Relocated,
    Requested,
    Resumed,
    Service,
    Started,
    Suspended,
)
from registry.errors import RuleViolated


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """A correction as the aggregate keeps it. ``version`` is its own."""

    version: int
    event: int
    field: str
    old: str | None
    new: str | None
    reason: CorrectionReason


_UNREGISTERED = Service(
    site=UUID(int=0), promotion="", plaza_type=PlazaType.OTHER, starts=date.min, planned_end=date.min
)


class Assignment(Aggregate, kw_only=True):
    """``service`` is all that happened, as corrected; ``corrections`` say what stood there before."""

    NOUN: ClassVar[str] = "assignment"
    class_version: ClassVar[int] = 2

    student: str = ""
    institution: UUID | None = None
    service: Service = _UNREGISTERED
    corrections: tuple[Correction, ...] = ()

    @property
    def subject(self) -> str:
        return f"person:{self.student}"

    @classmethod
    def register(
        cls,
        act: Act,
        *,
        student: str,
        identity: Private,
        institution: UUID,
        site: UUID,
        promotion: str,
        plaza_type: PlazaType,
        starts: date,
        planned_end: date,
        selection_rank: int | None = None,
    ) -> "Assignment":
        assignment = cls.new()
        assignment.trigger(
            AssignmentRegistered,
            act,
            private=identity,
            student=student,
            institution=institution,
            site=site,
            promotion=promotion,
            plaza_type=plaza_type,
            starts=starts,
            planned_end=planned_end,
            selection_rank=selection_rank,
        )
        service_order.check(assignment.service)
        return assignment

    def start(self, act: Act, *, on: date) -> None:
        self._must_not_have_ended()
        if self.service.started is not None:
            raise RuleViolated(
                "started-already",
                "El inicio ya consta. Si la fecha está mal, corríjala.",
                "The start is recorded already. If its date is wrong, correct it.",
            )
        self._record(act, AssignmentStarted, on=on)

    def suspend(self, act: Act, *, on: date, reason: SuspensionReason) -> None:
        self._must_not_have_ended()
        self._record(act, AssignmentSuspended, on=on, reason=reason)

    def resume(self, act: Act, *, on: date) -> None:
        self._must_not_have_ended()
        self._record(act, AssignmentResumed, on=on)

    def request_relocation(
        self,
        act: Act,
        *,
        requester: RelocationRequester,
        reason: RelocationReason,
        on: date,
        trigger_incident: UUID | None,
    ) -> None:
        self._must_not_have_ended()
        self._record(
            act,
            RelocationRequested,
            requester=requester,
            reason=reason,
            on=on,
            trigger_incident=trigger_incident,
        )

    def decide_relocation(self, act: Act, *, request: int, decision: RelocationDecision, on: date) -> None:
        self._must_not_have_ended()
        self._record(act, RelocationDecided, request=request, decision=decision, on=on)

    def relocate(
        self,
        act: Act,
        *,
        to: UUID,
        effective: date,
        reason: RelocationReason,
        trigger_incident: UUID | None,
        request: int | None = None,
    ) -> None:
        """A granted request is carried out by naming it; a move needs none."""
        self._must_not_have_ended()
        self._record(
            act,
            AssignmentRelocated,
            from_=self.service.last_site(),
            to=to,
            effective=effective,
            reason=reason,
            trigger_incident=trigger_incident,
            request=request,
        )

    def end(self, act: Act, *, reason: AssignmentEnd, on: date) -> None:
        self._must_not_have_ended()
        self._record(act, AssignmentEnded, reason=reason, on=on)

    def correct(self, act: Act, *, event: int, field: str, new: str | None, reason: CorrectionReason) -> None:
        """Also after the end. What the facts say together must be in order afterwards."""
        old = service_corrections.value(self.service, event, field)
        service = service_corrections.corrected(self.service, event, field, new)
        if service == self.service:
            raise RuleViolated(
                "correction-changes-something",
                "Ese campo ya tiene ese valor. Lea el registro de nuevo: quizá otra persona lo corrigió.",
                "That field has that value already. Read the record again: somebody may have corrected it.",
            )
        if new is not None:
            new = service_corrections.value(service, event, field)  # in the one spelling that it has
        self._record(act, AssignmentCorrected, event=event, field=field, old=old, new=new, reason=reason)

    def _record(self, act: Act, event_type: type[Event], **data: Any) -> None:
        """Takes the event in if everything is in order with it, and leaves all as it was if not."""
        tried = self.stored()
        event = tried.trigger(event_type, act, **data)
        service_order.check(tried.service)
        self.fold(event)
        self.pending += tried.pending

    def _must_not_have_ended(self) -> None:
        if self.service.ended is not None:
            raise RuleViolated(
                "assignment-ended",
                "La asignación terminó; solo admite correcciones. Si el servicio sigue en otra parte, registre una "
                "asignación nueva; si el fin se capturó por error, corríjalo.",
                "The assignment has ended and takes corrections only. If service goes on elsewhere, register a new "
                "assignment; if the end was recorded by mistake, correct it.",
            )

    def apply(self, event: Event) -> None:
        match event:
            case AssignmentRegistered():
                self.student, self.institution = event.student, event.institution
                self.service = Service(
                    site=event.site,
                    promotion=event.promotion,
                    plaza_type=event.plaza_type,
                    starts=event.starts,
                    planned_end=event.planned_end,
                    selection_rank=event.selection_rank,
                )
            case AssignmentCorrected():
                self._apply_correction(event)
            case _ if fact := _fact(event):
                self.service = self.service.add(fact)

    def replay(self, events: Sequence[Event]) -> None:
        # A service grows by a copy of its facts: one for all that follow one another, not one for each.
        facts: list[AnyFact] = []
        for event in events:
            if fact := _fact(event):
                facts.append(fact)
            else:
                self.service = self.service.add(*facts)
                facts.clear()
                self.apply(event)
        self.service = self.service.add(*facts)
        if events:
            self.version = events[-1].originator_version

    def _apply_correction(self, event: AssignmentCorrected) -> None:
        self.service = service_corrections.corrected(self.service, event.event, event.field, event.new)
        self.corrections = (
            *self.corrections,
            Correction(
                version=event.originator_version,
                event=event.event,
                field=event.field,
                old=event.old,
                new=event.new,
                reason=event.reason,
            ),
        )


def _fact(event: Event) -> AnyFact | None:
    """What the event adds to the service; None for one that is about what stands there."""
    number = event.originator_version
    match event:
        case AssignmentRelocated():
            return Relocated(
                version=number,
                to=event.to,
                effective=event.effective,
                reason=event.reason,
                trigger_incident=event.trigger_incident,
                request=event.request,
            )
        case AssignmentStarted():
            return Started(version=number, on=event.on)
        case AssignmentSuspended():
            return Suspended(version=number, on=event.on, reason=event.reason)
        case AssignmentResumed():
            return Resumed(version=number, on=event.on)
        case RelocationRequested():
            return Requested(
                version=number,
                by=event.requester,
                reason=event.reason,
                on=event.on,
                trigger_incident=event.trigger_incident,
            )
        case RelocationDecided():
            return Decided(version=number, request=event.request, decision=event.decision, on=event.on)
        case AssignmentEnded():
            return Ended(version=number, reason=event.reason, on=event.on)
    return None
