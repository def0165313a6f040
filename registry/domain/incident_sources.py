"""What an incident rests on: the reports linked to it, and how certain they let it be.

What happens to a linked report (amended, withdrawn) has consequences that nobody needs to decide: ``report_changed``,
``source_withdrawn``. After each the certainty is lowered to what the linked facts still hold.
"""

from collections.abc import Sequence
from typing import Self
from uuid import UUID

from registry.domain import certainty as criteria
from registry.domain import incident_rules as rules
from registry.domain.certainty import LinkedReport
from registry.domain.codes import Certainty, CertaintyBasis, CorrectionReason, IncidentClass
from registry.domain.event import Act
from registry.domain.incident_events import CertaintySet, IncidentOpened, ReportLinked, ReportUnlinked
from registry.domain.incident_record import REVIEWERS_NEEDED, IncidentRecord
from registry.errors import InvalidInput


class SourcedIncident(IncidentRecord, kw_only=True):
    """Its links and its certainty, and who may decide about it at all."""

    @classmethod
    def open(cls, act: Act, *, incident_class: IncidentClass, reports: Sequence[LinkedReport]) -> Self:
        if not reports:
            raise InvalidInput(
                "reports",
                "Un incidente se abre a partir de al menos un reporte. Indique sus identificadores.",
                "An incident is opened from at least one report. Name their ids.",
            )
        incident = cls.new()
        incident._four_eyes(act, *reports)
        incident.trigger(IncidentOpened, act, incident_class=incident_class, reports=tuple(reports))
        return incident

    def link_report(self, act: Act, report: LinkedReport) -> None:
        """The incident's side of a link; the report's is ``Report.link``, in the same write."""
        self._four_eyes(act, *self.reports, report)
        self._must_be_in_force()
        if self.certainty is Certainty.REFUTED:
            raise rules.refuted()
        if self.linked(report.report) is not None:
            raise rules.linked_already()
        self.trigger(ReportLinked, act, report=report)
        self._hold_to_the_facts(act)

    def unlink_report(self, act: Act, report: UUID, reason: CorrectionReason) -> None:
        """Also from a retracted incident, so that the report can be linked where it belongs."""
        self._four_eyes(act, *self.reports)
        self._must_not_be_merged()
        if self.linked(report) is None:
            raise rules.not_linked()
        self.trigger(ReportUnlinked, act, report=report, reason=reason)
        self._hold_to_the_facts(act)

    def report_changed(self, act: Act, report: LinkedReport) -> None:
        """A linked report says something else since. A consequence: whoever changed the report acts."""
        if self.merged_into is None and self.linked(report.report) not in (None, report):
            self.trigger(ReportLinked, act, report=report)
            self._hold_to_the_facts(act)

    def source_withdrawn(self, act: Act, report: UUID) -> None:
        """A linked report was withdrawn. A consequence: whoever withdrew the report acts."""
        if self.merged_into is None and self.linked(report) is not None:
            self.trigger(ReportUnlinked, act, report=report, reason=CorrectionReason.SOURCE_WITHDRAWN)
            self._hold_to_the_facts(act)

    def set_certainty(self, act: Act, *, level: Certainty, basis: tuple[CertaintyBasis, ...]) -> None:
        """Raising needs the level's criteria, lowering is free, REFUTED is final."""
        self._must_be_open(act)
        if self.certainty is Certainty.REFUTED:
            raise rules.refuted()
        met = criteria.criteria_met(self.reports, basis, self.incident_class)
        lacking = criteria.missing(level, met)
        lowers = self.certainty is not None and level.rank < self.certainty.rank
        if (
            lacking
            and not lowers
            and criteria.supported(self.reports, basis, self.incident_class).rank < level.rank
        ):
            raise rules.criteria_missing(level, lacking)
        self.trigger(CertaintySet, act, level=level, criteria=met, basis=basis)

    def _four_eyes(self, act: Act, *reports: LinkedReport) -> None:
        rules.must_review_for_others(act, (report.institution for report in reports))

    def _must_be_open(self, act: Act) -> None:
        self._four_eyes(act, *self.reports)
        self._must_be_in_force()

    def _must_be_in_force(self) -> None:
        self._must_not_be_merged()
        if self.retracted is not None:
            raise rules.retracted()

    def _must_not_be_merged(self) -> None:
        if self.merged_into is not None:
            raise rules.merged(self.merged_into)

    def _hold_to_the_facts(self, act: Act) -> None:
        """Lowers the certainty to what the linked reports still hold; a consequence that nobody decides."""
        if self.certainty is None or self.certainty is Certainty.REFUTED:
            return
        held = criteria.supported(self.reports, self.basis, self.incident_class)
        if self.certainty is Certainty.CONFIRMED and len(self.confirmed_by) < REVIEWERS_NEEDED:
            held = min(held, Certainty.PROBABLE, key=lambda level: level.rank)
        claimed = Certainty.CONFIRMED if self.confirmed_by else self.certainty
        if held.rank < claimed.rank:
            level = min(held, self.certainty, key=lambda level: level.rank)
            met = criteria.criteria_met(self.reports, self.basis, self.incident_class)
            self.trigger(CertaintySet, act, level=level, criteria=met, basis=self.basis)
