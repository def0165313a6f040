"""A question to the register, in the one form that is answered, signed and cited.

The canonical form has every field present, lists sorted and without repeats, so that equal questions have equal
bytes. The nexus is part of the question: the headline is STRICT.
"""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, NamedTuple, TypeVar

from projections.counting.disclosure import NexusScope
from projections.errors import InvalidQuery
from registry.domain.codes import KINDS, STATES, UNKNOWN, IncidentClass
from registry.log.canonical import JSON

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_MUNICIPALITY = re.compile(r"[0-9]{5}")
_MAX_VALUES = 3_000
"""More values than Mexico has municipalities (about 2,500) can only be a mistake."""

E = TypeVar("E", bound=StrEnum)


class Unit(StrEnum):
    """What is counted. Persons are counted for restricted readers only."""

    INCIDENTS = "INCIDENTS"
    VICTIMISATIONS = "VICTIMISATIONS"
    DEATHS = "DEATHS"


class Dimension(StrEnum):
    """What a count may be broken down by. MONTH is year and month; SEX is of the dead."""

    CLASS = "CLASS"
    KIND = "KIND"
    YEAR = "YEAR"
    MONTH = "MONTH"
    STATE = "STATE"
    MUNICIPALITY = "MUNICIPALITY"
    CERTAINTY = "CERTAINTY"
    SEX = "SEX"


class Period(NamedTuple):
    """Calendar months ``YYYY-MM``, both ends included."""

    first: str
    last: str

    @property
    def whole_years(self) -> bool:
        """Whether it begins in a January and ends in a December, so that years alone decide what lies in it."""
        return self.first.endswith("-01") and self.last.endswith("-12")


_UNFILTERED: Final = (None, None, None, None, None)


class CountQuery(NamedTuple):
    """A validated question. None means "any"; a list means "one of these". Build it with ``ask``."""

    unit: Unit = Unit.INCIDENTS
    nexus: NexusScope = NexusScope.STRICT
    classes: tuple[str, ...] | None = None
    kinds: tuple[str, ...] | None = None
    states: tuple[str, ...] | None = None
    municipalities: tuple[str, ...] | None = None
    period: Period | None = None
    group_by: tuple[Dimension, ...] = ()

    @property
    def filtered(self) -> bool:
        """Whether it asks for some incidents only."""
        return (self.classes, self.kinds, self.states, self.municipalities, self.period) != _UNFILTERED

    def canonical(self) -> dict[str, JSON]:
        """The question as the JSON object that certificates and citations carry."""
        period: JSON = None if self.period is None else {"from": self.period.first, "to": self.period.last}
        return {
            "filter": {
                "class": _listed(self.classes),
                "kind": _listed(self.kinds),
                "municipality": _listed(self.municipalities),
                "nexus": self.nexus.value,
                "period": period,
                "state": _listed(self.states),
            },
            "group_by": [dimension.value for dimension in self.group_by],
            "unit": self.unit.value,
        }

    def whole(self) -> "CountQuery":
        """The same question without its breakdown."""
        return self._replace(group_by=())


def ask(
    unit: str = "INCIDENTS",
    *,
    nexus: str = "STRICT",
    classes: Sequence[str] | None = None,
    kinds: Sequence[str] | None = None,
    states: Sequence[str] | None = None,
    municipalities: Sequence[str] | None = None,
    period: tuple[str, str] | None = None,
    group_by: Sequence[str] = (),
) -> CountQuery:
    """Build a question from what somebody wrote. Raises InvalidQuery, which names the field and what is accepted."""
    query = CountQuery(
        unit=_code(unit, Unit, "unit"),
        nexus=_code(nexus, NexusScope, "filter.nexus"),
        classes=_values(classes, "filter.class", tuple(IncidentClass)),
        kinds=_values(
            kinds, "filter.kind", sorted({*KINDS[IncidentClass.THREAT], *KINDS[IncidentClass.ATTACK]})
        ),
        states=_values(states, "filter.state", (*STATES, UNKNOWN)),
        municipalities=_municipalities(municipalities),
        period=None if period is None else _period(*period),
        group_by=tuple(_code(dimension, Dimension, "groupBy") for dimension in group_by),
    )
    if len(set(query.group_by)) != len(query.group_by):
        raise InvalidQuery(
            "groupBy",
            "Cada dimensión puede aparecer una sola vez en groupBy.",
            "Each dimension may appear only once in groupBy.",
        )
    if Dimension.SEX in query.group_by and query.unit is not Unit.DEATHS:
        raise InvalidQuery(
            "groupBy",
            "SEX se publica solo de las personas muertas: pida la unidad DEATHS.",
            "SEX is published of the dead only: ask for the unit DEATHS.",
        )
    return query


def read(canonical: JSON) -> CountQuery:
    """The question that a canonical form asks; refuses any form that ``canonical`` would not have written."""
    try:
        query = _read(canonical)
    except (KeyError, TypeError, AttributeError):
        query = None
    if query is None or query.canonical() != canonical:
        raise InvalidQuery(
            "query",
            "La pregunta no está en su forma canónica (docs/counting.md).",
            "The question is not in its canonical form (docs/counting.md).",
        )
    return query


def _read(canonical: JSON) -> CountQuery | None:
    if not isinstance(canonical, dict) or not isinstance(canonical["filter"], dict):
        return None
    given = canonical["filter"]
    period = given["period"]
    return ask(
        _text(canonical["unit"]),
        nexus=_text(given["nexus"]),
        classes=_texts(given["class"]),
        kinds=_texts(given["kind"]),
        states=_texts(given["state"]),
        municipalities=_texts(given["municipality"]),
        period=(_text(period["from"]), _text(period["to"])) if isinstance(period, dict) else None,
        group_by=_texts(canonical["group_by"]) or (),
    )


def _text(value: JSON) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _texts(value: JSON) -> list[str] | None:
    if value is None:
        return None
    if not isinstance(value, list):
        raise TypeError
    return [_text(item) for item in value]


def _listed(values: tuple[str, ...] | None) -> JSON:
    return None if values is None else list(values)


def _code(value: str, codes: type[E], field: str) -> E:
    if value not in tuple(codes):
        raise _not_among(field, value, tuple(codes))
    return codes(value)


def _values(values: Iterable[str] | None, field: str, codes: Sequence[str]) -> tuple[str, ...] | None:
    if values is None:
        return None
    chosen = tuple(sorted(set(values)))
    if not chosen:
        raise _empty(field)
    for value in chosen:
        if value not in codes:
            raise _not_among(field, value, codes)
    return tuple(str(value) for value in chosen)


def _municipalities(values: Iterable[str] | None) -> tuple[str, ...] | None:
    if values is None:
        return None
    chosen = tuple(sorted(set(values)))
    if not chosen:
        raise _empty("filter.municipality")
    for value in chosen:
        if value != UNKNOWN and not (_MUNICIPALITY.fullmatch(value) and value[:2] in STATES):
            raise InvalidQuery(
                "filter.municipality",
                f"«{_shown(value)}» no es una clave de municipio. Escriba los cinco dígitos de INEGI como texto "
                "(«01001») o UNKNOWN.",
                f"“{_shown(value)}” is not a municipality code. Write INEGI's five digits as text (“01001”) "
                "or UNKNOWN.",
            )
    if len(chosen) > _MAX_VALUES:
        raise InvalidQuery(
            "filter.municipality",
            f"Son demasiados municipios (máximo {_MAX_VALUES}). Pregunte por estado.",
            f"These are too many municipalities (at most {_MAX_VALUES}). Ask by state.",
        )
    return chosen


def _period(first: str, last: str) -> Period:
    for field, month in (("filter.period.from", first), ("filter.period.to", last)):
        if not _MONTH.fullmatch(month):
            raise InvalidQuery(
                field,
                f"«{_shown(month)}» no es un mes. Escriba año y mes: «2020-04».",
                f"“{_shown(month)}” is not a month. Write year and month: “2020-04”.",
            )
    if first > last:
        raise InvalidQuery(
            "filter.period",
            "El periodo termina antes de empezar. Intercambie «from» y «to».",
            "The period ends before it begins. Swap “from” and “to”.",
        )
    return Period(first, last)


def _not_among(field: str, value: str, codes: Iterable[str]) -> InvalidQuery:
    accepted = ", ".join(codes)
    return InvalidQuery(
        field,
        f"«{_shown(value)}» no es un código de {field}. Se aceptan: {accepted}.",
        f"“{_shown(value)}” is not a code of {field}. Accepted: {accepted}.",
    )


def _empty(field: str) -> InvalidQuery:
    return InvalidQuery(
        field,
        f"{field} está vacío: nombre al menos un valor u omita el filtro.",
        f"{field} is empty: name at least one value or leave the filter out.",
    )


def _shown(value: str) -> str:
    """A value somebody sent, short enough for a message."""
    return value if len(value) <= 40 else value[:40] + "…"
