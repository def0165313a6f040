"""Which records there are: whose, of what kind, when they last changed. What listings are made from."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from projections.tables import Connection, columns
from registry.domain.assignment import Assignment
from registry.domain.event import Event
from registry.domain.mapper import NIL_REPORT, decode_event, noun_of
from registry.domain.report import Report
from registry.sql import load_queries
from registry.store import Recorded

MAX_PAGE = 500

_SQL = load_queries("projections.models", "records.sql")
_OWNED = frozenset({Assignment.NOUN, Report.NOUN, NIL_REPORT})


class RecordsProjection:
    """Keeps ``records.streams``."""

    name = "records"
    version = 1

    async def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """One upsert per batch: a stream's first event of the batch creates it, its last one dates it."""
        streams: dict[UUID, tuple[str, UUID | None, int, int, datetime]] = {}
        for recorded in events:
            event = decode_event(recorded.type, recorded.state)
            if recorded.stream_id in streams:
                noun, owner, created, *_ = streams[recorded.stream_id]
            else:
                noun, created = noun_of(recorded.type), recorded.position
                owner = _owner(noun, event)
            streams[recorded.stream_id] = (noun, owner, created, recorded.position, event.recorded)
        await connection.execute(_SQL["store"], list(streams), *columns(streams.values()))


def _owner(noun: str, event: Event) -> UUID | None:
    return event.by.institution if noun in _OWNED else None


class Listed(NamedTuple):
    """One page of ids, and where the next one starts (None: no more)."""

    ids: list[UUID]
    next: int | None


async def listed(
    connection: Connection | asyncpg.Pool,
    noun: str,
    *,
    institution: UUID | None,
    updated_after: datetime | None,
    after: int,
    limit: int,
) -> Listed:
    """Records of a kind in the order in which they were made.

    ``institution`` None lists everybody's: only for callers who may see them. ``after`` is the ``next`` of the page
    before, 0 at first.
    """
    size = min(limit, MAX_PAGE)
    rows = await connection.fetch(_SQL["page"], noun, institution, updated_after, after, size + 1)
    return Listed(
        [row["stream_id"] for row in rows[:size]], rows[size - 1]["created"] + 1 if len(rows) > size else None
    )
