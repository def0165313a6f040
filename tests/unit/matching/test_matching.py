"""Which pairs are looked at, and what speaks for and against them."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.claims import Range, When, Where
from registry.domain.codes import (
    AttackKind,
    DatePrecision,
    IncidentClass,
    Outcome,
    PlacePrecision,
    Sex,
    ThreatKind,
    VictimRole,
)
from registry.matching.candidates import Rule, rules
from registry.matching.description import Description
from registry.matching.score import score
from registry.matching.taxonomy import FAMILIES, distance

SITE, OTHER_SITE, UNIVERSITY = (UUID(int=number, version=4) for number in (1, 2, 3))


def days(first: int | None, last: int) -> When:
    return When(
        earliest=None if first is None else date(2026, 1, 1) + timedelta(days=first),
        latest=date(2026, 1, 1) + timedelta(days=last),
        precision=DatePrecision.INTERVAL,
    )


def place(cvegeo: str | None, site: UUID | None = None, state: str = "16") -> Where:
    precision = (
        PlacePrecision.SITE if site else PlacePrecision.MUNICIPALITY if cvegeo else PlacePrecision.STATE
    )
    return Where(state=state, cvegeo=cvegeo, site=site, precision=precision)


SILENT = Description(
    incident_class=IncidentClass.ATTACK,
    when=None,
    where=None,
    kind=None,
    severity=None,
    victims=None,
    sexes=frozenset(),
    roles=frozenset(),
    people=frozenset(),
    institutions=frozenset(),
    documents=frozenset(),
)


def said(**changes: Any) -> Description:
    return msgspec.structs.replace(SILENT, **changes)


ATTACK = said(when=days(0, 0), where=place("16012"), severity=Outcome.SEVERE)


@pytest.mark.parametrize(
    ("gap", "here", "there", "found"),
    [
        (3, ATTACK, {}, {Rule.SAME_MUNICIPALITY, Rule.SAME_STATE_AND_SEVERITY}),
        (4, ATTACK, {}, {Rule.SAME_STATE_AND_SEVERITY}),
        (7, ATTACK, {"where": place("16053")}, {Rule.SAME_STATE_AND_SEVERITY}),
        (8, ATTACK, {"where": place("16053")}, set()),
        (1, ATTACK, {"where": place("16053"), "severity": Outcome.KILLED}, set()),
        (
            15,
            said(severity=Outcome.KILLED, where=place(None), when=days(0, 0)),
            {},
            {Rule.SAME_STATE_AND_LETHAL},
        ),
        (16, said(severity=Outcome.KILLED, where=place(None), when=days(0, 0)), {}, set()),
        (30, said(where=place("16012", SITE), when=days(0, 0)), {}, {Rule.SAME_SITE}),
        (31, said(where=place("16012", SITE), when=days(0, 0)), {}, set()),
        (900, said(people=frozenset({"p", "q"})), {"people": frozenset({"p"})}, {Rule.SAME_VICTIM}),
        (900, said(documents=frozenset({"d"})), {"where": place(None, state="14")}, {Rule.SAME_EVIDENCE}),
    ],
)
def test_each_rule_holds_up_to_its_last_day(
    gap: int, here: Description, there: dict[str, Any], found: set[Rule]
) -> None:
    other = msgspec.structs.replace(here, when=days(gap, gap), **there)
    assert set(rules(here, other)) == set(rules(other, here)) == found


def test_intervals_are_compared_not_dates() -> None:
    month = msgspec.structs.replace(ATTACK, when=days(0, 30))
    assert Rule.SAME_MUNICIPALITY in rules(month, msgspec.structs.replace(ATTACK, when=days(33, 33)))
    open_start = msgspec.structs.replace(ATTACK, when=days(None, 0))
    assert Rule.SAME_MUNICIPALITY in rules(open_start, msgspec.structs.replace(ATTACK, when=days(-900, -800)))


def test_without_a_date_a_site_or_municipality_is_enough_and_a_state_is_not() -> None:
    undated = msgspec.structs.replace(ATTACK, when=None)
    assert rules(undated, ATTACK) == rules(ATTACK, undated) == (Rule.SAME_MUNICIPALITY,)
    elsewhere = msgspec.structs.replace(undated, where=place("16053"))
    assert rules(elsewhere, ATTACK) == rules(ATTACK, elsewhere) == ()


@pytest.mark.parametrize(
    ("here", "there", "bits"),
    [
        (place("16012", SITE), place("16012", SITE), 9),
        (place("16012", SITE), place("16012", OTHER_SITE), -2),
        (place("16012", SITE), place("16012"), 7),
        (place("16012", SITE), place(None), 4),
        (place("16012"), place("16053"), -5),
        (place("16012"), place(None, state="14"), -7),
        (place("16012"), Where(precision=PlacePrecision.COUNTRY), None),
    ],
)
def test_places_are_compared_at_the_coarser_precision(here: Where, there: Where, bits: float | None) -> None:
    assert score(said(where=here), said(where=there)).features["where"] == bits


def test_the_exacter_and_the_closer_two_dates_the_more_they_say() -> None:
    def bits(one: When, other: When) -> float:
        weight = score(said(when=one), said(when=other)).features["when"]
        assert weight is not None
        return weight

    day = days(10, 10)
    weights = [bits(day, other) for other in (day, days(12, 12), days(0, 30), days(40, 40), days(400, 400))]
    assert weights == sorted(weights, reverse=True)
    assert weights[0] > 0 > weights[-1]
    assert bits(day, days(None, 10)) == 0


def test_every_kind_has_one_family() -> None:
    kinds = [kind for family in FAMILIES for kind in family]
    assert sorted(kinds) == sorted([*ThreatKind, *AttackKind])
    assert [distance("VERBAL", other) for other in ("VERBAL", "MESSAGE", "ORDER_TO_LEAVE", "ROBBERY")] == [
        0,
        1,
        2,
        3,
    ]


descriptions = st.builds(
    Description,
    incident_class=st.sampled_from(IncidentClass),
    when=st.none() | st.builds(days, st.none() | st.integers(0, 5), st.integers(5, 60)),
    where=st.sampled_from([None, place(None), place("16012"), place("16053"), place("16012", SITE)]),
    kind=st.sampled_from([None, "VERBAL", "ROBBERY", "ABDUCTION"]),
    severity=st.sampled_from([None, Outcome.NONE, Outcome.SEVERE, Outcome.KILLED]),
    victims=st.sampled_from([None, Range(low=1, best=1, high=1), Range(low=2, best=3, high=4)]),
    sexes=st.frozensets(st.sampled_from(Sex)),
    roles=st.frozensets(st.sampled_from(VictimRole)),
    people=st.frozensets(st.sampled_from(["p", "q"])),
    institutions=st.frozensets(st.sampled_from([UNIVERSITY, SITE])),
    documents=st.frozensets(st.sampled_from(["d", "e"])),
)
SPOKEN_OF = {
    "when": "when",
    "where": "where",
    "kind": "kind",
    "severity": "severity",
    "victims": "victims",
    "sexes": "sex",
    "roles": "role",
    "people": "victim",
    "institutions": "institution",
    "documents": "evidence",
}


@given(descriptions, descriptions)
def test_a_pair_is_the_same_both_ways(one: Description, other: Description) -> None:
    assert rules(one, other) == rules(other, one)
    assert score(one, other) == score(other, one)
    assert 0 <= score(one, other).value <= 1


@given(descriptions, descriptions, st.sampled_from(sorted(SPOKEN_OF)))
def test_what_is_missing_is_no_disagreement(one: Description, other: Description, field: str) -> None:
    silent = msgspec.structs.replace(one, **{field: getattr(SILENT, field)})
    full, features = score(one, other), score(silent, other).features
    assert features[SPOKEN_OF[field]] is None
    assert {**full.features, SPOKEN_OF[field]: None} == features


def test_agreement_in_all_is_nearly_certain_and_a_state_in_common_nearly_nothing() -> None:
    one = said(
        when=days(3, 3),
        where=place("16012"),
        kind="ABDUCTION",
        severity=Outcome.SEVERE,
        sexes=frozenset({Sex.FEMALE}),
        roles=frozenset({VictimRole.PASANTE_MEDICINE}),
    )
    vague = said(when=days(9, 9), where=place(None), severity=Outcome.SEVERE)
    assert score(one, one).value > 0.99
    assert score(one, vague).value < 0.1
