"""Questions about the tables of ``public_count``, each answered by one statement, at the head or as of any size.

A statement is put together for what a question filters by and breaks down by, once, and prepared by each connection; it
reads the cells of the coarsest grain that tells all of that apart, judges them, and sums. It must equal
``projections.counting`` for every question: a property test says so.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import asyncpg

from projections.counting.contribution import Reason
from projections.counting.count import Cell, Count, assemble
from projections.counting.disclosure import NOTHING, Bounds
from projections.counting.query import CountQuery, Dimension, Unit
from projections.models import standing
from projections.models.standing import Standing
from projections.tables import Connection
from registry.domain.codes import KINDS
from registry.sql import load_queries

STATEMENTS_KEPT: Final = 1_000
"""Texts of statements; there are more kinds of questions, but few are asked."""

_SQL = load_queries("projections.models", "public_figures.sql")

_CLASSED: Final = frozenset({Dimension.CLASS, Dimension.CERTAINTY})
_GRAINS: Final = (
    _CLASSED,
    frozenset({Dimension.YEAR, Dimension.STATE}),
    _CLASSED | {Dimension.YEAR, Dimension.STATE, Dimension.KIND},
    _CLASSED | {Dimension.YEAR, Dimension.STATE, Dimension.MONTH},
    _CLASSED | {Dimension.YEAR, Dimension.STATE, Dimension.MUNICIPALITY},
)
"""What the cells of each grain tell apart, the coarsest first."""

_OFFSETS: Final = {unit: 3 * number for number, unit in enumerate(Unit)}
"""Where the numbers of each unit begin in a contribution."""


class _Filter(NamedTuple):
    """A field that a question may filter by: the dimension that tells it, and its parameters, each by the name that
    the block of the same name gives it, with its type. ``values`` of these, from what the question gives the field."""

    told_by: Dimension
    parameters: Mapping[str, str]
    values: Callable[[Any], Sequence[object]]


def _classes_of(kinds: Sequence[str]) -> list[str]:
    return [name for name, members in KINDS.items() if not members.isdisjoint(kinds)]


_FILTERS: Final = {
    "classes": _Filter(Dimension.CLASS, {"$classes": "text[]"}, lambda codes: [codes]),
    "kinds": _Filter(
        Dimension.KIND,
        {"$kinds": "text[]", "$their_classes": "text[]"},
        lambda codes: [codes, _classes_of(codes)],
    ),
    "states": _Filter(Dimension.STATE, {"$states": "text[]"}, lambda codes: [codes]),
    "municipalities": _Filter(
        Dimension.MUNICIPALITY,
        {"$municipalities": "text[]", "$their_states": "text[]"},
        lambda codes: [codes, sorted({code[:2] for code in codes})],
    ),
    "period": _Filter(Dimension.YEAR, {"$first": "text", "$last": "text"}, lambda period: period),
}
_FIXED: Final = 5
"""Parameters that every statement has: size, both versions, nexus, unit."""


class _Shape(NamedTuple):
    """What decides the text of a statement; ``by_month``: whether the period begins or ends in the midst of a year."""

    group_by: tuple[Dimension, ...]
    filters: tuple[str, ...]
    by_month: bool

    @classmethod
    def of(cls, query: CountQuery) -> "_Shape":
        filters = tuple(name for name in _FILTERS if getattr(query, name) is not None)
        return cls(query.group_by, filters, query.period is not None and not query.period.whole_years)

    @property
    def grain(self) -> int | None:
        needed = {*self.group_by, *(_FILTERS[name].told_by for name in self.filters)}
        if self.by_month:
            needed.add(Dimension.MONTH)
        return next((number for number, told in enumerate(_GRAINS) if needed <= told), None)


class _Cells(dict[str | None, Cell]):
    """The coordinates of one dimension by their values, which come again in every table."""

    def __init__(self, dimension: Dimension) -> None:
        super().__init__()
        self._dimension = dimension

    def __missing__(self, value: str | None) -> Cell:
        cell = self[value] = Cell.of(self._dimension, value)
        return cell


_CELLS: Final = {dimension: _Cells(dimension) for dimension in Dimension}


async def answer(connection: Connection, query: CountQuery, size: int | None) -> tuple[Standing, Count]:
    """``count``, as of the latest checkpoint if ``size`` is None, and in the same statement what it is given with.

    Raises as ``standing``.
    """
    told, *lines = await _lines(connection, query, size)
    return standing.read(told[0]), _summed(query, lines)


async def count(connection: Connection, query: CountQuery, size: int) -> Count:
    """The answer as of ``size``, equal to folding the first ``size`` leaves. Check ``standing`` first."""
    return _summed(query, (await _lines(connection, query, size))[1:])


async def matching(connection: Connection, query: CountQuery, size: int) -> int:
    """How many incidents ``public_incidents.page`` lists for the same question."""
    statement = _statement(_Shape.of(query.whole()), matches=True)
    lines = (await connection.fetch(statement, *_parameters(query, size)))[1:]
    # By place: the line that comes first names no column that is broken down by.
    return sum(line[2] for line in lines if line[-1] and line[1] != Reason.NO_IN_SCOPE_VICTIM)


def grain(query: CountQuery) -> int | None:
    """The coarsest cells that tell apart all that a question filters by or breaks down by; None if none do."""
    return _Shape.of(query).grain


def _summed(query: CountQuery, lines: Sequence[asyncpg.Record]) -> Count:
    """From the lines of “answer”, after its first."""
    excluded = [(Reason(line[1]), line[2]) for line in lines if line[1] is not None and line[2]]
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


async def _lines(connection: Connection, query: CountQuery, size: int | None) -> list[asyncpg.Record]:
    return await connection.fetch(_statement(_Shape.of(query)), *_parameters(query, size))


@lru_cache(maxsize=STATEMENTS_KEPT)
def _statement(shape: _Shape, *, matches: bool = False) -> str:
    """Names of columns come from this program, values are parameters.

    :param matches: break down by whether the open facets prove that an incident belongs, and by nothing else.
    """
    verdicts = [f"({_SQL[f'by_{name}']})" for name in shape.filters]
    # LEAST and GREATEST of one are that one.
    verdict = f"greatest({', '.join(verdicts)})" if verdicts else "1"
    names = ["matches"] if matches else [dimension.lower() for dimension in shape.group_by]
    # Of what is excluded, only the reason is told.
    shown = {
        name: f"{verdict} = 1" if matches else f"CASE WHEN excluded IS NULL THEN {name} END" for name in names
    }
    put_in = {
        "$shown": "".join(f", {column} AS {name}" for name, column in shown.items()),
        "$names": "".join(f", {name}" for name in names),
        "$nulls": ", NULL" * len(names),
        "$excluded": f"coalesce(never, {_SQL['reason']})" if verdicts else "never",
        "$belongs": f"least({', '.join(verdicts)}) > 0" if verdicts else "true",
        "$verdict": verdict,
        "$source": _SQL[_source(shape)],
        "$standing": standing.SQL["standing"],
        "$told": standing.SQL["told"],
        "$grain": str(shape.grain),
    }
    given = [item for name in shape.filters for item in _FILTERS[name].parameters.items()]
    put_in |= {name: f"${number}::{kind}" for number, (name, kind) in enumerate(given, _FIXED + 1)}
    statement = _SQL["answer"]
    for name, text in put_in.items():
        statement = statement.replace(name, text)
    return statement


def _source(shape: _Shape) -> str:
    if Dimension.SEX in shape.group_by:
        return "from_the_dead"
    return "from_disclosures" if shape.grain is None else "from_cells"


def _parameters(query: CountQuery, size: int | None) -> list[object]:
    """In the order in which ``_statement`` numbers them."""
    given: list[object] = [size, *standing.VERSIONS, query.nexus.value, _OFFSETS[query.unit]]
    for name in _Shape.of(query).filters:
        given += _FILTERS[name].values(getattr(query, name))
    return given
