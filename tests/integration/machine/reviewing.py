"""Random commands on incidents."""

from copy import deepcopy
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from registry.application import drafts as d
from registry.application import incidents
from registry.application.incidents import revisions
from registry.application.reports import triage
from registry.domain.claims import NOBODY, Range
from registry.domain.codes import (
    Certainty,
    CertaintyBasis,
    DisputeGround,
    DisputeOutcome,
    IncidentClass,
    Nexus,
    Outcome,
    TriageDecision,
    VictimRole,
)
from tests.integration.machine.reporting import Reporting
from tests.integration.machine.stepping import CLASSES, WHY, numbers
from tests.integration.machine.world import REVIEWING, SUBMITTING
from tests.register_model import Harmed, Said


class Reviewing(Reporting):
    """What reviewers decide about incidents."""

    @rule(by=numbers, kind=st.sampled_from(CLASSES), chosen=st.lists(numbers, min_size=1, max_size=2))
    def open(self, by: int, kind: str, chosen: list[int]) -> None:
        picked = dict(self.report_for(number, {None}) for number in chosen)
        who = self.reviewer(by, [], list(picked))
        draft = d.IncidentDraft(class_=IncidentClass(kind), reports=list(picked.values()))
        self.step(
            who, lambda model: model.open(who, kind, set(picked)), incidents.open_incident(draft), "incident"
        )

    @rule(by=numbers, number=numbers, other=numbers, from_report=st.booleans())
    def link(self, by: int, number: int, other: int, from_report: bool) -> None:
        (i, incident), (r, report) = self.incident(number), self.report_for(other, {None})
        who = self.reviewer(by, [i], [r])
        decision = (
            triage.triage(report, d.TriageDraft(decision=TriageDecision.LINK, incident=incident))
            if from_report
            else incidents.link_report(incident, d.LinkDraft(report=report))
        )
        self.step(who, lambda model: model.link(who, i, r), decision)

    @precondition(lambda self: len(self.ids["report"]) < 12)
    @rule(by=numbers, number=numbers)
    def report_after_deciding(self, by: int, number: int) -> None:
        """Who may have confirmed an incident reports it, too, and is linked to it."""
        i, incident = self.incident(number, lambda one: one.stands and "both" in one.confirmed_by)
        r = len(self.ids["report"])
        self.submit("both", Said("ATTACK"))
        who, draft = self.reviewer(by, [i], [r]), d.LinkDraft(report=self.ids["report"][r])
        self.step(who, lambda model: model.link(who, i, r), incidents.link_report(incident, draft))

    @rule(by=numbers, number=numbers, other=numbers)
    def unlink(self, by: int, number: int, other: int) -> None:
        i, incident = self.incident(number, lambda one: one.stands and one.reports)
        r, report = self.report_for(other, {i})
        who = self.reviewer(by, [i])
        draft = d.LinkDraft(remove=report, reason=WHY)
        self.step(who, lambda model: model.unlink(who, i, r), incidents.link_report(incident, draft))

    @rule(
        by=numbers,
        number=numbers,
        person=st.sampled_from([None, 0, 0, 1]),
        several=st.integers(1, 3),
        killed=st.booleans(),
        in_scope=st.sampled_from([True, True, False]),
    )
    def record_victim(
        self, by: int, number: int, person: int | None, several: int, killed: bool, in_scope: bool
    ) -> None:
        i, incident = self.incident(number)
        who = self.reviewer(by, [i])
        harmed = Harmed(person, several if person is None else 1, killed, in_scope)
        draft = d.VictimDraft(
            role=VictimRole.PASANTE_MEDICINE if in_scope else VictimRole.STAFF,
            outcome=outcome(killed),
            nexus=Nexus.ON_DUTY_AT_SITE,
            count=exactly(harmed.count),
            # Found again across institutions by the CURP alone; nobody else's example has this one.
            student=None if person is None else d.Student(curp=f"XEXX{self.number:06}HDFRRN0{person}"),
        )
        self.step(
            who,
            lambda model: model.record_victim(who, i, deepcopy(harmed)),
            incidents.record_victim(incident, draft),
        )

    @rule(by=numbers, number=numbers)
    def die(self, by: int, number: int) -> None:
        """The same person is among the dead of one more incident."""
        self.record_victim(by, number, 0, 1, killed=True, in_scope=True)

    @rule(
        by=numbers,
        number=numbers,
        other=numbers,
        killed=st.sampled_from([True, True, False]),
        part=st.none() | st.integers(1, 3),
    )
    def update_outcome(self, by: int, number: int, other: int, killed: bool, part: int | None) -> None:
        i, incident = self.incident(number, lambda one: one.stands and one.victims)
        who = self.reviewer(by, [i])
        victims = self.model.incidents[i].victims
        if not victims:
            return
        n = other % len(victims)
        part = None if part is None or part > victims[n].count else part
        draft = d.OutcomeDraft(
            victim=n + 1, outcome=outcome(killed), count=None if part is None else exactly(part)
        )
        self.step(
            who,
            lambda model: model.update_outcome(who, i, n, killed=killed, part=part),
            incidents.update_outcome(incident, draft),
        )

    @rule(
        by=numbers,
        number=numbers,
        other=numbers,
        what=st.sampled_from(["NOBODY", "UNIDENTIFIED", "KILLED", "HURT"]),
    )
    def correct_victim(self, by: int, number: int, other: int, what: Any) -> None:
        i, incident = self.incident(number, lambda one: one.stands and one.victims)
        who = self.reviewer(by, [i])
        if not self.model.incidents[i].victims:
            return
        n = other % len(self.model.incidents[i].victims)
        new: dict[str, dict[str, Any]] = {
            "NOBODY": {"count": NOBODY},
            "UNIDENTIFIED": {"unidentified": True},
            "KILLED": {"outcome": Outcome.KILLED},
            "HURT": {"outcome": Outcome.SEVERE},
        }
        draft = d.IncidentCorrectionDraft(
            victim=d.VictimCorrectionDraft(number=n + 1, **new[what]), reason=WHY
        )
        self.step(
            who, lambda model: model.correct_victim(who, i, n, what), revisions.correct(incident, draft)
        )

    @rule(by=numbers, number=numbers, kind=st.sampled_from(CLASSES))
    def correct_class(self, by: int, number: int, kind: str) -> None:
        i, incident = self.incident(number)
        who = self.reviewer(by, [i])
        draft = d.IncidentCorrectionDraft(class_=IncidentClass(kind), reason=WHY)
        self.step(who, lambda model: model.correct_class(who, i, kind), revisions.correct(incident, draft))

    @rule(
        by=numbers,
        number=numbers,
        level=st.sampled_from([*Certainty, *[Certainty.CONFIRMED] * 3, Certainty.POSSIBLE]),
        documented=st.sampled_from([True, True, False]),
    )
    def set_certainty(self, by: int, number: int, level: Certainty, documented: bool) -> None:
        i, incident = self.incident(number)
        who = self.reviewer(by, [i])
        basis = CertaintyBasis.OFFICIAL_DOCUMENT if documented else CertaintyBasis.LINKED_REPORTS
        draft = d.CertaintyDraft(level=level, basis=(basis,))
        self.step(
            who,
            lambda model: model.set_certainty(who, i, level.value, documented=documented),
            incidents.set_certainty(incident, draft),
        )

    @rule(
        who=st.sampled_from([*SUBMITTING, *REVIEWING]),
        number=numbers,
        ground=st.sampled_from(["WHEN", "KIND"]),
    )
    def dispute(self, who: str, number: int, ground: str) -> None:
        i, incident = self.incident(number)
        draft = d.DisputeDraft(ground=DisputeGround(ground), statement="No fue así.")
        self.step(who, lambda model: model.dispute(who, i, ground), revisions.dispute(incident, draft))

    @rule(by=numbers, number=numbers, other=numbers)
    def resolve(self, by: int, number: int, other: int) -> None:
        i, incident = self.incident(number, lambda one: one.stands and one.disputed)
        who = self.reviewer(by, [i])
        disputes = self.model.incidents[i].disputes
        if not disputes:
            return
        n = other % len(disputes)
        draft = d.DisputeResolutionDraft(dispute=n + 1, decision=DisputeOutcome.DISMISSED)
        self.step(who, lambda model: model.resolve(who, i, n), revisions.resolve_dispute(incident, draft))

    @rule(by=numbers, number=numbers, again=st.booleans())
    def retract_or_reinstate(self, by: int, number: int, again: bool) -> None:
        retracted = [i for i, one in enumerate(self.model.incidents) if one.retracted_by is not None]
        if retracted and again:
            i = retracted[number % len(retracted)]
            who, incident = self.reviewer(by, [i]), self.ids["incident"][i]
            reinstatement = d.ReinstatementDraft(reason=WHY)
            self.step(
                who, lambda model: model.reinstate(who, i), incidents.reinstate(incident, reinstatement)
            )
        else:
            i, incident = self.incident(number)
            who = self.reviewer(by, [i])
            draft = d.RetractionDraft(reason=WHY)
            self.step(who, lambda model: model.retract(who, i), incidents.retract(incident, draft))

    @rule(by=numbers, number=numbers, other=numbers)
    def merge(self, by: int, number: int, other: int) -> None:
        i, incident = self.incident(number, lambda one: one.stands and one.reports and not one.disputed)
        others = [one for one in range(len(self.model.incidents)) if one != i or other % 8 == 0]
        into = others[other % len(others)]
        who, target = self.reviewer(by, [i, into]), self.ids["incident"][into]
        draft = d.MergeDraft(into=target)
        self.step(who, lambda model: model.merge(who, i, into), revisions.merge(incident, draft))

    @rule(by=numbers, number=numbers, some=st.integers(1, 7), harmed=st.integers(0, 7))
    def split(self, by: int, number: int, some: int, harmed: int) -> None:
        i, incident = self.incident(number, lambda one: one.stands and len(one.reports) > 1)
        who = self.reviewer(by, [i])
        whole = self.model.incidents[i]
        moving = {r for place, r in enumerate(sorted(whole.reports)) if some >> place & 1}
        victims = {n for n in range(len(whole.victims)) if harmed >> n & 1}
        if not moving:
            return
        draft = d.SplitDraft(
            reports=[self.ids["report"][r] for r in sorted(moving)],
            victims=[n + 1 for n in sorted(victims)],
            reason=WHY,
        )
        self.step(
            who,
            lambda model: model.split(who, i, moving, victims),
            revisions.split(incident, draft),
            "incident",
        )


def outcome(killed: bool) -> Outcome:
    return Outcome.KILLED if killed else Outcome.SEVERE


def exactly(number: int) -> Range:
    return Range(low=number, best=number, high=number)
