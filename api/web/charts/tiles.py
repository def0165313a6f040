"""The 32 states as equal tiles, so that a small state and a small number are as readable as large ones.

Where a tile lies follows the map as far as a grid allows. The shade has five steps and says less than the number on
the tile; there is no shade for zero.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from markupsafe import Markup

from api.web.charts.svg import Picture, element, together
from projections.counting.disclosure import NOTHING, Bounds

GRID: Final = (
    "02 26 08 05 19 28 .. .. .. .. ..",
    "03 25 10 32 24 .. .. .. .. .. ..",
    ".. 18 14 01 11 22 13 .. .. 31 ..",
    ".. .. 06 16 15 09 29 30 27 04 23",
    ".. .. .. .. 12 17 21 20 07 .. ..",
)
"""INEGI's codes, from north to south and from west to east."""

ABBREVIATIONS: Final[Mapping[str, str]] = {
    "01": "AGS", "02": "BC", "03": "BCS", "04": "CAMP", "05": "COAH", "06": "COL", "07": "CHIS", "08": "CHIH",
    "09": "CDMX", "10": "DGO", "11": "GTO", "12": "GRO", "13": "HGO", "14": "JAL", "15": "MÉX", "16": "MICH",
    "17": "MOR", "18": "NAY", "19": "NL", "20": "OAX", "21": "PUE", "22": "QRO", "23": "QROO", "24": "SLP",
    "25": "SIN", "26": "SON", "27": "TAB", "28": "TAMS", "29": "TLAX", "30": "VER", "31": "YUC", "32": "ZAC",
}  # fmt: skip

SHADES: Final = 5
_TILE: Final = 38
_STEP: Final = 40


def tiles(title: str, description: str, values: Mapping[str, Bounds], names: Mapping[str, str]) -> Picture:
    """The best figure of each state; one without a row has zero. ``names``: what a tile is called when pointed at."""
    largest = max((bounds.best for bounds in values.values()), default=0)
    columns, rows = len(GRID[0].split()), len(GRID)
    shapes = (_tile(code, x, y, values.get(code, NOTHING), largest, names[code]) for code, x, y in places())
    return Picture("tiles", title, description, columns * _STEP, rows * _STEP, together(shapes))


def places() -> Iterator[tuple[str, int, int]]:
    """Every state with its column and row."""
    for row, line in enumerate(GRID):
        for column, code in enumerate(line.split()):
            if code != "..":
                yield code, column, row


def shade(value: int, largest: int) -> int:
    """From 0, for nothing, to ``SHADES``, in equal steps up to the largest value."""
    return -(-value * SHADES // largest) if largest else 0


def _tile(code: str, column: int, row: int, bounds: Bounds, largest: int, name: str) -> Markup:
    x, y = column * _STEP + 1, row * _STEP + 1
    return element(
        "g",
        element("title", name),
        _frame(code, x, y),
        element("text", f"{bounds.best:,}", x=x + _TILE / 2, y=y + 31, class_=_number(bounds.best)),
        class_=f"tile t{shade(bounds.best, largest)}",
    )


def _number(value: int) -> str:
    """Four digits and their comma are as wide as a tile in smaller letters; no state comes to a million."""
    return "number" if value < 1_000 else "number long" if value < 10_000 else "number longer"


@cache
def _frame(code: str, x: int, y: int) -> Markup:
    """What a tile shows whatever is counted."""
    return together(
        (
            element("rect", x=x, y=y, width=_TILE, height=_TILE, rx=3),
            element("text", ABBREVIATIONS[code], x=x + _TILE / 2, y=y + 14, class_="name"),
        )
    )
