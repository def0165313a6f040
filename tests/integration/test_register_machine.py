"""Random commands of several institutions, against the database and against a small model of the rules.

What the model accepts the register accepts, what it refuses the register refuses by one of the same rules; and after
every step what is stored keeps what the register promises, whatever led there.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any, Protocol, TypeVar
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from api.start import adopt
from projections.counting.count import count as counted
from projections.counting.fold import Fold
from projections.counting.query import ask
from projections.models.public_count import PublicCount
from projections.models.public_figures import count as count_in_tables
from projections.releases import Releases
from projections.runner import Runner
from registry.application import assignments, incidents, reports
from registry.application import drafts as d
from registry.application.execution.application import Application
from registry.application.execution.unit import OPERATOR, Actor, Decision, WriteOptions
from registry.application.incidents import revisions
from registry.application.places import institutions, sites
from registry.application.reports import triage
from registry.database import connect_pool
from registry.domain.assignment import Assignment
from registry.domain.claims import NOBODY, Range
from registry.domain.codes import (
    AssignmentEnd,
    Certainty,
    CertaintyBasis,
    CorrectionReason,
    DatePrecision,
    Directness,
    DisputeGround,
    DisputeOutcome,
    IncidentClass,
    InstitutionKind,
    Nexus,
    Outcome,
    PlacePrecision,
    PlazaType,
    RelocationDecision,
    RelocationReason,
    RelocationRequester,
    ReportClass,
    SiteSuspensionReason,
    SourceType,
    SuspensionReason,
    TriageDecision,
    VictimRole,
)
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
from registry.domain.mapper import AGGREGATES, decode_event
from registry.domain.report import Report
from registry.domain.snapshot import SNAPSHOTTED, Snapshot
from registry.errors import NotAllowed, NotFound, RuleViolated
from registry.log.keys import LogKeys
from registry.privacy.master import MasterKey
from tests.register_model import Decided, Harmed, Model, Refused, Said

NOW = datetime(2026, 12, 1, tzinfo=UTC)
START = date(2025, 8, 1)
WHY = CorrectionReason.NEW_EVIDENCE
CLASSES = ("ATTACK", "ATTACK", "THREAT")

SUBMITTING = ("university", "ministry", "both")
REVIEWING = ("first", "second", "both")

submitters = st.sampled_from(SUBMITTING)
strangers = st.sampled_from([None, None, None, *SUBMITTING])
"""None: whoever the record belongs to."""
numbers = st.integers(0, 119)
"""Of a record, or of who decides: modulo how many there are. Most choose what may be accepted, some do not."""
claims = st.builds(
    Said,
    kind=st.sampled_from(CLASSES),
    direct=st.booleans(),
    outlet=st.sampled_from([None, None, "El Ejemplo", "La Muestra"]),
    derived_from=st.sampled_from([None, None, None, 0, 1, 2, 3]),
    days=st.sampled_from([(1, 1), (1, 1), (1, 3), (5, 5), None]),
    municipality=st.sampled_from(["16012", "16012", "16012", "16013", None]),
)


T = TypeVar("T")


class Run(Protocol):
    """Runs a coroutine to its end in the loop of the register."""

    def __call__(self, coroutine: Coroutine[Any, Any, T], /) -> T: ...


class World:
    """One register for all examples: its application, what it stored, and what the leaves say of it."""

    def __init__(self, app: Application, pool: asyncpg.Pool) -> None:
        self.app, self.pool = app, pool
        self.releases = Releases(app, pool)
        self.tables = Runner(pool, [PublicCount()])
        self.streams: dict[UUID, list[Event]] = defaultdict(list)
        self.public = Fold()
        self.actors: dict[str | None, Actor] = {None: OPERATOR}
        self.examples = count()
        self.accepted: Counter[str] = Counter()
        """How often each use case was."""

    async def begin(self) -> None:
        await adopt(self.app)
        for name in {*SUBMITTING, *REVIEWING}:
            draft = d.InstitutionDraft(name=name, kind=InstitutionKind.UNIVERSITY, state="16")
            made = await self.app.execute(OPERATOR, institutions.register(draft), WriteOptions())
            self.actors[name] = Actor(made.id, None, frozenset({"incidents:verify"}))

    async def execute(self, who: str | None, decision: Decision) -> UUID:
        return (await self.app.execute(self.actors[who], decision, WriteOptions())).id

    async def follow(self) -> set[UUID]:
        """Reads what was stored since; the streams that it changed."""
        changed = set()
        for one in await self.app.store.read(self.public.size, 10_000):
            event = decode_event(one.type, one.state)
            assert event.originator_version == len(self.streams[one.stream_id]) + 1
            self.streams[one.stream_id].append(event)
            self.public.add(one.position, one.leaf)
            changed.add(one.stream_id)
        return changed

    async def release(self) -> None:
        await self.releases.release_once()
        await self.follow()
        await self.tables.catch_up()
        async with self.pool.acquire() as connection:
            for unit in ("INCIDENTS", "VICTIMISATIONS", "DEATHS"):
                in_tables = await count_in_tables(connection, ask(unit), self.public.size)
                assert in_tables == self.public.count(ask(unit))


class RegisterMachine(RuleBasedStateMachine):
    """One example: records of its own, in the register of all."""

    def __init__(self, world: World, run: Run) -> None:
        super().__init__()
        self.world, self.run = world, run
        self.number = next(world.examples)
        self.model = Model()
        self.ids: dict[str, list[UUID]] = {"report": [], "incident": [], "assignment": [], "site": []}
        self.people: dict[int, str] = {}

    # How a step is made.

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

    @initialize(
        class_=st.sampled_from(CLASSES), confirmed=st.booleans(), dead=st.booleans(), ended=st.booleans()
    )
    def begin(self, class_: Any, confirmed: bool, dead: bool, ended: bool) -> None:
        """Three institutions have reported the same; of two reports there is an incident, and an assignment runs.

        Of something else there is another incident, and two reports wait. Maybe two reviewers have confirmed the first
        one, somebody died of it, and the assignment has ended.
        """
        for _ in range(2):
            draft = d.SiteDraft(name="Clínica", cvegeo="16012")
            self.ids["site"].append(self.run(self.world.execute(None, sites.register(draft))))
        for who, said in (
            ("university", Said(class_)),
            ("ministry", Said(class_)),
            ("both", Said(class_)),
            ("university", Said(class_, days=(5, 5))),
            ("ministry", Said(class_, days=(5, 5), direct=False)),
        ):
            self.submit(who, said)
        self.open(1, class_, [0, 4])
        self.open(6, class_, [12])
        if confirmed:
            for number in (1, 11):
                self.set_certainty(number, 0, Certainty.CONFIRMED, documented=True)
        self.assign("university", 0)
        self.serve(0, None, "start", None)
        if dead:
            self.record_victim(1, 0, 0, 1, killed=True, in_scope=True)
        if ended:
            self.serve(0, None, "end", None)

    # Reports.

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

    # Incidents.

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

    # Assignments and sites.

    @property
    def today(self) -> date:
        return START + timedelta(days=self.model.day)

    @precondition(lambda self: len(self.ids["assignment"]) < 2)
    @rule(who=submitters, site=st.integers(0, 1))
    def assign(self, who: str, site: int) -> None:
        draft = d.AssignmentDraft(
            student=d.Student(internal_id="EJEMPLO-1"),
            site=self.ids["site"][site],
            promotion="2025-2",
            plaza_type=PlazaType.C,
            starts=START,
            planned_end=START + timedelta(days=364),
        )
        self.step(who, lambda model: model.assign(who, site), assignments.register(draft), "assignment")

    @precondition(lambda self: self.ids["assignment"])
    @rule(
        number=numbers,
        stranger=strangers,
        what=st.sampled_from(["suspend", "resume", "start", *["ask_to_move"] * 3, "end", "end", "undo_end"]),
        trigger=st.none() | numbers,
    )
    def serve(self, number: int, stranger: str | None, what: str, trigger: int | None) -> None:
        a, assignment = self.pick("assignment", number)
        served = self.model.assignments[a]
        who = stranger or served.institution
        ended = served.ended
        if what == "undo_end" and ended is None:
            return
        day = self.today
        decisions: dict[str, Callable[[], Decision]] = {
            "start": lambda: assignments.start(assignment, d.StartDraft(on=day)),
            "suspend": lambda: assignments.suspend(
                assignment, d.SuspensionDraft(on=day, reason=SuspensionReason.THREAT)
            ),
            "resume": lambda: assignments.resume(assignment, d.ResumptionDraft(on=day)),
            "ask_to_move": lambda: assignments.request_relocation(
                assignment,
                d.RelocationRequestDraft(
                    by=RelocationRequester.STUDENT,
                    reason=RelocationReason.THREAT,
                    on=day,
                    trigger_incident=None if trigger is None else self.incident(trigger)[1],
                ),
            ),
            "end": lambda: assignments.end(assignment, d.EndDraft(reason=AssignmentEnd.COMPLETED, on=day)),
            "undo_end": lambda: assignments.correct(
                assignment,
                d.AssignmentCorrectionDraft(event=ended or 1, field="on", new=None, reason=WHY),
            ),
        }
        self.step(who, lambda model: getattr(model, what)(who, a), decisions[what]())

    def request(self, a: int, number: int) -> int:
        """The version of one of its requests; of none that there is while it has none."""
        made = sorted(self.model.assignments[a].requests)
        return made[number % len(made)] if made else number

    @precondition(lambda self: self.ids["assignment"])
    @rule(
        number=numbers, request=st.integers(1, 6), decision=st.sampled_from(["GRANTED", "GRANTED", "DENIED"])
    )
    def answer_request(self, number: int, request: int, decision: Any) -> None:
        a, assignment = self.pick("assignment", number)
        who, request = self.model.assignments[a].institution, self.request(a, request)
        draft = d.RelocationDecisionDraft(
            request=request, decision=RelocationDecision(decision), on=self.today
        )
        self.step(
            who,
            lambda model: model.answer(who, a, request, decision),
            assignments.decide_relocation(assignment, draft),
        )

    @precondition(lambda self: self.ids["assignment"])
    @rule(number=numbers, to=st.integers(0, 1), request=st.none() | st.integers(1, 6))
    def move(self, number: int, to: int, request: int | None) -> None:
        a, assignment = self.pick("assignment", number)
        who = self.model.assignments[a].institution
        request = None if request is None else self.request(a, request)
        draft = d.RelocationDraft(
            to=self.ids["site"][to], effective=self.today, reason=RelocationReason.THREAT, request=request
        )
        self.step(who, lambda model: model.move(who, a, to, request), assignments.relocate(assignment, draft))

    @rule(site=st.integers(0, 1), closes=st.booleans())
    def keep_site(self, site: int, closes: bool) -> None:
        kept = self.ids["site"][site]
        if closes:
            closing = d.SiteSuspensionDraft(reason=SiteSuspensionReason.THREAT, on=self.today)
            self.step(None, lambda model: model.close(site), sites.suspend(kept, closing))
        else:
            opening = d.ReopeningDraft(on=self.today)
            self.step(None, lambda model: model.reopen(site), sites.reopen(kept, opening))

    # What everybody sees.

    @rule()
    def release(self) -> None:
        self.run(self.world.release())
        for number, expected in enumerate(self.model.incidents):
            incident = str(self.ids["incident"][number])
            disclosed = self.world.public.disclosures.get(incident)
            assert (disclosed is not None) == expected.shown
            if disclosed is None:
                continue
            assert tuple(counted([disclosed], ask("INCIDENTS")).bounds) == expected.count()
            assert tuple(counted([disclosed], ask("DEATHS")).bounds) == expected.count(deaths=True)
            assert disclosed.disputed == expected.disputed
            assert disclosed.incident_class == expected.kind
            merged = None if expected.merged_into is None else str(self.ids["incident"][expected.merged_into])
            assert disclosed.merged_into == merged

    def teardown(self) -> None:
        """Each redirect leads to an incident that is none; and the last word is a release."""
        for incident in self.model.incidents:
            met: list[Decided] = []
            while incident.merged_into is not None:
                assert incident not in met
                met.append(incident)
                incident = self.model.incidents[incident.merged_into]
        self.release()


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


def outcome(killed: bool) -> Outcome:
    return Outcome.KILLED if killed else Outcome.SEVERE


def exactly(number: int) -> Range:
    return Range(low=number, best=number, high=number)


def drive(database_url: str, master: MasterKey, log_keys: LogKeys, *, examples: int, steps: int) -> None:
    """One loop and one register for all examples: a database per example would take minutes."""
    with asyncio.Runner() as runner:

        async def begin() -> tuple[asyncpg.Pool, World]:
            pool = await connect_pool(database_url, min_size=1, max_size=3)
            world = World(Application(pool, master, log_keys, clock=lambda: NOW), pool)
            await world.begin()
            await world.follow()
            return pool, world

        async def end() -> None:
            await world.app.close()
            await pool.close()

        pool, world = runner.run(begin())

        class Example(RegisterMachine):
            def __init__(self) -> None:
                super().__init__(world, runner.run)

        try:
            run_state_machine_as_test(
                Example,
                settings=settings(
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                    max_examples=examples,
                    stateful_step_count=steps,
                ),
            )
        finally:
            runner.run(end())


def test_random_commands_never_break_a_rule(database_url: str, master: MasterKey, log_keys: LogKeys) -> None:
    drive(database_url, master, log_keys, examples=100, steps=40)


@pytest.mark.slow
def test_very_many_random_commands_never_break_a_rule(
    database_url: str, master: MasterKey, log_keys: LogKeys
) -> None:
    drive(database_url, master, log_keys, examples=200, steps=60)
