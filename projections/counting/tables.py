"""The counts as flat tables, for spreadsheets and statistics programs: what a mirror publishes beside the log.

Every number follows from the leaves by ``national-count/1``. A facet that is not open is UNDISCLOSED in its cell, one
that nobody knows is UNKNOWN, so any selection of rows of one unit and nexus may be summed.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

from projections.counting.count import Cell, CellState
from projections.counting.disclosure import NexusScope
from projections.counting.fold import Fold
from projections.counting.query import Dimension, Unit, ask
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


_UNIT = Column(
    "unit",
    Kind.STRING,
    Text("INCIDENTS, VICTIMISATIONS (víctimas) o DEATHS (muertes)", "INCIDENTS, VICTIMISATIONS or DEATHS"),
)
_NEXUS = Column(
    "nexus",
    Kind.STRING,
    Text(
        "STRICT: en servicio, traslado, vivienda o trayecto. BROAD lo incluye y agrega fuera de servicio",
        "STRICT: on duty, in transfer, in quarters, commuting. BROAD includes it and adds off duty",
    ),
)
_BOUNDS = (
    Column("low", Kind.INTEGER, Text("Mínimo: lo confirmado", "Low: what is confirmed")),
    Column("best", Kind.INTEGER, Text("Mejor: agrega lo probable", "Best: adds what is probable")),
    Column("high", Kind.INTEGER, Text("Máximo: agrega lo posible", "High: adds what is possible")),
)
_ABOUT_DIMENSIONS = {
    Dimension.CLASS: Text("ATTACK (agresión) o THREAT (amenaza)", "ATTACK or THREAT"),
    Dimension.KIND: Text("Tipo", "Kind"),
    Dimension.YEAR: Text("Año en que ocurrió", "Year of occurrence"),
    Dimension.MONTH: Text("Mes en que ocurrió, AAAA-MM", "Month of occurrence, YYYY-MM"),
    Dimension.STATE: Text("Clave INEGI de la entidad, dos cifras", "INEGI code of the state, two digits"),
    Dimension.MUNICIPALITY: Text(
        "Clave INEGI del municipio, cinco cifras", "INEGI code of the municipality, five digits"
    ),
    Dimension.CERTAINTY: Text("Certeza", "Certainty"),
}


def tables(fold: Fold) -> tuple[Table, ...]:
    """The counts as of ``fold.size``."""
    return (
        Table(
            "totals",
            Text("Totales nacionales", "National totals"),
            (
                _UNIT,
                _NEXUS,
                *_BOUNDS,
                Column(
                    "disputed",
                    Kind.INTEGER,
                    Text(
                        "Incidentes contados que alguna institución disputa", "Counted incidents in dispute"
                    ),
                ),
            ),
            tuple(_totals(fold)),
        ),
        Table(
            "counts",
            Text("Todos los desgloses a la vez", "All breakdowns at once"),
            (
                _UNIT,
                _NEXUS,
                *(
                    Column(dimension.lower(), Kind.STRING, _ABOUT_DIMENSIONS[dimension])
                    for dimension in DIMENSIONS
                ),
                *_BOUNDS,
            ),
            tuple(_counts(fold)),
        ),
        Table(
            "excluded",
            Text("Incidentes que no se cuentan, por motivo", "Incidents that are not counted, by reason"),
            (
                _NEXUS,
                Column("reason", Kind.STRING, Text("Motivo", "Reason")),
                Column("incidents", Kind.INTEGER, Text("Número de incidentes", "Number of incidents")),
            ),
            tuple(_excluded(fold)),
        ),
    )


def _totals(fold: Fold) -> Iterator[tuple[Value, ...]]:
    for unit in Unit:
        for nexus in NexusScope:
            counted = fold.count(ask(unit, nexus=nexus))
            yield unit.value, nexus.value, *counted.bounds, counted.disputed


def _counts(fold: Fold) -> Iterator[tuple[Value, ...]]:
    for unit in Unit:
        for nexus in NexusScope:
            for key, bounds in fold.count(ask(unit, nexus=nexus, group_by=DIMENSIONS)).rows:
                yield unit.value, nexus.value, *map(_shown, key), *bounds


def _excluded(fold: Fold) -> Iterator[tuple[Value, ...]]:
    for nexus in NexusScope:
        for reason, incidents in fold.count(ask(nexus=nexus)).excluded:
            yield nexus.value, reason.value, incidents


def _shown(cell: Cell) -> str:
    return cell.value if cell.state is CellState.KNOWN and cell.value is not None else cell.state.value
