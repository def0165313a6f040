"""Where students serve, and when: how many are assigned to a municipality in a period. Private."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import asyncpg

from projections.runner import Connection
from registry.domain.assignment import AssignmentEnded, AssignmentRegistered, AssignmentRelocated
from registry.domain.mapper import decode_event
from registry.domain.site import SiteRegistered
from registry.sql import load_queries
from registry.store import Recorded

_SQL = load_queries("projections.models", "placements.sql")


class PlacementsProjection:
    """Keeps ``placements.stays``."""

    name = "placements"
    version = 1

    async def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """One statement per site or assignment event; others are none of its business."""
        for recorded in events:
            if not recorded.type.startswith(("site.", "assignment.")):
                continue
            match decode_event(recorded.type, recorded.state):
                case SiteRegistered() as event:
                    await connection.execute(_SQL["add_site"], event.originator_id, event.cvegeo)
                case AssignmentRegistered() as event:
                    await connection.execute(
                        _SQL["add_stay"],
                        event.originator_id,
                        event.starts,
                        event.planned_end,
                        event.site,
                        event.student,
                        event.promotion,
                    )
                case AssignmentRelocated() as event:
                    await connection.execute(_SQL["relocate"], event.originator_id, event.effective, event.to)
                case AssignmentEnded() as event:
                    await connection.execute(_SQL["end"], event.originator_id, event.on)


class Crowd(NamedTuple):
    """Students of one municipality between two days, both included."""

    cvegeo: str
    first: date
    last: date


async def students(connection: Connection | asyncpg.Pool, crowds: Sequence[Crowd]) -> dict[Crowd, int]:
    """How many distinct students were assigned to each."""
    rows = await connection.fetch(
        _SQL["students"],
        [crowd.cvegeo for crowd in crowds],
        [crowd.first for crowd in crowds],
        [crowd.last for crowd in crowds],
    )
    return {Crowd(row["cvegeo"], row["first"], row["last"]): row["students"] for row in rows}


async def promotions(
    connection: Connection | asyncpg.Pool, people: Sequence[str]
) -> dict[str, frozenset[str]]:
    """The promotions of some students, by pseudonym; the unknown are absent."""
    rows = await connection.fetch(_SQL["promotions"], people)
    return {row["student"]: frozenset(row["promotions"]) for row in rows}
