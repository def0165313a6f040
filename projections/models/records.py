"""Which records there are: whose, of what kind, when they last changed. What listings are made from.

And which events each institution sees without asking for a record: those of its own, and those that are open to all.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg

from projections.tables import Connection, columns
from registry.domain.assignment import Assignment
from registry.domain.event import Event
from registry.domain.mapper import EVENTS, NIL_REPORT, decode_event, noun_of
from registry.domain.report import Report
from registry.sql import load_queries
from registry.store import Recorded

MAX_PAGE = 500

EVERYBODY: Final = UUID(int=0)
"""Stands for all institutions where a row is everybody's."""

_SQL = load_queries("projections.models", "records.sql")
_OWNED = frozenset({Assignment.NOUN, Report.NOUN, NIL_REPORT})


class RecordsProjection:
    """Keeps ``records.streams`` and ``records.visible``."""

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
                owner = owner_of(noun, event)
            streams[recorded.stream_id] = (noun, owner, created, recorded.position, event.recorded)
        await connection.execute(_SQL["store"], list(streams), *columns(streams.values()))
        owned = await connection.fetch(_SQL["owners"], list(streams))
        owners: dict[UUID, UUID] = {row["stream_id"]: row["institution"] for row in owned}
        visible = [
            (EVERYBODY if EVENTS[recorded.type].OPEN else owners.get(recorded.stream_id), recorded.position)
            for recorded in events
        ]
        if known := [row for row in visible if row[0] is not None]:
            await connection.execute(_SQL["store_visible"], *columns(known))


def owner_of(noun: str, event: Event) -> UUID | None:
    """Whose a record of this kind is that begins with this event; None for what belongs to all."""
    return event.by.institution if noun in _OWNED else None


class Visible(NamedTuple):
    """Positions that an institution sees. Of the log from ``reached`` on nothing is known here yet."""

    positions: list[int]
    reached: int


async def visible(
    connection: Connection | asyncpg.Pool, institution: UUID, after: int, before: int, limit: int
) -> Visible:
    """The first of its positions from ``after`` on and below ``before``."""
    row = await connection.fetchrow(_SQL["visible"], institution, after, before, limit, EVERYBODY)
    return Visible([], 0) if row is None else Visible(row["positions"], row["reached"])


async def last_visible(connection: Connection | asyncpg.Pool, institution: UUID) -> Visible:
    """The last of its positions, if it has any."""
    row = await connection.fetchrow(_SQL["last_visible"], institution, EVERYBODY)
    if row is None:
        return Visible([], 0)
    return Visible([] if row["last"] is None else [row["last"]], row["reached"])


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
