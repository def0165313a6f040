"""Snapshot + tail = replay, for any history and any cut; anything else than what was taken is refused."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec
import pytest
from eventsourcing.domain import SnapshotProtocol
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.assignment import Assignment
from registry.domain.certainty import LinkedReport
from registry.domain.claims import Range, Victim, When, Where
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
    Nexus,
    Outcome,
    PlacePrecision,
    PlazaType,
    RelocationDecision,
    RelocationReason,
    RelocationRequester,
    ReportClass,
    Sex,
    SourceType,
    SuspensionReason,
    VictimRole,
)
from registry.domain.event import Act, Aggregate, By, Event
from registry.domain.incident import Incident
from registry.domain.institution import Institution
from registry.domain.mapper import STREAMS, decode_event, encode_event
from registry.domain.register import REGISTER_ID, Register
from registry.domain.report import Report
from registry.domain.site import Site
from registry.domain.snapshot import SNAPSHOTTED, Snapshot, UnusableSnapshot
from registry.errors import RegistryError

UNIVERSITY, REVIEWER, OTHER_REVIEWER, *PLACES = (UUID(int=number, version=4) for number in range(1, 8))
BEGINNING = datetime(2026, 2, 1, 10, 0, 0, 654321, tzinfo=UTC)

Step = Callable[[Any, Act], object]
"""One command to an aggregate; the domain may refuse it."""


def step(command: Callable[..., object], **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    """A command with any of these arguments."""
    return st.fixed_dictionaries(arguments).map(
        lambda drawn: lambda aggregate, act: command(aggregate, act, **drawn)
    )


days = st.dates(date(2026, 1, 1), date(2026, 12, 31))
whens = st.builds(
    When,
    earliest=st.none() | st.just(date(2025, 12, 31)),
    latest=days,
    precision=st.sampled_from(DatePrecision),
)
wheres = st.builds(
    Where,
    state=st.just("16"),
    cvegeo=st.none() | st.just("16012"),
    site=st.none() | st.sampled_from(PLACES),
    precision=st.just(PlacePrecision.STATE),
)
victims = st.builds(
    Victim,
    role=st.sampled_from(VictimRole),
    sex=st.sampled_from(Sex),
    outcome=st.sampled_from(Outcome),
    nexus=st.sampled_from(Nexus),
    count=st.sampled_from([Range(low=1, best=1, high=1), Range(low=0, best=2, high=1_000_000)]),
    person=st.none() | st.sampled_from(["person-1", "person-2"]),
    assignment=st.none() | st.sampled_from(PLACES),
)
reports = st.builds(
    LinkedReport,
    report=st.uuids(version=4),
    institution=st.just(UNIVERSITY),
    recorded=st.integers(0, 10**12).map(lambda number: BEGINNING + timedelta(microseconds=number)),
    report_class=st.just(ReportClass.ATTACK),
    source_type=st.sampled_from(SourceType),
    directness=st.sampled_from(Directness),
    source=st.none() | st.sampled_from(["source-1", "source-2"]),
    derived_from=st.none(),
    when=st.none() | st.just(When(earliest=None, latest=date(2026, 1, 5), precision=DatePrecision.DAY)),
    where=st.none() | wheres,
)


def _finding(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return step(Incident.record_finding, **{name: values})


def _unlink_first(incident: Incident, act: Act, reason: CorrectionReason) -> None:
    for linked in incident.reports[:1]:
        incident.unlink_report(act, linked.report, reason)


def _correct(
    incident: Incident,
    act: Act,
    field: Literal["when", "victim"],
    when: When,
    victim: Victim,
    reason: CorrectionReason,
) -> None:
    new = {"when": when, "victim": victim}[field]
    incident.correct(act, {field: new}, victim=1 if field == "victim" else None, reason=reason)


def _merge(incident: Incident, act: Act, reason: CorrectionReason) -> None:
    into = Incident.open(act, incident_class=incident.incident_class, reports=incident.reports[:1])
    into.unlink_report(act, into.reports[0].report, reason)
    incident.merge(act, into, reason)


def _split(incident: Incident, act: Act, reason: CorrectionReason) -> None:
    moving = [linked.report for linked in incident.reports[:1]]
    incident.split(act, incident_class=incident.incident_class, reports=moving, victims=[], reason=reason)


INCIDENT_STEPS = st.one_of(
    _finding("when", whens),
    _finding("where", wheres),
    _finding("kind", st.sampled_from(["ROBBERY", "UNKNOWN"])),
    _finding("already_public", st.booleans()),
    _finding("family_agrees", st.booleans()),
    step(Incident.record_victim, victim=victims),
    step(
        Incident.set_certainty,
        level=st.sampled_from([level for level in Certainty if level is not Certainty.REFUTED]),
        basis=st.lists(st.sampled_from(CertaintyBasis), max_size=2).map(tuple),
    ),
    step(Incident.link_report, report=reports),
    step(_unlink_first, reason=st.sampled_from(CorrectionReason)),
    step(
        Incident.update_outcome,
        victim=st.integers(1, 2),
        outcome=st.sampled_from([Outcome.SEVERE, Outcome.KILLED]),
        manner=st.none(),
        count=st.none() | st.just(Range(low=0, best=1, high=1)),
        known_on=days,
    ),
    step(Incident.dispute, ground=st.sampled_from(DisputeGround)),
    step(Incident.resolve_dispute, dispute=st.integers(1, 2), decision=st.sampled_from(DisputeOutcome)),
    step(
        _correct,
        field=st.sampled_from(["when", "victim"]),
        when=whens,
        victim=victims,
        reason=st.sampled_from(CorrectionReason),
    ),
    step(Incident.reinstate, reason=st.sampled_from(CorrectionReason)),
    step(Incident.retract, reason=st.sampled_from(CorrectionReason)),
    step(
        Incident.disclose,
        event_id=st.uuids(version=4),
        disclosure=st.fixed_dictionaries(
            {"status": st.just("ACTIVE"), "facets": st.just({"year": {"value": "2026"}})}
        ),
        facets=st.just({}),
        commitment_keys=st.just({}),
    ),
)
LAST_STEPS = step(_merge, reason=st.sampled_from(CorrectionReason)) | step(
    _split, reason=st.sampled_from(CorrectionReason)
)


@st.composite
def incidents(draw: st.DrawFn) -> list[Event]:
    linked = draw(st.lists(reports, min_size=1, max_size=3))
    incident = Incident.open(_act(0, REVIEWER), incident_class=IncidentClass.ATTACK, reports=linked)
    return _history(draw, incident, INCIDENT_STEPS, draw(st.lists(LAST_STEPS, max_size=1)))


@st.composite
def assignments(draw: st.DrawFn) -> list[Event]:
    assignment = Assignment.register(
        _act(0, UNIVERSITY),
        student="person-1",
        identity={},
        institution=UNIVERSITY,
        site=PLACES[0],
        promotion="2026-02",
        plaza_type=draw(st.sampled_from(PlazaType)),
        starts=date(2026, 1, 1),
        planned_end=date(2026, 12, 31),
    )
    relocation = step(
        Assignment.relocate,
        to=st.sampled_from(PLACES),
        effective=days,
        reason=st.sampled_from(RelocationReason),
        trigger_incident=st.none() | st.sampled_from(PLACES),
    )
    versions = st.integers(1, 9)
    others = (
        step(Assignment.start, on=days),
        step(Assignment.suspend, on=days, reason=st.sampled_from(SuspensionReason)),
        step(Assignment.resume, on=days),
        step(
            Assignment.request_relocation,
            requester=st.sampled_from(RelocationRequester),
            reason=st.sampled_from(RelocationReason),
            on=days,
            trigger_incident=st.none() | st.sampled_from(PLACES),
        ),
        step(
            Assignment.decide_relocation,
            request=versions,
            decision=st.sampled_from(RelocationDecision),
            on=days,
        ),
        step(
            Assignment.correct,
            event=versions,
            field=st.sampled_from(["on", "effective", "planned_end"]),
            new=st.none() | days.map(date.isoformat),
            reason=st.sampled_from(CorrectionReason),
        ),
    )
    end = step(Assignment.end, reason=st.sampled_from(AssignmentEnd), on=days)
    return _history(draw, assignment, st.one_of(relocation, *others), draw(st.lists(end, max_size=1)))


@st.composite
def registers(draw: st.DrawFn) -> list[Event]:
    digests = st.sampled_from(["aa", "bb"])
    policies = st.sampled_from([{"at_least": 3}, {"rungs": [{"facets": ["year"]}, None]}])
    answered = st.lists(st.just({"institution": "x", "quarter": "2026-Q1", "answer": "ANSWERED"}), max_size=2)
    steps = st.one_of(
        step(Register.adopt_definition, definition=st.just("national-count/1"), sha256=digests),
        step(Register.adopt_policy, name=st.just("disclosure-policy/1"), sha256=digests, policy=policies),
        step(
            Register.publish_release,
            release=st.uuids(version=4),
            disclosed=st.integers(0, 3),
            answers=answered.map(tuple),
        ),
    )
    return _history(draw, Register(id=REGISTER_ID), steps, [])


def _history(
    draw: st.DrawFn, aggregate: Aggregate, steps: st.SearchStrategy[Step], last: list[Step]
) -> list[Event]:
    """What becomes of an aggregate under any commands, refused ones left out; as it is read back from the store."""
    for number, one in enumerate([*draw(st.lists(steps, max_size=12)), *last], 1):
        before = msgspec.msgpack.encode(aggregate, order="sorted")
        decided = aggregate.stored()
        decided.pending = list(aggregate.pending)
        with suppress(RegistryError):
            one(decided, _act(number, draw(st.sampled_from([REVIEWER, OTHER_REVIEWER]))))
        assert msgspec.msgpack.encode(aggregate, order="sorted") == before, (
            "a decision changed what it came from"
        )
        aggregate = decided
    return [decode_event(event.TOPIC, encode_event(event)) for event in aggregate.collect_events()]


def _act(number: int, institution: UUID) -> Act:
    return Act(By(institution=institution, key=None), BEGINNING + timedelta(minutes=number))


def _replay(aggregate: Aggregate, events: list[Event]) -> Aggregate:
    for event in events:
        aggregate.fold(event)
    return aggregate


HISTORIES: st.SearchStrategy[tuple[type[Aggregate], list[Event]]] = st.one_of(
    st.tuples(st.just(Incident), incidents()),
    st.tuples(st.just(Assignment), assignments()),
    st.tuples(st.just(Register), registers().filter(bool)),
)


@given(HISTORIES, st.data())
def test_snapshot_and_tail_are_replay(
    history: tuple[type[Aggregate], list[Event]], data: st.DataObject
) -> None:
    kind, events = history
    stream_id = events[0].originator_id
    whole = _replay(kind(id=stream_id), events)
    cut = data.draw(st.integers(1, len(events)))
    snapshot = Snapshot.take(_replay(kind(id=stream_id), events[:cut]))
    restored = _replay(snapshot.mutate(), events[cut:])
    assert restored == whole
    at_once = snapshot.mutate()
    at_once.replay(events[cut:])
    assert at_once == whole
    assert type(restored) is kind
    assert restored.pending == []
    assert Snapshot.take(restored).mutate() == whole


def incident() -> Incident:
    report = LinkedReport(
        report=PLACES[0],
        institution=UNIVERSITY,
        recorded=BEGINNING,
        report_class=ReportClass.ATTACK,
        source_type=SourceType.PRESS,
        directness=Directness.DIRECT,
        source=None,
        derived_from=None,
        when=None,
        where=None,
    )
    opened = Incident.open(_act(0, REVIEWER), incident_class=IncidentClass.ATTACK, reports=[report])
    opened.pending.clear()
    return opened


def test_a_snapshot_fulfils_the_contract_of_the_library() -> None:
    taken = incident()
    snapshot: SnapshotProtocol[UUID] = Snapshot.take(taken)
    assert (snapshot.originator_id, snapshot.originator_version) == (taken.id, 1)
    assert Snapshot.take(taken).mutate() == taken


def test_only_what_is_stored_is_taken() -> None:
    taken = incident()
    taken.retract(_act(1, REVIEWER), CorrectionReason.DUPLICATE)
    with pytest.raises(ValueError, match="not stored"):
        Snapshot.take(taken)


def test_streams_that_are_never_taken_hold_a_few_events() -> None:
    assert set(STREAMS) - set(SNAPSHOTTED) == {Institution, Site, Report}


@pytest.mark.parametrize(
    "spoilt",
    [
        {"originator_version": 2},
        {"originator_version": 10**9},
        {"originator_id": PLACES[1]},
        {"topic": "assignment"},
        {"topic": "os:system"},
        {"state": b""},
        {"digest": b""},
        {"shape": bytes(32)},
    ],
    ids=str,
)
def test_a_snapshot_that_was_changed_is_refused(spoilt: dict[str, Any]) -> None:
    with pytest.raises(UnusableSnapshot):
        msgspec.structs.replace(Snapshot.take(incident()), **spoilt).mutate()


@given(st.data())
def test_a_snapshot_with_any_byte_changed_is_refused(data: st.DataObject) -> None:
    snapshot = Snapshot.take(incident())
    state = bytearray(snapshot.state)
    state[data.draw(st.integers(0, len(state) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(UnusableSnapshot):
        msgspec.structs.replace(snapshot, state=bytes(state)).mutate()
