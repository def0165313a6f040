"""Boundaries of municipalities and states, as TopoJSON or GeoJSON (RFC 7946) gives them. Pure.

Geometries are named by ``id``, or by the property ``CVEGEO``, of states also ``CVE_ENT``. Longitude and latitude in
degrees (WGS 84).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from registry.catalogs.defects import Defect, doubt
from registry.catalogs.errors import CatalogRefused
from registry.catalogs.establishments import Establishment
from registry.catalogs.reading import Row
from registry.catalogs.states import BY_CODE, STATES

Ring: TypeAlias = Sequence[tuple[float, float]]
"""Corners as (longitude, latitude); the last one is the first again."""

Polygons: TypeAlias = Mapping[str, Sequence[Sequence[Ring]]]
"""By code: of each polygon the ring around it, and those of its holes."""

_NAMES: Final = ("CVEGEO", "cvegeo", "cve_geo", "CVE_ENT", "cve_ent")

_OTHERWISE: Final = (
    msgspec.DecodeError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    ValueError,
    RecursionError,
)
"""How a document fails that is made otherwise than it should be."""

_TOLD: Final = 5
"""Codes of other things that an error names."""

_LEAST: Final = 0.01
"""Square degrees: a tenth of the smallest state."""

_WEST, _SOUTH, _EAST, _NORTH = -119.0, 14.0, -86.0, 33.0
"""Mexico with its islands, in degrees."""


class _Area(NamedTuple):
    """All rings of a municipality, holes among them, and the rectangle around them."""

    rings: Sequence[Ring]
    west: float
    south: float
    east: float
    north: float

    def holds(self, longitude: float, latitude: float) -> bool:
        """By how often a line from the point to the west crosses a side: within, an odd number of times."""
        if not (self.west <= longitude <= self.east and self.south <= latitude <= self.north):
            return False
        within = False
        for ring in self.rings:
            for (x, y), (x2, y2) in pairwise(ring):
                if (y > latitude) != (y2 > latitude) and longitude < (x2 - x) * (latitude - y) / (y2 - y) + x:
                    within = not within
        return within


class Boundaries:
    """The areas of municipalities by code."""

    def __init__(self, rings: Mapping[str, Sequence[Ring]]) -> None:
        self._areas = {
            code: _Area(
                found,
                min(x for ring in found for x, _ in ring),
                min(y for ring in found for _, y in ring),
                max(x for ring in found for x, _ in ring),
                max(y for ring in found for _, y in ring),
            )
            for code, found in rings.items()
            if any(found)
        }

    def misplaced(self, rows: Iterable[Row[Establishment]]) -> Iterator[Defect]:
        """Points that do not lie in their municipality, and where they do."""
        for row in rows:
            area = self._areas.get(row.entry.cvegeo or "")
            if area is None or row.entry.point is None:
                continue
            latitude, longitude = row.entry.point
            if area.holds(longitude, latitude):
                continue
            there = next((code for code, one in self._areas.items() if one.holds(longitude, latitude)), "—")
            yield doubt(
                row.number,
                row.entry.clues,
                "outside-municipality",
                f"El punto {latitude}, {longitude} no está en {row.entry.cvegeo}, sino en: {there}.",
                f"The point {latitude}, {longitude} is not in {row.entry.cvegeo} but in: {there}.",
            )


def read_boundaries(data: bytes) -> Boundaries:
    """Raises CatalogRefused for anything but areas with codes."""
    polygons = _read(data)
    return Boundaries(
        {code: [ring for polygon in found for ring in polygon] for code, found in polygons.items()}
    )


def read_states(data: bytes) -> Polygons:
    """The 32 states, neither fewer nor others. Raises CatalogRefused."""
    polygons = _read(data)
    missing = [state.code for state in STATES if not _has_area(polygons.get(state.code, ()))]
    others = sorted(polygons.keys() - BY_CODE.keys())
    if missing or others:
        told = (", ".join(missing) or "—", ", ".join(others[:_TOLD]) or "—")
        raise CatalogRefused(
            "Tienen que ser los polígonos de los 32 estados, cada uno con su clave de dos dígitos. "
            f"Faltan: {told[0]}. Sobran: {told[1]}.",
            "They must be the polygons of the 32 states, each with its code of two digits. "
            f"Missing: {told[0]}. Too many: {told[1]}.",
        )
    corners = (
        corner for found in polygons.values() for polygon in found for ring in polygon for corner in ring
    )
    if not all(_WEST <= x <= _EAST and _SOUTH <= y <= _NORTH for x, y in corners):
        raise CatalogRefused(
            "Hay puntos que no están en México. Escriba longitud y latitud en grados (WGS 84, EPSG 4326).",
            "Some points are not in Mexico. Write longitude and latitude in degrees (WGS 84, EPSG 4326).",
        )
    return polygons


def _has_area(polygons: Iterable[Sequence[Ring]]) -> bool:
    return any(
        abs(sum(x * y2 - x2 * y for (x, y), (x2, y2) in pairwise(ring))) / 2 >= _LEAST
        for polygon in polygons
        for ring in polygon
    )


def _read(data: bytes) -> dict[str, list[list[Ring]]]:
    try:
        document = msgspec.json.decode(data)
        polygons: dict[str, list[list[Ring]]] = {}
        for code, found in _topology(document) if document["type"] == "Topology" else _collection(document):
            polygons.setdefault(code, []).extend(found)
    except _OTHERWISE as error:
        raise _unreadable() from error
    if not polygons:
        raise _unreadable()
    return polygons


def _unreadable() -> CatalogRefused:
    return CatalogRefused(
        "Los límites no se pueden leer. Se acepta TopoJSON o GeoJSON con polígonos cuyo id, o propiedad CVEGEO, es la "
        "clave del INEGI.",
        "The boundaries cannot be read. Accepted: TopoJSON or GeoJSON with polygons whose id, or property CVEGEO, is "
        "INEGI's code.",
    )


def _collection(document: Any) -> Iterator[tuple[str, list[list[Ring]]]]:
    for feature in document["features"]:
        geometry = feature["geometry"]
        polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
        yield (
            _code(feature),
            [[[(float(x), float(y)) for x, y, *_ in ring] for ring in polygon] for polygon in polygons],
        )


def _topology(document: Any) -> Iterator[tuple[str, list[list[Ring]]]]:
    """Arcs shared by neighbours, each stored once; a negative number is the arc backwards."""
    transform = document.get("transform")
    arcs: list[list[tuple[float, float]]] = []
    for arc in document["arcs"]:
        x = y = 0
        points: list[tuple[float, float]] = []
        for first, second, *_ in arc:
            if transform is None:
                points.append((float(first), float(second)))
                continue
            x, y = x + first, y + second
            (x_scale, y_scale), (x_first, y_first) = transform["scale"], transform["translate"]
            points.append((x * x_scale + x_first, y * y_scale + y_first))
        arcs.append(points)

    def ring(numbers: Iterable[int]) -> Ring:
        return [point for n in numbers for point in (arcs[n] if n >= 0 else arcs[~n][::-1])]

    for layer in document["objects"].values():
        for geometry in layer["geometries"]:
            polygons = [geometry["arcs"]] if geometry["type"] == "Polygon" else geometry.get("arcs", [])
            yield _code(geometry), [[ring(numbers) for numbers in polygon] for polygon in polygons]


def _code(feature: Any) -> str:
    if "id" in feature:
        return str(feature["id"])
    for name in _NAMES:
        if name in feature["properties"]:
            return str(feature["properties"][name])
    raise KeyError("id")
