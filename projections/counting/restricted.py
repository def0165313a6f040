"""Restricted counts: over private facets, in every dimension, for those who may ask. Pure; never certified.

Certainty, what counts and what does not are those of ``national-count/1``. Beyond it there are persons, and every
facet that reviewers found. The headline stands here too: unless a question names SCOPE, ROLE or NEXUS, it is about
medical students with a strict link to the service. SCOPE tells STRICT from BROAD, which includes it; NEXUS asks for any
link; ROLE for any victim, whatever the link.

The rows of VICTIMISATIONS and DEATHS sum to the whole in every dimension but two: an incident has each of its MEANS,
and what is STRICT is BROAD too. INCIDENTS sum over whatever else is said of the incident itself, and over OUTCOME,
where the most severe makes the headline; one with victims of both sexes is in both rows of SEX. PERSONS sum over
nothing: who was attacked in two months is one person, in the rows of both.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import product
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

from projections.counting.disclosure import NOTHING, Bounds
from projections.counting.victimisations import COUNTED, Victimisation
from projections.errors import InvalidQuery
from registry.domain.codes import (
    IN_SCOPE,
    KINDS,
    NOT_APPLICABLE,
    NOT_REPORTED,
    STATES,
    UNKNOWN,
    IncidentClass,
    Manner,
    Means,
    Nexus,
    Outcome,
    PerpetratorGroup,
    PlazaType,
    Sex,
    VictimRole,
)

MAX_VALUES: Final = 3_000
"""Of one filter: more than Mexico has municipalities can only be a mistake."""


class Unit(StrEnum):
    """What is counted.

    PERSONS by pseudonym: low is those who are known and in a confirmed incident. Each victim whom nobody identified is
    taken for one more person in best and high, and for none in low, since it may be one of the others.
    """

    INCIDENTS = "INCIDENTS"
    VICTIMISATIONS = "VICTIMISATIONS"
    DEATHS = "DEATHS"
    PERSONS = "PERSONS"


class Dimension(StrEnum):
    """What a count may be broken down and filtered by. QUARTER and MONTH are with their year."""

    CLASS = "CLASS"
    KIND = "KIND"
    YEAR = "YEAR"
    QUARTER = "QUARTER"
    MONTH = "MONTH"
    STATE = "STATE"
    MUNICIPALITY = "MUNICIPALITY"
    CERTAINTY = "CERTAINTY"
    SCOPE = "SCOPE"
    SEX = "SEX"
    ROLE = "ROLE"
    OUTCOME = "OUTCOME"
    MANNER = "MANNER"
    NEXUS = "NEXUS"
    MEANS = "MEANS"
    PERPETRATOR = "PERPETRATOR"
    INSTITUTION = "INSTITUTION"
    SITE = "SITE"
    PLAZA_TYPE = "PLAZA_TYPE"
    PROMOTION = "PROMOTION"


STRICT, BROAD = "STRICT", "BROAD"
OPEN_ANSWERS: Final = (UNKNOWN, NOT_REPORTED, NOT_APPLICABLE)
"""Three different answers that name no value; they come last."""

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WRITTEN: Final[Mapping[Dimension, tuple[re.Pattern[str], str]]] = {
    Dimension.YEAR: (re.compile(r"[0-9]{4}"), "2026"),
    Dimension.QUARTER: (re.compile(r"[0-9]{4}-Q[1-4]"), "2026-Q1"),
    Dimension.MONTH: (re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])"), "2026-02"),
    Dimension.MUNICIPALITY: (re.compile(r"(0[1-9]|[12][0-9]|3[0-2])[0-9]{3}"), "01001"),
    Dimension.INSTITUTION: (_ID, "3f1c0a52-8a0e-4c55-9a1e-2f6f6f0f7a11"),
    Dimension.SITE: (_ID, "3f1c0a52-8a0e-4c55-9a1e-2f6f6f0f7a11"),
    Dimension.PROMOTION: (re.compile(r"(19|20)[0-9]{2}-[12]"), "2026-1"),
}
"""Values that are no codes: how they are written, and an example."""

CODES: Final[Mapping[Dimension, frozenset[str]]] = {
    Dimension.CLASS: frozenset(IncidentClass),
    Dimension.KIND: KINDS[IncidentClass.THREAT] | KINDS[IncidentClass.ATTACK],
    Dimension.YEAR: frozenset({UNKNOWN}),
    Dimension.QUARTER: frozenset({UNKNOWN}),
    Dimension.MONTH: frozenset({UNKNOWN}),
    Dimension.STATE: frozenset({*STATES, UNKNOWN}),
    Dimension.MUNICIPALITY: frozenset({UNKNOWN}),
    Dimension.CERTAINTY: COUNTED,
    Dimension.SCOPE: frozenset({STRICT, BROAD}),
    Dimension.SEX: frozenset(Sex),
    Dimension.ROLE: frozenset(VictimRole),
    Dimension.OUTCOME: frozenset(Outcome),
    Dimension.MANNER: frozenset({*Manner, *OPEN_ANSWERS}),
    Dimension.NEXUS: frozenset(Nexus),
    Dimension.MEANS: frozenset(Means),
    Dimension.PERPETRATOR: frozenset(PerpetratorGroup),
    Dimension.INSTITUTION: frozenset({UNKNOWN, NOT_APPLICABLE}),
    Dimension.SITE: frozenset({UNKNOWN}),
    Dimension.PLAZA_TYPE: frozenset({*PlazaType, UNKNOWN, NOT_APPLICABLE}),
    Dimension.PROMOTION: frozenset({UNKNOWN, NOT_APPLICABLE}),
}
"""The codes that each dimension may show."""

E = TypeVar("E", bound=StrEnum)


class Question(NamedTuple):
    """A validated question. A victim is asked about if, in every dimension of ``filters``, one of its values is listed.

    Build it with ``ask``.
    """

    unit: Unit = Unit.INCIDENTS
    group_by: tuple[Dimension, ...] = ()
    filters: tuple[tuple[Dimension, tuple[str, ...]], ...] = ()

    @property
    def names(self) -> frozenset[Dimension]:
        """The dimensions that it names."""
        return frozenset(self.group_by) | {dimension for dimension, _ in self.filters}

    @property
    def in_scope_only(self) -> bool:
        """Whether only medical students are asked about."""
        return Dimension.ROLE not in self.names

    @property
    def strict_only(self) -> bool:
        """Whether only those with a strict link are asked about."""
        return self.names.isdisjoint({Dimension.SCOPE, Dimension.ROLE, Dimension.NEXUS})

    @property
    def headline(self) -> bool:
        """Whether an incident stands in one row of OUTCOME, that of the most severe."""
        return self.unit is Unit.INCIDENTS and Dimension.OUTCOME in self.names


class Row(NamedTuple):
    """One line of the answer: the values of the dimensions asked for, and how many of its incidents are disputed."""

    key: tuple[str, ...]
    bounds: Bounds
    disputed: int


def ask(
    unit: str, group_by: Sequence[str] = (), filters: Iterable[tuple[str, Sequence[str]]] = ()
) -> Question:
    """Build a question from what somebody wrote. Raises InvalidQuery, which names the field and what is accepted."""
    question = Question(
        _code(unit, Unit, "unit"),
        tuple(_code(name, Dimension, "groupBy") for name in group_by),
        tuple(_filter(_code(name, Dimension, "filters"), values) for name, values in filters),
    )
    named = [dimension for dimension, _ in question.filters]
    for field, dimensions in (("groupBy", list(question.group_by)), ("filters", named)):
        if len(set(dimensions)) != len(dimensions):
            raise InvalidQuery(
                field,
                f"Cada dimensión puede aparecer una sola vez en {field}.",
                f"Each dimension may appear only once in {field}.",
            )
    return question


def count(lines: Iterable[Victimisation], question: Question) -> list[Row]:
    """Count lines, those of each incident that may count. One row, with an empty key, where nothing is broken down."""
    parts: dict[tuple[str, ...], list[Victimisation]] = {}
    for line in lines:
        for key in _keys(line, question):
            parts.setdefault(key, []).append(line)
    if question.headline:
        parts = _by_headline(parts, question)
    counted = [
        Row(key, _COUNTS[question.unit](members), len({one.incident for one in members if one.disputed}))
        for key, members in parts.items()
    ]
    return in_order(counted, question)


def in_order(rows: Iterable[Row], question: Question) -> list[Row]:
    """Rows by their values, those that name none last; without a breakdown exactly one, be it of nothing."""
    if not question.group_by:
        return list(rows) or [Row((), NOTHING, 0)]
    return sorted(rows, key=lambda row: [(value in OPEN_ANSWERS, value) for value in row.key])


def rank_of(outcome: str) -> int:
    """How severe an outcome is, from 0."""
    return Outcome(outcome).rank


def _keys(line: Victimisation, question: Question) -> Iterator[tuple[str, ...]]:
    """The rows that a victim is in, before incidents are put in the row of their headline."""
    if question.in_scope_only and line.role != IN_SCOPE:
        return
    if question.strict_only and not line.strict:
        return
    if question.unit is Unit.DEATHS and line.outcome != Outcome.KILLED:
        return
    wanted = dict(question.filters)
    shown: dict[Dimension, tuple[str, ...]] = {}
    for dimension in question.names:
        values = _values(line, dimension)
        # With a headline, OUTCOME is filtered by it.
        if dimension in wanted and not (question.headline and dimension is Dimension.OUTCOME):
            values = tuple(value for value in values if value in wanted[dimension])
            if not values:
                return
        shown[dimension] = values
    yield from product(*(shown[dimension] for dimension in question.group_by))


def _by_headline(
    parts: Mapping[tuple[str, ...], Sequence[Victimisation]], question: Question
) -> dict[tuple[str, ...], list[Victimisation]]:
    """The victims of one incident that are in one row, but for their outcome, go to that of the most severe."""
    place = question.group_by.index(Dimension.OUTCOME) if Dimension.OUTCOME in question.group_by else None
    alike: dict[tuple[tuple[str, ...], UUID], list[Victimisation]] = {}
    for key, members in parts.items():
        rest = key if place is None else key[:place] + key[place + 1 :]
        for member in members:
            alike.setdefault((rest, member.incident), []).append(member)
    wanted = dict(question.filters).get(Dimension.OUTCOME)
    placed: dict[tuple[str, ...], list[Victimisation]] = {}
    for (rest, _), members in alike.items():
        headline = max((member.outcome for member in members), key=rank_of)
        if wanted is None or headline in wanted:
            key = rest if place is None else (*rest[:place], headline, *rest[place:])
            placed.setdefault(key, []).extend(members)
    return placed


def _values(line: Victimisation, dimension: Dimension) -> tuple[str, ...]:
    if dimension is Dimension.MEANS:
        return line.means
    if dimension is Dimension.SCOPE:
        return (STRICT, BROAD) if line.strict else (BROAD,)
    if dimension is Dimension.CLASS:
        return (line.incident_class,)
    value: str = getattr(line, dimension.value.lower())
    return (value,)


def _total(lines: Iterable[Victimisation]) -> Bounds:
    whole = NOTHING
    for line in lines:
        whole = whole.plus(line.bounds)
    return whole


def _incidents(lines: Sequence[Victimisation]) -> Bounds:
    """Rule 6: an incident counts if its victims may be one or more, component by component."""
    by_incident: dict[UUID, Bounds] = {}
    for line in lines:
        by_incident[line.incident] = by_incident.get(line.incident, NOTHING).plus(line.bounds)
    return Bounds(
        *(sum(min(bounds[place], 1) for bounds in by_incident.values()) for place in range(len(NOTHING)))
    )


def _persons(lines: Sequence[Victimisation]) -> Bounds:
    known = [
        len({line.person for line in lines if line.person is not None and line.bounds[place] > 0})
        for place in range(len(NOTHING))
    ]
    others = _total(line for line in lines if line.person is None)
    return Bounds(known[0], known[1] + others.best, known[2] + others.high)


_COUNTS: Final[Mapping[Unit, Callable[[Sequence[Victimisation]], Bounds]]] = {
    Unit.INCIDENTS: _incidents,
    Unit.VICTIMISATIONS: _total,
    Unit.DEATHS: _total,
    Unit.PERSONS: _persons,
}


def _filter(dimension: Dimension, values: Sequence[str]) -> tuple[Dimension, tuple[str, ...]]:
    field, chosen = f"filters.{dimension.value}", tuple(sorted(set(values)))
    if not chosen or len(chosen) > MAX_VALUES:
        raise InvalidQuery(
            field,
            f"Nombre de 1 a {MAX_VALUES} valores, u omita el filtro.",
            f"Name 1 to {MAX_VALUES} values, or leave the filter out.",
        )
    pattern, example = _WRITTEN.get(dimension, (None, None))
    for value in chosen:
        if value in CODES[dimension] or (pattern is not None and pattern.fullmatch(value)):
            continue
        accepted = ", ".join([*([example] if example else []), *sorted(CODES[dimension])])
        raise InvalidQuery(
            field,
            f"Hay un valor que no se acepta. Se aceptan, escritos así: {accepted}.",
            f"There is a value that is not accepted. Accepted, written like this: {accepted}.",
        )
    return dimension, tuple(str(value) for value in chosen)


def _code(value: str, codes: type[E], field: str) -> E:
    if value not in tuple(codes):
        accepted = ", ".join(codes)
        raise InvalidQuery(field, f"Se acepta uno de: {accepted}.", f"Accepted is one of: {accepted}.")
    return codes(value)
