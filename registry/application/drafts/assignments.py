"""Assignments as they are sent: a student's year of service, and what changes it."""

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec

from registry.application.drafts.common import Draft, Reference, SourceRecordId, Student
from registry.domain.codes import AssignmentEnd, PlazaType, RelocationReason

Promotion = Annotated[str, msgspec.Meta(pattern=r"^(19|20)[0-9]{2}-[12]$")]


class AssignmentDraft(Draft, frozen=True, kw_only=True):
    student: Student
    site: UUID
    promotion: Promotion
    plaza_type: PlazaType
    starts: date
    planned_end: date
    source_record_id: SourceRecordId | None = None


class RelocationDraft(Draft, frozen=True, kw_only=True):
    """An assignment moves to another site."""

    to: UUID
    effective: date
    reason: RelocationReason
    trigger_incident: Reference | None = None
    source_record_id: SourceRecordId | None = None


class EndDraft(Draft, frozen=True, kw_only=True):
    """An assignment ends."""

    reason: AssignmentEnd
    on: date
    source_record_id: SourceRecordId | None = None
