"""What a form of filters offers, and what is chosen in it."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from api import labels
from api.web.texts import Texts
from api.web.visit import Visit
from projections.counting.query import CountQuery, Dimension, Unit
from registry.catalogs import states
from registry.domain.codes import AttackKind, IncidentClass, ThreatKind


class Choice(NamedTuple):
    """A value and what it is called."""

    value: str
    label: str
    chosen: bool


class Form(NamedTuple):
    """Every field of a question. ``municipalities`` and the ends of the period are typed."""

    units: Sequence[Choice]
    nexus: Sequence[Choice]
    classes: Sequence[Choice]
    threats: Sequence[Choice]
    attacks: Sequence[Choice]
    states: Sequence[Choice]
    dimensions: Sequence[Choice]
    municipalities: Sequence[str]
    first: str
    last: str


def choices(visit: Visit) -> Form:
    """As the question of the address has it."""
    query, words = visit.asked, visit.texts
    first, last = _period(query)
    return Form(
        units=[Choice(unit, labels.UNITS[unit].in_(words.language), unit is query.unit) for unit in Unit],
        nexus=[
            Choice(code, label.in_(words.language), code == query.nexus)
            for code, label in labels.NEXUS.items()
        ],
        classes=_coded("CLASS", IncidentClass, query.classes, words),
        threats=_coded("KIND", ThreatKind, query.kinds, words),
        attacks=_coded("KIND", AttackKind, query.kinds, words),
        states=_coded("STATE", (state.code for state in states.STATES), query.states, words),
        dimensions=[
            Choice(dimension, labels.DIMENSIONS[dimension].in_(words.language), dimension in query.group_by)
            for dimension in Dimension
        ],
        municipalities=query.municipalities or (),
        first=first,
        last=last,
    )


def _coded(dimension: str, codes: Iterable[str], chosen: Sequence[str] | None, words: Texts) -> list[Choice]:
    return [
        Choice(code, labels.cell(dimension, code).in_(words.language), code in (chosen or ()))
        for code in codes
    ]


def _period(query: CountQuery) -> tuple[str, str]:
    """Whole years as years, as people write them."""
    if query.period is None:
        return "", ""
    first, last = query.period
    return (first[:4], last[:4]) if query.period.whole_years else (first, last)
