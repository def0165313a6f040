"""What a crowd has in common: class, year, and the values of the facets along a path."""

from collections.abc import Mapping
from functools import cache
from typing import Final, NamedTuple

from registry.disclosure.facets import FACETS, Facets
from registry.domain.codes import IncidentClass
from registry.log.canonical import JSON, encode

COMPARED: Final = tuple(facet for facet in FACETS if facet != "tally")
"""Facets whose values make a crowd, with the class. The tally is not compared."""


class Combination(NamedTuple):
    """``path`` holds facets above the first rung; ``values`` belong to them in the order of ``COMPARED``."""

    path: frozenset[str]
    incident_class: str
    year: str
    values: tuple[str, ...]


def comparable(incident_class: IncidentClass, facets: Facets) -> dict[str, str]:
    """Class and facets as text that is equal where the values are."""
    return {
        "class": str(incident_class),
        **{facet: comparable_value(facets.value(facet)) for facet in COMPARED},
    }


def comparable_value(value: JSON) -> str:
    """A facet's value as text: codes as they are, the sex of the dead as canonical JSON."""
    return value if isinstance(value, str) else encode(value).decode()


def combine(path: frozenset[str], values: Mapping[str, str]) -> Combination:
    """The combination of what ``comparable`` gave."""
    return Combination(
        path, values["class"], values["year"], tuple([values[facet] for facet in ordered(path)])
    )


@cache
def ordered(path: frozenset[str]) -> tuple[str, ...]:
    """Facets in the order of ``COMPARED``."""
    return tuple(facet for facet in COMPARED if facet in path)
