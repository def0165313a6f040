"""The charts of an answer; the table beside them says the same."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from api import labels
from api.counts.answer import Answer
from api.web.charts.areas import areas
from api.web.charts.bars import Bar, bars
from api.web.charts.svg import Picture
from api.web.charts.tiles import tiles
from api.web.embedding import Taken, taken
from api.web.figures import Line, largest_first, lines, unit_name
from api.web.texts import Texts
from api.web.visit import Visit
from projections.counting.count import CellState, Row
from projections.counting.disclosure import NOTHING
from projections.counting.query import CountQuery, Dimension
from projections.errors import InvalidQuery
from registry.catalogs import states

BARS: Final = "bars"
TILES: Final = "tiles"
MAP: Final = "map"

CHARTS: Final = (BARS, TILES, MAP)
"""The names of charts in addresses, the same in both languages."""

_DRAWN: Final = 40
"""Rows that are drawn as bars; more could not be told apart."""

_IN_TIME: Final = (Dimension.YEAR, Dimension.MONTH)


class Chart(NamedTuple):
    """``id``: its name on a page. ``total``: of all that is asked about. ``note``: what it does not say itself.
    ``beyond``: what has no place on a map."""

    id: str
    title: str
    total: str
    note: str | None
    picture: Picture
    beyond: Picture | None
    taken: Taken


def charts(visit: Visit, answer: Answer) -> list[Chart]:
    """What a page shows of an answer: one dimension is drawn, two are read."""
    if len(answer.query.group_by) != 1 or not answer.counted.rows:
        return []
    if _is_of_all_states(answer.query):
        names = [TILES] if visit.site.outlines is None else [TILES, MAP]
        return [chart(visit, answer, name) for name in names]
    return [chart(visit, answer, BARS)] if len(answer.counted.rows) <= _DRAWN else []


def chart(visit: Visit, answer: Answer, name: str) -> Chart:
    """One of ``CHARTS``. Raises InvalidQuery where it cannot show the answer."""
    (dimension,) = answer.query.group_by if len(answer.query.group_by) == 1 else (None,)
    if dimension is None:
        raise InvalidQuery(
            "by",
            "Una gráfica muestra un solo desglose: dé «by» una vez, por ejemplo by=YEAR.",
            "A chart shows one breakdown: give “by” once, for example by=YEAR.",
        )
    title = visit.texts.gettext("%(unit)s por %(dimension)s") % {
        "unit": unit_name(answer.query.unit, visit.texts),
        "dimension": labels.DIMENSIONS[dimension].in_(visit.language).lower(),
    }
    rows = answer.counted.rows
    if name == BARS:
        if len(rows) > _DRAWN:
            raise InvalidQuery(
                "by",
                f"Son {len(rows)} filas y más de {_DRAWN} barras no se distinguen: filtre, o elija otro desglose.",
                f"There are {len(rows)} rows, and more than {_DRAWN} bars cannot be told apart: filter, or choose "
                "another breakdown.",
            )
        in_order = list(rows) if dimension in _IN_TIME else largest_first(rows)
        picture, beyond, note = _bars(visit, answer, in_order, title), None, None
    else:
        if not _is_of_all_states(answer.query):
            raise InvalidQuery(
                "by",
                "El mapa muestra todos los estados: pida by=STATE, sin «state» ni «municipality».",
                "The map shows all states: ask for by=STATE, without “state” or “municipality”.",
            )
        picture, beyond = _map(visit, answer, name, title), _beyond(visit, answer)
        note = picture.description
    if not rows:
        note = visit.texts.gettext("No hay filas: nada de lo publicado responde a esta pregunta.")
    whole = [one for one in (picture, beyond) if one is not None]
    return Chart(
        f"{name}-{dimension.lower()}",
        title,
        visit.texts.interval(answer.counted.bounds),
        note,
        picture,
        beyond,
        taken(visit, name, title, answer.query, sum(one.height for one in whole)),
    )


def _is_of_all_states(query: CountQuery) -> bool:
    """A state that was not asked about has no row, and must not look like one with zero."""
    return query.group_by == (Dimension.STATE,) and query.states is None and query.municipalities is None


def _bars(visit: Visit, answer: Answer, rows: Sequence[Row], title: str) -> Picture:
    shown = lines(visit, answer, rows)
    description = "; ".join(f"{line.labels[0]}: {visit.texts.interval(line.bounds)}" for line in shown)
    return bars(title, description, [_bar(line, visit.texts) for line in shown])


def _map(visit: Visit, answer: Answer, name: str, title: str) -> Picture:
    """The best figure of each state."""
    words, outlines = visit.texts, visit.site.outlines
    values = {key[0].value: bounds for key, bounds in answer.counted.rows if key[0].value is not None}
    names = {
        state.code: f"{state.name}: {words.interval(values.get(state.code, NOTHING))}"
        for state in states.STATES
    }
    if name == MAP and outlines is not None:
        description = words.gettext(
            "Los estados según el mapa; la intensidad del color sigue a su estimación. Un cero dice que nada "
            "confirmado ni probable de lo publicado ocurrió ahí."
        )
        return areas(title, description, outlines, values, names)
    description = words.gettext(
        "Cada estado es un cuadro del mismo tamaño, colocado según el mapa, con su estimación. Un cero dice que nada "
        "confirmado ni probable de lo publicado ocurrió ahí."
    )
    return tiles(title, description, values, names)


def _beyond(visit: Visit, answer: Answer) -> Picture | None:
    elsewhere = [row for row in answer.counted.rows if row.key[0].state is not CellState.KNOWN]
    if not elsewhere:
        return None
    return _bars(visit, answer, elsewhere, visit.texts.gettext("Lo que no tiene un estado conocido"))


def _bar(line: Line, words: Texts) -> Bar:
    return Bar(line.labels[0], line.bounds, words.interval(line.bounds), line.known)
