"""Which institutions answered for which quarter. Private; a release publishes yes or no, never how many."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

import asyncpg

from projections.tables import Connection, columns
from registry.domain.claims import When
from registry.domain.codes import InstitutionKind
from registry.domain.institution import InstitutionRegistered
from registry.domain.mapper import decode_event
from registry.domain.report_events import (
    AttackReported,
    NilReported,
    RelocationReported,
    ReportAmended,
    ReportWithdrawn,
    ThreatReported,
)
from registry.log.canonical import JSON
from registry.sql import load_queries
from registry.store import Recorded

QUARTERS_LISTED = 4
"""A release speaks of the quarters that closed last, a year of them: late answers still show."""

_SQL = load_queries("projections.models", "answers.sql")
_CHANGING = frozenset({ReportAmended.TOPIC, ReportWithdrawn.TOPIC})


class AnswersProjection:
    """Keeps ``answers.expected`` and ``answers.answered``."""

    name = "answers"
    version = 1

    async def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """A report answers for the quarters that it is about; without a date, for the one it came in."""
        expected: list[tuple[UUID, date]] = []
        about = [event.stream_id for event in events if event.type in _CHANGING]
        known = await connection.fetch(_SQL["answers_of"], about) if about else []
        answering = {
            row["report"]: _Answer(row["institution"], row["received"], frozenset(row["quarters"]))
            for row in known
        }
        changed: set[UUID] = set()
        for recorded in events:
            if not recorded.type.endswith((".registered", ".reported")) and recorded.type not in _CHANGING:
                continue
            report = recorded.stream_id
            match decode_event(recorded.type, recorded.state):
                case InstitutionRegistered(kind=InstitutionKind.UNIVERSITY) as event:
                    expected.append((event.originator_id, event.recorded.date()))
                    continue
                case NilReported() as event:
                    answering[report] = _Answer(event.institution, event.quarter, frozenset({event.quarter}))
                case (ThreatReported() | AttackReported() | RelocationReported()) as event:
                    received = _quarter(event.recorded.date())
                    answering[report] = _Answer(event.institution, received, _quarters(event.when, received))
                case ReportAmended() as event if report in answering:
                    quarters = _quarters(event.claims.when, answering[report].received)
                    answering[report] = answering[report]._replace(quarters=quarters)
                case ReportWithdrawn() if report in answering:
                    del answering[report]
                case _:
                    continue
            changed.add(report)
        if expected:
            await connection.execute(_SQL["expect"], *columns(expected))
        if changed:
            await connection.execute(_SQL["retract"], list(changed))
        rows = [
            (report, answer.institution, answer.received, quarter)
            for report in sorted(changed & answering.keys())
            for answer in [answering[report]]
            for quarter in sorted(answer.quarters)
        ]
        if rows:
            await connection.execute(_SQL["answer"], *columns(rows))


class _Answer(NamedTuple):
    """What a report that stands answers for; ``received`` is the quarter it came in."""

    institution: UUID
    received: str
    quarters: frozenset[str]


async def answers(connection: Connection | asyncpg.Pool, on: date) -> tuple[dict[str, JSON], ...]:
    """Each expected institution × each of the last quarters that closed while it was expected."""
    closed = _closed_quarters(on)
    rows = await connection.fetch(
        _SQL["answers"], [quarter for quarter, _ in closed], [last for _, last in closed]
    )
    return tuple(
        {
            "institution": str(row["institution"]),
            "quarter": row["quarter"],
            "answer": "ANSWERED" if row["answered"] else "NOT_ANSWERED",
        }
        for row in rows
    )


def _quarters(when: When | None, received: str) -> frozenset[str]:
    if when is None:
        return frozenset({received})
    return frozenset({_quarter(when.earliest or when.latest), _quarter(when.latest)})


def _quarter(day: date) -> str:
    return f"{day.year:04d}-Q{(day.month + 2) // 3}"


def _closed_quarters(on: date) -> list[tuple[str, date]]:
    """The last quarters that ended before ``on``, with their last days."""
    first = date(on.year, 3 * ((on.month - 1) // 3) + 1, 1)
    closed = []
    for _ in range(QUARTERS_LISTED):
        last = date.fromordinal(first.toordinal() - 1)
        closed.append((_quarter(last), last))
        first = date(last.year, last.month - 2, 1)
    return closed
