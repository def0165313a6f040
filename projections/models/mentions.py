"""Which records ever mentioned a site, a person or an incident: where to look for what happened before. Private.

An index and nothing more: what was said once and corrected since stays in it, and whoever asks reads the records as
they are now. So it only ever grows, whatever an event means.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from projections.tables import Connection, columns
from registry.domain.assignment import Assignment
from registry.domain.assignment_events import AssignmentCorrected
from registry.domain.event import Event
from registry.domain.incident import Incident
from registry.domain.mapper import AGGREGATES, decode_event
from registry.domain.report import Report
from registry.sql import load_queries
from registry.store import Recorded

_SQL = load_queries("projections.models", "mentions.sql")

_MENTIONING: Final = (Assignment, Report, Incident)

_NAMED: Final = {
    "site": "site",
    "to": "site",
    "person": "person",
    "student": "person",
    "trigger_incident": "incident",
    "into": "incident",
}
"""The fields of events that name somebody or something, and which kind of subject."""


class MentionsProjection:
    """Keeps ``mentions.records``."""

    name = "mentions"
    version = 1

    async def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """One statement per batch."""
        found = {
            (subject, event.stream_id, aggregate.NOUN)
            for event in events
            if (aggregate := AGGREGATES.get(event.type)) in _MENTIONING
            for subject in _subjects(decode_event(event.type, event.state))
        }
        if found:
            await connection.execute(_SQL["mention"], *columns(found))


class Mention(NamedTuple):
    """``noun`` is the kind of record: report, incident or assignment."""

    record: UUID
    noun: str


def site(site_id: UUID) -> str:
    """The subject that a site is."""
    return f"site:{site_id}"


def person(pseudonym: str) -> str:
    """The subject that a person is."""
    return f"person:{pseudonym}"


def incident(incident_id: UUID) -> str:
    """The subject that an incident is, where it triggered something or took in another incident."""
    return f"incident:{incident_id}"


async def mentions(connection: Connection | asyncpg.Pool, subjects: Sequence[str]) -> list[Mention]:
    """The records that ever mentioned any of the subjects, by id."""
    return [Mention(*row) for row in await connection.fetch(_SQL["of"], subjects)]


def _subjects(event: Event) -> Iterator[str]:
    if isinstance(event, AssignmentCorrected):
        if event.new is not None and event.field in _NAMED:
            yield f"{_NAMED[event.field]}:{event.new}"
        return
    yield from _walk(msgspec.to_builtins(event))


def _walk(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, str):
                if name in _NAMED:
                    yield f"{_NAMED[name]}:{item}"
            else:
                yield from _walk(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _walk(item)
