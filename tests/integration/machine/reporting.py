"""Random commands on reports."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from registry.application import drafts as d
from registry.application import reports
from registry.application.reports import triage
from registry.domain.codes import (
    DatePrecision,
    Directness,
    PlacePrecision,
    ReportClass,
    SourceType,
    TriageDecision,
)
from tests.integration.machine.stepping import CLASSES, START, WHY, Stepping, numbers, strangers, submitters
from tests.register_model import Said

claims = st.builds(
    Said,
    kind=st.sampled_from(CLASSES),
    direct=st.booleans(),
    outlet=st.sampled_from([None, None, "El Ejemplo", "La Muestra"]),
    derived_from=st.sampled_from([None, None, None, 0, 1, 2, 3]),
    days=st.sampled_from([(1, 1), (1, 1), (1, 3), (5, 5), None]),
    municipality=st.sampled_from(["16012", "16012", "16012", "16013", None]),
)


class Reporting(Stepping):
    """What institutions report, and which reports are set aside."""

    @precondition(lambda self: len(self.ids["report"]) < 9)
    @rule(who=submitters, said=claims)
    def submit(self, who: str, said: Said) -> None:
        said = self.derived(said, len(self.ids["report"]))
        self.step(who, lambda model: model.submit(who, said), reports.submit(self.report(said)), "report")

    @rule(stranger=strangers, number=numbers, said=claims)
    def amend(self, stranger: str | None, number: int, said: Said) -> None:
        r, report = self.pick("report", number)
        who = stranger or self.model.reports[r].institution
        said = self.derived(said._replace(kind=self.model.reports[r].said.kind), r)
        draft = self.report(said, d.AmendmentDraft, reason=WHY)
        self.step(who, lambda model: model.amend(who, r, said), reports.amend(report, draft))

    @rule(stranger=strangers, number=numbers)
    def withdraw(self, stranger: str | None, number: int) -> None:
        r, report = self.pick("report", number)
        who = stranger or self.model.reports[r].institution
        draft = d.WithdrawalDraft(reason=WHY)
        self.step(who, lambda model: model.withdraw(who, r), reports.withdraw(report, draft))

    def derived(self, said: Said, before: int) -> Said:
        """Derived from one that was there before, if from any."""
        known = said.derived_from is not None and said.derived_from < before
        return said if known else said._replace(derived_from=None)

    def report(self, said: Said, draft: type[Any] = d.ReportDraft, **more: Any) -> Any:
        days = [START + timedelta(days=day) for day in said.days or ()]
        return draft(
            class_=ReportClass(said.kind),
            source_type=SourceType.PRESS,
            directness=Directness.DIRECT if said.direct else Directness.INDIRECT,
            source_name=said.outlet,
            derived_from=None if said.derived_from is None else self.ids["report"][said.derived_from],
            when=d.WhenDraft(earliest=days[0], latest=days[1], precision=DatePrecision.INTERVAL)
            if days
            else None,
            where=d.WhereDraft(cvegeo=said.municipality, precision=PlacePrecision.MUNICIPALITY)
            if said.municipality
            else None,
            **more,
        )

    @rule(by=numbers, number=numbers, out=st.booleans(), other=st.none() | numbers)
    def set_aside(self, by: int, number: int, out: bool, other: int | None) -> None:
        r, report = self.report_for(number, {None})
        linked = self.model.reports[r].incident
        who = self.reviewer(by, [] if linked is None else [linked], [r])
        i, incident = None, None
        if other is not None and linked is None:
            rejected = sorted(self.model.reports[r].rejected)
            i = rejected[other % len(rejected)] if rejected else self.incident(other)[0]
            incident = self.ids["incident"][i]
        draft = d.TriageDraft(
            decision=TriageDecision.OUT_OF_SCOPE if out else TriageDecision.PENDING_INFO,
            incident=incident,
            reason=WHY,
        )
        self.step(
            who,
            lambda model: model.set_aside(who, r, out_of_scope=out, reconsidered=i),
            triage.triage(report, draft),
        )

    @rule(by=numbers, number=numbers, other=numbers)
    def reject_match(self, by: int, number: int, other: int) -> None:
        (r, report), (i, incident) = self.report_for(number, {None}), self.incident(other)
        who = self.reviewer(by, [], [r])
        draft = d.MatchRejectionDraft(incident=incident)
        self.step(who, lambda model: model.reject(who, r, i), triage.reject_match(report, draft))
