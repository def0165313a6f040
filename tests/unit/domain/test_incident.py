"""The rules by which an incident changes, without any database."""

from uuid import UUID

import pytest

from registry.domain.certainty import LinkedReport
from registry.domain.claims import Range
from registry.domain.codes import Certainty, CorrectionReason, IncidentClass, SourceType
from registry.domain.incident import Incident
from registry.errors import InvalidInput, RuleViolated
from tests.unit.domain.deciding import (
    DOCUMENTED,
    LINKED,
    REPORTER,
    REVIEWER,
    SECOND,
    by,
    level,
    report,
    victim,
)


def linked(source: str) -> LinkedReport:
    return report(source_type=SourceType.PRESS, source=source)


@pytest.fixture
def incident() -> Incident:
    return Incident.open(
        by(REVIEWER), incident_class=IncidentClass.ATTACK, reports=[linked("a"), linked("b")]
    )


def test_an_incident_needs_a_report() -> None:
    with pytest.raises(InvalidInput):
        Incident.open(by(REVIEWER), incident_class=IncidentClass.ATTACK, reports=[])


@pytest.mark.parametrize("institution", [REPORTER, None], ids=["a reporting institution", "the operator"])
def test_neither_a_reporter_nor_the_operator_adjudicates(
    incident: Incident, institution: UUID | None
) -> None:
    with pytest.raises(RuleViolated):
        incident.record_victim(by(institution), victim())


def test_confirmed_takes_effect_with_the_second_organisation(incident: Incident) -> None:
    incident.set_certainty(by(REVIEWER), level=Certainty.CONFIRMED, basis=DOCUMENTED)
    assert level(incident) == Certainty.PROBABLE
    incident.set_certainty(by(REVIEWER), level=Certainty.CONFIRMED, basis=DOCUMENTED)
    assert level(incident) == Certainty.PROBABLE
    incident.set_certainty(by(SECOND), level=Certainty.CONFIRMED, basis=DOCUMENTED)
    assert level(incident) == Certainty.CONFIRMED


def test_another_level_in_between_starts_confirmation_anew(incident: Incident) -> None:
    incident.set_certainty(by(REVIEWER), level=Certainty.CONFIRMED, basis=DOCUMENTED)
    incident.set_certainty(by(SECOND), level=Certainty.POSSIBLE, basis=LINKED)
    incident.set_certainty(by(SECOND), level=Certainty.CONFIRMED, basis=DOCUMENTED)
    assert level(incident) != Certainty.CONFIRMED


def test_lowering_is_free_and_refuting_is_final(incident: Incident) -> None:
    incident.set_certainty(by(REVIEWER), level=Certainty.PROBABLE, basis=LINKED)
    incident.set_certainty(by(REVIEWER), level=Certainty.RUMOUR, basis=LINKED)
    incident.set_certainty(by(REVIEWER), level=Certainty.REFUTED, basis=LINKED)
    with pytest.raises(RuleViolated) as caught:
        incident.set_certainty(by(REVIEWER), level=Certainty.POSSIBLE, basis=LINKED)
    assert caught.value.rule == "refuted-is-final"


def test_what_was_possible_once_stays_so_for_releases(incident: Incident) -> None:
    incident.set_certainty(by(REVIEWER), level=Certainty.RUMOUR, basis=LINKED)
    assert not incident.ever_possible
    incident.set_certainty(by(REVIEWER), level=Certainty.POSSIBLE, basis=LINKED)
    incident.set_certainty(by(REVIEWER), level=Certainty.RUMOUR, basis=LINKED)
    assert incident.ever_possible


def test_nothing_changes_after_a_retraction(incident: Incident) -> None:
    incident.retract(by(REVIEWER), CorrectionReason.DUPLICATE)
    with pytest.raises(RuleViolated):
        incident.record_victim(by(REVIEWER), victim())
    with pytest.raises(RuleViolated):
        incident.retract(by(REVIEWER), CorrectionReason.DUPLICATE)
    with pytest.raises(RuleViolated):
        incident.set_certainty(by(REVIEWER), level=Certainty.RUMOUR, basis=LINKED)


def test_a_person_is_a_victim_once(incident: Incident) -> None:
    incident.record_victim(by(REVIEWER), victim(person="p"))
    with pytest.raises(RuleViolated):
        incident.record_victim(by(REVIEWER), victim(person="p"))


def test_already_public_needs_two_organisations_and_can_be_taken_back(incident: Incident) -> None:
    seen = []
    for institution, found in ((REVIEWER, True), (REVIEWER, True), (SECOND, True), (REVIEWER, False)):
        incident.record_finding(by(institution), already_public=found)
        seen.append(incident.already_public)
    assert seen == [False, False, True, False]


def test_a_finding_says_one_thing_and_a_kind_belongs_to_its_class(incident: Incident) -> None:
    with pytest.raises(InvalidInput):
        incident.record_finding(by(REVIEWER))
    with pytest.raises(InvalidInput):
        incident.record_finding(by(REVIEWER), kind="ROBBERY", family_agrees=True)
    with pytest.raises(InvalidInput) as caught:
        incident.record_finding(by(REVIEWER), kind="VERBAL")
    assert "COERCED_CARE" in caught.value.text.en


@pytest.mark.parametrize(("low", "best", "high"), [(2, 1, 3), (1, 3, 2)])
def test_a_range_is_ordered(low: int, best: int, high: int) -> None:
    with pytest.raises(ValueError, match="low ≤ best ≤ high"):
        Range(low=low, best=best, high=high)
