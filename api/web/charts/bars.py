"""Horizontal bars of three parts: what is confirmed, what probability adds, what possibility adds."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from markupsafe import Markup

from api.web.charts.svg import drawing, element
from projections.counting.disclosure import Bounds

WIDTH: Final = 420
"""Units of the picture: about the pixels of a phone, so that letters keep their size there."""

_SHORT: Final = 7
"""Characters of the longest label that stands beside its bar; longer ones stand above."""

_BESIDE: Final = 62
_FIGURE: Final = 96


class Bar(NamedTuple):
    """``known`` is false of what nobody knows or what is not public: it looks different."""

    label: str
    bounds: Bounds
    figure: str
    known: bool = True


def bars(id_: str, title: str, description: str, given: Sequence[Bar]) -> Markup:
    """Bars over one scale from zero. ``figure`` is written at the end of each: what is drawn can also be read."""
    beside = all(len(bar.label) <= _SHORT for bar in given if bar.known)
    step = 26 if beside else 38
    largest = max((bar.bounds.high for bar in given), default=0) or 1
    shapes = [
        element("g", *_row(bar, index * step, largest, beside), class_="row" if bar.known else "row unknown")
        for index, bar in enumerate(given)
    ]
    return drawing(id_, title, description, WIDTH, max(step * len(given), 1), shapes, "bars")


def _row(bar: Bar, top: int, largest: int, beside: bool) -> Iterator[Markup]:
    if beside and len(bar.label) <= _SHORT:
        left, right, middle, thickness = _BESIDE, WIDTH - _FIGURE, top + 5, 14
        yield element("text", bar.label, x=0, y=top + 17)
        yield element("text", bar.figure, x=WIDTH, y=top + 17, class_="figure")
    elif beside:
        left, right, middle, thickness = _BESIDE, WIDTH - _FIGURE, top + 16, 7
        yield element("text", bar.label, x=0, y=top + 12)
        yield element("text", bar.figure, x=WIDTH, y=top + 17, class_="figure")
    else:
        left, right, middle, thickness = 0, WIDTH, top + 20, 11
        yield element("text", bar.label, x=0, y=top + 14)
        yield element("text", bar.figure, x=WIDTH, y=top + 14, class_="figure")
    scale = (right - left) / largest
    low, best, high = bar.bounds
    for class_, start, end in (("low", 0, low), ("best", low, best), ("high", best, high)):
        if end > start:
            yield element(
                "rect",
                x=left + start * scale,
                y=middle,
                width=(end - start) * scale,
                height=thickness,
                class_=class_,
            )
    yield element("line", x1=left, y1=middle - 2, x2=left, y2=middle + thickness + 2, class_="axis")
