"""A step of random commands: taken in the model and in the register, then compared."""

from collections.abc import Callable
from copy import deepcopy
from datetime import date
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from registry.application.execution.unit import Decision
from registry.domain.assignment import Assignment
from registry.domain.codes import CorrectionReason, Outcome, TriageDecision
from registry.domain.event import Aggregate, Event
from registry.domain.incident import Incident
from registry.domain.incident_events import (
    CertaintySet,
    IncidentDisclosed,
    IncidentDisputed,
    IncidentOpened,
    ReportLinked,
    ReportUnlinked,
)
from registry.domain.mapper import AGGREGATES
from registry.domain.report import Report
from registry.domain.snapshot import SNAPSHOTTED, Snapshot
from registry.errors import NotAllowed, NotFound, RuleViolated
from tests.integration.machine.world import REVIEWING, SUBMITTING, Run, World
from tests.register_model import Decided, Model, Refused

START = date(2025, 8, 1)
WHY = CorrectionReason.NEW_EVIDENCE
CLASSES = ("ATTACK", "ATTACK", "THREAT")
submitters = st.sampled_from(SUBMITTING)
strangers = st.sampled_from([None, None, None, *SUBMITTING])
"""None: whoever the record belongs to."""
numbers = st.integers(0, 119)
"""Of a record, or of who decides: modulo how many there are. Most choose what may be accepted, some do not."""


class Stepping(RuleBasedStateMachine):
    """One example: records of its own, in the register of all; each step is taken in the model and in the register."""

    def __init__(self, world: World, run: Run) -> None:
        super().__init__()
        self.world, self.run = world, run
        self.number = next(world.examples)
        self.model = Model()
        self.ids: dict[str, list[UUID]] = {"report": [], "incident": [], "assignment": [], "site": []}
        self.people: dict[int, str] = {}

    def step(
        self, who: str | None, command: Callable[[Model], None], decision: Decision, makes: str = ""
    ) -> None:
        expected = deepcopy(self.model)
        refused_by: set[str] = set()
        try:
            command(expected)
        except Refused as refusal:
            refused_by = refusal.rules
        else:
            refused_by = {"double-death"} if expected.killed_twice() else set()
        made = self.attempt(who, decision)
        if isinstance(made, str):
            assert made in refused_by, f"refused by {made}, expected {refused_by or 'nothing'}"
        else:
            assert not refused_by, f"accepted, though {refused_by}"
            self.model = expected
            self.world.accepted[decision.__qualname__.partition(".")[0]] += 1
            if makes:
                self.ids[makes].append(made)
        for incident in self.model.incidents:
            incident.shown |= incident.level in ("POSSIBLE", "PROBABLE", "CONFIRMED")
        for stream in self.run(self.world.follow()):
            self.check(stream)

    def attempt(self, who: str | None, decision: Decision) -> UUID | str:
        """The record, or the rule that refuses it."""
        try:
            return self.run(self.world.execute(who, decision))
        except RuleViolated as refusal:
            return refusal.rule
        except NotFound:
            return "not-found"
        except NotAllowed:
            return "verifier-needs-institution"

    def check(self, stream: UUID) -> None:
        """What a changed stream must keep, from its events alone."""
        events = self.world.streams[stream]
        aggregate_type = AGGREGATES[events[0].TOPIC]
        replayed = folded(aggregate_type(id=stream), events)
        assert self.run(self.world.app.load(aggregate_type, stream)) == replayed
        if aggregate_type in SNAPSHOTTED:
            half = folded(aggregate_type(id=stream), events[: len(events) // 2])
            assert folded(Snapshot.take(half).mutate(), events[len(events) // 2 :]) == replayed
        match replayed:
            case Incident():
                four_eyes(events)
                self.compare_incident(self.ids["incident"].index(stream), replayed)
            case Report():
                self.compare_report(self.ids["report"].index(stream), replayed)
            case Assignment():
                self.compare_assignment(self.ids["assignment"].index(stream), replayed)

    def compare_incident(self, number: int, incident: Incident) -> None:
        expected, ids = self.model.incidents[number], self.ids
        assert incident.incident_class == expected.kind
        assert {one.report for one in incident.reports} == {ids["report"][r] for r in expected.reports}
        assert incident.certainty == expected.level
        assert incident.confirmed_by == {self.world.actors[who].institution for who in expected.confirmed_by}
        assert incident.stands == expected.stands
        assert incident.disputed == expected.disputed
        assert [one.decision is None for one in incident.disputes] == [
            still for *_, still in expected.disputes
        ]
        assert (incident.retracted is None) == (expected.retracted_by is None)
        for field in ("merged_into", "split_from"):
            other = getattr(expected, field)
            assert getattr(incident, field) == (None if other is None else ids["incident"][other])
        victims = [(v.count.best, v.outcome is Outcome.KILLED) for v in incident.victims]
        assert victims == [(v.count, v.killed) for v in expected.victims]
        for victim, harmed in zip(incident.victims, expected.victims, strict=True):
            assert (victim.person is None) == (harmed.person is None)
            if victim.person is not None and harmed.person is not None:
                assert self.people.setdefault(harmed.person, victim.person) == victim.person

    def compare_report(self, number: int, report: Report) -> None:
        expected, ids = self.model.reports[number], self.ids["incident"]
        assert report.incidents == (set() if expected.incident is None else {ids[expected.incident]})
        assert report.rejected == {ids[i] for i in expected.rejected}
        assert (report.withdrawn is not None) == expected.withdrawn
        assert (report.triage is TriageDecision.OUT_OF_SCOPE) == expected.out_of_scope

    def compare_assignment(self, number: int, assignment: Assignment) -> None:
        expected, service = self.model.assignments[number], assignment.service
        assert (assignment.version, service.last_site()) == (
            expected.version,
            self.ids["site"][expected.site],
        )
        assert (service.started is not None, service.ended is not None) == (
            expected.started,
            expected.ended is not None,
        )

    def pick(self, kind: str, number: int) -> tuple[int, UUID]:
        """A record of this example: its number and its id."""
        known = self.ids[kind]
        one = number % len(known)
        return one, known[one]

    def incident(
        self, number: int, fit: Callable[[Decided], object] = lambda one: one.stands
    ) -> tuple[int, UUID]:
        """Mostly one about which it can be decided."""
        known = list(enumerate(self.model.incidents))
        if number % 4:
            known = [(i, one) for i, one in known if fit(one)] or known
        i, _ = known[number // 4 % len(known)]
        return i, self.ids["incident"][i]

    def report_for(self, number: int, linked_to: set[int | None]) -> tuple[int, UUID]:
        """Mostly one that is linked to one of these; None: to none."""
        known = list(enumerate(self.model.reports))
        if number % 4:
            known = [(r, one) for r, one in known if one.incident in linked_to and not one.withdrawn] or known
        r, _ = known[number // 4 % len(known)]
        return r, self.ids["report"][r]

    def reviewer(self, number: int, incidents: list[int], reports: list[int] | None = None) -> str | None:
        """Mostly somebody who has reported none of these; else one who has, or nobody's key."""
        linked = {r for i in incidents for r in self.model.incidents[i].reports} | set(reports or [])
        reporting = {self.model.reports[r].institution for r in linked}
        if number % 5:
            among: list[str | None] = [who for who in REVIEWING if who not in reporting]
        else:
            among = [*sorted(reporting), None]
        return among[number // 5 % len(among)]


def folded(aggregate: Aggregate, events: list[Event]) -> Aggregate:
    for event in events:
        aggregate.fold(event)
    return aggregate


def four_eyes(events: list[Event]) -> None:
    """Nobody has decided about what they had reported; consequences of what happens to a report are no decisions."""
    reporting: dict[UUID, UUID] = {}
    consequence = False
    for event in events:
        match event:
            case IncidentOpened():
                reporting = {one.report: one.institution for one in event.reports}
                consequence = False
            case ReportLinked():
                consequence = event.report.report in reporting
                reporting[event.report.report] = event.report.institution
            case ReportUnlinked():
                consequence = event.reason is CorrectionReason.SOURCE_WITHDRAWN
                if not consequence:
                    assert event.by.institution not in reporting.values()
                del reporting[event.report]
            case CertaintySet() if consequence:
                consequence = False
                continue
            case _:
                consequence = False
        if consequence or isinstance(event, IncidentDisputed | IncidentDisclosed):
            continue
        assert event.by.institution is not None
        assert event.by.institution not in reporting.values()
