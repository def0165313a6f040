"""The explorer: any question of the definition, as a plain form, with its answer as figure, table and picture."""

import re
from typing import Final

from api import labels
from api.web import questions
from api.web.drawings import charts
from api.web.figures import figure, lines
from api.web.forms import choices
from api.web.visit import Visit
from projections.counting.query import CountQuery, Dimension, Unit
from projections.errors import InvalidQuery

ROWS: Final = 300
"""Rows of a table on one page."""

_NUMBER: Final = re.compile(r"[0-9]{1,9}")


async def explore(visit: Visit) -> str:
    """Raises InvalidQuery for a page of the table that is none."""
    answer = await visit.count(visit.asked)
    last = -(-len(answer.counted.rows) // ROWS) or 1
    number = _page(visit, last)
    rows = answer.counted.rows[(number - 1) * ROWS : number * ROWS]
    return visit.render(
        "explore.html",
        figure=figure(visit, answer),
        form=choices(visit),
        dimensions=[labels.DIMENSIONS[dimension].in_(visit.language) for dimension in visit.asked.group_by],
        lines=lines(visit, answer, rows),
        charts=charts(visit, answer),
        files=visit.link("data", visit.asked),
        incidents=visit.link("incidents", questions.one_by_one(visit.asked)),
        previous=visit.link("explore", visit.asked, page=str(number - 1)) if number > 1 else None,
        next=visit.link("explore", visit.asked, page=str(number + 1)) if number < last else None,
        breakdowns=[
            (labels.DIMENSIONS[dimension].in_(visit.language), visit.link("explore", _by(visit, dimension)))
            for dimension in Dimension
            if dimension is not Dimension.SEX or visit.asked.unit is Unit.DEATHS
        ],
    )


def _by(visit: Visit, dimension: Dimension) -> CountQuery:
    return visit.asked._replace(group_by=(dimension,))


def _page(visit: Visit, last: int) -> int:
    given = questions.one(visit.parameters, "page") or "1"
    if not (_NUMBER.fullmatch(given) and 1 <= int(given) <= last):
        raise InvalidQuery("page", f"«page» va de 1 a {last}.", f"“page” is from 1 to {last}.")
    return int(given)
