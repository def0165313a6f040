"""A request about somebody's data as it is shown: where it stands, and whether it is late."""

from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from registry.domain.codes import SubjectRequestState
from registry.store.requests import StoredRequest


class SubjectRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request as the caller may see it. ``institution`` received it; None is the operator.

    ``overdue``: not answered in time, or granted and not carried out in time. ``private`` is ``relation`` and
    ``contact``, shown to whoever says why they read.
    """

    id: UUID
    type: str
    person: str
    institution: UUID | None
    state: SubjectRequestState
    overdue: bool
    received_on: date
    answer_due: date
    answered_on: date | None
    outcome: str | None
    reason: str | None
    carry_out_due: date | None
    carried_out_on: date | None
    positions: list[int]
    private: dict[str, Any]


def shown(stored: StoredRequest, today: date, private: dict[str, Any]) -> SubjectRequest:
    """A stored request on a day; ``private`` is what the caller may see of it."""
    due = stored.answer_due if stored.answered_on is None else stored.carry_out_due
    if stored.carried_out_on is not None:
        state, due = SubjectRequestState.CARRIED_OUT, None
    elif stored.answered_on is not None:
        state = SubjectRequestState.ANSWERED
    else:
        state = SubjectRequestState.RECEIVED
    return SubjectRequest(
        id=stored.id,
        type=stored.type,
        person=stored.person,
        institution=stored.institution,
        state=state,
        overdue=due is not None and due < today,
        received_on=stored.received_on,
        answer_due=stored.answer_due,
        answered_on=stored.answered_on,
        outcome=stored.outcome,
        reason=stored.reason,
        carry_out_due=stored.carry_out_due,
        carried_out_on=stored.carried_out_on,
        positions=stored.positions,
        private=private,
    )
