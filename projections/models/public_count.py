"""The public count as tables: every disclosure with the span of log sizes in which it was the last of its incident.

Folded from the leaves alone; the stored events, which hold private codes, are never read. What a disclosure adds to
each unit is computed once, by the definition's own code. At the end of each release, what it changed is summed into
cells, so that a question, at the head or as of any earlier size, is one statement that judges and sums some thousand
cells and what was disclosed since. It must equal ``projections.counting`` for every question: a property test says so.
"""

from base64 import b64decode
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg
import orjson

from projections.counting.contribution import Reason, contribution, deaths_by_sex, exclusion
from projections.counting.count import Cell, Count, assemble
from projections.counting.definition import DEFINITION_ID, definition_sha256
from projections.counting.disclosure import NOTHING, Bounds, Disclosure, NexusScope, parse
from projections.counting.fold import read_adoption
from projections.counting.query import CountQuery, Dimension, Unit
from projections.errors import CatchingUp, DefinitionNotAdopted, NotPublishedYet, ProjectionStopped
from projections.models.checkpoints import PublishedCheckpoint
from projections.models.waiting import Waiting
from projections.tables import Connection
from registry.domain.codes import KINDS
from registry.log.canonical import encode
from registry.log.leaf import OpenLeaf, parse_leaf
from registry.sql import load_queries
from registry.store.records import Recorded

_SQL = load_queries("projections.models", "public_count.sql")

_ENTRY = b'"type":"entry","v":1}'
"""How the canonical JSON of an entry leaf, and of no other, ends. Most leaves say nothing else to those who count."""


_CLASSED: Final = frozenset({Dimension.CLASS, Dimension.CERTAINTY})
_GRAINS: Final = (
    _CLASSED,
    frozenset({Dimension.YEAR, Dimension.STATE}),
    _CLASSED | {Dimension.YEAR, Dimension.STATE, Dimension.KIND},
    _CLASSED | {Dimension.YEAR, Dimension.STATE, Dimension.MONTH},
    _CLASSED | {Dimension.YEAR, Dimension.STATE, Dimension.MUNICIPALITY},
)
"""What the cells of each grain tell apart, the coarsest first."""

_NO_GRAIN: Final = -1

_COUNT: Final = {
    number: _SQL["count"].replace("$grain", str(number)) for number in (_NO_GRAIN, *range(len(_GRAINS)))
}
"""The statement for each grain: what is planned once for all questions fits the cells that it reads."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BITS: Final = {dimension: 1 << number for number, dimension in enumerate(Dimension)}
_OFFSETS: Final = {unit: 3 * number for number, unit in enumerate(Unit)}
"""Where the numbers of each unit begin in a contribution."""


class _Cells(dict[str | None, Cell]):
    """The coordinates of one dimension by their values, which come again in every table."""

    def __init__(self, dimension: Dimension) -> None:
        super().__init__()
        self._dimension = dimension

    def __missing__(self, value: str | None) -> Cell:
        cell = self[value] = Cell.of(self._dimension, value)
        return cell


_CELLS: Final = {dimension: _Cells(dimension) for dimension in Dimension}


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


class Standing(NamedTuple):
    """What every count as of one size is given with. ``checkpoint`` is None where none of that size was published."""

    checkpoint: PublishedCheckpoint | None
    waiting: int


async def standing(connection: Connection, size: int | None = None) -> Standing:
    """Check that counts as of ``size`` can be given; as of the latest checkpoint if it is None.

    Raises NotPublishedYet while there is none, CatchingUp or ProjectionStopped while the tables do not cover that size,
    or are of another version than this program, and DefinitionNotAdopted where the log counts by another definition.
    """
    (row,) = await connection.fetch(_SQL["standing"], size, PublicCount.version, Waiting.version)
    return _standing(dict(row), None if row["root"] is None else PublishedCheckpoint(*row[:4]))


async def answer(connection: Connection, query: CountQuery, size: int | None) -> tuple[Standing, Count]:
    """``standing`` and ``count``, as of the latest checkpoint if ``size`` is None. Raises as both.

    In one statement; in another one if nothing is filtered and the checkpoint lies within a release, which is rare.
    """
    if _filters_nothing(query):
        told, *cells = await connection.fetch(
            _whole(query), size, query.nexus.value, _OFFSETS[query.unit], PublicCount.version, Waiting.version
        )
        row = orjson.loads(told[0])
        found = _standing(row, _checkpoint(row))
        return found, await count(connection, query, row["size"]) if row["apart"] else _summed(query, cells)
    lines = await _lines(connection, query, size)
    (said,) = [line["excluded"] for line in lines if line["is_row"] is None]
    row = orjson.loads(said)
    return _standing(row, _checkpoint(row)), _counted(query, lines)


async def count(connection: Connection, query: CountQuery, size: int) -> Count:
    """The answer as of ``size``, equal to folding the first ``size`` leaves. Check ``standing`` first."""
    return _counted(query, await _lines(connection, query, size))


def _checkpoint(row: Mapping[str, Any]) -> PublishedCheckpoint | None:
    if row["root"] is None:
        return None
    published_at = _EPOCH + timedelta(microseconds=row["published_at"])
    return PublishedCheckpoint(row["size"], b64decode(row["root"]), row["note"], published_at)


def _standing(row: Mapping[str, Any], checkpoint: PublishedCheckpoint | None) -> Standing:
    asked: int | None = row["size"]
    if asked is None:
        raise NotPublishedYet
    reached = row["reached"] if row["ours"] == 2 else 0
    if reached < asked:
        if row["stopped"] is not None:
            raise ProjectionStopped(row["stopped"], reached)
        raise CatchingUp(asked, reached)
    ours = f"{DEFINITION_ID} {definition_sha256()}"
    if row["definition"] != ours:
        raise DefinitionNotAdopted(asked, row["definition"], ours)
    return Standing(checkpoint, row["waiting"])


def _counted(query: CountQuery, lines: Sequence[asyncpg.Record]) -> Count:
    whole, disputed = NOTHING, 0
    excluded: Counter[Reason] = Counter()
    rows: list[tuple[tuple[Cell, ...], Bounds]] = []
    names = [(_CELLS[dimension], dimension.lower()) for dimension in query.group_by]
    for line in lines:
        bounds = Bounds(line["low"], line["best"], line["high"])
        if line["is_row"]:
            rows.append((tuple([known[line[name]] for known, name in names]), bounds))
        elif line["is_row"] is None:
            continue
        elif line["excluded"] is None:
            whole, disputed = bounds, line["disputed"]
        else:
            excluded[Reason(line["excluded"])] = line["incidents"]
    return assemble(whole, disputed, excluded.items(), rows)


def _summed(query: CountQuery, lines: Sequence[asyncpg.Record]) -> Count:
    """From the lines of “whole”, after its first."""
    excluded = [(Reason(line[1]), line[2]) for line in lines if line[1] is not None]
    counted = [line for line in lines if line[1] is None]
    if not counted:
        return assemble(NOTHING, 0, excluded, ())
    _, _, _, disputed, low, best, high, *values = zip(*counted, strict=True)
    # Column by column, without a step of Python for each value: tables are long.
    keys = [
        map(_CELLS[name].__getitem__, column) for name, column in zip(query.group_by, values, strict=True)
    ]
    rows = zip(zip(*keys, strict=True), map(Bounds, low, best, high), strict=True) if keys else ()
    return assemble(Bounds(sum(low), sum(best), sum(high)), sum(disputed), excluded, rows)


async def matching(connection: Connection, query: CountQuery, size: int) -> int:
    """How many incidents ``public_incidents.page`` lists for the same question."""
    lines = await _lines(connection, query.whole(), size)
    return sum(line["matching"] for line in lines if line["excluded"] != Reason.NO_IN_SCOPE_VICTIM)


def grain(query: CountQuery) -> int:
    """The coarsest cells that tell apart all that a question filters by or breaks down by; -1 if none do."""
    needed = set(query.group_by)
    if query.classes is not None:
        needed.add(Dimension.CLASS)
    if query.kinds is not None:
        needed.add(Dimension.KIND)
    if query.states is not None:
        needed.add(Dimension.STATE)
    if query.municipalities is not None:
        needed.add(Dimension.MUNICIPALITY)
    if query.period is not None:
        needed.add(Dimension.YEAR if query.period.whole_years else Dimension.MONTH)
    return next((number for number, told in enumerate(_GRAINS) if needed <= told), _NO_GRAIN)


def _filters_nothing(query: CountQuery) -> bool:
    """Whether the cells answer it without a verdict on each of them."""
    filters = (query.classes, query.kinds, query.states, query.municipalities, query.period)
    return all(given is None for given in filters) and grain(query) != _NO_GRAIN


@lru_cache(maxsize=len(_BITS) ** 2)
def _whole(query: CountQuery) -> str:
    names = [dimension.lower() for dimension in query.group_by]
    statement = _SQL["whole"].replace("$grain", str(grain(query)))
    statement = statement.replace("$names", "".join(f", {name}" for name in names))
    # Of what is excluded, only the reason is told.
    shown = "".join(f", CASE WHEN excluded = '' THEN nullif({name}, '') END AS {name}" for name in names)
    return statement.replace("$shown", shown).replace("$nulls", ", NULL" * len(names))


async def _lines(connection: Connection, query: CountQuery, size: int | None) -> list[asyncpg.Record]:
    return await connection.fetch(
        _COUNT[grain(query)],
        size,
        query.nexus.value,
        _OFFSETS[query.unit],
        query.classes,
        query.kinds,
        query.states,
        query.municipalities,
        query.period.first if query.period else None,
        query.period.last if query.period else None,
        sum(_BITS[dimension] for dimension in query.group_by),
        None
        if query.kinds is None
        else [name for name, kinds in KINDS.items() if not kinds.isdisjoint(query.kinds)],
        None if query.municipalities is None else sorted({code[:2] for code in query.municipalities}),
        PublicCount.version,
        Waiting.version,
    )


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
