"""``national-count/1`` applied: the last disclosures of a log and a question in, a count out.

Every disclosed incident is exactly one of three: counted, excluded with one reason, or proved by its open facets to
lie outside the question. The rows of a breakdown sum to the whole, component by component.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from projections.counting.contribution import Reason, counted, deaths_by_sex, exclusion
from projections.counting.disclosure import NOTHING, Bounds, Disclosure
from projections.counting.match import Verdict, judge
from projections.counting.query import CountQuery, Dimension
from registry.domain.codes import UNKNOWN
from registry.log.canonical import JSON


class CellState(StrEnum):
    """KNOWN: the value is open. UNKNOWN: nobody knows it. UNDISCLOSED: it is not open to the public."""

    KNOWN = "KNOWN"
    UNKNOWN = "UNKNOWN"
    UNDISCLOSED = "UNDISCLOSED"


class Cell(NamedTuple):
    """One coordinate of a row. ``value`` is set exactly when the state is KNOWN."""

    dimension: Dimension
    state: CellState
    value: str | None

    @classmethod
    def of(cls, dimension: Dimension, value: str | None) -> "Cell":
        """From a facet's value, None where it is sealed."""
        if value is None:
            return cls(dimension, CellState.UNDISCLOSED, None)
        if value == UNKNOWN:
            return cls(dimension, CellState.UNKNOWN, None)
        return cls(dimension, CellState.KNOWN, value)


class Row(NamedTuple):
    """One line of a breakdown."""

    key: tuple[Cell, ...]
    bounds: Bounds


class Exclusion(NamedTuple):
    """How many incidents were left out of a count for one reason."""

    reason: Reason
    incidents: int


class Count(NamedTuple):
    """The answer to a CountQuery. ``disputed`` of the counted incidents are disputed by an institution."""

    bounds: Bounds
    disputed: int
    excluded: tuple[Exclusion, ...]
    rows: tuple[Row, ...]

    def canonical(self) -> dict[str, JSON]:
        """The answer as the JSON object that certificates carry."""
        return {
            **_numbers(self.bounds),
            "disputed": self.disputed,
            "excluded": [
                {"incidents": item.incidents, "reason": item.reason.value} for item in self.excluded
            ],
            "rows": [
                {
                    "key": [
                        {"dimension": cell.dimension.value, "state": cell.state.value, "value": cell.value}
                        for cell in row.key
                    ],
                    **_numbers(row.bounds),
                }
                for row in self.rows
            ],
        }


def count(disclosures: Iterable[Disclosure], query: CountQuery) -> Count:
    """Count what the last disclosure of each incident shows. The order of the disclosures plays no part."""
    whole, disputed = NOTHING, 0
    excluded: Counter[Reason] = Counter()
    rows: dict[tuple[Cell, ...], Bounds] = {}
    filtered = query.filtered
    for disclosure in disclosures:
        verdict = judge(disclosure, query) if filtered else Verdict.MATCH
        if verdict is Verdict.OUTSIDE:
            continue
        reason = exclusion(disclosure, query.nexus)
        if reason is None and verdict is not Verdict.MATCH:
            reason = Reason[verdict.name]
        if reason is not None:
            excluded[reason] += 1
            continue
        added = counted(disclosure, query.nexus, query.unit)
        whole = whole.plus(added)
        disputed += disclosure.disputed
        if query.group_by:
            for key, bounds in _parts(disclosure, query, added):
                rows[key] = rows.get(key, NOTHING).plus(bounds)
    return assemble(whole, disputed, excluded.items(), rows.items())


def assemble(
    whole: Bounds,
    disputed: int,
    excluded: Iterable[tuple[Reason, int]],
    rows: Iterable[tuple[tuple[Cell, ...], Bounds]],
) -> Count:
    """Put an answer into its one order: reasons by name, rows by key, and no row that is zero throughout."""
    return Count(
        bounds=whole,
        disputed=disputed,
        excluded=tuple(Exclusion(*item) for item in sorted(excluded)),
        rows=_in_order([row for row in map(Row._make, rows) if row.bounds.high > 0]),
    )


def _in_order(rows: list[Row]) -> tuple[Row, ...]:
    """By one dimension after the other, the last first, since sorting keeps what is equal in the order it has.

    Tables are long, and comparing whole keys takes twice as long.
    """
    order = list(range(len(rows)))
    for column in reversed(list(zip(*[row.key for row in rows], strict=True))):
        places = list(map(_place, column))
        order.sort(key=places.__getitem__)
    return tuple([rows[number] for number in order])


@lru_cache(maxsize=10_000)
def _place(cell: Cell) -> str:
    """Known values by their code, then unknown, then undisclosed: the first character says which."""
    return "2" if cell.state is CellState.UNDISCLOSED else "1" if cell.value is None else f"0{cell.value}"


def _parts(
    disclosure: Disclosure, query: CountQuery, added: Bounds
) -> Iterator[tuple[tuple[Cell, ...], Bounds]]:
    """The rows that one counted incident adds to: one, or with SEX one for each sex of its dead."""
    by_sex = Dimension.SEX in query.group_by
    parts = deaths_by_sex(disclosure, query.nexus) if by_sex else {None: added}
    for sex, bounds in parts.items():
        key = tuple(Cell.of(dimension, _value(disclosure, dimension, sex)) for dimension in query.group_by)
        yield key, bounds


def _value(disclosure: Disclosure, dimension: Dimension, sex: str | None) -> str | None:
    match dimension:
        case Dimension.CLASS:
            return disclosure.incident_class.value
        case Dimension.KIND:
            return disclosure.kind
        case Dimension.YEAR:
            return disclosure.year
        case Dimension.MONTH:
            return disclosure.month
        case Dimension.STATE:
            return disclosure.state
        case Dimension.MUNICIPALITY:
            return disclosure.municipality
        case Dimension.CERTAINTY:
            return disclosure.certainty.value
        case Dimension.SEX:
            return sex


def _numbers(bounds: Bounds) -> dict[str, JSON]:
    return {"low": bounds.low, "best": bounds.best, "high": bounds.high}
