"""Assignments: one student's year of service, and where it takes place."""

from datetime import date, timedelta
from typing import ClassVar
from uuid import UUID

import msgspec

from registry.domain.codes import AssignmentEnd, PlazaType, RelocationReason
from registry.domain.event import Act, Aggregate, Event, Private
from registry.errors import InvalidInput, RuleViolated

LONGEST_SERVICE = timedelta(days=3 * 366)
"""Service takes a year; three leave room for suspensions, and none for a mistyped century."""


class AssignmentRegistered(Event, frozen=True, kw_only=True):
    """``student`` is a keyed pseudonym; who it is lies in the vault."""

    TOPIC = "assignment.registered"

    student: str
    institution: UUID
    site: UUID
    promotion: str
    plaza_type: PlazaType
    starts: date
    planned_end: date


class AssignmentRelocated(Event, frozen=True, kw_only=True):
    TOPIC = "assignment.relocated"

    from_: UUID = msgspec.field(name="from")
    to: UUID
    effective: date
    reason: RelocationReason
    trigger_incident: UUID | None


class AssignmentEnded(Event, frozen=True, kw_only=True):
    TOPIC = "assignment.ended"

    reason: AssignmentEnd
    on: date


class Assignment(Aggregate, kw_only=True):
    NOUN: ClassVar[str] = "assignment"

    student: str = ""
    institution: UUID | None = None
    site: UUID | None = None
    promotion: str = ""
    plaza_type: PlazaType = PlazaType.OTHER
    starts: date = date.min
    planned_end: date = date.min
    ended: date | None = None
    end_reason: AssignmentEnd | None = None
    since: date = date.min
    """The day from which the student is at ``site``."""

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
    ) -> "Assignment":
        if not starts < planned_end <= starts + LONGEST_SERVICE:
            raise InvalidInput(
                "planned_end",
                f"El fin previsto debe ser posterior al inicio, en {LONGEST_SERVICE.days} días a lo más.",
                f"The planned end must be after the start, by {LONGEST_SERVICE.days} days at the most.",
            )
        if abs(starts.year - int(promotion[:4])) > 1:
            raise InvalidInput(
                "promotion",
                "La promoción no corresponde al inicio. Compruebe el año de ambos.",
                "The promotion does not fit the start. Check the year of both.",
            )
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
        )
        return assignment

    def relocate(
        self, act: Act, *, to: UUID, effective: date, reason: RelocationReason, trigger_incident: UUID | None
    ) -> None:
        self._must_not_have_ended()
        if to == self.site:
            raise RuleViolated(
                "relocation-needs-another-site",
                "La asignación ya está en esa sede. Indique otra sede de destino.",
                "The assignment is at that site already. Name another site as the destination.",
            )
        self._must_not_precede("effective", effective)
        self.trigger(
            AssignmentRelocated,
            act,
            from_=self.site,
            to=to,
            effective=effective,
            reason=reason,
            trigger_incident=trigger_incident,
        )

    def end(self, act: Act, *, reason: AssignmentEnd, on: date) -> None:
        self._must_not_have_ended()
        self._must_not_precede("on", on)
        self.trigger(AssignmentEnded, act, reason=reason, on=on)

    def _must_not_have_ended(self) -> None:
        if self.ended is not None:
            raise RuleViolated(
                "assignment-ended",
                "La asignación terminó; ya no puede cambiar. Registre una asignación nueva.",
                "The assignment has ended and can no longer change. Register a new assignment.",
            )

    def _must_not_precede(self, field: str, day: date) -> None:
        if day < self.since:
            raise InvalidInput(
                field,
                "La fecha es anterior al inicio de la estancia actual. Indique una fecha igual o posterior.",
                "The date is before the start of the current stay. Give the same date or a later one.",
            )

    def apply(self, event: Event) -> None:
        match event:
            case AssignmentRegistered():
                self.student, self.institution, self.site = event.student, event.institution, event.site
                self.promotion, self.plaza_type = event.promotion, event.plaza_type
                self.starts, self.planned_end, self.since = event.starts, event.planned_end, event.starts
            case AssignmentRelocated():
                self.site, self.since = event.to, event.effective
            case AssignmentEnded():
                self.ended, self.end_reason = event.on, event.reason
