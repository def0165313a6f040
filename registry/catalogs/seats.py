"""Whether a point can lie in the municipality that it is said to lie in, judged by the seats of municipalities. Pure.

Without boundaries (``boundaries.py``), the coordinates of seats have to do. They tell three things that are worth a
look: a point outside of the country; one outside of the rectangle that holds all seats of its state, and half a degree
more, where none of the nearest seats is one of that state, either; and one that many other seats are nearer to than its
own.
"""

import heapq
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, TypeAlias

from registry.catalogs.defects import Defect, doubt
from registry.catalogs.establishments import EARTH_RADIUS_KM, Establishment
from registry.catalogs.municipalities import Municipality
from registry.catalogs.reading import Row
from registry.catalogs.states import BY_CLUES, BY_CODE

Point: TypeAlias = tuple[float, float]
"""Latitude and longitude in degrees (WGS 84)."""

MARGIN: Final = 0.5
"""Degrees, about 55 km: a state reaches further than the seats of its municipalities. Some reach much further: Cedros
island is 270 km south of the seats of Baja California, but nearer to them than to most others.
"""

NEARER_SEATS: Final = 10
FAR_KM: Final = 20.0
"""Among the 10,573 establishments of IMSS-Bienestar, 70 have more than ten other seats nearer than their own, which is
more than 20 km away: up to 1,121 other seats, and 284 km. By the boundaries, two in five of them lie elsewhere.
"""

_COUNTRY: Final = ((14.5, 32.8), (-118.5, -86.6))
_KM_PER_DEGREE: Final = EARTH_RADIUS_KM * math.pi / 180


def distance_km(one: Point, other: Point) -> float:
    """Along the ground; on a plane through the middle, which is exact to a percent within a country."""
    east = math.radians(other[1] - one[1]) * math.cos(math.radians((one[0] + other[0]) / 2))
    return EARTH_RADIUS_KM * math.hypot(east, math.radians(other[0] - one[0]))


class _Box(NamedTuple):
    south: float
    north: float
    west: float
    east: float

    def holds(self, point: Point) -> bool:
        return self.south <= point[0] <= self.north and self.west <= point[1] <= self.east


def _state(entry: Establishment) -> str | None:
    """By its municipality, else by the letters of its code."""
    if entry.cvegeo is not None:
        return entry.cvegeo[:2]
    state = BY_CLUES.get(entry.clues[:2])
    return state.code if state else None


class Seats:
    """The seats of municipalities whose coordinates are known."""

    def __init__(self, municipalities: Iterable[Municipality]) -> None:
        self._seats: dict[str, Point] = {
            one.cvegeo: (one.latitude, one.longitude)
            for one in municipalities
            if one.latitude is not None and one.longitude is not None
        }
        self._sorted = sorted(self._seats.values())
        self._latitudes = [latitude for latitude, _ in self._sorted]
        self._boxes: dict[str, _Box] = {}
        self._by_code = [(point, cvegeo) for cvegeo, point in self._seats.items()]
        for cvegeo, (latitude, longitude) in self._seats.items():
            box = self._boxes.get(cvegeo[:2], _Box(latitude, latitude, longitude, longitude))
            self._boxes[cvegeo[:2]] = _Box(
                min(box.south, latitude),
                max(box.north, latitude),
                min(box.west, longitude),
                max(box.east, longitude),
            )

    def misplaced(self, rows: Iterable[Row[Establishment]]) -> Iterator[Defect]:
        """Points that cannot be right, each told once, by what is most plainly wrong."""
        (south, north), (west, east) = _COUNTRY
        country = _Box(south, north, west, east)
        for row in rows:
            point, cvegeo, code = row.entry.point, row.entry.cvegeo, row.entry.clues
            if point is None:
                continue
            if not country.holds(point):
                yield doubt(
                    row.number,
                    code,
                    "outside-country",
                    f"El punto {point[0]}, {point[1]} está fuera de México; ¿están invertidas latitud y longitud?",
                    f"The point {point[0]}, {point[1]} is outside Mexico; are latitude and longitude swapped?",
                )
            elif (number := _state(row.entry)) is not None and not self._in_state(point, number):
                state = BY_CODE[number].name
                yield doubt(
                    row.number,
                    code,
                    "far-from-state",
                    f"El punto {point[0]}, {point[1]} está lejos de todas las cabeceras de {state}.",
                    f"The point {point[0]}, {point[1]} is far from all seats of {state}.",
                )
            elif cvegeo is not None and (far := self._far(point, cvegeo)) is not None:
                away, nearer = far
                yield doubt(
                    row.number,
                    code,
                    "far-from-seat",
                    f"El punto está a {away:.0f} km de la cabecera de {cvegeo}; otras {nearer} están más cerca.",
                    f"The point is {away:.0f} km from the seat of {cvegeo}; {nearer} others are nearer.",
                )

    def _in_state(self, point: Point, state: str) -> bool:
        box = self._boxes.get(state)
        if box is None:
            return True
        wide = _Box(box.south - MARGIN, box.north + MARGIN, box.west - MARGIN, box.east + MARGIN)
        if wide.holds(point):
            return True
        nearest = heapq.nsmallest(NEARER_SEATS, self._by_code, key=lambda seat: distance_km(point, seat[0]))
        return any(cvegeo[:2] == state for _, cvegeo in nearest)

    def _far(self, point: Point, cvegeo: str) -> tuple[float, int] | None:
        """Kilometres to the municipality's seat and how many others are nearer, if that is too far."""
        seat = self._seats.get(cvegeo)
        if seat is None or (away := distance_km(point, seat)) <= FAR_KM:
            return None
        degrees = away / _KM_PER_DEGREE
        first = bisect_left(self._latitudes, point[0] - degrees)
        last = bisect_right(self._latitudes, point[0] + degrees)
        nearer = sum(distance_km(point, other) < away for other in self._sorted[first:last])
        return (away, nearer) if nearer > NEARER_SEATS else None
