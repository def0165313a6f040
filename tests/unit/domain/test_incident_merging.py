"""Incidents that turn out to be one, or several: what moves, what stays, what is refused."""

from collections.abc import Callable
from uuid import UUID, uuid4

import msgspec
import pytest

from registry.domain.claims import NOBODY, ONE
from registry.domain.codes import (
    Certainty,
    CorrectionReason,
    DisputeGround,
    DisputeOutcome,
    IncidentClass,
    IncidentStatus,
    Outcome,
)
from registry.domain.incident import Incident
from registry.domain.incident_events import ReportLinked
from registry.errors import InvalidInput
from tests.unit.domain.deciding import (
    LINKED,
    OTHER_REPORTER,
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
    victim,
)


class TestMerging:
    def test_the_reports_move_and_the_other_remains(self) -> None:
        kept, merged = opened(), opened(report(OTHER_REPORTER), report(OTHER_REPORTER))
        merged.record_victim(by(REVIEWER), victim())
        merged.merge(by(REVIEWER), kept, CorrectionReason.DUPLICATE)
        assert (merged.status, merged.merged_into) == (IncidentStatus.MERGED, kept.id)
        assert len(kept.reports) == 3
        assert kept.victims == ()
        assert [type(one.event) for one in kept.pending[1:]] == [ReportLinked, ReportLinked]

    def test_what_was_merged_changes_no_more(self) -> None:
        kept, merged = opened(), opened(one := report(OTHER_REPORTER))
        merged.merge(by(REVIEWER), kept, CorrectionReason.DUPLICATE)
        version = merged.version
        merged.report_changed(by(OTHER_REPORTER), msgspec.structs.replace(one, when=None))
        merged.source_withdrawn(by(OTHER_REPORTER), one.report)
        assert merged.version == version
        for decision in (
            lambda: merged.record_victim(by(SECOND), victim()),
            lambda: merged.retract(by(SECOND), WHY),
            lambda: merged.reinstate(by(SECOND), WHY),
            lambda: merged.unlink_report(by(SECOND), one.report, WHY),
            lambda: merged.merge(by(SECOND), kept, WHY),
        ):
            assert refusal(decision) == "incident-merged"

    def test_what_remains_stands_and_is_another_of_the_same_class(self) -> None:
        incident = opened()

        def into(target: Incident) -> Callable[[], None]:
            return lambda: incident.merge(by(SECOND), target, CorrectionReason.DUPLICATE)

        assert refusal(into(incident)) == "merge-into-another"
        threat = Incident.open(by(REVIEWER), incident_class=IncidentClass.THREAT, reports=[report()])
        assert refusal(into(threat)) == "merge-class-differs"
        retracted, refuted, gone = opened(), opened(), opened()
        retracted.retract(by(REVIEWER), WHY)
        refuted.set_certainty(by(REVIEWER), level=Certainty.REFUTED, basis=LINKED)
        gone.merge(by(REVIEWER), opened(), CorrectionReason.DUPLICATE)
        for target in (retracted, refuted, gone):
            assert refusal(into(target)) == "merge-target-stands"
        assert refusal(into(opened(report(SECOND)))) == "submitter-is-not-verifier"

    def test_what_is_public_becomes_nothing_that_is_not(self) -> None:
        public, rumour = opened(report()), opened(report())
        public.set_certainty(by(REVIEWER), level=Certainty.POSSIBLE, basis=LINKED)

        def merge() -> None:
            public.merge(by(SECOND), rumour, CorrectionReason.DUPLICATE)

        assert refusal(merge) == "merge-target-undisclosed"
        rumour.set_certainty(by(REVIEWER), level=Certainty.POSSIBLE, basis=LINKED)
        rumour.set_certainty(by(REVIEWER), level=Certainty.RUMOUR, basis=LINKED)
        merge()  # what was POSSIBLE once is public, too
        assert public.merged_into == rumour.id

    def test_an_objection_is_not_buried_and_something_is_brought(self) -> None:
        incident, target = opened(one := report()), opened()
        incident.dispute(by(THIRD), DisputeGround.DUPLICATE)
        merge = lambda: incident.merge(by(SECOND), target, CorrectionReason.DUPLICATE)  # noqa: E731
        assert refusal(merge) == "dispute-open"
        incident.resolve_dispute(by(SECOND), 1, DisputeOutcome.UPHELD)
        incident.unlink_report(by(SECOND), one.report, WHY)
        assert refusal(merge) == "merge-without-reports"


class TestSplitting:
    def split(self, incident: Incident, *reports: UUID, victims: tuple[int, ...] = ()) -> Incident:
        return incident.split(
            by(SECOND), incident_class=IncidentClass.ATTACK, reports=reports, victims=victims, reason=WHY
        )

    def test_a_part_takes_its_reports_and_victims_and_the_whole_what_still_holds(self) -> None:
        incident, one, other = probable()
        for person in ("p", "q"):
            incident.record_victim(by(REVIEWER), victim(person=person, outcome=Outcome.KILLED))
        part = self.split(incident, other.report, victims=(2,))
        assert (part.split_from, part.certainty) == (incident.id, None)
        assert [linked.report for linked in part.reports] == [other.report]
        assert [linked.report for linked in incident.reports] == [one.report]
        assert level(incident) == Certainty.POSSIBLE
        assert [*incident.exclusive, *part.exclusive] == ["killed:p", "killed:q"]
        assert [one.count for one in incident.victims] == [ONE, NOBODY]

    def test_both_parts_keep_a_report_that_was_linked_and_victims_that_were_there(self) -> None:
        incident, one, other = probable()
        assert refusal(lambda: self.split(incident, one.report, other.report)) == "split-leaves-a-report"
        assert refusal(lambda: self.split(incident, uuid4())) == "report-not-linked"
        with pytest.raises(InvalidInput):
            self.split(incident)
        incident, one, _ = probable()
        with pytest.raises(InvalidInput):
            self.split(incident, one.report, victims=(1,))
        incident.retract(by(REVIEWER), WHY)
        assert refusal(lambda: self.split(incident, one.report)) == "incident-retracted"
