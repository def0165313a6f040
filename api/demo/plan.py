"""What a plan is made of: writes that know each other by name, in batches with a simulated time, and releases."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from registry.application.execution.unit import Decision

MONTHS: Final = 36
"""The length of the plan: twelve quarters, each followed by its release."""

OPERATOR: Final = ""
"""Stands for the operator of the register where a write names who sends it."""

Ids = Mapping[str, UUID]
"""The ids that the register gave, by the name of the write that made the record."""


class Write(NamedTuple):
    """One write. ``name`` is also its source_record_id, by which a later start finds it again.

    ``by`` is the name of the write that registered the sending institution. ``decide`` may look up the ids that
    earlier batches made.
    """

    name: str
    by: str
    decide: Callable[[Ids], Decision]


def without_ids(decision: Decision) -> Callable[[Ids], Decision]:
    """What ``decide`` is for a decision that looks up nothing."""
    return lambda _ids: decision


class Batch(NamedTuple):
    """Writes of one moment, none of which needs the id of another."""

    at: datetime
    writes: tuple[Write, ...]


class Release(NamedTuple):
    """A release at a moment."""

    at: datetime


Step = Batch | Release


def beginning(now: datetime) -> date:
    """The first day of the last three years of whole quarters; the plan ends where the quarter of ``now`` begins."""
    # A day's distance, because the last steps lie within the first hour of the quarter.
    yesterday = (now - timedelta(days=1)).date()
    return date(yesterday.year - MONTHS // 12, (yesterday.month - 1) // 3 * 3 + 1, 1)


def month(begin: date, number: int) -> date:
    """The first day of the month ``number`` months after that of ``begin``."""
    years, index = divmod(begin.month - 1 + number, 12)
    return date(begin.year + years, index + 1, 1)


def month_of(begin: date, day: date) -> int:
    """Which month of the plan a day lies in; negative before its beginning."""
    return (day.year - begin.year) * 12 + day.month - begin.month


def moment(begin: date, number: int, day: int, hour: int = 12, minute: int = 0) -> datetime:
    """A time (UTC) in month ``number`` of the plan."""
    first = month(begin, number)
    return datetime(first.year, first.month, day, hour, minute, tzinfo=UTC)
