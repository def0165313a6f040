"""The rules by which an incident changes, without any database."""

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest

from registry.domain.certainty import LinkedReport
from registry.domain.claims import Range, Victim, When, Where
from registry.domain.codes import (
    Certainty,
    CertaintyBasis,
    CorrectionReason,
    DatePrecision,
    Directness,
    IncidentClass,
    Nexus,
    Outcome,
    PlacePrecision,
    ReportClass,
    Sex,
    SourceType,
    VictimRole,
)
from registry.domain.event import Act, By
from registry.domain.incident import Incident
from registry.errors import InvalidInput, RuleViolated

NOW = datetime(2026, 2, 1, tzinfo=UTC)
REPORTER, REVIEWER, OTHER_REVIEWER = (UUID(int=n, version=4) for n in (1, 2, 3))


def acting(institution: UUID | None) -> Act:
    return Act(By(institution=institution, key=None), NOW)


def linked(source: str) -> LinkedReport:
    return LinkedReport(
        report=uuid4(),
        institution=REPORTER,
        recorded=NOW,
        report_class=ReportClass.ATTACK,
        source_type=SourceType.PRESS,
        directness=Directness.DIRECT,
        source=source,
        derived_from=None,
        when=When(earliest=date(2026, 1, 5), latest=date(2026, 1, 5), precision=DatePrecision.DAY),
        where=Where(state="16", cvegeo="16012", precision=PlacePrecision.MUNICIPALITY),
    )


def level(incident: Incident) -> str | None:
    return incident.certainty


def victim(**changes: object) -> Victim:
    fields: dict[str, object] = {
        "role": VictimRole.PASANTE_MEDICINE,
        "sex": Sex.FEMALE,
        "outcome": Outcome.SEVERE,
        "nexus": Nexus.ON_DUTY_AT_SITE,
    }
    return Victim(**(fields | changes))  # type: ignore[arg-type]


@pytest.fixture
def incident() -> Incident:
    return Incident.open(
        acting(REVIEWER), incident_class=IncidentClass.ATTACK, reports=[linked("a"), linked("b")]
    )


LINKED = (CertaintyBasis.LINKED_REPORTS,)
DOCUMENTED = (CertaintyBasis.OFFICIAL_DOCUMENT,)


def test_an_incident_needs_a_report() -> None:
    with pytest.raises(InvalidInput):
        Incident.open(acting(REVIEWER), incident_class=IncidentClass.ATTACK, reports=[])


@pytest.mark.parametrize("institution", [REPORTER, None], ids=["a reporting institution", "the operator"])
def test_neither_a_reporter_nor_the_operator_adjudicates(
    incident: Incident, institution: UUID | None
) -> None:
    with pytest.raises(RuleViolated):
        incident.record_victim(acting(institution), victim())


def test_confirmed_takes_effect_with_the_second_organisation(incident: Incident) -> None:
    incident.set_certainty(acting(REVIEWER), level=Certainty.CONFIRMED, basis=DOCUMENTED)
    assert level(incident) == Certainty.PROBABLE
    incident.set_certainty(acting(REVIEWER), level=Certainty.CONFIRMED, basis=DOCUMENTED)
    assert level(incident) == Certainty.PROBABLE
    incident.set_certainty(acting(OTHER_REVIEWER), level=Certainty.CONFIRMED, basis=DOCUMENTED)
    assert level(incident) == Certainty.CONFIRMED


def test_another_level_in_between_starts_confirmation_anew(incident: Incident) -> None:
    incident.set_certainty(acting(REVIEWER), level=Certainty.CONFIRMED, basis=DOCUMENTED)
    incident.set_certainty(acting(OTHER_REVIEWER), level=Certainty.POSSIBLE, basis=LINKED)
    incident.set_certainty(acting(OTHER_REVIEWER), level=Certainty.CONFIRMED, basis=DOCUMENTED)
    assert level(incident) != Certainty.CONFIRMED


def test_lowering_is_free_and_refuting_is_final(incident: Incident) -> None:
    incident.set_certainty(acting(REVIEWER), level=Certainty.PROBABLE, basis=LINKED)
    incident.set_certainty(acting(REVIEWER), level=Certainty.RUMOUR, basis=LINKED)
    incident.set_certainty(acting(REVIEWER), level=Certainty.REFUTED, basis=LINKED)
    with pytest.raises(RuleViolated) as caught:
        incident.set_certainty(acting(REVIEWER), level=Certainty.POSSIBLE, basis=LINKED)
    assert caught.value.rule == "refuted-is-final"


def test_what_was_possible_once_stays_so_for_releases(incident: Incident) -> None:
    incident.set_certainty(acting(REVIEWER), level=Certainty.RUMOUR, basis=LINKED)
    assert not incident.ever_possible
    incident.set_certainty(acting(REVIEWER), level=Certainty.POSSIBLE, basis=LINKED)
    incident.set_certainty(acting(REVIEWER), level=Certainty.RUMOUR, basis=LINKED)
    assert incident.ever_possible


def test_nothing_changes_after_a_retraction(incident: Incident) -> None:
    incident.retract(acting(REVIEWER), CorrectionReason.DUPLICATE)
    with pytest.raises(RuleViolated):
        incident.record_victim(acting(REVIEWER), victim())
    with pytest.raises(RuleViolated):
        incident.retract(acting(REVIEWER), CorrectionReason.DUPLICATE)
    with pytest.raises(RuleViolated):
        incident.set_certainty(acting(REVIEWER), level=Certainty.RUMOUR, basis=LINKED)


def test_a_person_is_a_victim_once(incident: Incident) -> None:
    incident.record_victim(acting(REVIEWER), victim(person="p"))
    with pytest.raises(RuleViolated):
        incident.record_victim(acting(REVIEWER), victim(person="p"))


def test_already_public_needs_two_organisations_and_can_be_taken_back(incident: Incident) -> None:
    seen = []
    for institution, found in ((REVIEWER, True), (REVIEWER, True), (OTHER_REVIEWER, True), (REVIEWER, False)):
        incident.record_finding(acting(institution), already_public=found)
        seen.append(incident.already_public)
    assert seen == [False, False, True, False]


def test_a_finding_says_one_thing_and_a_kind_belongs_to_its_class(incident: Incident) -> None:
    with pytest.raises(InvalidInput):
        incident.record_finding(acting(REVIEWER))
    with pytest.raises(InvalidInput):
        incident.record_finding(acting(REVIEWER), kind="ROBBERY", family_agrees=True)
    with pytest.raises(InvalidInput) as caught:
        incident.record_finding(acting(REVIEWER), kind="VERBAL")
    assert "COERCED_CARE" in caught.value.text.en


@pytest.mark.parametrize(("low", "best", "high"), [(2, 1, 3), (1, 3, 2)])
def test_a_range_is_ordered(low: int, best: int, high: int) -> None:
    with pytest.raises(ValueError, match="low ≤ best ≤ high"):
        Range(low=low, best=best, high=high)
