"""Assignments as they are sent: a student's year of service, and what changes it."""

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec

from registry.application.drafts.common import Draft, Reference, SourceRecordId, Student
from registry.domain.codes import (
    AssignmentEnd,
    CorrectionReason,
    PlazaType,
    RelocationDecision,
    RelocationReason,
    RelocationRequester,
    SuspensionReason,
)
from registry.domain.service import Promotion, SelectionRank
from registry.log.canonical import MAX_INTEGER

EventVersion = Annotated[int, msgspec.Meta(ge=1, le=MAX_INTEGER)]
"""An event of an assignment, by its number in it."""


class AssignmentDraft(Draft, frozen=True, kw_only=True):
    student: Student
    site: UUID
    promotion: Promotion
    plaza_type: PlazaType
    starts: date
    planned_end: date
    selection_rank: SelectionRank | None = None
    source_record_id: SourceRecordId | None = None


class StartDraft(Draft, frozen=True, kw_only=True):
    """The student took up service on a day."""

    on: date
    source_record_id: SourceRecordId | None = None


class SuspensionDraft(Draft, frozen=True, kw_only=True):
    """Service pauses; ``on`` is the first day without it."""

    on: date
    reason: SuspensionReason
    source_record_id: SourceRecordId | None = None


class ResumptionDraft(Draft, frozen=True, kw_only=True):
    """Service goes on; ``on`` is its first day."""

    on: date
    source_record_id: SourceRecordId | None = None


class RelocationRequestDraft(Draft, frozen=True, kw_only=True):
    """Somebody asks that the student change the site."""

    by: RelocationRequester
    reason: RelocationReason
    on: date
    trigger_incident: Reference | None = None
    source_record_id: SourceRecordId | None = None


class RelocationDecisionDraft(Draft, frozen=True, kw_only=True):
    """The answer to a request; ``request`` is the request's version."""

    request: EventVersion
    decision: RelocationDecision
    on: date
    source_record_id: SourceRecordId | None = None


class RelocationDraft(Draft, frozen=True, kw_only=True):
    """An assignment moves to another site; ``request`` is the version of the granted request that it carries out."""

    to: UUID
    effective: date
    reason: RelocationReason
    trigger_incident: Reference | None = None
    request: EventVersion | None = None
    source_record_id: SourceRecordId | None = None


class EndDraft(Draft, frozen=True, kw_only=True):
    """An assignment ends."""

    reason: AssignmentEnd
    on: date
    source_record_id: SourceRecordId | None = None


FieldName = Annotated[str, msgspec.Meta(pattern=r"^[a-z_]{1,40}$")]


class AssignmentCorrectionDraft(Draft, frozen=True, kw_only=True):
    """One field of one event was wrong; ``event`` is that event's version, 1 the registration.

    ``new`` is the right value, written as it is sent; null for the date of anything but the registration: it did not
    happen.
    """

    event: EventVersion = 1
    field: FieldName
    new: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None
    reason: CorrectionReason
