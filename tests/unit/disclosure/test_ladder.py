"""The rows of the ladder's table, one example each, and what corrections do."""

import random
import time
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from registry.disclosure.ladder import decide, distinct_victims
from registry.domain.claims import Range
from registry.domain.codes import Certainty, IncidentClass, Outcome, Sex, VictimRole
from tests.unit.disclosure.world import (
    FIRST,
    LATE,
    POLICY,
    REPORTED,
    SOON,
    Case,
    World,
    cases,
    findings,
    open_after,
    victim,
)

KILLED = (victim(Outcome.KILLED),)
MISSING = (victim(Outcome.MISSING),)
UP_TO_KIND = {"state", "kind", "sex"}
ALL = {"state", "kind", "sex", "municipality", "month"}
TIER_2_ALL = ALL - {"sex"}


def test_the_first_rung_opens_for_every_incident_at_once() -> None:
    for case in (
        Case(),
        Case(findings=findings("SEXUAL_VIOLENCE")),
        Case(certainty=Certainty.REFUTED),
        Case(status="RETRACTED"),
        Case(disputed=True),
    ):
        world = World([case])
        assert world.release(SOON)[case.incident] == FIRST


def test_a_killing_opens_up_to_the_kind_at_once_in_a_crowd_of_one() -> None:
    assert open_after(SOON, cases(1, victims=KILLED)) == UP_TO_KIND


def test_a_killing_opens_its_municipality_and_month_in_a_crowd_of_three() -> None:
    assert open_after(SOON, cases(2, victims=KILLED)) == UP_TO_KIND
    assert open_after(SOON, cases(3, victims=KILLED)) == ALL


def test_a_killing_needs_no_wait_in_the_middle_of_a_quarter() -> None:
    assert open_after(SOON, cases(3, victims=KILLED), before=SOON - timedelta(days=1)) == ALL


def test_a_killing_that_is_already_public_opens_entirely_whatever_the_population() -> None:
    case = Case(victims=KILLED, findings=findings(already_public=True), students={})
    assert open_after(SOON, [case]) == ALL


def test_the_sex_of_the_dead_is_part_of_what_a_crowd_shares() -> None:
    others = cases(2, victims=(victim(Outcome.KILLED, sex=Sex.MALE),))
    assert open_after(SOON, cases(1, victims=KILLED), others) == UP_TO_KIND


@pytest.mark.parametrize("outcome", [Outcome.MINOR, Outcome.NONE, Outcome.UNKNOWN, Outcome.MISSING])
def test_a_survivor_in_scope_makes_a_killing_wait_as_other_attacks_do(outcome: Outcome) -> None:
    case = Case(victims=(*KILLED, victim(outcome)))
    assert open_after(SOON, [case]) == set()


def test_a_survivor_out_of_scope_does_not_hold_back_a_killing() -> None:
    driver = victim(Outcome.MINOR, role=VictimRole.STAFF)
    assert open_after(SOON, [Case(victims=(*KILLED, driver))]) == UP_TO_KIND


def test_a_death_that_is_not_certain_waits() -> None:
    perhaps = victim(Outcome.KILLED, count=Range(low=0, best=1, high=1))
    assert open_after(SOON, [Case(victims=(perhaps,))]) == set()


def test_a_missing_student_opens_only_if_public_or_the_family_agrees() -> None:
    assert open_after(SOON, [Case(victims=MISSING)]) == set()
    agreed = Case(victims=MISSING, findings=findings("DISAPPEARANCE", family_agrees=True))
    assert open_after(SOON, [agreed]) == UP_TO_KIND
    public = Case(victims=MISSING, findings=findings("DISAPPEARANCE", already_public=True))
    assert open_after(SOON, [public]) == ALL


def test_an_attack_on_a_site_opens_at_once_unless_a_student_lived_through_it() -> None:
    empty = Case(victims=(), findings=findings("SITE_ATTACK"))
    assert open_after(SOON, [empty]) == UP_TO_KIND
    nurse = Case(victims=(victim(role=VictimRole.STAFF),), findings=findings("SITE_ATTACK"))
    assert open_after(SOON, [nurse]) == UP_TO_KIND
    student = Case(findings=findings("SITE_ATTACK"))
    assert open_after(SOON, [student]) == set()


@pytest.mark.parametrize("incident_class", list(IncidentClass))
def test_other_attacks_and_threats_open_in_a_crowd_of_three(incident_class: IncidentClass) -> None:
    kind = {"ATTACK": "ROBBERY", "THREAT": "VERBAL"}[incident_class]
    fields = {"incident_class": incident_class, "findings": findings(kind)}
    assert open_after(LATE, cases(2, **fields)) == set()
    assert open_after(LATE, cases(3, **fields)) == TIER_2_ALL


def test_other_attacks_wait_ninety_days_after_the_report() -> None:
    day_89, day_90 = REPORTED + timedelta(days=89), REPORTED + timedelta(days=90)
    assert open_after(day_89, cases(3)) == set()
    assert open_after(day_90, cases(3)) == {"state", "kind"}


def test_other_attacks_wait_for_the_first_release_of_a_quarter() -> None:
    assert open_after(LATE, cases(3), before=LATE - timedelta(days=1)) == TIER_2_ALL
    assert open_after(LATE + timedelta(days=1), cases(3), before=LATE) == set()
    assert open_after(LATE + timedelta(days=1), cases(3), before=LATE - timedelta(days=365)) == TIER_2_ALL


def test_a_municipality_waits_until_the_promotion_has_ended() -> None:
    end = date(2027, 9, 30)
    assert open_after(LATE, cases(3, promotion_end=end)) == TIER_2_ALL
    assert open_after(LATE, cases(3, promotion_end=LATE)) == {"state", "kind"}
    assert open_after(LATE, cases(3, promotion_end=None)) == {"state", "kind"}


def test_ten_students_must_have_been_assigned_there_then() -> None:
    assert open_after(LATE, cases(3, students={"municipality": 9, "month": 10})) == {"state", "kind"}
    assert open_after(LATE, cases(3, students={"municipality": 10})) == TIER_2_ALL - {"month"}
    assert open_after(LATE, cases(3, students={"municipality": 10, "month": 10})) == TIER_2_ALL


def test_what_is_already_public_needs_no_crowd_up_to_the_municipality_but_waits() -> None:
    public = {"findings": findings(already_public=True), "students": {}}
    assert open_after(SOON, cases(1, **public)) == set()
    assert open_after(LATE, cases(1, **public)) == {"state", "kind", "municipality"}
    assert open_after(LATE, cases(3, **public)) == TIER_2_ALL


@pytest.mark.parametrize("kind", ["SEXUAL_VIOLENCE", "HARASSMENT"])
def test_sexual_violence_opens_its_kind_in_a_crowd_of_ten_and_nothing_more(kind: str) -> None:
    assert open_after(LATE, cases(9, findings=findings(kind))) == set()
    assert open_after(LATE, cases(10, findings=findings(kind))) == {"kind"}
    assert open_after(LATE, cases(9, findings=findings(kind, already_public=True))) == set()
    assert open_after(LATE, cases(10, findings=findings(kind, already_public=True))) == {"kind"}
    assert open_after(SOON, cases(10, findings=findings(kind))) == set()


def test_the_crowd_of_sexual_violence_is_nationwide() -> None:
    states = [Case(findings=findings("HARASSMENT", cvegeo=f"{state:02d}001")) for state in range(1, 11)]
    assert open_after(LATE, states) == {"kind"}


def test_a_killing_with_sexual_violence_keeps_its_kind_sealed_and_what_lies_above() -> None:
    case = Case(victims=KILLED, findings=findings("SEXUAL_VIOLENCE", already_public=True))
    assert open_after(SOON, [case]) == {"state"}


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "MERGED"},
        {"status": "RETRACTED"},
        {"disputed": True},
        {"certainty": Certainty.RUMOUR},
        {"certainty": Certainty.REFUTED},
    ],
)
def test_withdrawn_or_contested_incidents_are_nobodys_crowd_and_open_nothing(
    fields: dict[str, object],
) -> None:
    assert open_after(LATE, cases(2), cases(1, **fields)) == set()
    assert open_after(LATE, cases(1, victims=KILLED, **fields), cases(3, victims=KILLED)) == set()


def test_a_crowd_needs_as_many_distinct_victims() -> None:
    same = (victim(person="p1"),)
    assert open_after(LATE, cases(3, victims=same)) == set()
    assert open_after(LATE, cases(3, victims=same), cases(2, victims=(victim(person="p2"),))) == set()
    assert open_after(LATE, cases(1, victims=same), cases(2)) == TIER_2_ALL


def test_distinct_victims_are_those_in_scope_and_the_incident_stands_for_the_unknown() -> None:
    incident = uuid4()
    family = victim(role=VictimRole.FAMILY, person="f")
    assert distinct_victims(incident, [victim(person="a"), victim(), family]) == {"a"}
    assert distinct_victims(incident, [family]) == {"f"}
    assert distinct_victims(incident, [victim(), family]) == {str(incident)}
    assert distinct_victims(incident, []) == {str(incident)}


def test_a_crowd_shares_class_and_year() -> None:
    other_year = findings(day=date(2025, 4, 10))
    assert open_after(LATE, cases(2), cases(2, findings=other_year)) == set()
    threats = cases(2, incident_class=IncidentClass.THREAT, findings=findings("UNKNOWN"))
    assert open_after(LATE, cases(2, findings=findings("UNKNOWN")), threats) == set()


def test_the_tally_is_not_compared() -> None:
    two = (victim(count=Range(low=2, best=2, high=3)),)
    assert open_after(LATE, cases(2), cases(1, victims=two)) == TIER_2_ALL


def test_no_rung_is_skipped_for_a_crowd_that_shares_only_a_later_one() -> None:
    months = [Case(findings=findings(kind)) for kind in ("ROBBERY", "EXTORTION", "ABDUCTION")]
    assert open_after(LATE, months) == {"state"}


def test_whoever_loses_its_crowd_takes_others_down() -> None:
    # The third incident could open its kind only with a fourth, which waits: then the first two lack their third.
    waiting = Case(findings=findings(cvegeo="16001"), reported=LATE)
    others = [Case(findings=findings(cvegeo="16012")), Case(findings=findings(cvegeo="16034"))]
    assert open_after(LATE, others, [waiting]) == set()
    waiting.reported = REPORTED
    assert open_after(LATE, others, [waiting]) == {"state", "kind"}


def test_incidents_of_another_tier_are_a_crowd_where_they_show_the_same() -> None:
    dead = cases(2, victims=KILLED)
    world = World(cases(1), dead)
    assert set(world.release(LATE)[world.cases[0].incident]) - FIRST == {"state", "kind"}


def test_an_incident_given_twice_is_refused() -> None:
    candidate = World([Case()]).candidates()[0]
    with pytest.raises(ValueError, match="given twice"):
        decide([candidate, candidate], POLICY, on=SOON, previous_release=None)


# Corrections


def released(*groups: list[Case], on: date = LATE) -> World:
    world = World(*groups)
    world.release(on)
    return world


def next_release(world: World, days: int = 1) -> set[str]:
    """What is open of the first incident after a release in the same quarter."""
    assert world.last_release is not None
    result = world.release(world.last_release + timedelta(days=days))
    return set(result[world.cases[0].incident]) - FIRST


def test_what_is_open_stays_open_when_its_crowd_shrinks() -> None:
    world = released(cases(3))
    world.cases[1].status = "RETRACTED"
    world.cases[2].certainty = Certainty.REFUTED
    assert next_release(world) == TIER_2_ALL


def test_a_withdrawn_incident_keeps_what_is_open() -> None:
    world = released(cases(3))
    world.cases[0].status = "RETRACTED"
    assert next_release(world) == TIER_2_ALL


def test_a_corrected_municipality_closes_where_it_has_no_crowd_with_the_month_above_it() -> None:
    world = released(cases(3))
    world.cases[0].findings = findings(cvegeo="16034")
    assert next_release(world) == {"state", "kind"}


def test_a_corrected_municipality_opens_anew_at_once_where_it_has_its_crowd() -> None:
    world = released(cases(3), cases(3, findings=findings(cvegeo="16034")))
    world.cases[0].findings = findings(cvegeo="16034")
    assert next_release(world) == TIER_2_ALL


def test_a_corrected_year_puts_every_rung_to_the_test_again() -> None:
    world = released(cases(3))
    world.cases[0].findings = findings(day=date(2025, 4, 10))
    assert next_release(world) == set()


def test_a_corrected_kind_of_a_killing_needs_no_crowd_but_its_municipality_does() -> None:
    world = released(cases(3, victims=KILLED))
    world.cases[0].findings = findings("ABDUCTION")
    assert next_release(world) == UP_TO_KIND


def test_a_changed_tally_closes_nothing() -> None:
    world = released(cases(3))
    world.cases[0].victims = (victim(), victim())
    assert next_release(world) == TIER_2_ALL


def test_what_turns_out_to_be_sexual_violence_never_shows_its_kind_beside_its_state() -> None:
    world = released(cases(3), cases(10, findings=findings("HARASSMENT")))
    world.cases[0].findings = findings("HARASSMENT")
    assert next_release(world) == {"state"}
    assert next_release(world, days=100) == {"state"}


def test_what_turns_out_not_to_be_sexual_violence_opens_from_the_first_rung_again() -> None:
    world = released(cases(10, findings=findings("HARASSMENT")))
    world.cases[0].findings = findings("ROBBERY")
    assert next_release(world) == set()


def test_a_student_who_died_later_opens_as_a_killing_does() -> None:
    world = released(cases(3), on=REPORTED + timedelta(days=90))
    assert next_release(world) == {"state", "kind"}
    world.cases[0].victims = KILLED
    # The sex of the dead was sealed as NOT_APPLICABLE: it is sealed anew first, and opens with the release after.
    assert next_release(world) == {"state", "kind"}
    assert next_release(world) == UP_TO_KIND


def test_what_was_passed_over_opens_only_with_the_crowd_of_the_highest_open_rung() -> None:
    world = released(cases(3))
    world.cases[0].victims = KILLED
    next_release(world)
    # In a crowd of one the sex would open with the kind, but here it would show beside municipality and month.
    assert next_release(world) == TIER_2_ALL
    for case in world.cases:
        case.victims = KILLED
    next_release(world)
    assert next_release(world) == ALL


def test_a_student_found_alive_shows_no_longer_who_had_died() -> None:
    world = released(cases(3, victims=KILLED), on=SOON)
    world.cases[0].victims = (victim(),)
    assert next_release(world) == {"state", "kind"}


def test_a_survivor_found_later_stops_the_ladder_where_it_stands() -> None:
    world = released(cases(1, victims=KILLED), on=SOON)
    world.cases[0].victims = (*KILLED, victim())
    world.cases += cases(5, victims=KILLED)
    assert next_release(world) == UP_TO_KIND
    assert next_release(world, days=600) == UP_TO_KIND


def test_what_is_corrected_behind_its_seal_opens_in_the_release_after() -> None:
    world = released(cases(1, victims=KILLED), on=SOON)
    world.cases += cases(2, victims=KILLED, findings=findings(cvegeo="16034"))
    world.cases[0].findings = findings(cvegeo="16034")
    assert next_release(world) == UP_TO_KIND
    assert next_release(world) == ALL


def test_the_time_grows_with_the_number_of_incidents_not_with_their_pairs() -> None:
    shuffled = random.Random(2020)
    kinds = ["ROBBERY", "EXTORTION", "ABDUCTION", "ARMED_ATTACK", "HARASSMENT"]
    world = World(
        Case(
            incident=UUID(int=shuffled.getrandbits(128), version=4),
            victims=(victim(shuffled.choice([Outcome.MINOR, Outcome.KILLED]), person=f"p{number % 60_000}"),),
            findings=findings(
                shuffled.choice(kinds),
                day=date(2010, 1, 1) + timedelta(days=shuffled.randrange(5_800)),
                cvegeo=f"{shuffled.randint(1, 32):02d}{shuffled.randint(1, 80):03d}",
            ),
        )
        for number in range(20_000)
    )
    few, many = world.candidates()[:2_000], world.candidates()

    def seconds(candidates: list[object]) -> float:
        start = time.process_time()
        decide(candidates, POLICY, on=LATE, previous_release=None)  # type: ignore[arg-type]
        return time.process_time() - start

    # Ten times as many take about ten times as long, far from the hundred times of a comparison of pairs.
    assert seconds(list(many)) < 40 * max(seconds(list(few)), 0.005)
