"""Horizontal bars of three parts: what is confirmed, what probability adds, what possibility adds."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from markupsafe import Markup

from api.web.charts.svg import Picture, element, together
from projections.counting.disclosure import Bounds

WIDTH: Final = 420
"""Units of the picture: about the pixels of a phone, so that letters keep their size there."""

_SHORT: Final = 7
"""Characters of the longest label that stands beside its bar; longer ones stand above."""

_BESIDE: Final = 62
_FIGURE: Final = 96
_CHARACTER: Final = 8
"""Of a figure in the widest of usual fonts, DejaVu."""


class Bar(NamedTuple):
    """``known`` is false of what nobody knows or what is not public: it looks different."""

    label: str
    bounds: Bounds
    figure: str
    known: bool = True


def bars(title: str, description: str, given: Sequence[Bar]) -> Picture:
    """Bars over one scale from zero. ``figure`` is written at the end of each: what is drawn can also be read."""
    beside = any(bar.known for bar in given) and all(_is_short(bar) for bar in given if bar.known)
    left, room = 0, WIDTH
    if beside:
        left = _BESIDE
        room -= left + max(_FIGURE, *(_CHARACTER * len(bar.figure) for bar in given))
    scale = room / (max((bar.bounds.high for bar in given), default=0) or 1)
    shapes, top = [], 0
    for bar in given:
        row, height = (_beside if beside and _is_short(bar) else _above)(bar, left, top, scale)
        shapes.append(element("g", *row, class_="row" if bar.known else "row unknown"))
        top += height
    return Picture("bars", title, description, WIDTH, max(top, 1), together(shapes))


def _is_short(bar: Bar) -> bool:
    return len(bar.label) <= _SHORT


def _beside(bar: Bar, left: int, top: int, scale: float) -> tuple[list[Markup], int]:
    """The label, the bar and the figure in one line; and its height."""
    text, figure = _written(bar, top + 17)
    return [text, *_drawn(bar.bounds, left, scale, top + 5, 14), figure], 26


def _above(bar: Bar, left: int, top: int, scale: float) -> tuple[list[Markup], int]:
    """The label and the figure in a line above the bar; and the height of both."""
    text, figure = _written(bar, top + 16)
    return [text, *_drawn(bar.bounds, left, scale, top + 22, 11), figure], 40


def _written(bar: Bar, baseline: int) -> tuple[Markup, Markup]:
    return (
        element("text", bar.label, x=0, y=baseline),
        element("text", bar.figure, x=WIDTH, y=baseline, class_="value"),
    )


def _drawn(bounds: Bounds, left: int, scale: float, top: int, thickness: int) -> Iterator[Markup]:
    low, best, high = bounds
    for class_, start, end in (("low", 0, low), ("best", low, best), ("high", best, high)):
        if end > start:
            x, width = left + start * scale, (end - start) * scale
            yield element("rect", x=x, y=top, width=width, height=thickness, class_=class_)
    yield element("line", x1=left, y1=top - 2, x2=left, y2=top + thickness + 2, class_="axis")
