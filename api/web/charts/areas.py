"""The 32 states as they lie on the map, where somebody has given their outlines: shades say what tiles say."""

from collections.abc import Iterator, Mapping
from typing import Final

from markupsafe import Markup

from api.web.charts.geography import GRID, WIDTH, Outlines
from api.web.charts.svg import Picture, element, together
from api.web.charts.tiles import SHADES, shade
from projections.counting.disclosure import NOTHING, Bounds

_KEY: Final = 13
"""The side of a square of the key, and the room of a line is half as much more."""


def areas(
    title: str, description: str, outlines: Outlines, values: Mapping[str, Bounds], names: Mapping[str, str]
) -> Picture:
    """The best figure of each state by its shade; ``names``: what an area is called when pointed at."""
    largest = max((bounds.best for bounds in values.values()), default=0)
    drawn = (
        element(
            "path",
            element("title", names[code]),
            d=path,
            class_=f"area t{shade(values.get(code, NOTHING).best, largest)}",
        )
        for code, path in outlines.paths.items()
    )
    shapes = [element("g", *drawn, transform=f"scale({1 / GRID})", fill_rule="evenodd")]
    return Picture(
        "map",
        title,
        description,
        WIDTH,
        outlines.height,
        together([*shapes, *_key(largest, outlines.height)]),
    )


def steps(largest: int) -> Iterator[tuple[int, int, int]]:
    """Every shade that occurs up to the largest value, with the least and the greatest value that has it."""
    yield 0, 0, 0
    for step in range(1, SHADES + 1):
        first, last = (step - 1) * largest // SHADES + 1, step * largest // SHADES
        if first <= last:
            yield step, first, last


def _key(largest: int, height: int) -> Iterator[Markup]:
    """In the lower left corner, where there is only sea."""
    found = list(steps(largest))
    for line, (step, first, last) in enumerate(found):
        top = height - (len(found) - line) * _KEY * 1.5
        said = f"{first:,}" if first == last else f"{first:,}–{last:,}"
        square = element("rect", x=1, y=0, width=_KEY * GRID, height=_KEY * GRID, class_=f"area t{step}")
        yield element("g", square, transform=f"translate(0 {top:.1f}) scale({1 / GRID})")
        yield element("text", said, x=_KEY + 8, y=top + _KEY - 2)
