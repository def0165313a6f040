"""The outlines of the states, from the polygons of a file to the paths of a small map. Pure.

Projected as INEGI's own maps of the country are (Lambert conformal conic, standard parallels 17.5° and 29.5° north,
meridian 102° west: EPSG 6372), on a sphere: J. P. Snyder, Map Projections: A Working Manual (USGS Professional Paper
1395, 1987), formulas 15-1 to 15-4. Lines are simplified as by D. H. Douglas and T. K. Peucker (1973), each border once
for both its sides, so that neighbours stay together.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from math import ceil, cos, hypot, log, pi, radians, sin, tan
from typing import Final, NamedTuple, TypeAlias

from registry.catalogs.boundaries import Polygons

WIDTH: Final = 420
"""Units of the picture, as of bars."""

PATH_CHARACTERS: Final = 20_000
"""Of all outlines together: a map with its words stays below 40 kB."""

GRID: Final = 10
"""Steps of a unit, in which paths are written: finer than a pixel."""

_FIRST_TOLERANCE: Final = 0.25
"""Units that a line may move by, at first; half as much again until the outlines are short enough."""

_SHARED_TOLERANCE: Final = 2.0
"""Units that a line may move by where borders are shared. In a file whose neighbours have corners of their own, nearly
every corner is where borders meet and stays: there each state is simplified by itself, and begins anew."""

_SPECK: Final = 0.4
"""Square units. A smaller part of a state cannot be seen and is left out, unless it is the largest."""

_SOUTH, _NORTH, _MERIDIAN, _ORIGIN = radians(17.5), radians(29.5), radians(-102.0), radians(12.0)
_CONE: Final = log(cos(_SOUTH) / cos(_NORTH)) / log(tan(pi / 4 + _NORTH / 2) / tan(pi / 4 + _SOUTH / 2))
_SCALE: Final = cos(_SOUTH) * tan(pi / 4 + _SOUTH / 2) ** _CONE / _CONE

Point: TypeAlias = tuple[int, int]
"""On the grid, from the upper left corner."""

Line: TypeAlias = tuple[Point, ...]


class Outlines(NamedTuple):
    """The path of each state by its code, in a picture of ``WIDTH`` by ``height``. ``digest``: names them."""

    paths: Mapping[str, str]
    height: int
    digest: str


def outlines(polygons: Polygons) -> Outlines:
    """``polygons``: of each state, one of them at least large enough to be seen (``read_states``)."""
    rings, height = _placed(polygons)
    meetings = set(_meetings(ring for found in rings.values() for ring in found))
    tolerance = _FIRST_TOLERANCE
    while sum(map(len, (paths := _paths(rings, meetings, tolerance)).values())) > PATH_CHARACTERS:
        tolerance *= 1.5
        if meetings and tolerance > _SHARED_TOLERANCE:
            meetings, tolerance = set(), _FIRST_TOLERANCE
    digest = hashlib.sha256("".join(f"{code}{path}" for code, path in sorted(paths.items())).encode())
    return Outlines(paths, height, digest.hexdigest())


def project(longitude: float, latitude: float) -> tuple[float, float]:
    """Degrees to radii of the earth, east and north of 102° west and 12° north."""
    angle = _CONE * (radians(longitude) - _MERIDIAN)
    distance = _distance(radians(latitude))
    return distance * sin(angle), _distance(_ORIGIN) - distance * cos(angle)


def _distance(latitude: float) -> float:
    found: float = _SCALE / tan(pi / 4 + latitude / 2) ** _CONE
    return found


def _placed(polygons: Polygons) -> tuple[dict[str, list[Line]], int]:
    """Every ring that can be seen on the grid of the picture, and the picture's height."""
    projected = {
        code: [[project(*corner) for corner in ring] for polygon in found for ring in polygon if ring]
        for code, found in polygons.items()
    }
    corners = [corner for found in projected.values() for ring in found for corner in ring]
    west, east = min(x for x, _ in corners), max(x for x, _ in corners)
    south, north = min(y for _, y in corners), max(y for _, y in corners)
    scale = WIDTH * GRID / (east - west)
    rings = {
        code: _seen(
            [
                _ring((round((x - west) * scale), round((north - y) * scale)) for x, y in ring)
                for ring in found
            ],
            _SPECK,
        )
        for code, found in projected.items()
    }
    return rings, ceil((north - south) * scale / GRID)


def _ring(corners: Iterable[Point]) -> Line:
    """Without corners that fall on the one before, and without ways that go and come back; closed."""
    kept: list[Point] = []
    for corner in corners:
        if kept and kept[-1] == corner:
            continue
        if len(kept) > 1 and kept[-2] == corner:
            kept.pop()
            continue
        kept.append(corner)
    return (*kept, kept[0]) if kept[0] != kept[-1] else tuple(kept)


def _seen(rings: Sequence[Line], least: float) -> list[Line]:
    """Without what is smaller than so many square units."""
    largest = max(rings, key=_area)
    return [ring for ring in rings if ring is largest or _area(ring) >= least * GRID**2]


def _area(ring: Line) -> float:
    return abs(sum(x * y2 - x2 * y for (x, y), (x2, y2) in pairwise(ring))) / 2


def _meetings(rings: Iterable[Line]) -> Iterator[Point]:
    """Where borders begin and end: corners whose neighbours are not the same two in every ring."""
    neighbours: defaultdict[Point, set[frozenset[Point]]] = defaultdict(set)
    for ring in rings:
        for before, corner, after in zip((ring[-2], *ring), ring, ring[1:], strict=False):
            neighbours[corner].add(frozenset((before, after)))
    return (corner for corner, found in neighbours.items() if len(found) > 1)


def _cut(ring: Line, meetings: Collection[Point]) -> list[Line]:
    """The ring as borders, each from one meeting to the next; where there is none, from its first corner in order."""
    corners = ring[:-1]
    ends = [number for number, corner in enumerate(corners) if corner in meetings]
    if not ends:
        ends = [corners.index(min(corners))]
    turned = (*corners[ends[0] :], *corners[: ends[0]], corners[ends[0]])
    places = [*(end - ends[0] for end in ends), len(turned) - 1]
    return [turned[first : last + 1] for first, last in pairwise(places)]


def _paths(
    rings: Mapping[str, Sequence[Line]], meetings: Collection[Point], tolerance: float
) -> dict[str, str]:
    """Of each state, moved by the tolerance at most; a part that this would make a line of is left out."""
    known: dict[Line, Line] = {}
    return {
        code: "".join(
            _path(_cut(ring, meetings), tolerance * GRID, known) for ring in _seen(found, tolerance**2)
        )
        for code, found in rings.items()
    }


def _path(lines: Sequence[Line], tolerance: float, known: dict[Line, Line]) -> str:
    """A closed path of whole numbers, relative but for its start."""
    corners = [corner for line in lines for corner in _simplified(line, tolerance, known)[:-1]]
    steps = " ".join(f"{x2 - x} {y2 - y}" for (x, y), (x2, y2) in pairwise(corners))
    return f"M{corners[0][0]} {corners[0][1]}l{steps}z".replace(" -", "-")


def _simplified(line: Line, tolerance: float, known: dict[Line, Line]) -> Line:
    """The same from both sides of a border: computed in one direction only."""
    if line[-1] < line[0] or (line[-1] == line[0] and line[-2] < line[1]):
        return _simplified(line[::-1], tolerance, known)[::-1]
    if line not in known:
        known[line] = tuple(line[number] for number in sorted(kept_corners(line, tolerance)))
    return known[line]


def kept_corners(line: Line, tolerance: float) -> set[int]:
    """The corners that stay (Douglas and Peucker). Of a closed line, the one farthest away stays in any case."""
    kept = {0, len(line) - 1}
    spans = [(0, len(line) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        distance, farthest = max(
            (_away(line[number], line[first], line[last]), number) for number in range(first + 1, last)
        )
        if distance > tolerance or line[first] == line[last]:
            kept.add(farthest)
            spans += [(first, farthest), (farthest, last)]
    return kept


def _away(corner: Point, start: Point, end: Point) -> float:
    """From a corner to the line between two others, or to both where they are one."""
    (x, y), (x1, y1), (x2, y2) = corner, start, end
    length = hypot(x2 - x1, y2 - y1)
    if not length:
        return hypot(x - x1, y - y1)
    return abs((x2 - x1) * (y1 - y) - (x1 - x) * (y2 - y1)) / length
