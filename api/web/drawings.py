"""The rows of an answer as pictures; the table beside them says the same."""

from collections.abc import Sequence

from markupsafe import Markup

from api.counts.answer import Answer
from api.web.charts.bars import Bar, bars
from api.web.charts.tiles import tiles
from api.web.figures import Line, lines, unit_name
from api.web.texts import Texts
from api.web.visit import Visit
from projections.counting.count import CellState, Row
from projections.counting.disclosure import NOTHING, Bounds
from registry.catalogs import states


def chart(visit: Visit, answer: Answer, rows: Sequence[Row], id_: str, title: str) -> Markup:
    """The rows of one dimension as bars."""
    shown = lines(visit, answer, rows)
    description = "; ".join(f"{line.labels[0]}: {interval(line.bounds, visit.texts)}" for line in shown)
    return bars(id_, title, description, [_bar(line, visit.texts) for line in shown])


def state_map(visit: Visit, answer: Answer, id_: str) -> Markup:
    """The best figure of each state on its tile, and below, as visible, what no tile shows."""
    words = visit.texts
    values = {key[0].value: bounds for key, bounds in answer.counted.rows if key[0].value is not None}
    names = {
        state.code: f"{state.name}: {interval(values.get(state.code, NOTHING), words)}"
        for state in states.STATES
    }
    title = words.gettext("%(unit)s por estado") % {"unit": unit_name(answer.query.unit, words)}
    description = words.gettext(
        "Cada estado es un cuadro del mismo tamaño, colocado según el mapa, con su estimación. Las mismas cifras "
        "están en la tabla."
    )
    elsewhere = [row for row in answer.counted.rows if row.key[0].state is not CellState.KNOWN]
    drawn = tiles(id_, title, description, values, names)
    if not elsewhere:
        return drawn
    beyond = words.gettext("Lo que no tiene un estado conocido")
    return drawn + chart(visit, answer, elsewhere, f"{id_}-unknown", beyond)


def interval(bounds: Bounds, words: Texts) -> str:
    """``12``, or ``12 (9–14)`` where low and high differ."""
    low, best, high = (words.number(number) for number in bounds)
    return best if low == high else f"{best} ({low}–{high})"


def _bar(line: Line, words: Texts) -> Bar:
    return Bar(line.labels[0], line.bounds, interval(line.bounds, words), line.known)
