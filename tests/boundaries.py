"""Invented boundaries of the 32 states: squares with ragged borders that neighbours share, in eight columns."""

from itertools import pairwise
from typing import Any, Final

from registry.catalogs.states import STATES

COLUMNS: Final = 8
WEST, NORTH, SIDE = -110.0, 30.0, 2.0

Corner = tuple[float, float]


def geojson() -> dict[str, Any]:
    """Each border in the very same corners on both sides."""
    return {
        "type": "FeatureCollection",
        "features": [
            {"id": state.code, "geometry": {"type": "Polygon", "coordinates": [ring(number)]}}
            for number, state in enumerate(STATES)
        ],
    }


def ring(number: int) -> list[Corner]:
    """Around the state of that place in the list."""
    row, column = divmod(number, COLUMNS)
    corners = [
        (WEST + (column + x) * SIDE, NORTH - (row + y) * SIDE)
        for x, y in ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))
    ]
    return [corners[0], *(point for start, end in pairwise(corners) for point in _ragged(start, end)[1:])]


def neighbours() -> list[tuple[str, str]]:
    """States that share a border."""
    found = []
    for number, state in enumerate(STATES):
        if (number + 1) % COLUMNS:
            found.append((state.code, STATES[number + 1].code))
        if number + COLUMNS < len(STATES):
            found.append((state.code, STATES[number + COLUMNS].code))
    return found


def _ragged(start: Corner, end: Corner) -> list[Corner]:
    """In 12 steps, each a little beside the straight line; the same backwards."""
    if start > end:
        return _ragged(end, start)[::-1]
    (x, y), (x2, y2) = start, end
    between = [
        (x + (x2 - x) * step / 12 + (y2 - y) * aside, y + (y2 - y) * step / 12 + (x2 - x) * aside)
        for step in range(1, 12)
        for aside in (((step * 7) % 11 - 5) / 60,)
    ]
    return [start, *between, end]
