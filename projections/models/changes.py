"""What releases changed, between two sizes of the log or in the life of an incident, read from the leaves themselves.

The tables of ``public_count`` say where the disclosures stand; what one changed is the pure difference of two leaves
(``projections.counting.changes``), so that anybody who has the leaves finds the same.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

import asyncpg

from projections.counting.changes import Change, changes
from projections.counting.disclosure import Disclosure, parse
from projections.errors import ProjectionStopped
from projections.tables import Connection
from registry.log.leaf import OpenLeaf, parse_leaf
from registry.sql import load_queries

_SQL = load_queries("projections.models", "changes.sql")
_OLDEST_FIRST = _SQL["between"].replace("$order", "ASC")
_NEWEST_FIRST = _SQL["between"].replace("$order", "DESC")


class Place(NamedTuple):
    """Where a change stands: the leaf, and which of its changes, from 0."""

    position: int
    number: int


class RecordedChange(NamedTuple):
    """A change with the leaf that made it. ``recorded`` is the leaf's UTC date."""

    place: Place
    recorded: date
    incident: UUID
    change: Change


async def between(
    connection: Connection, since: int, until: int, *, after: Place | None, limit: int
) -> list[RecordedChange]:
    """The next ``limit`` changes, behind ``after``, made by the leaves from ``since`` on and before ``until``."""
    found: list[RecordedChange] = []
    position = since if after is None else max(since, after.position)
    while len(found) < limit:
        rows = await connection.fetch(_OLDEST_FIRST, position, until, limit)
        for row in rows:
            found += [one for one in _made_by(row) if after is None or one.place > after]
        if len(rows) < limit:
            break
        position = rows[-1]["position"] + 1
    return found[:limit]


async def backwards(
    connection: Connection, until: int, *, after: Place | None, limit: int
) -> list[RecordedChange]:
    """The next ``limit`` changes, behind ``after``, made by the leaves before ``until``: the newest leaf first, and of
    each its changes in their order."""
    found: list[RecordedChange] = []
    position = until if after is None else min(until, after.position + 1)
    while len(found) < limit:
        rows = await connection.fetch(_NEWEST_FIRST, 0, position, limit)
        for row in rows:
            found += [
                one
                for one in _made_by(row)
                if after is None or one.place.position < after.position or one.place > after
            ]
        if len(rows) < limit:
            break
        position = rows[-1]["position"]
    return found[:limit]


async def newest(connection: Connection, size: int, limit: int) -> list[list[RecordedChange]]:
    """What the last ``limit`` disclosures as of ``size`` changed, the newest first; each with all its changes."""
    return [list(_made_by(row)) for row in await connection.fetch(_NEWEST_FIRST, 0, size, limit)]


async def histories(
    connection: Connection, incidents: Sequence[UUID], size: int
) -> dict[UUID, list[RecordedChange]]:
    """Every change of these incidents as of ``size``, the oldest first, by one statement."""
    found: dict[UUID, list[RecordedChange]] = {incident: [] for incident in incidents}
    last: dict[UUID, Disclosure] = {}
    for row in await connection.fetch(_SQL["histories"], size, list(found)):
        incident = row["incident"]
        recorded, disclosure = _read(row["position"], row["leaf"])
        found[incident] += _recorded(row["position"], recorded, last.get(incident), disclosure)
        last[incident] = disclosure
    return found


def _made_by(row: asyncpg.Record) -> Iterator[RecordedChange]:
    """The changes of a leaf, from its row and the leaf before of the same incident in it."""
    before = None if row["before"] is None else _read(row["position"], row["before"])[1]
    recorded, disclosure = _read(row["position"], row["leaf"])
    return _recorded(row["position"], recorded, before, disclosure)


def _read(position: int, data: bytes) -> tuple[date, Disclosure]:
    leaf = parse_leaf(data)
    if not isinstance(leaf, OpenLeaf):
        raise ProjectionStopped("public_count", position, "a disclosure stands where the log has none")
    return leaf.recorded, parse(leaf.public)


def _recorded(
    position: int, recorded: date, before: Disclosure | None, after: Disclosure
) -> Iterator[RecordedChange]:
    for number, change in enumerate(changes(before, after)):
        yield RecordedChange(Place(position, number), recorded, UUID(after.incident), change)
