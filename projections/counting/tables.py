"""The counts as flat tables, for spreadsheets and statistics programs: what a mirror publishes beside the log.

Every number follows from the leaves by ``national-count/1``. A facet that is not open is UNDISCLOSED in its cell, one
that nobody knows is UNKNOWN, so any selection of rows of one unit and nexus may be summed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

from projections.counting.count import Cell, CellState, Count
from projections.counting.disclosure import NexusScope
from projections.counting.fold import Fold
from projections.counting.query import CountQuery, Dimension, Unit, ask
from registry.text import Text

Value: TypeAlias = str | int
"""What a cell holds: a code, or a number of incidents, victims or deaths."""

DIMENSIONS: Final = (
    Dimension.CLASS,
    Dimension.KIND,
    Dimension.YEAR,
    Dimension.MONTH,
    Dimension.STATE,
    Dimension.MUNICIPALITY,
    Dimension.CERTAINTY,
)
"""Sex is left out: it is published of the dead only, and GraphQL answers it."""


class Kind(StrEnum):
    """What a column holds, in the words of Frictionless Table Schema."""

    STRING = "string"
    INTEGER = "integer"
    BOOLEAN = "boolean"


class Column(NamedTuple):
    name: str
    kind: Kind
    about: Text


class Table(NamedTuple):
    """``rows`` have a value for every column, in one order that follows from the leaves alone."""

    name: str
    about: Text
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]


class Shape(NamedTuple):
    """A table without its rows: ``rows`` are those that follow from one of ``questions`` and its answer, in order."""

    name: str
    about: Text
    columns: tuple[Column, ...]
    questions: tuple[CountQuery, ...]
    rows: Callable[[CountQuery, Count], Iterable[tuple[Value, ...]]]


UNIT: Final = Column(
    "unit",
    Kind.STRING,
    Text("INCIDENTS, VICTIMISATIONS (víctimas) o DEATHS (muertes)", "INCIDENTS, VICTIMISATIONS or DEATHS"),
)
NEXUS: Final = Column(
    "nexus",
    Kind.STRING,
    Text(
        "STRICT: en servicio, traslado, vivienda o trayecto. BROAD lo incluye y agrega fuera de servicio",
        "STRICT: on duty, in transfer, in quarters, commuting. BROAD includes it and adds off duty",
    ),
)
BOUNDS: Final = (
    Column("low", Kind.INTEGER, Text("Mínimo: lo confirmado", "Low: what is confirmed")),
    Column("best", Kind.INTEGER, Text("Mejor: agrega lo probable", "Best: adds what is probable")),
    Column("high", Kind.INTEGER, Text("Máximo: agrega lo posible", "High: adds what is possible")),
)
ABOUT_DIMENSIONS: Final[Mapping[Dimension, Text]] = {
    Dimension.CLASS: Text("ATTACK (agresión) o THREAT (amenaza)", "ATTACK or THREAT"),
    Dimension.KIND: Text("Tipo", "Kind"),
    Dimension.YEAR: Text("Año en que ocurrió", "Year of occurrence"),
    Dimension.MONTH: Text("Mes en que ocurrió, AAAA-MM", "Month of occurrence, YYYY-MM"),
    Dimension.STATE: Text("Clave INEGI de la entidad, dos cifras", "INEGI code of the state, two digits"),
    Dimension.MUNICIPALITY: Text(
        "Clave INEGI del municipio, cinco cifras", "INEGI code of the municipality, five digits"
    ),
    Dimension.CERTAINTY: Text("Certeza", "Certainty"),
    Dimension.SEX: Text("Sexo de las personas muertas", "Sex of the dead"),
}


def _totals(query: CountQuery, counted: Count) -> Iterator[tuple[Value, ...]]:
    yield query.unit.value, query.nexus.value, *counted.bounds, counted.disputed


def _counts(query: CountQuery, counted: Count) -> Iterator[tuple[Value, ...]]:
    for key, bounds in counted.rows:
        yield query.unit.value, query.nexus.value, *map(shown, key), *bounds


def _excluded(query: CountQuery, counted: Count) -> Iterator[tuple[Value, ...]]:
    for reason, incidents in counted.excluded:
        yield query.nexus.value, reason.value, incidents


def shown(cell: Cell) -> str:
    """What a cell of a table holds for a coordinate."""
    return cell.value if cell.state is CellState.KNOWN and cell.value is not None else cell.state.value


SHAPES: Final = (
    Shape(
        "totals",
        Text("Totales nacionales", "National totals"),
        (
            UNIT,
            NEXUS,
            *BOUNDS,
            Column(
                "disputed",
                Kind.INTEGER,
                Text("Incidentes contados que alguna institución disputa", "Counted incidents in dispute"),
            ),
        ),
        tuple(ask(unit, nexus=nexus) for unit in Unit for nexus in NexusScope),
        _totals,
    ),
    Shape(
        "counts",
        Text("Todos los desgloses a la vez", "All breakdowns at once"),
        (
            UNIT,
            NEXUS,
            *(
                Column(dimension.lower(), Kind.STRING, ABOUT_DIMENSIONS[dimension])
                for dimension in DIMENSIONS
            ),
            *BOUNDS,
        ),
        tuple(ask(unit, nexus=nexus, group_by=DIMENSIONS) for unit in Unit for nexus in NexusScope),
        _counts,
    ),
    Shape(
        "excluded",
        Text("Incidentes que no se cuentan, por motivo", "Incidents that are not counted, by reason"),
        (
            NEXUS,
            Column("reason", Kind.STRING, Text("Motivo", "Reason")),
            Column("incidents", Kind.INTEGER, Text("Número de incidentes", "Number of incidents")),
        ),
        tuple(ask(nexus=nexus) for nexus in NexusScope),
        _excluded,
    ),
)


def tables(fold: Fold) -> tuple[Table, ...]:
    """The counts as of ``fold.size``."""
    return tuple(
        Table(
            shape.name,
            shape.about,
            shape.columns,
            tuple(row for query in shape.questions for row in shape.rows(query, fold.count(query))),
        )
        for shape in SHAPES
    )
