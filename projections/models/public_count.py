"""The public count as tables: every disclosure with the span of log sizes in which it was the last of its incident.

Folded from the leaves alone; the stored events, which hold private codes, are never read. What a disclosure adds to
each unit is computed once, by the definition's own code. At the end of each release, what it changed is summed into
cells, so that a question, at the head or as of any earlier size (``public_figures``), judges and sums some thousand
cells and what was disclosed since.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from uuid import UUID

from projections.counting.contribution import contribution, deaths_by_sex, exclusion
from projections.counting.disclosure import Disclosure, NexusScope, parse
from projections.counting.fold import read_adoption
from projections.tables import Connection
from registry.log.canonical import encode
from registry.log.leaf import OpenLeaf, parse_leaf
from registry.sql import load_queries
from registry.store.records import Recorded

_SQL = load_queries("projections.models", "public_count.sql")

_ENTRY = b'"type":"entry","v":1}'
"""How the canonical JSON of an entry leaf, and of no other, ends. Most leaves say nothing else to those who count."""


class PublicCount:
    """Keeps the schema ``public_count`` up with the log."""

    name = "public_count"
    version = 1

    async def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        disclosed: list[tuple[int, Disclosure]] = []
        for event in events:
            if event.leaf.endswith(_ENTRY):
                continue
            leaf = parse_leaf(event.leaf)
            if not isinstance(leaf, OpenLeaf):
                continue
            if leaf.type == "incident.disclosed":
                disclosed.append((event.position, parse(leaf.public)))
            elif leaf.type == "release.published":
                await _disclose(connection, disclosed)
                disclosed.clear()
                await connection.execute(_SQL["close"], event.position + 1)
            elif leaf.type in ("definition.adopted", "policy.adopted"):
                adoption = read_adoption(event.position, leaf.public)
                await connection.execute(
                    _SQL["adopt"], adoption.position, leaf.type, adoption.id, adoption.sha256
                )
        await _disclose(connection, disclosed)


async def _disclose(connection: Connection, disclosed: Sequence[tuple[int, Disclosure]]) -> None:
    """Several disclosures of one incident may come in one batch: each ends where the next one stands."""
    if not disclosed:
        return
    first: dict[UUID, int] = {}
    following: dict[int, int | None] = {}
    last: dict[UUID, int] = {}
    for position, disclosure in disclosed:
        incident = UUID(disclosure.incident)
        first.setdefault(incident, position)
        if incident in last:
            following[last[incident]] = position
        last[incident] = position
    await connection.execute(_SQL["supersede"], list(first), list(first.values()))
    await connection.executemany(
        _SQL["disclose"], [_columns(position, following.get(position), item) for position, item in disclosed]
    )
    deaths = chain.from_iterable(_deaths(position, item) for position, item in disclosed)
    await connection.executemany(_SQL["deaths"], list(deaths))


def _columns(position: int, superseded_at: int | None, disclosure: Disclosure) -> tuple[object, ...]:
    by_nexus: list[object] = []
    for nexus in NexusScope:
        by_nexus.append([number for bounds in contribution(disclosure, nexus).values() for number in bounds])
        by_nexus.append(exclusion(disclosure, nexus))
    return (
        position,
        superseded_at,
        UUID(disclosure.incident),
        disclosure.incident_class.value,
        disclosure.status.value,
        None if disclosure.merged_into is None else UUID(disclosure.merged_into),
        disclosure.certainty.value,
        disclosure.disputed,
        _shown(disclosure, "tally"),
        disclosure.year,
        disclosure.month,
        disclosure.state,
        disclosure.municipality,
        disclosure.kind,
        _shown(disclosure, "sex"),
        *by_nexus,
    )


def _shown(disclosure: Disclosure, name: str) -> str | None:
    facet = disclosure.facets[name]
    return None if facet.sealed else encode(facet.value).decode()


def _deaths(position: int, disclosure: Disclosure) -> Iterable[tuple[int, str, str | None, int, int, int]]:
    for nexus in NexusScope:
        for sex, bounds in deaths_by_sex(disclosure, nexus).items():
            yield position, nexus.value, sex, *bounds
