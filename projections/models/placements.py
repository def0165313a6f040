"""Where students serve, and when: how many are assigned to a municipality in a period. Private.

An assignment is folded by the domain's own code, so that a correction moves what was counted before; of what it says
stand the days on which the student is present: stays without suspensions, from a day (included) until a day (excluded).
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from projections.tables import Connection, columns
from registry.domain.assignment import Assignment
from registry.domain.mapper import AGGREGATES, decode_event
from registry.domain.site import SiteRegistered
from registry.sql import load_queries
from registry.store import Recorded

_SQL = load_queries("projections.models", "placements.sql")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Assignment).decode


class PlacementsProjection:
    """Keeps ``placements.assignments`` and ``placements.stays``."""

    name = "placements"
    version = 1

    async def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Folds the assignments that a batch is about from how they stood before it; a few statements in all."""
        sites = [
            (event.stream_id, decoded.cvegeo)
            for event in events
            if event.type == SiteRegistered.TOPIC
            and isinstance(decoded := decode_event(event.type, event.state), SiteRegistered)
        ]
        if sites:
            await connection.execute(_SQL["add_sites"], *columns(sites))
        relevant = [event for event in events if AGGREGATES.get(event.type) is Assignment]
        if not relevant:
            return
        rows = await connection.fetch(_SQL["some"], list({event.stream_id for event in relevant}))
        folded = {row["assignment"]: _decode(row["state"]) for row in rows}
        changed: dict[UUID, int] = {}
        for event in relevant:
            assignment = folded.setdefault(event.stream_id, Assignment(id=event.stream_id))
            assignment.fold(decode_event(event.type, event.state))
            changed[event.stream_id] = event.position
        await connection.execute(
            _SQL["store"],
            *columns(
                (one.id, one.student, one.service.promotion, changed[one.id], _encode(one))
                for one in folded.values()
            ),
        )
        await self._place(connection, list(folded.values()))

    async def _place(self, connection: Connection, assignments: Sequence[Assignment]) -> None:
        """Puts the stays of these assignments in place of those that they had."""
        present = [(one, one.service.presence()) for one in assignments]
        known = await connection.fetch(
            _SQL["places"], list({stay.site for _, stays in present for stay in stays})
        )
        places: Mapping[UUID, str] = {row["site"]: row["cvegeo"] for row in known}
        await connection.execute(_SQL["clear"], [one.id for one in assignments])
        # KeyError for a site that was never registered: the event that says so stops the projection.
        stays = [
            (one.id, stay.since, stay.until, places[stay.site], one.student)
            for one, stays in present
            for stay in stays
        ]
        if stays:
            await connection.execute(_SQL["place"], *columns(stays))


class Crowd(NamedTuple):
    """Students of one municipality between two days, both included."""

    cvegeo: str
    first: date
    last: date


async def students(connection: Connection | asyncpg.Pool, crowds: Sequence[Crowd]) -> dict[Crowd, int]:
    """How many distinct students were assigned to each, and not suspended all the while."""
    rows = await connection.fetch(
        _SQL["students"],
        [crowd.cvegeo for crowd in crowds],
        [crowd.first for crowd in crowds],
        [crowd.last for crowd in crowds],
    )
    return {Crowd(row["cvegeo"], row["first"], row["last"]): row["students"] for row in rows}


async def changed_places(connection: Connection | asyncpg.Pool, position: int) -> list[str]:
    """Municipalities in which assignments that events from a position on are about have their student."""
    return [row["cvegeo"] for row in await connection.fetch(_SQL["changed"], position)]


async def promotions(
    connection: Connection | asyncpg.Pool, people: Sequence[str]
) -> dict[str, frozenset[str]]:
    """The promotions that some students were assigned in, by pseudonym; the unknown are absent.

    Also those of assignments that never took place: what waits for the end of a promotion does not wait less because
    of what became of the student.
    """
    rows = await connection.fetch(_SQL["promotions"], people)
    return {row["student"]: frozenset(row["promotions"]) for row in rows}
