"""Whoever has the leaves can hold every opening to the policy, and finds each that has no crowd."""

import datetime
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.counting.disclosure import parse
from projections.verification.crowds import Crowds
from projections.verification.errors import VerificationFailed
from projections.verification.openings import Shown
from registry.disclosure.facets import FACETS
from registry.disclosure.policy import shipped
from registry.domain.codes import KINDS, Certainty, Outcome
from registry.log.canonical import JSON
from tests.unit.disclosure.test_ladder_laws import changes, crowded, slow
from tests.unit.disclosure.world import LATE, REPORTED, SOON, Case, World, cases, findings, victim
from tests.unit.verification.synthetic import SyntheticLog, incident
from tests.unit.verification.test_openings import failure, read

Public = dict[str, Any]


class Reader:
    """Reads what a world publishes, and may spoil a leaf first."""

    def __init__(self, world: World, policy: JSON = None) -> None:
        self.world, self.crowds = world, Crowds()
        self.crowds.adopt(0, policy or shipped())
        self._read: dict[UUID, int] = {}

    def release(self, on: date, **spoilt: Any) -> list[Public]:
        """The leaves of one release; the first of them with other fields."""
        self.world.release(on)
        leaves: list[Shown] = []
        for name, history in sorted(self.world.history.items()):
            for event_id, leaf in history[self._read.get(name, 0) :]:
                public = cast("Public", leaf.public) | (spoilt if not leaves else {})
                leaves.append(Shown(len(leaves), str(event_id), parse(public)))
            self._read[name] = len(history)
        self.crowds.release(on, leaves)
        return [{**leaf.disclosure._asdict()} for leaf in leaves]


def fit(case: Case) -> Case:
    """The domain lets no incident have a kind of the other class."""
    if case.findings.kind not in KINDS[case.incident_class]:
        case.findings = findings(
            None,
            day=None if case.findings.when is None else case.findings.when.latest,
            cvegeo=None if case.findings.where is None else case.findings.where.cvegeo,
            already_public=case.findings.already_public,
            family_agrees=case.findings.family_agrees,
        )
    return case


@slow
@given(
    crowded(),
    st.lists(
        st.tuples(st.integers(1, 200), changes, st.tuples(st.integers(0, 100), st.booleans())),
        min_size=1,
        max_size=5,
    ),
)
def test_whatever_the_ladder_opens_passes(
    incidents: list[Case], steps: list[tuple[int, Any, tuple[int, bool]]]
) -> None:
    world = World([fit(case) for case in incidents])
    reader = Reader(world)
    on = REPORTED
    for days, changed, (number, known) in steps:
        for index, (field, value) in changed:
            setattr(world.cases[index % len(world.cases)], field, value)
        case = world.cases[number % len(world.cases)]
        case.findings = findings(
            case.findings.kind,
            day=None if case.findings.when is None else case.findings.when.latest,
            cvegeo=None if case.findings.where is None else case.findings.where.cvegeo,
            already_public=known,
            family_agrees=case.findings.family_agrees,
        )
        for one in world.cases:
            fit(one)
        on += timedelta(days=days)
        reader.release(on)
        for facet in FACETS:
            assert sum(reader.crowds.parts(facet)) == len(world.previous)


def test_what_a_crowd_justifies_is_never_called_waived() -> None:
    """Three attacks alike, one of them already public: whether it is must not be seen."""
    seen = []
    for known in (False, True):
        world = World(cases(2), cases(1, findings=findings(already_public=known)))
        shown = Reader(world).release(LATE)
        seen.append([(leaf["state"], leaf["month"], leaf["waived"]) for leaf in shown])
    assert seen[0] == seen[1] == [("16", "2026-04", ())] * 3


def test_what_is_already_public_is_waived_up_to_where_it_stands_alone() -> None:
    known = Case(findings=findings(already_public=True))
    reader = Reader(World([known], cases(3, findings=findings("ROBBERY"))))
    shown = {leaf["incident"]: leaf for leaf in reader.release(LATE)}
    assert shown[str(known.incident)]["waived"] == ("kind", "municipality")
    assert all(leaf["waived"] == () for name, leaf in shown.items() if name != str(known.incident))
    assert reader.crowds.waived == 2

    # Once said, it stays, whatever crowd comes later.
    reader.world.cases += cases(4)
    known.certainty = Certainty.CONFIRMED
    later = {leaf["incident"]: leaf for leaf in reader.release(LATE + timedelta(days=100))}
    assert later[str(known.incident)]["waived"] == ("kind", "municipality")
    assert later[str(known.incident)]["month"] == "2026-04"


def test_a_missing_student_whose_family_agrees_is_waived_where_no_crowd_is() -> None:
    missing = Case(victims=(victim(Outcome.MISSING),), findings=findings(family_agrees=True))
    (shown,) = Reader(World([missing])).release(SOON)
    assert (shown["state"], shown["waived"]) == ("16", ("kind", "sex", "state"))


def test_a_killing_without_survivors_needs_no_word_for_its_kind() -> None:
    (shown,) = Reader(World(cases(1, victims=(victim(Outcome.KILLED),)))).release(SOON)
    assert (shown["kind"], shown["municipality"], shown["waived"]) == ("ARMED_ATTACK", None, ())


@pytest.mark.parametrize(
    ("already_public", "waived", "said"),
    [
        (True, [], "facet “municipality”: is open without the crowd"),
        (False, ["municipality"], "facet “municipality”: is said to be exempt (waived) and need not be"),
    ],
)
def test_a_word_too_few_or_too_many_is_caught(already_public: bool, waived: list[str], said: str) -> None:
    number = 1 if already_public else 3
    case = {"victims": (victim(Outcome.KILLED),), "findings": findings(already_public=already_public)}
    with pytest.raises(VerificationFailed) as caught:
        Reader(World(cases(number, **case))).release(SOON, waived=waived)
    assert said in caught.value.text.en


def policy(**other: int) -> JSON:
    """The shipped one, in which all k but these are 1, without waits."""
    document = cast("Any", shipped())
    for tier in document["tiers"]:
        for rung in tier["rungs"]:
            rung["k"] = dict.fromkeys(rung["k"], other.get(rung["facets"][0], 1))
            rung["wait"] = {
                "days_after_report": 0,
                "first_release_of_quarter": False,
                "after_promotion": False,
            }
    return cast("JSON", document)


UP_TO_STATE = ("tally", "year", "state")
UP_TO_KIND = (*UP_TO_STATE, "kind")


@pytest.fixture
def log() -> SyntheticLog:
    """Two attacks on survivors, open to their state, under a policy that asks for 2 there and 3 for the kind."""
    log = SyntheticLog()
    log.adopt(policy(state=2, kind=3))
    log.disclose(incident(1), UP_TO_STATE)
    log.disclose(incident(2), UP_TO_STATE)
    log.release()
    read(log)
    return log


def kinds(log: SyntheticLog, numbers: Iterator[int] | range, **changes: Any) -> None:
    for number in numbers:
        log.disclose(incident(number), UP_TO_KIND, **changes)
    log.release()


def test_k_is_reached_by_what_the_same_release_opens(log: SyntheticLog) -> None:
    kinds(log, range(1, 4))
    assert read(log).crowds.opened == 2 + 2 + 2


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "ROBBERY"},
        {"state": "09", "municipality": "09012"},
        {"year": "2021", "month": "2021-04"},
        {"change": lambda public: public.update(certainty="RUMOUR")},
        {"change": lambda public: public.update(disputed=True)},
        {"change": lambda public: public.update(status="RETRACTED", reason="PROTECTED")},
        {"change": lambda public: public.update({"class": "THREAT"}), "kind": "UNKNOWN"},
    ],
)
def test_who_differs_or_does_not_stand_is_in_no_crowd(log: SyntheticLog, other: Any) -> None:
    log.disclose(incident(1), UP_TO_KIND)
    log.disclose(incident(2), UP_TO_KIND)
    log.disclose(incident(3), ("tally", "year", "state", "kind"), **other)
    log.release()
    assert f"Leaf 5, incident {incident(1)}, facet “kind”" in failure(log)
    assert "without the crowd" in failure(log)


def test_what_is_disputed_opens_nothing(log: SyntheticLog) -> None:
    kinds(log, range(1, 5), change=lambda public: public.update(disputed=True))
    assert "it cannot open more" in failure(log)


def test_no_rung_is_skipped(log: SyntheticLog) -> None:
    for number in range(1, 5):
        log.disclose(incident(number), (*UP_TO_STATE, "municipality"))
    log.release()
    assert "facet “municipality”: opens without the crowd" in failure(log)


def test_the_first_rung_is_always_open(log: SyntheticLog) -> None:
    log.disclose(incident(3), ("tally",))
    log.release()
    assert "facet “year”: is sealed; it always opens" in failure(log)


def test_a_correction_stays_open_only_with_its_new_crowd(log: SyntheticLog) -> None:
    log.disclose(incident(1), UP_TO_STATE, reseal=True, state="09", municipality="09012")
    log.release()
    assert "facet “state”: opens without the crowd" in failure(log)


def test_a_correction_that_closes_passes_and_so_does_one_with_a_crowd(log: SyntheticLog) -> None:
    log.disclose(incident(1), reseal=True, state="09", municipality="09012")
    log.disclose(incident(2), UP_TO_STATE, reseal=True, kind="ROBBERY")
    log.release()
    read(log)


def test_what_was_open_stays_when_its_crowd_goes(log: SyntheticLog) -> None:
    log.disclose(incident(1), reseal=True, change=lambda public: public.update(status="RETRACTED"))
    log.release()
    log.disclose(incident(2), UP_TO_STATE, change=lambda public: public.update(certainty="PROBABLE"))
    log.release()
    assert read(log).crowds.parts("state") == (1, 0, 1)


@pytest.mark.parametrize("kind", ["SEXUAL_VIOLENCE", "HARASSMENT"])
def test_sexual_violence_shows_nothing_but_its_kind(kind: str) -> None:
    log = SyntheticLog()
    log.adopt(policy())
    log.disclose(incident(1), ("tally", "year", "kind"), kind=kind)
    log.release()
    read(log)
    log.disclose(incident(2), UP_TO_KIND, kind=kind, waived=["kind", "state"])
    log.release()
    assert "no exemption of the policy allows it" in failure(log)


def test_no_killing_tells_that_it_was_sexual_violence() -> None:
    killed: Any = {"victims": [1, 1, 1], "deaths": [1, 1, 1]}
    sex = {"strict": {"FEMALE": [1, 1, 1]}, "broad": {"FEMALE": [1, 1, 1]}}
    log = SyntheticLog()
    log.adopt(policy())
    values: Any = {"tally": {"strict": killed, "broad": killed}, "sex": sex}
    log.disclose(incident(1), UP_TO_STATE, kind="SEXUAL_VIOLENCE", **values)
    log.release()
    read(log)
    log.disclose(incident(2), (*UP_TO_KIND, "sex"), kind="SEXUAL_VIOLENCE", **values)
    log.release()
    assert f"incident {incident(2)}, facet “kind”: opens without the crowd" in failure(log)


def test_a_facet_that_waits_for_a_quarter_opens_in_its_first_release() -> None:
    document = cast("Any", policy())
    document["tiers"][2]["rungs"][0]["wait"]["first_release_of_quarter"] = True
    for day, passes in ((datetime.date(2026, 12, 31), False), (datetime.date(2027, 1, 1), True)):
        log = SyntheticLog()
        log.adopt(document)
        log.release()
        log.day = day
        log.disclose(incident(1), UP_TO_STATE)
        log.release()
        if passes:
            read(log)
        else:
            assert (
                "facet “state”: is open without the crowd of incidents that the policy asks for, or before"
                in failure(log)
            )


def test_another_policy_holds_from_its_adoption(log: SyntheticLog) -> None:
    log.adopt(policy(state=2, kind=2))
    kinds(log, range(1, 3))
    assert read(log).crowds.opened == 4


def test_a_document_that_is_no_policy_is_caught() -> None:
    log = SyntheticLog()
    log.adopt({"k": 3})
    assert "Leaf 1 (policy.adopted)" in failure(log)
