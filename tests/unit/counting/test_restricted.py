"""Restricted counts as a pure definition: persons, parts and wholes, and that they say what the public count says."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.counting import count as public
from projections.counting import query as public_query
from projections.counting.disclosure import NOTHING, Bounds, Disclosure, parse, total
from projections.counting.restricted import CODES, Dimension, Question, Row, Unit, ask, count
from projections.counting.victimisations import Victimisation, victimisations
from projections.errors import InvalidQuery
from registry.disclosure.facets import FACETS, Findings, facets_of
from registry.domain.claims import Victim
from registry.domain.codes import (
    Certainty,
    IncidentClass,
    IncidentStatus,
    Nexus,
    Outcome,
    Sex,
    VictimRole,
)
from registry.domain.incident import Incident
from tests.incidents import ASSIGNMENTS, registers

STUDENT = Victim(
    role=VictimRole.PASANTE_MEDICINE, sex=Sex.FEMALE, outcome=Outcome.MINOR, nexus=Nexus.ON_DUTY_AT_SITE
)


def lines_of(incidents: Sequence[Incident]) -> list[Victimisation]:
    return [line for incident in incidents for line in victimisations(incident, ASSIGNMENTS)]


def incident(number: int, kind: str, *people: str | None, **known: Any) -> Incident:
    victims = tuple(
        Victim(
            role=STUDENT.role, sex=STUDENT.sex, outcome=STUDENT.outcome, nexus=STUDENT.nexus, person=person
        )
        for person in people
    )
    known = {"certainty": Certainty.CONFIRMED, "victims": victims, **known}
    return Incident(id=UUID(int=number, version=4), incident_class=IncidentClass.ATTACK, kind=kind, **known)


def table(incidents: Sequence[Incident], unit: str, *group_by: str, **filters: list[str]) -> dict[Any, Any]:
    rows = count(lines_of(incidents), ask(unit, group_by, filters.items()))
    return {row.key: tuple(row.bounds) for row in rows}


def test_arrests_of_a_b_a_c_and_attacks_on_d_e_b_are_seven_incidents_and_five_persons() -> None:
    arrests = [incident(number, "OBSTRUCTION", person) for number, person in enumerate("ABAC", 1)]
    attacks = [incident(number, "ARMED_ATTACK", person) for number, person in enumerate("DEB", 5)]
    for unit, whole, arrested in (("INCIDENTS", 7, 4), ("VICTIMISATIONS", 7, 4), ("PERSONS", 5, 3)):
        assert table([*arrests, *attacks], unit) == {(): (whole,) * 3}
        by_kind = table([*arrests, *attacks], unit, "KIND")
        assert by_kind == {("OBSTRUCTION",): (arrested,) * 3, ("ARMED_ATTACK",): (3, 3, 3)}
        assert table([*arrests, *attacks], unit, KIND=["OBSTRUCTION"]) == {(): (arrested,) * 3}


def test_whom_nobody_identified_is_another_person_at_best_and_nobody_for_certain() -> None:
    assert table([incident(1, "ROBBERY", "A", None), incident(2, "ROBBERY", "A")], "PERSONS") == {
        (): (1, 2, 2)
    }


def test_unknown_not_reported_and_not_applicable_are_different_rows() -> None:
    asked = [
        incident(number, kind, victims=(victim,))
        for number, (kind, victim) in enumerate(
            [
                ("UNKNOWN", STUDENT),
                ("NOT_REPORTED", Victim(**_changed(outcome=Outcome.KILLED))),
                ("ROBBERY", Victim(**_changed(outcome=Outcome.NOT_REPORTED))),
            ],
            1,
        )
    ]
    assert list(table(asked, "INCIDENTS", "KIND")) == [("ROBBERY",), ("NOT_REPORTED",), ("UNKNOWN",)]
    assert list(table(asked, "VICTIMISATIONS", "MANNER")) == [
        ("NOT_APPLICABLE",),
        ("NOT_REPORTED",),
        ("UNKNOWN",),
    ]
    staff = [incident(4, "ROBBERY", victims=(Victim(**_changed(role=VictimRole.STAFF)),))]
    assert list(table(staff, "INCIDENTS", "ROLE", "INSTITUTION")) == [("STAFF", "NOT_APPLICABLE")]
    assert list(table(asked, "INCIDENTS", "INSTITUTION")) == [("UNKNOWN",)]


def _changed(**changes: Any) -> dict[str, Any]:
    return {name: getattr(STUDENT, name) for name in ("role", "sex", "outcome", "nexus")} | changes


def test_the_most_severe_outcome_makes_the_headline_of_an_incident() -> None:
    killed, hurt = Victim(**_changed(outcome=Outcome.KILLED, sex=Sex.MALE)), STUDENT
    both = [incident(1, "ABDUCTION", victims=(hurt, killed)), incident(2, "ROBBERY", victims=(hurt,))]
    assert table(both, "INCIDENTS", "OUTCOME") == {("KILLED",): (1, 1, 1), ("MINOR",): (1, 1, 1)}
    assert table(both, "INCIDENTS", OUTCOME=["MINOR"]) == {(): (1, 1, 1)}
    assert table(both, "VICTIMISATIONS", OUTCOME=["MINOR"]) == {(): (2, 2, 2)}
    assert table(both, "INCIDENTS", "SEX", "OUTCOME") == {
        ("FEMALE", "MINOR"): (2, 2, 2),
        ("MALE", "KILLED"): (1, 1, 1),
    }


def test_the_headline_stands_unless_a_question_names_scope_role_or_nexus() -> None:
    off_duty = Victim(**_changed(nexus=Nexus.OFF_DUTY_ELSEWHERE))
    nurse = Victim(**_changed(role=VictimRole.STAFF, nexus=Nexus.NOT_APPLICABLE))
    one = [incident(1, "ROBBERY", victims=(STUDENT, off_duty, nurse))]
    assert table(one, "VICTIMISATIONS") == {(): (1, 1, 1)}
    assert table(one, "VICTIMISATIONS", "SCOPE") == {("BROAD",): (2, 2, 2), ("STRICT",): (1, 1, 1)}
    assert table(one, "VICTIMISATIONS", SCOPE=["BROAD"]) == {(): (2, 2, 2)}
    assert table(one, "VICTIMISATIONS", "NEXUS") == {
        ("OFF_DUTY_ELSEWHERE",): (1, 1, 1),
        ("ON_DUTY_AT_SITE",): (1, 1, 1),
    }
    assert table(one, "VICTIMISATIONS", ROLE=["STAFF"]) == {(): (1, 1, 1)}
    assert table(one, "VICTIMISATIONS", "ROLE") == {("PASANTE_MEDICINE",): (2, 2, 2), ("STAFF",): (1, 1, 1)}


def opened(one: Incident) -> Disclosure | None:
    """What a policy without crowds and waits shows of an incident: everything."""
    if one.certainty is None:
        return None
    findings = Findings(kind=one.kind, when=one.when, where=one.where)
    facets = facets_of(one.incident_class, one.victims, findings)
    own = one.status if one.status in (IncidentStatus.MERGED, IncidentStatus.RETRACTED) else "ACTIVE"
    return parse(
        {
            "incident": str(one.id),
            "status": str(own),
            "merged_into": None if one.merged_into is None else str(one.merged_into),
            "certainty": one.certainty.value,
            "disputed": one.disputed,
            "class": one.incident_class.value,
            "reason": None,
            "waived": [],
            "facets": {name: {"value": facets.value(name)} for name in FACETS},
        }
    )


PUBLIC = [dimension for dimension in public_query.Dimension if dimension.value != "SEX"]


@given(
    registers,
    st.sampled_from(public_query.Unit),
    st.sampled_from(["STRICT", "BROAD"]),
    st.lists(st.sampled_from(PUBLIC), max_size=3, unique=True),
    st.booleans(),
    st.fixed_dictionaries(
        {},
        optional={
            "classes": st.just(["ATTACK"]),
            "kinds": st.just(["ROBBERY", "UNKNOWN"]),
            "states": st.just(["16"]),
            "municipalities": st.just(["16012"]),
            "period": st.just(("2020-01", "2020-12")),
        },
    ),
)
def test_where_everything_is_open_the_public_count_says_the_same(
    incidents: list[Incident],
    unit: public_query.Unit,
    nexus: str,
    group_by: list[public_query.Dimension],
    by_sex: bool,
    given_filters: dict[str, Any],
) -> None:
    dimensions = [one.value for one in group_by]
    if by_sex and unit is public_query.Unit.DEATHS:
        dimensions.append("SEX")
    disclosures = [shown for one in incidents if (shown := opened(one)) is not None]
    asked = public_query.ask(unit.value, nexus=nexus, group_by=dimensions, **given_filters)
    expected = public.count(disclosures, asked)
    names = {
        "classes": "CLASS",
        "kinds": "KIND",
        "states": "STATE",
        "municipalities": "MUNICIPALITY",
        "period": "YEAR",
    }
    filters = [
        (names[name], ["2020"] if name == "period" else values) for name, values in given_filters.items()
    ]
    if nexus == "BROAD":
        filters.append(("SCOPE", ["BROAD"]))
    lines = lines_of(incidents)
    (whole,) = count(lines, ask(unit.value, (), filters))
    assert whole.bounds == expected.bounds
    if unit is public_query.Unit.INCIDENTS:
        assert whole.disputed == expected.disputed
    if dimensions:
        found = {row.key: row.bounds for row in count(lines, ask(unit.value, dimensions, filters))}
        assert found == {
            tuple(cell.value or "UNKNOWN" for cell in row.key): row.bounds for row in expected.rows
        }


SUMMING = [one for one in Dimension if one not in (Dimension.MEANS, Dimension.SCOPE)]
OF_THE_INCIDENT = [*SUMMING[: SUMMING.index(Dimension.SEX)], Dimension.PERPETRATOR, Dimension.OUTCOME]
WIDENING = {Dimension.SCOPE, Dimension.ROLE, Dimension.NEXUS}


@settings(max_examples=60)
@given(registers, st.data())
def test_parts_sum_to_wholes_where_the_definition_says_so(
    incidents: list[Incident], data: st.DataObject
) -> None:
    unit = data.draw(st.sampled_from([Unit.INCIDENTS, Unit.VICTIMISATIONS, Unit.DEATHS]))
    summing = OF_THE_INCIDENT if unit is Unit.INCIDENTS else SUMMING
    group_by = tuple(data.draw(st.lists(st.sampled_from(summing), min_size=1, max_size=3, unique=True)))
    lines = lines_of(incidents)
    # The whole that a breakdown by ROLE or NEXUS is of is the one that they widen it to.
    widened = [(one, tuple(sorted(CODES[one]))) for one in group_by if one in WIDENING]
    (whole,) = count(lines, Question(unit, (), tuple(widened)))
    rows = count(lines, Question(unit, group_by))
    assert total(row.bounds for row in rows) == whole.bounds
    for row in rows:
        assert row.bounds.low <= row.bounds.best <= row.bounds.high


@given(registers, st.sampled_from(Dimension))
def test_persons_are_at_most_victimisations_and_each_row_at_most_the_whole(
    incidents: list[Incident], dimension: Dimension
) -> None:
    lines = lines_of(incidents)
    persons, victims = (
        {row.key: row.bounds for row in count(lines, Question(unit, (dimension,)))}
        for unit in (Unit.PERSONS, Unit.VICTIMISATIONS)
    )
    for key, bounds in persons.items():
        assert all(one <= other for one, other in zip(bounds, victims[key], strict=True))
        assert bounds.low <= bounds.best <= bounds.high


def test_nothing_is_counted_as_a_row_of_nothing() -> None:
    assert count([], Question()) == [Row((), NOTHING, 0)]
    assert count([], Question(group_by=(Dimension.STATE,))) == []
    assert Bounds(0, 0, 0) == NOTHING


@pytest.mark.parametrize(
    ("unit", "group_by", "filters", "field"),
    [
        ("REPORTS", [], [], "unit"),
        ("INCIDENTS", ["COLOUR"], [], "groupBy"),
        ("INCIDENTS", ["SEX", "SEX"], [], "groupBy"),
        ("INCIDENTS", [], [("SEX", [])], "filters.SEX"),
        ("INCIDENTS", [], [("SEX", ["female"])], "filters.SEX"),
        ("INCIDENTS", [], [("CERTAINTY", ["RUMOUR"])], "filters.CERTAINTY"),
        ("INCIDENTS", [], [("QUARTER", ["2020-Q5"])], "filters.QUARTER"),
        ("INCIDENTS", [], [("MUNICIPALITY", ["1001"])], "filters.MUNICIPALITY"),
        ("INCIDENTS", [], [("SITE", ["PLANTED"])], "filters.SITE"),
        ("INCIDENTS", [], [("SEX", ["MALE"]), ("SEX", ["MALE"])], "filters"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused_by_its_field(
    unit: str, group_by: list[str], filters: list[tuple[str, list[str]]], field: str
) -> None:
    with pytest.raises(InvalidQuery) as refused:
        ask(unit, group_by, filters)
    assert refused.value.field == field
    assert "PLANTED" not in str(refused.value)


@given(registers)
def test_every_value_that_a_line_shows_can_be_asked_for(incidents: list[Incident]) -> None:
    for dimension in Dimension:
        for row in count(lines_of(incidents), Question(Unit.VICTIMISATIONS, (dimension,))):
            ask("INCIDENTS", [], [(dimension.value, row.key)])
