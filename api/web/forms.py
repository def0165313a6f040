"""What a form of filters offers, and what is chosen in it."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from api import labels
from api.web.figures import value_label
from api.web.texts import Texts
from api.web.visit import Visit
from projections.counting.query import CountQuery, Dimension, Unit
from registry.catalogs import states
from registry.domain.codes import NOT_REPORTED, UNKNOWN, AttackKind, IncidentClass, ThreatKind


class Choice(NamedTuple):
    """A value and what it is called."""

    value: str
    label: str
    chosen: bool


class Group(NamedTuple):
    """Values that belong together; ``label`` is empty where there is one group only."""

    label: str
    choices: Sequence[Choice]


class Filter(NamedTuple):
    """A filter of which any number of values may be chosen; ``name`` is its parameter. ``all`` says that none is."""

    name: str
    label: str
    all: str
    groups: Sequence[Group]

    @property
    def chosen(self) -> list[str]:
        """In words."""
        return [choice.label for group in self.groups for choice in group.choices if choice.chosen]


class Form(NamedTuple):
    """Every field of a question. ``municipalities`` and the ends of the period are typed."""

    units: Sequence[Choice]
    nexus: Sequence[Choice]
    filters: Sequence[Filter]
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
        filters=_filters(query, words),
        dimensions=[
            Choice(dimension, labels.DIMENSIONS[dimension].in_(words.language), dimension in query.group_by)
            for dimension in Dimension
        ],
        municipalities=query.municipalities or (),
        first=first,
        last=last,
    )


def _filters(query: CountQuery, words: Texts) -> list[Filter]:
    def group(label: str, dimension: str, codes: Iterable[str], chosen: Sequence[str] | None) -> Group:
        named = ((code, value_label(dimension, code).in_(words.language)) for code in codes)
        return Group(label, [Choice(code, name, code in (chosen or ())) for code, name in named])

    _ = words.gettext
    kinds, places = query.kinds, [*(state.code for state in states.STATES), UNKNOWN]
    return [
        Filter("class", _("Clase"), _("todas"), [group("", "CLASS", IncidentClass, query.classes)]),
        Filter(
            "kind",
            _("Tipo"),
            _("todos"),
            [
                group(_("Amenazas"), "KIND", ThreatKind, kinds),
                group(_("Ataques"), "KIND", AttackKind, kinds),
                group(_("Sin tipo conocido"), "KIND", (NOT_REPORTED, UNKNOWN), kinds),
            ],
        ),
        Filter("state", _("Estado"), _("todos"), [group("", "STATE", places, query.states)]),
    ]


def _period(query: CountQuery) -> tuple[str, str]:
    """Whole years as years, as people write them."""
    if query.period is None:
        return "", ""
    first, last = query.period
    return (first[:4], last[:4]) if query.period.whole_years else (first, last)
