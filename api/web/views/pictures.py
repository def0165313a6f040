"""Charts and figures to be shown elsewhere: as a file, and as a small page for a frame."""

from api.counts.answer import Answer
from api.problems import NOT_FOUND, Problem
from api.web.charts.document import Caption, document
from api.web.drawings import BARS, CHARTS, MAP, Chart, chart
from api.web.embedding import FIGURE
from api.web.figures import Figure, figure
from api.web.visit import Visit
from projections.counting.query import CountQuery, Dimension
from projections.mirror.description import LICENCE, LICENCE_URL
from registry.text import Text


async def picture(visit: Visit) -> str:
    """``/graficas/{name}.svg``. Raises Problem for no name of a chart, InvalidQuery for what it cannot show."""
    name = visit.parts["name"]
    _known(visit, name, CHARTS)
    answer = await visit.count(_asked(visit, name))
    shown, drawn = figure(visit, answer), chart(visit, answer, name)
    return document(
        [one for one in (drawn.picture, drawn.beyond) if one is not None],
        _caption(visit, answer, shown, drawn),
    )


async def embed(visit: Visit) -> str:
    """``/insertar/{name}``: a chart, or the figure alone."""
    name = visit.parts["name"]
    _known(visit, name, (FIGURE, *CHARTS))
    answer = await visit.count(_asked(visit, name))
    return visit.render(
        "embed.html",
        figure=figure(visit, answer),
        chart=None if name == FIGURE else chart(visit, answer, name),
        licence=(LICENCE["name"], LICENCE_URL),
    )


def _known(visit: Visit, name: str, names: tuple[str, ...]) -> None:
    there = [one for one in names if one != MAP or visit.site.outlines is not None]
    if name not in there:
        raise Problem(
            NOT_FOUND,
            Text(
                f"No hay una gráfica con ese nombre. Hay: {', '.join(there)}.",
                f"There is no chart of that name. There are: {', '.join(there)}.",
            ),
        )


def _asked(visit: Visit, name: str) -> CountQuery:
    """A map is of states, whether the address says so or not."""
    if name in (BARS, FIGURE) or visit.asked.group_by:
        return visit.asked
    return visit.asked._replace(group_by=(Dimension.STATE,))


def _caption(visit: Visit, answer: Answer, shown: Figure, drawn: Chart) -> Caption:
    words, checkpoint = visit.texts, answer.checkpoint
    legend = [
        ("low", words.gettext("confirmado")),
        ("best", words.gettext("probable")),
        ("high", words.gettext("posible")),
        ("none", words.gettext("no se sabe o aún no es público")),
    ]
    return Caption(
        language=visit.language,
        title=drawn.title,
        sentence=shown.sentence,
        total=words.gettext("En total: %(number)s") % {"number": drawn.total},
        legend=legend if drawn.picture.kind == BARS and answer.counted.rows else (),
        note=drawn.note,
        warning=visit.warning,
        as_of=words.gettext("Al %(moment)s: punto de control de %(size)s hojas.")
        % {"moment": words.moment(checkpoint.published_at), "size": words.number(checkpoint.size)},
        source=words.gettext("Fuente: Constancia, %(licence)s. Citar y verificar:")
        % {"licence": LICENCE["name"]},
        link=shown.base + shown.link,
        citation=shown.citation,
        licence=LICENCE_URL,
    )
