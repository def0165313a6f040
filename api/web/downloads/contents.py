"""What can be taken away: the counts that the explorer shows, the incidents that lists show, and what the codes mean.

A cell is a code, UNKNOWN (nobody knows) or UNDISCLOSED (not public yet), as in a mirror; the column beside it says it
in words. Rows come in pieces, so that a long table is never held as a whole.
"""

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

from api import labels
from api.counts.answer import Answer
from api.web.figures import cell_label, value_label
from api.web.visit import Visit
from projections.counting.count import CellState
from projections.counting.disclosure import FACETS
from projections.counting.query import CountQuery, Dimension
from projections.counting.tables import ABOUT_DIMENSIONS, BOUNDS, NEXUS, UNIT, Column, Kind, Value, shown
from projections.models import public_incidents
from projections.models.public_incidents import DisclosedIncident
from registry.catalogs import states
from registry.text import Language, Text

Row: TypeAlias = tuple[Value | None, ...]
Rows: TypeAlias = AsyncIterator[Sequence[Row]]

PIECE: Final = 1_000
"""Rows that are held at once."""


class Content(NamedTuple):
    """A table to be written."""

    name: str
    about: Text
    columns: tuple[Column, ...]
    rows: Rows


def counts(visit: Visit, answer: Answer) -> Content:
    """A row for each line of a breakdown, which sum to the total; a single row without one."""
    columns = [UNIT, NEXUS]
    for dimension in answer.query.group_by:
        columns += _labelled(dimension.lower(), ABOUT_DIMENSIONS[dimension])
    about = Text("El conteo que se preguntó", "The count that was asked for")
    return Content("counts", about, (*columns, *BOUNDS), pieces(_counted(answer, visit.language)))


def incidents(visit: Visit, query: CountQuery) -> Content:
    """The disclosed incidents that belong to a question, also those that count nothing, in the order of their ids."""
    about = Text(
        "Los incidentes publicados que pertenecen a la pregunta, también los que no se cuentan",
        "The disclosed incidents that belong to the question, also those that are not counted",
    )
    return Content("incidents", about, INCIDENT_COLUMNS, _incidents(visit, query))


async def pieces(rows: Iterator[Row]) -> Rows:
    """Of rows that are there already."""
    piece: list[Row] = []
    for row in rows:
        piece.append(row)
        if len(piece) == PIECE:
            yield piece
            piece = []
    if piece:
        yield piece


def _labelled(name: str, about: Text) -> tuple[Column, Column]:
    """A column of codes and the one that says them in words."""
    words = Text(f"Lo que dice «{name}», en palabras", f"What “{name}” says, in words")
    return Column(name, Kind.STRING, about), Column(f"{name}_label", Kind.STRING, words)


def _counted(answer: Answer, language: Language) -> Iterator[Row]:
    asked = (answer.query.unit.value, answer.query.nexus.value)
    if not answer.query.group_by:
        yield (*asked, *answer.counted.bounds)
        return
    for key, bounds in answer.counted.rows:
        cells = (text for cell in key for text in (shown(cell), cell_label(cell).in_(language)))
        yield (*asked, *cells, *bounds)


_SCOPES: Final = tuple((what, scope) for what in ("victims", "deaths") for scope in ("strict", "broad"))
_WHAT: Final = {"victims": Text("Víctimas", "Victims"), "deaths": Text("Muertes", "Deaths")}


def _number(what: str, scope: str, bound: str) -> Column:
    about = _WHAT[what]
    said = f"{scope.upper()}, {bound}"
    return Column(
        f"{what}_{scope}_{bound}",
        Kind.INTEGER,
        Text(f"{about.es}, {said}; vacío: aún no es público", f"{about.en}, {said}; empty: not public yet"),
    )


INCIDENT_COLUMNS: Final = (
    Column("incident", Kind.STRING, Text("Clave del incidente", "Id of the incident")),
    Column("position", Kind.INTEGER, Text("Hoja que lo publicó por última vez", "Leaf that disclosed it last")),
    *_labelled("class", ABOUT_DIMENSIONS[Dimension.CLASS]),
    *_labelled("status", labels.FIELDS["status"]),
    Column("merged_into", Kind.STRING, Text("Incidente al que se unió", "Incident that it was merged into")),
    *_labelled("certainty", ABOUT_DIMENSIONS[Dimension.CERTAINTY]),
    Column("disputed", Kind.BOOLEAN, Text("Alguna institución lo disputa", "An institution disputes it")),
    *(_number(what, scope, bound) for what, scope in _SCOPES for bound in ("low", "best", "high")),
    Column("year", Kind.STRING, ABOUT_DIMENSIONS[Dimension.YEAR]),
    Column("month", Kind.STRING, ABOUT_DIMENSIONS[Dimension.MONTH]),
    *_labelled("state", ABOUT_DIMENSIONS[Dimension.STATE]),
    *_labelled("kind", ABOUT_DIMENSIONS[Dimension.KIND]),
    *_labelled("municipality", ABOUT_DIMENSIONS[Dimension.MUNICIPALITY]),
    Column(
        "sex",
        Kind.STRING,
        Text(
            "Sexo de las personas muertas: NOT_APPLICABLE si no las hubo, o JSON con mínimo, mejor y máximo",
            "Sex of the dead: NOT_APPLICABLE where nobody died, or JSON with low, best and high",
        ),
    ),
)  # fmt: skip


async def _incidents(visit: Visit, query: CountQuery) -> Rows:
    after = None
    while True:
        async with visit.site.backing.pool.acquire() as connection:
            found = await public_incidents.page(connection, query, visit.size, after=after, limit=PIECE)
        yield [_incident(one, visit.language) for one in found]
        if len(found) < PIECE:
            return
        after = found[-1].id


def _incident(one: DisclosedIncident, language: Language) -> Row:
    facets = dict(zip(FACETS, one.facets, strict=True))
    tally = None if facets["tally"] is None else json.loads(facets["tally"])

    def coded(name: str, value: str | None) -> tuple[str, str]:
        return _code(value), _label(name, value).in_(language)

    return (
        str(one.id),
        one.position,
        *coded("class", one.class_),
        one.standing,
        labels.STATUSES[one.standing].in_(language),
        None if one.merged_into is None else str(one.merged_into),
        *coded("certainty", one.certainty),
        one.disputed,
        *(
            None if tally is None else tally[scope][what][place]
            for what, scope in _SCOPES
            for place in range(3)
        ),
        _code(facets["year"]),
        _code(facets["month"]),
        *coded("state", facets["state"]),
        *coded("kind", facets["kind"]),
        *coded("municipality", facets["municipality"]),
        _code(facets["sex"]).strip('"'),
    )


def _code(value: str | None) -> str:
    return CellState.UNDISCLOSED.value if value is None else value


def _label(name: str, value: str | None) -> Text:
    return labels.UNDISCLOSED_CELL if value is None else value_label(name.upper(), value)


CODE_COLUMNS: Final = (
    Column("field", Kind.STRING, Text("Columna", "Column")),
    Column("code", Kind.STRING, Text("Código", "Code")),
    Column("es", Kind.STRING, Text("En español", "In Spanish")),
    Column("en", Kind.STRING, Text("En inglés", "In English")),
)


def codes() -> Content:
    """What every code of the other tables is called, in both languages."""
    about = Text("Los códigos y lo que significan", "The codes and what they mean")
    return Content("codes", about, CODE_COLUMNS, pieces(_codes()))


def _codes() -> Iterator[Row]:
    for field, named in (
        ("unit", labels.UNITS),
        ("nexus", labels.NEXUS),
        ("class", labels.CLASSES),
        ("kind", labels.KINDS),
        ("state", {code: labels.state(code) for code in states.BY_CODE}),
        ("certainty", labels.CERTAINTIES),
        ("status", labels.STATUSES),
        ("reason", labels.EXCLUSIONS),
        ("sex", labels.SEXES),
    ):
        for code, text in named.items():
            yield (field, code, *text)
    for field in ("year", "month", "state", "municipality", "kind", "sex"):
        yield (field, CellState.UNKNOWN.value, *labels.unknown(field.upper()))
        yield (field, CellState.UNDISCLOSED.value, *labels.UNDISCLOSED_CELL)
