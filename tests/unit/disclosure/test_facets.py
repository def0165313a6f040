"""Facets, value by value as the leaves show them."""

from datetime import date

import pytest

from registry.disclosure.facets import FACETS, Facets, Findings, facets_of
from registry.domain.claims import Range, Victim, When, Where
from registry.domain.codes import (
    DatePrecision,
    IncidentClass,
    Nexus,
    Outcome,
    PlacePrecision,
    Sex,
    VictimRole,
)
from tests.unit.disclosure.world import victim

D = DatePrecision
P = PlacePrecision


def of(*victims: Victim, **found: object) -> Facets:
    return facets_of(IncidentClass.ATTACK, victims, Findings(**found))  # type: ignore[arg-type]


def period(earliest: str | None, latest: str, precision: DatePrecision) -> tuple[str, str]:
    start = None if earliest is None else date.fromisoformat(earliest)
    facets = of(when=When(earliest=start, latest=date.fromisoformat(latest), precision=precision))
    return facets.year, facets.month


def place(**where: object) -> tuple[str, str]:
    facets = of(where=Where(**where))  # type: ignore[arg-type]
    return facets.state, facets.municipality


def test_nothing_found_is_unknown_and_counts_nobody() -> None:
    none = {"victims": [0, 0, 0], "deaths": [0, 0, 0]}
    assert of() == Facets(
        tally={"strict": none, "broad": none},
        year="UNKNOWN",
        month="UNKNOWN",
        state="UNKNOWN",
        municipality="UNKNOWN",
        kind="UNKNOWN",
        sex="NOT_APPLICABLE",
    )
    assert set(FACETS) == set(Facets.__struct_fields__)


def test_the_tally_adds_bounds_of_students_only_and_broad_includes_strict() -> None:
    facets = of(
        victim(Outcome.KILLED, count=Range(low=1, best=1, high=2)),
        victim(Outcome.MINOR, nexus=Nexus.COMMUTE, count=Range(low=0, best=1, high=1)),
        victim(Outcome.KILLED, nexus=Nexus.OFF_DUTY_ELSEWHERE),
        victim(Outcome.SEVERE, nexus=Nexus.UNKNOWN),
        victim(Outcome.KILLED, role=VictimRole.STAFF),
        victim(Outcome.KILLED, role=VictimRole.INTERN),
    )
    assert facets.tally == {
        "strict": {"victims": [1, 2, 3], "deaths": [1, 1, 2]},
        "broad": {"victims": [3, 4, 5], "deaths": [2, 2, 3]},
    }


def test_the_sexes_are_those_of_the_students_who_died_and_sum_to_the_deaths() -> None:
    facets = of(
        victim(Outcome.KILLED, sex=Sex.FEMALE),
        victim(Outcome.KILLED, sex=Sex.FEMALE, count=Range(low=0, best=0, high=1)),
        victim(Outcome.KILLED, sex=Sex.UNKNOWN, nexus=Nexus.OFF_DUTY_ELSEWHERE),
        victim(Outcome.MINOR, sex=Sex.MALE),
        victim(Outcome.KILLED, sex=Sex.MALE, role=VictimRole.STAFF),
    )
    assert facets.sex == {
        "strict": {"FEMALE": [1, 1, 2]},
        "broad": {"FEMALE": [1, 1, 2], "UNKNOWN": [1, 1, 1]},
    }


def test_without_a_student_among_the_dead_their_sex_does_not_apply() -> None:
    assert of(victim(Outcome.KILLED, role=VictimRole.STAFF), victim()).sex == "NOT_APPLICABLE"


@pytest.mark.parametrize(
    ("earliest", "latest", "precision", "expected"),
    [
        ("2020-04-10", "2020-04-10", D.DAY, ("2020", "2020-04")),
        ("2020-04-27", "2020-05-03", D.WEEK, ("2020", "UNKNOWN")),
        ("2019-12-30", "2020-01-05", D.WEEK, ("UNKNOWN", "UNKNOWN")),
        ("2020-04-01", "2020-04-30", D.MONTH, ("2020", "2020-04")),
        ("2020-04-01", "2020-06-30", D.QUARTER, ("2020", "UNKNOWN")),
        ("2020-01-01", "2020-12-31", D.YEAR, ("2020", "UNKNOWN")),
        # A day that only stands for its quarter or year says nothing about the month.
        ("2020-04-01", "2020-04-01", D.QUARTER, ("2020", "UNKNOWN")),
        ("2020-01-01", "2020-01-01", D.YEAR, ("2020", "UNKNOWN")),
        ("2020-03-20", "2020-06-20", D.INTERVAL, ("2020", "UNKNOWN")),
        ("2020-04-02", "2020-04-08", D.INTERVAL, ("2020", "2020-04")),
        ("2019-12-31", "2020-01-01", D.INTERVAL, ("UNKNOWN", "UNKNOWN")),
        # An open start is decided by the precision, where that says anything.
        (None, "2020-04-10", D.INTERVAL, ("UNKNOWN", "UNKNOWN")),
        (None, "2020-04-10", D.DAY, ("2020", "2020-04")),
        (None, "2020-04-30", D.MONTH, ("2020", "2020-04")),
        (None, "2020-04-10", D.WEEK, ("2020", "2020-04")),
        (None, "2020-04-05", D.WEEK, ("2020", "UNKNOWN")),
        (None, "2020-06-30", D.QUARTER, ("2020", "UNKNOWN")),
        (None, "2020-12-31", D.YEAR, ("2020", "UNKNOWN")),
    ],
)
def test_a_date_is_known_as_far_as_its_whole_interval_agrees(
    earliest: str | None, latest: str, precision: DatePrecision, expected: tuple[str, str]
) -> None:
    assert period(earliest, latest, precision) == expected


def test_a_place_is_known_as_far_as_its_precision_reaches() -> None:
    assert place(cvegeo="16012", state="16", precision=P.MUNICIPALITY) == ("16", "16012")
    assert place(cvegeo="16012", precision=P.SITE) == ("16", "16012")
    assert place(state="16", precision=P.STATE) == ("16", "UNKNOWN")
    assert place(cvegeo="16012", precision=P.STATE) == ("16", "UNKNOWN")
    assert place(precision=P.COUNTRY) == ("UNKNOWN", "UNKNOWN")


def test_a_kind_stands_as_found_and_unknown_where_it_belongs_to_another_class() -> None:
    assert of(kind="COERCED_CARE").kind == "COERCED_CARE"
    assert of(kind="NOT_REPORTED").kind == "NOT_REPORTED"
    assert of(kind="VERBAL").kind == "UNKNOWN"
    assert facets_of(IncidentClass.THREAT, (), Findings(kind="VERBAL")).kind == "VERBAL"
