"""Incidents as folded from their events: what a release decides on. Private.

Beside each stands what the ladder compares of it, so that a release finds those that may change, and counts the others,
without reading them all.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from projections.tables import Connection, columns
from registry.disclosure.combinations import COMPARED, Combination, comparable, ordered
from registry.disclosure.facets import FACETS, Facets, Findings, facets_of
from registry.disclosure.ladder import distinct_victims, stands
from registry.domain.codes import IncidentStatus
from registry.domain.incident import Incident
from registry.domain.incident_events import IncidentDisclosed
from registry.domain.mapper import AGGREGATES, decode_event
from registry.sql import load_queries
from registry.store import Recorded

_SQL = load_queries("projections.models", "incidents.sql")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Incident).decode
_ENOUGH: Final = 64
"""Members of a crowd that are read at first: more than any k, since one person may be the victim of several."""


class IncidentsProjection:
    """Keeps ``incidents.folded`` and ``incidents.compared``."""

    name = "incidents"
    version = 1

    async def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Folds the incident events of a batch into their aggregates."""
        relevant = [event for event in events if AGGREGATES.get(event.type) is Incident]
        if not relevant:
            return
        rows = await connection.fetch(_SQL["some"], list({event.stream_id for event in relevant}))
        folded = {row["incident"]: _decode(row["state"]) for row in rows}
        changed = dict.fromkeys((event.stream_id for event in relevant), 0)
        for event in relevant:
            incident = folded.setdefault(event.stream_id, Incident(id=event.stream_id))
            decoded = decode_event(event.type, event.state)
            incident.fold(decoded)
            # What a release shows needs no second look, but for what it sealed anew, which the next may open.
            if not isinstance(decoded, IncidentDisclosed) or decoded.disclosure["reason"] is not None:
                changed[event.stream_id] = event.position
        await keep(connection, folded.values(), changed)


async def keep(connection: Connection, folded: Collection[Incident], changed: Mapping[UUID, int]) -> None:
    """Puts these incidents in place of what is known of them. ``changed``: the position to look at anew from, or 0."""
    await connection.execute(
        _SQL["store"],
        [incident.id for incident in folded],
        [incident.ever_possible for incident in folded],
        [_encode(incident) for incident in folded],
    )
    compared = [_compared(incident, changed[incident.id]) for incident in folded if incident.ever_possible]
    if compared:
        await connection.execute(_SQL["compare"], *columns(compared))


class Decided(NamedTuple):
    """How far releases have looked: up to a position of the log, under the policy of this SHA-256 (hex)."""

    position: int
    policy: str


def facets(incident: Incident) -> Facets:
    """Its facets as found now."""
    return facets_of(incident.incident_class, incident.victims, findings(incident))


def findings(incident: Incident) -> Findings:
    """What reviewers found, as the ladder takes it."""
    return Findings(
        kind=incident.kind,
        when=incident.when,
        where=incident.where,
        already_public=incident.already_public,
        family_agrees=incident.family_agrees,
    )


def status(incident: Incident) -> str:
    """Whether it stands by itself, as leaves say it; how certain it is stands beside."""
    if incident.status in (IncidentStatus.MERGED, IncidentStatus.RETRACTED):
        return incident.status.value
    return "ACTIVE"


async def ever_possible(connection: Connection | asyncpg.Pool) -> list[Incident]:
    """All incidents that are, or were, POSSIBLE or better, by id."""
    return [_decode(row["state"]) for row in await connection.fetch(_SQL["ever_possible"])]


async def these(connection: Connection | asyncpg.Pool, ids: Collection[UUID]) -> list[Incident]:
    """Some of them, by id."""
    return [_decode(row["state"]) for row in await connection.fetch(_SQL["these"], list(ids))]


async def changed(
    connection: Connection | asyncpg.Pool, position: int, municipalities: Sequence[str]
) -> set[UUID]:
    """Those that events from a position on are about, or whose place became known to have other students."""
    rows = await connection.fetch(_SQL["changed"], position, municipalities)
    return {row["incident"] for row in rows}


async def below(connection: Connection | asyncpg.Pool, combinations: Iterable[Combination]) -> set[UUID]:
    """Those that would be in one of these crowds if they showed more than they do."""
    found: set[UUID] = set()
    for path, lists in _by_path(combinations):
        rows = await connection.fetch(_SQL["below"], path, *lists.columns)
        found.update(row["incident"] for row in rows)
    return found


async def crowds(
    connection: Connection | asyncpg.Pool, needs: Mapping[Combination, int], without: Collection[UUID]
) -> dict[Combination, list[frozenset[str]]]:
    """The distinct victims of each incident that shows a combination; of large crowds as many as prove its k."""
    found = await _crowds(connection, needs, without, _ENOUGH)
    short = {
        combination: needs[combination]
        for combination, members in found.items()
        if len(members) == _ENOUGH and len(frozenset().union(*members)) < needs[combination]
    }
    return found | (await _crowds(connection, short, without, None) if short else {})


async def decided(connection: Connection | asyncpg.Pool) -> Decided | None:
    """Where the last release has looked up to; None if that is not known."""
    row = await connection.fetchrow(_SQL["decided"])
    return None if row is None or row["position"] is None else Decided(row["position"], row["policy"])


async def reached(connection: Connection | asyncpg.Pool, models: Sequence[str]) -> int:
    """The position that all of some models cover."""
    position: int = await connection.fetchval(_SQL["reached"], models)
    return position


async def remember(pool: asyncpg.Pool, decided: Decided) -> None:
    """After a release, so that the next looks only at what is new."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_SQL["forget"])
        await connection.execute(_SQL["decide"], *decided)


async def _crowds(
    connection: Connection | asyncpg.Pool,
    combinations: Iterable[Combination],
    without: Collection[UUID],
    limit: int | None,
) -> dict[Combination, list[frozenset[str]]]:
    found: dict[Combination, list[frozenset[str]]] = {}
    for path, lists in _by_path(combinations):
        rows = await connection.fetch(_SQL["crowd"], path, *lists.columns, list(without), limit)
        for row in rows:
            found.setdefault(lists.combinations[row["number"] - 1], []).append(frozenset(row["persons"]))
    return found


class _Lists(NamedTuple):
    combinations: list[Combination]
    columns: list[list[str | None]]


def _by_path(combinations: Iterable[Combination]) -> Iterable[tuple[list[str], _Lists]]:
    """Combinations of one path at a time, and their values in the order of the table's columns."""
    by_path = sorted(combinations, key=lambda one: ordered(one.path))
    for names, group in groupby(by_path, key=lambda one: ordered(one.path)):
        alike = list(group)
        values = [
            {"class": one.incident_class, "year": one.year, **dict(zip(names, one.values, strict=True))}
            for one in alike
        ]
        yield list(names), _Lists(alike, [[one.get(name) for one in values] for name in ("class", *COMPARED)])


def _compared(incident: Incident, changed: int) -> tuple[object, ...]:
    values = comparable(incident.incident_class, facets(incident))
    shown = (incident.disclosure or {}).get("facets", {})
    return (
        incident.id,
        changed,
        *(values[name] for name in ("class", *COMPARED)),
        msgspec.json.encode([name for name in FACETS if "value" in shown.get(name, ())]).decode(),
        stands(status(incident), incident.certainty, disputed=incident.disputed),
        msgspec.json.encode(sorted(distinct_victims(incident.id, incident.victims))).decode(),
    )
