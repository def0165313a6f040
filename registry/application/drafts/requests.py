"""What people ask about their own data, as whoever received it sends it."""

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec

from registry.application.drafts.common import Draft, ShortText, Student
from registry.application.drafts.places import Contact
from registry.domain.codes import RefusalReason, SubjectRequestOutcome, SubjectRequestType
from registry.log.canonical import MAX_INTEGER


class SubjectDraft(Student, frozen=True, kw_only=True):
    """Whom the request is about. ``institution`` is whose internal number it is; an institution's own by default."""

    institution: UUID | None = None


class SubjectRequestDraft(Draft, frozen=True, kw_only=True):
    """``relation`` (of who asks to the person) and ``contact`` are private."""

    type: SubjectRequestType
    person: SubjectDraft
    received_on: date
    relation: ShortText | None = None
    contact: Contact | None = None


class RequestAnswerDraft(Draft, frozen=True, kw_only=True):
    """``reason`` with REFUSED, and only then. ``on`` is the day on which the person was answered; today by default."""

    outcome: SubjectRequestOutcome
    reason: RefusalReason | None = None
    on: date | None = None


class RequestCompletionDraft(Draft, frozen=True, kw_only=True):
    """``positions`` are those of the events that corrected what a RECTIFICATION asked for."""

    positions: list[Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]] = []
    on: date | None = None
