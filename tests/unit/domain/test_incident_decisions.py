"""What may be decided about an incident once it is open, what is refused, and what a refusal asks for."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from registry.domain import incident_rules
from registry.domain.claims import NOBODY, ONE, Contradiction, Range, Where, without
from registry.domain.codes import (
    Certainty,
    CorrectionReason,
    DisputeGround,
    DisputeOutcome,
    IncidentClass,
    IncidentStatus,
    Manner,
    Outcome,
    PlacePrecision,
    Sex,
)
from registry.domain.incident import Incident
from registry.domain.incident_events import CertaintySet
from registry.errors import InvalidInput, RuleViolated
from tests.unit.domain.deciding import (
    DOCUMENTED,
    LINKED,
    OTHER_REPORTER,
    REPORTER,
    REVIEWER,
    SECOND,
    THIRD,
    WHY,
    by,
    level,
    opened,
    probable,
    refusal,
    report,
    standing,
    victim,
)


class TestLinks:
    def test_a_link_raises_nothing_and_lets_a_reviewer_raise(self) -> None:
        incident = opened(report())
        incident.set_certainty(by(REVIEWER), level=Certainty.POSSIBLE, basis=LINKED)
        raised: dict[str, Any] = {"level": Certainty.PROBABLE, "basis": LINKED}
        assert refusal(lambda: incident.set_certainty(by(REVIEWER), **raised)) == "certainty-criteria-missing"
        incident.link_report(by(REVIEWER), report(OTHER_REPORTER))
        assert level(incident) == Certainty.POSSIBLE
        incident.set_certainty(by(REVIEWER), **raised)
        assert level(incident) == Certainty.PROBABLE

    def test_an_unlinked_report_takes_with_it_what_no_longer_holds(self) -> None:
        incident, one, other = probable()
        incident.unlink_report(by(SECOND), other.report, WHY)
        lowered = incident.pending[-1].event
        assert isinstance(lowered, CertaintySet)
        assert (lowered.level, lowered.criteria) == (Certainty.POSSIBLE, ("DIRECT_OR_INSTITUTIONAL_SOURCE",))
        incident.unlink_report(by(SECOND), one.report, WHY)
        assert (incident.reports, incident.certainty) == ((), Certainty.RUMOUR)
        assert refusal(lambda: incident.unlink_report(by(SECOND), one.report, WHY)) == "report-not-linked"

    def test_what_still_holds_is_left_alone(self) -> None:
        incident, _, other = probable()
        incident.link_report(by(REVIEWER), report(UUID(int=9, version=4)))
        incident.unlink_report(by(SECOND), other.report, WHY)
        assert level(incident) == Certainty.PROBABLE

    def test_an_amended_report_counts_as_what_it_says_now(self) -> None:
        incident, one, other = probable()
        elsewhere = Where(state="14", cvegeo="14053", precision=PlacePrecision.MUNICIPALITY)
        incident.report_changed(by(REPORTER), msgspec.structs.replace(one, where=elsewhere))
        assert level(incident) == Certainty.POSSIBLE
        assert len(incident.reports) == 2
        before = incident.version
        incident.report_changed(by(OTHER_REPORTER), other)
        incident.report_changed(by(REPORTER), report())
        assert incident.version == before, "what says the same, or is not linked, changes nothing"

    def test_a_withdrawn_source_needs_no_reviewer_and_reaches_what_was_retracted(self) -> None:
        incident, one, other = probable()
        incident.retract(by(REVIEWER), CorrectionReason.OUT_OF_SCOPE)
        incident.source_withdrawn(by(OTHER_REPORTER), other.report)
        assert [linked.report for linked in incident.reports] == [one.report]
        incident.reinstate(by(SECOND), WHY)
        assert level(incident) == Certainty.POSSIBLE

    def test_a_confirmation_needs_its_sources_too(self) -> None:
        incident, _, other = probable()
        for reviewer in (REVIEWER, SECOND):
            incident.set_certainty(by(reviewer), level=Certainty.CONFIRMED, basis=DOCUMENTED)
        assert standing(incident) == (Certainty.CONFIRMED, IncidentStatus.VERIFIED)
        incident.source_withdrawn(by(OTHER_REPORTER), other.report)
        assert standing(incident) == (Certainty.POSSIBLE, IncidentStatus.PROVISIONAL)

    def test_half_a_confirmation_does_not_outlive_its_sources(self) -> None:
        incident, _, other = probable()
        incident.set_certainty(by(REVIEWER), level=Certainty.CONFIRMED, basis=DOCUMENTED)
        incident.source_withdrawn(by(OTHER_REPORTER), other.report)
        incident.link_report(by(REVIEWER), report(OTHER_REPORTER))
        incident.set_certainty(by(SECOND), level=Certainty.CONFIRMED, basis=DOCUMENTED)
        assert level(incident) == Certainty.PROBABLE

    def test_who_reports_later_no_longer_counts_as_a_reviewer(self) -> None:
        incident, _, _ = probable()
        for reviewer in (REVIEWER, SECOND):
            incident.set_certainty(by(reviewer), level=Certainty.CONFIRMED, basis=DOCUMENTED)
            incident.record_finding(by(reviewer), already_public=True)
        assert incident.already_public
        incident.link_report(by(THIRD), report(SECOND))
        assert level(incident) == Certainty.PROBABLE
        assert not incident.already_public

    def test_links_are_refused_to_reporters_twice_and_where_nothing_changes_any_more(self) -> None:
        incident, one, _ = probable()
        more = report(UUID(int=9, version=4))
        assert refusal(lambda: incident.link_report(by(REPORTER), more)) == "submitter-is-not-verifier"
        own = report(SECOND)
        assert refusal(lambda: incident.link_report(by(SECOND), own)) == "submitter-is-not-verifier"
        assert refusal(lambda: incident.link_report(by(SECOND), one)) == "report-already-linked"
        incident.retract(by(REVIEWER), WHY)
        assert refusal(lambda: incident.link_report(by(SECOND), more)) == "incident-retracted"
        incident.reinstate(by(SECOND), WHY)
        incident.set_certainty(by(SECOND), level=Certainty.REFUTED, basis=LINKED)
        assert refusal(lambda: incident.link_report(by(SECOND), more)) == "refuted-is-final"
        incident.unlink_report(by(SECOND), one.report, WHY)
        assert level(incident) == Certainty.REFUTED

    def test_a_confirmation_is_cited_every_time(self) -> None:
        incident, _, _ = probable()
        for reviewer in (REVIEWER, SECOND):
            incident.set_certainty(by(reviewer), level=Certainty.CONFIRMED, basis=DOCUMENTED)
        again: dict[str, Any] = {"level": Certainty.CONFIRMED, "basis": LINKED}
        assert refusal(lambda: incident.set_certainty(by(THIRD), **again)) == "certainty-criteria-missing"

    def test_a_finding_rests_on_linked_reports(self) -> None:
        incident, one, _ = probable()
        incident.record_finding(by(SECOND), kind="ROBBERY", basis=LINKED, reports=(one.report,))
        assert refusal(lambda: incident.record_finding(by(SECOND), kind="ROBBERY", reports=(uuid4(),))) == (
            "report-not-linked"
        )


class TestOutcomes:
    def update(self, incident: Incident, outcome: Outcome, **changes: Any) -> None:
        fields: dict[str, Any] = {"victim": 1, "manner": None, "count": None, "known_on": date(2026, 6, 1)}
        incident.update_outcome(by(REVIEWER), outcome=outcome, **(fields | changes))

    def test_who_dies_of_it_later_was_killed_then(self) -> None:
        incident = opened()
        incident.record_victim(by(REVIEWER), victim(person="p"))
        self.update(incident, Outcome.KILLED, manner=Manner.HOMICIDE)
        assert incident.victims == (victim(person="p", outcome=Outcome.KILLED, manner=Manner.HOMICIDE),)
        assert incident.pending[-1].private.keys() == {incident.subject, "person:p"}

    def test_one_of_several_dies_and_the_sum_stays(self) -> None:
        incident = opened()
        incident.record_victim(by(REVIEWER), victim(count=Range(low=2, best=3, high=5)))
        self.update(incident, Outcome.KILLED, count=ONE)
        assert [(one.outcome, one.count.low, one.count.best, one.count.high) for one in incident.victims] == [
            (Outcome.SEVERE, 1, 2, 4),
            (Outcome.KILLED, 1, 1, 1),
        ]
        with pytest.raises(InvalidInput):
            self.update(incident, Outcome.KILLED, count=Range(low=2, best=2, high=2))

    def test_death_is_corrected_and_not_updated_but_its_manner_may_change(self) -> None:
        incident = opened()
        incident.record_victim(by(REVIEWER), victim(outcome=Outcome.KILLED, manner=Manner.ACCIDENT))
        assert refusal(lambda: self.update(incident, Outcome.SEVERE)) == "killed-is-corrected"
        self.update(incident, Outcome.KILLED, manner=Manner.DISPUTED)
        assert incident.victims[0].manner is Manner.DISPUTED

    def test_an_outcome_is_new_and_somebody_s(self) -> None:
        incident = opened()
        incident.record_victim(by(REVIEWER), victim())
        assert refusal(lambda: self.update(incident, Outcome.SEVERE)) == "nothing-changes"
        with pytest.raises(InvalidInput):
            self.update(incident, Outcome.MISSING, manner=Manner.HOMICIDE)
        for number in (0, 2):
            with pytest.raises(InvalidInput):
                self.update(incident, Outcome.MISSING, victim=number)
        assert refusal(lambda: self.update(incident, Outcome.MISSING, count=NOBODY)) == "victim-taken-out"
        nobody = msgspec.structs.replace(victim(), count=NOBODY)
        incident.correct(by(REVIEWER), {"victim": nobody}, victim=1, reason=WHY)
        assert refusal(lambda: self.update(incident, Outcome.MISSING)) == "victim-taken-out"

    @pytest.mark.parametrize("part", [Range(low=0, best=0, high=4), Range(low=2, best=2, high=2)])
    def test_a_part_leaves_an_ordered_rest(self, part: Range) -> None:
        with pytest.raises(Contradiction):
            without(Range(low=1, best=2, high=3), part)


class TestDisputes:
    def test_any_institution_disputes_and_another_resolves(self) -> None:
        incident = opened()
        incident.dispute(by(REPORTER), DisputeGround.WHEN)
        incident.dispute(by(REPORTER), DisputeGround.KIND)
        incident.dispute(by(THIRD), DisputeGround.WHEN)
        assert [one.decision for one in incident.disputes] == [None] * 3
        for number in (1, 2, 3):
            incident.resolve_dispute(by(REVIEWER), number, DisputeOutcome.DISMISSED)
        assert not incident.disputed
        incident.dispute(by(REPORTER), DisputeGround.WHEN)
        assert incident.disputed

    def test_nobody_disputes_twice_at_once_or_resolves_what_is_theirs(self) -> None:
        incident = opened()
        incident.dispute(by(THIRD), DisputeGround.WHEN)
        assert refusal(lambda: incident.dispute(by(THIRD), DisputeGround.WHEN)) == "disputed-already"

        def resolve(institution: UUID, number: int = 1) -> Callable[[], None]:
            return lambda: incident.resolve_dispute(by(institution), number, DisputeOutcome.UPHELD)

        assert refusal(resolve(THIRD)) == "disputant-does-not-resolve"
        assert refusal(resolve(REPORTER)) == "submitter-is-not-verifier"
        with pytest.raises(InvalidInput):
            resolve(REVIEWER, 2)()
        resolve(REVIEWER)()
        assert refusal(resolve(REVIEWER)) == "dispute-resolved-already"

    def test_what_was_retracted_or_merged_is_not_disputed(self) -> None:
        incident, other = opened(), opened()
        other.merge(by(REVIEWER), incident, CorrectionReason.DUPLICATE)
        assert refusal(lambda: other.dispute(by(THIRD), DisputeGround.WHEN)) == "incident-merged"
        incident.retract(by(REVIEWER), WHY)
        assert refusal(lambda: incident.dispute(by(THIRD), DisputeGround.WHEN)) == "incident-retracted"


class TestCorrections:
    def test_each_says_what_was_and_what_should_have_been(self) -> None:
        incident = opened()
        incident.record_finding(by(REVIEWER), kind="ROBBERY")
        incident.record_victim(by(REVIEWER), victim(person="p"))
        before = incident.version
        new: dict[Any, Any] = {
            "class": IncidentClass.THREAT,
            "kind": "VERBAL",
            "where": Where(state="14", precision=PlacePrecision.STATE),
            "victim": victim(person="q", sex=Sex.MALE),
        }
        incident.correct(by(SECOND), new, victim=1, reason=CorrectionReason.RECLASSIFICATION)
        assert incident.version == before + 4
        assert (incident.incident_class, incident.kind) == (IncidentClass.THREAT, "VERBAL")
        assert (incident.where, incident.victims) == (new["where"], (new["victim"],))
        assert incident.correction is CorrectionReason.RECLASSIFICATION
        assert incident.pending[-1].private.keys() == {incident.subject, "person:p", "person:q"}

    def test_something_changes_and_fits(self) -> None:
        incident = opened()
        incident.record_finding(by(REVIEWER), kind="ROBBERY")

        def correct(**new: Any) -> Callable[[], None]:
            return lambda: incident.correct(by(SECOND), new, reason=WHY)  # type: ignore[arg-type]

        assert refusal(correct(kind="ROBBERY")) == "nothing-changes"
        for new in ({"kind": "VERBAL"}, {"class": IncidentClass.THREAT}):
            with pytest.raises(InvalidInput):
                correct(**new)()
        with pytest.raises(InvalidInput):
            incident.correct(by(SECOND), {"victim": victim()}, victim=1, reason=WHY)

    def test_who_was_no_victim_keeps_the_number_and_may_be_recorded_again(self) -> None:
        incident = opened()
        incident.record_victim(by(REVIEWER), victim(person="p", outcome=Outcome.KILLED))
        incident.record_victim(by(REVIEWER), victim(person="q"))
        both = victim(person="p", sex=Sex.MALE)
        assert (
            refusal(lambda: incident.correct(by(SECOND), {"victim": both}, victim=2, reason=WHY))
            == "victim-recorded-once"
        )
        gone = msgspec.structs.replace(incident.victims[0], count=NOBODY)
        incident.correct(by(SECOND), {"victim": gone}, victim=1, reason=WHY)
        assert incident.killed == frozenset()
        incident.correct(by(SECOND), {"victim": both}, victim=2, reason=WHY)
        assert [one.person for one in incident.victims] == ["p", "p"]


class TestRetraction:
    def test_another_institution_reinstates_and_nothing_is_lost(self) -> None:
        incident, _, _ = probable()
        incident.record_victim(by(REVIEWER), victim(person="p", outcome=Outcome.KILLED))
        assert incident.exclusive == {"killed:p"}
        incident.retract(by(REVIEWER), WHY)
        assert (standing(incident)[1], incident.exclusive) == (IncidentStatus.RETRACTED, frozenset())
        for institution, rule in (
            (REVIEWER, "reinstated-by-another"),
            (REPORTER, "submitter-is-not-verifier"),
        ):
            assert refusal(lambda: incident.reinstate(by(institution), WHY)) == rule  # noqa: B023 - called here
        incident.reinstate(by(SECOND), WHY)
        assert standing(incident) == (Certainty.PROBABLE, IncidentStatus.PROVISIONAL)
        assert incident.exclusive == {"killed:p"}
        assert refusal(lambda: incident.reinstate(by(SECOND), WHY)) == "incident-not-retracted"

    def test_the_dead_of_what_was_refuted_are_free(self) -> None:
        incident = opened()
        incident.record_victim(by(REVIEWER), victim(person="p", outcome=Outcome.KILLED))
        incident.set_certainty(by(REVIEWER), level=Certainty.REFUTED, basis=LINKED)
        assert incident.exclusive == frozenset()


@pytest.mark.parametrize("institution", [REPORTER, None], ids=["a reporting institution", "the operator"])
def test_neither_a_reporter_nor_the_operator_decides_anything(institution: UUID | None) -> None:
    incident, one, other = probable()
    incident.record_victim(by(REVIEWER), victim())
    incident.dispute(by(THIRD), DisputeGround.WHEN)
    act, target = by(institution), opened()
    decisions: list[Callable[[], object]] = [
        lambda: incident.link_report(act, report()),
        lambda: incident.unlink_report(act, one.report, WHY),
        lambda: incident.record_finding(act, kind="ROBBERY"),
        lambda: incident.record_victim(act, victim()),
        lambda: incident.update_outcome(
            act, victim=1, outcome=Outcome.MISSING, manner=None, count=None, known_on=date(2026, 6, 1)
        ),
        lambda: incident.set_certainty(act, level=Certainty.RUMOUR, basis=LINKED),
        lambda: incident.resolve_dispute(act, 1, DisputeOutcome.UPHELD),
        lambda: incident.correct(act, {"kind": "ROBBERY"}, reason=WHY),
        lambda: incident.retract(act, WHY),
        lambda: incident.merge(act, target, WHY),
        lambda: incident.split(
            act, incident_class=IncidentClass.ATTACK, reports=[other.report], victims=[], reason=WHY
        ),
    ]
    version = incident.version
    for decision in decisions:
        assert refusal(decision) in ("submitter-is-not-verifier", "verifier-needs-institution")
    incident.retract(by(REVIEWER), WHY)
    assert refusal(lambda: incident.reinstate(act, WHY)) in (
        "submitter-is-not-verifier",
        "verifier-needs-institution",
    )
    assert incident.version == version + 1


def test_every_refusal_says_in_both_languages_what_to_do() -> None:
    made = [
        incident_rules.criteria_missing(Certainty.PROBABLE, ["A"]),
        *(rule(uuid4()) for rule in (incident_rules.merged, incident_rules.double_death)),
        incident_rules.merge_target_gone(uuid4()),
        *(
            getattr(incident_rules, name)()
            for name, rule in vars(incident_rules).items()
            if callable(rule) and getattr(rule, "__annotations__", {}) == {"return": RuleViolated}
        ),
    ]
    assert len({refused.rule for refused in made}) == len(made) > 20
    for refused in made:
        assert refused.rule == refused.rule.lower()
        assert refused.text.es != refused.text.en
        assert min(len(re.findall(r"[.;]", text)) for text in refused.text) >= 2, refused.rule
