"""How a figure or a chart goes to other places: a picture as a file, and a frame for somebody else's page."""

from html import escape
from typing import Final, NamedTuple

from api.web import questions
from api.web.pages import address
from api.web.visit import Visit
from projections.counting.query import CountQuery

FIGURE: Final = "figure"
"""The name of a figure without a picture in the addresses of frames."""

_AROUND: Final = 390
"""Pixels of what stands around a picture in a frame of 360 pixels or more."""

_NOTICE: Final = 80
"""Pixels in which a demonstration says that it is one."""

_WIDEST: Final = 1.14
"""Pixels of a unit of a picture at most: a frame shows it no wider than 32 rem."""


class Taken(NamedTuple):
    """``image``: the address of the file; None of a figure. ``frame``: the code to copy."""

    image: str | None
    frame: str


def taken(visit: Visit, name: str, title: str, query: CountQuery, height: int | None = None) -> Taken:
    """As of the page's size. ``height``: of the picture, in its units."""
    asked = questions.write(query, visit.size)
    image = None if height is None else address("picture", visit.language, asked, name=name)
    source = visit.site.backing.base_url + address("embed", visit.language, asked, name=name)
    room = round((height or 0) * _WIDEST) + _AROUND + (_NOTICE if visit.site.invented else 0)
    code = (
        f'<iframe src="{escape(source)}" width="100%" height="{room}" frameborder="0" '
        f'title="{escape(title)}. Constancia" loading="lazy"></iframe>'
    )
    return Taken(image, code)
