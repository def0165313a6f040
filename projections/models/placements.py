"""Where students serve, and when: how many are assigned to a municipality in a period. Private."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg

from projections.tables import Connection, columns
from registry.domain.assignment_events import AssignmentEnded, AssignmentRegistered, AssignmentRelocated
from registry.domain.event import Event
from registry.domain.mapper import decode_event
from registry.domain.site import SiteRegistered
from registry.sql import load_queries
from registry.store import Recorded

ONE_DAY: Final = timedelta(days=1)
"""The last day of an assignment, planned or not, is a day of service."""

_SQL = load_queries("projections.models", "placements.sql")


class PlacementsProjection:
    """Keeps ``placements.stays``."""

    name = "placements"
    version = 1

    async def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Folds the stays that a batch is about, from those under way before it; four statements whatever its size."""
        decoded = [
            decode_event(recorded.type, recorded.state)
            for recorded in events
            if recorded.type.startswith(("site.", "assignment."))
        ]
        sites = [
            (event.originator_id, event.cvegeo) for event in decoded if isinstance(event, SiteRegistered)
        ]
        if sites:
            await connection.execute(_SQL["add_sites"], *columns(sites))
        moves = [event for event in decoded if not isinstance(event, SiteRegistered)]
        if not moves:
            return
        known = await connection.fetch(_SQL["places"], list({site for site in map(_site, moves) if site}))
        before = await connection.fetch(_SQL["current"], list({event.originator_id for event in moves}))
        stays = _fold(moves, [Stay(*row) for row in before], {row["site"]: row["cvegeo"] for row in known})
        await connection.execute(_SQL["store"], *columns(stays))


class Stay(NamedTuple):
    """A row of ``placements.stays``: from ``since`` (included) until ``until`` (excluded)."""

    assignment: UUID
    since: date
    until: date
    cvegeo: str
    student: str
    promotion: str


def _fold(moves: Sequence[Event], before: Sequence[Stay], places: Mapping[UUID, str]) -> list[Stay]:
    """The stays that the moves make or change. KeyError for a site or an assignment that was never registered."""
    current = {stay.assignment: stay for stay in before}
    changed: dict[tuple[UUID, date], Stay] = {}

    def put(stay: Stay) -> None:
        current[stay.assignment] = changed[stay.assignment, stay.since] = stay

    for event in moves:
        assignment = event.originator_id
        match event:
            case AssignmentRegistered():
                until = event.planned_end + ONE_DAY
                place = places[event.site]
                put(Stay(assignment, event.starts, until, place, event.student, event.promotion))
            case AssignmentRelocated():
                # The stay under way ends on the day on which the next begins; one of no day at all is replaced.
                stay = current[assignment]
                put(stay._replace(until=event.effective))
                until = max(stay.until, event.effective)
                put(stay._replace(since=event.effective, until=until, cvegeo=places[event.to]))
            case AssignmentEnded():
                put(current[assignment]._replace(until=event.on + ONE_DAY))
    return list(changed.values())


def _site(event: Event) -> UUID | None:
    match event:
        case AssignmentRegistered(site=site) | AssignmentRelocated(to=site):
            return site
    return None


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
