"""A year of service: what may follow what, what a correction changes, and when the student is where."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.assignment import Assignment
from registry.domain.codes import (
    AssignmentEnd,
    CorrectionReason,
    PlazaType,
    RelocationDecision,
    RelocationReason,
    RelocationRequester,
    SuspensionReason,
)
from registry.domain.event import Act, By
from registry.domain.mapper import decode_event, encode_event
from registry.errors import InvalidInput, RegistryError, RuleViolated

UNIVERSITY, CLINIC, OTHER_CLINIC, THIRD_CLINIC, INCIDENT = (UUID(int=n, version=4) for n in range(1, 6))
STARTS, PLANNED_END = date(2026, 2, 1), date(2027, 1, 31)
ACT = Act(By(institution=UNIVERSITY, key=None), datetime(2026, 3, 2, tzinfo=UTC))

Step = Callable[[Assignment], None]


def registered(starts: date = STARTS, planned_end: date = PLANNED_END) -> Assignment:
    return Assignment.register(
        ACT,
        student="person-1",
        identity={},
        institution=UNIVERSITY,
        site=CLINIC,
        promotion="2026-1",
        plaza_type=PlazaType.C,
        starts=starts,
        planned_end=planned_end,
    )


def start(on: date = STARTS) -> Step:
    return lambda one: one.start(ACT, on=on)


def suspend(on: date) -> Step:
    return lambda one: one.suspend(ACT, on=on, reason=SuspensionReason.THREAT)


def resume(on: date) -> Step:
    return lambda one: one.resume(ACT, on=on)


def ask(on: date) -> Step:
    return lambda one: one.request_relocation(
        ACT,
        requester=RelocationRequester.STUDENT,
        reason=RelocationReason.THREAT,
        on=on,
        trigger_incident=None,
    )


def answer(request: int, on: date, decision: RelocationDecision = RelocationDecision.GRANTED) -> Step:
    return lambda one: one.decide_relocation(ACT, request=request, decision=decision, on=on)


def move(effective: date, to: UUID = OTHER_CLINIC, request: int | None = None) -> Step:
    return lambda one: one.relocate(
        ACT,
        to=to,
        effective=effective,
        reason=RelocationReason.THREAT,
        trigger_incident=INCIDENT,
        request=request,
    )


def end(on: date, reason: AssignmentEnd = AssignmentEnd.COMPLETED) -> Step:
    return lambda one: one.end(ACT, reason=reason, on=on)


def correct(event: int, field: str, new: str | None) -> Step:
    return lambda one: one.correct(ACT, event=event, field=field, new=new, reason=CorrectionReason.DATA_ENTRY)


def lived(*steps: Step) -> Assignment:
    one = registered()
    for step in steps:
        step(one)
    return one


def stays(one: Assignment) -> list[tuple[UUID, date, date]]:
    return [(stay.site, stay.since, stay.until) for stay in one.service.stays()]


APRIL, MAY, JUNE = date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 1)

REFUSED: dict[str, tuple[list[Step], Step]] = {
    "started-already": ([start()], start()),
    "start-outside-the-plan": ([], start(PLANNED_END + timedelta(days=1))),
    "suspension-needs-start": ([], suspend(APRIL)),
    "suspended-already": ([start(), suspend(APRIL)], suspend(MAY)),
    "suspension-in-order": ([start(), suspend(APRIL), resume(MAY)], suspend(date(2026, 4, 20))),
    "resumption-needs-suspension": ([start()], resume(APRIL)),
    "resumption-after-suspension": ([start(), suspend(APRIL)], resume(APRIL)),
    "request-long-before-the-start": ([], ask(date(2024, 4, 1))),
    "no-such-request": ([start()], answer(2, APRIL)),
    "request-answered-once": ([ask(APRIL), answer(2, MAY)], answer(2, MAY)),
    "decision-after-request": ([ask(MAY)], answer(2, APRIL)),
    "relocation-needs-another-site": ([], move(APRIL, CLINIC)),
    "relocation-in-order": ([move(MAY)], move(APRIL, THIRD_CLINIC)),
    "relocation-needs-granted-request": (
        [ask(APRIL), answer(2, APRIL, RelocationDecision.DENIED)],
        move(MAY, request=2),
    ),
    "request-carried-out-once": (
        [ask(APRIL), answer(2, APRIL), move(MAY, request=2)],
        move(JUNE, CLINIC, request=2),
    ),
    "after-the-planned-end": ([], move(PLANNED_END + timedelta(days=1))),
    "completed-after-everything": ([move(MAY)], end(APRIL)),
    "end-out-of-range": ([], end(date(2036, 4, 1), AssignmentEnd.RESIGNED)),
    "assignment-ended": ([end(PLANNED_END)], move(APRIL)),
    "correction-changes-something": ([], correct(1, "starts", STARTS.isoformat())),
    "no-such-event": ([start()], correct(3, "on", None)),
}
"""The rule → what happened before, and what cannot happen then."""


@pytest.mark.parametrize("rule", REFUSED)
def test_what_cannot_be_is_refused_by_its_rule_and_changes_nothing(rule: str) -> None:
    before, refused = REFUSED[rule]
    one = lived(*before)
    service, events = one.service, list(one.pending)
    with pytest.raises(RuleViolated) as caught:
        refused(one)
    assert caught.value.rule == rule
    assert (one.service, one.pending) == (service, events)
    assert caught.value.text.es != caught.value.text.en


def test_every_rule_is_in_the_documentation() -> None:
    page = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
    assert [rule for rule in REFUSED if f"`{rule}`" not in page] == []


def test_nothing_follows_the_end_but_corrections() -> None:
    steps = (start(), suspend(APRIL), resume(APRIL), ask(APRIL), answer(2, APRIL), move(APRIL), end(APRIL))
    for step in steps:
        with pytest.raises(RuleViolated) as caught:
            step(lived(end(PLANNED_END)))
        assert caught.value.rule == "assignment-ended"
    mended = lived(end(PLANNED_END), correct(2, "on", "2026-12-31"), correct(2, "reason", "RESIGNED"))
    assert stays(mended) == [(CLINIC, STARTS, date(2027, 1, 1))]
    assert mended.service.ended is not None
    assert mended.service.ended.reason is AssignmentEnd.RESIGNED


def test_an_end_that_was_recorded_by_mistake_did_not_happen() -> None:
    one = lived(end(APRIL, AssignmentEnd.RESIGNED), correct(2, "on", None), move(MAY))
    assert stays(one) == [(CLINIC, STARTS, MAY), (OTHER_CLINIC, MAY, date(2027, 2, 1))]
    (undone,) = one.corrections
    assert (undone.event, undone.field, undone.old, undone.new) == (2, "on", "2026-04-01", None)


@pytest.mark.parametrize(
    ("field", "new"),
    [
        ("on", "2026-04-01"),
        ("starts", None),
        ("starts", "01/02/2026"),
        ("planned_end", "2026-01-01"),
        ("promotion", "2019-1"),
        ("plaza_type", "Z"),
        ("site", "the clinic"),
    ],
)
def test_a_correction_that_the_field_cannot_take_is_refused(field: str, new: str | None) -> None:
    one = registered()
    with pytest.raises(InvalidInput):
        correct(1, field, new)(one)
    assert one.version == 1


def test_the_rank_of_a_selection_is_kept_and_corrected() -> None:
    assignment = registered()
    assert assignment.service.selection_rank is None
    for new, rank in (("17", 17), (None, None)):
        assignment.correct(ACT, event=1, field="selection_rank", new=new, reason=CorrectionReason.DATA_ENTRY)
        assert assignment.service.selection_rank == rank
    assert [one.old for one in assignment.corrections] == [None, "17"]
    for wrong in ("0", "first", "null"):
        with pytest.raises(InvalidInput):
            assignment.correct(
                ACT, event=1, field="selection_rank", new=wrong, reason=CorrectionReason.DATA_ENTRY
            )


def test_corrections_obey_the_order_of_everything_else() -> None:
    one = lived(start(), suspend(APRIL), resume(MAY), move(JUNE))
    for event, field, new, rule in (
        (2, "on", None, "suspension-needs-start"),
        (3, "on", None, "resumption-needs-suspension"),
        (3, "on", "2026-05-20", "resumption-after-suspension"),
        (5, "effective", "2026-01-01", "relocation-in-order"),
        (5, "to", str(CLINIC), "relocation-needs-another-site"),
        (1, "planned_end", "2026-05-15", "after-the-planned-end"),
    ):
        with pytest.raises(RuleViolated) as caught:
            correct(event, field, new)(one)
        assert caught.value.rule == rule
    correct(5, "to", str(THIRD_CLINIC).upper())(one)
    assert one.corrections[-1].new == str(THIRD_CLINIC)


def test_what_a_move_carried_out_stays_granted() -> None:
    one = lived(ask(APRIL), answer(2, APRIL), move(MAY, request=2))
    for event, field, new, rule in (
        (2, "on", None, "no-such-request"),
        (3, "on", None, "relocation-needs-granted-request"),
        (3, "decision", "DENIED", "relocation-needs-granted-request"),
    ):
        with pytest.raises(RuleViolated) as caught:
            correct(event, field, new)(one)
        assert caught.value.rule == rule
    correct(4, "effective", None)(one)
    correct(3, "decision", "DENIED")(one)


def test_a_move_before_the_start_leaves_no_day_at_the_first_site() -> None:
    """As when students who were about to start there are sent elsewhere."""
    assert stays(lived(move(STARTS), start(date(2026, 2, 5)))) == [
        (OTHER_CLINIC, date(2026, 2, 5), date(2027, 2, 1))
    ]


def test_who_dies_before_a_granted_move_never_took_it() -> None:
    one = lived(
        ask(APRIL), answer(2, APRIL), move(MAY, request=2), end(date(2026, 4, 20), AssignmentEnd.DEATH)
    )
    assert stays(one) == [(CLINIC, STARTS, date(2026, 4, 21))]


def test_what_was_called_off_before_it_started_has_no_day() -> None:
    for on in (date(2026, 1, 10), STARTS, APRIL):
        assert stays(lived(end(on, AssignmentEnd.CANCELLED))) == []
    assert stays(lived(end(date(2026, 1, 10), AssignmentEnd.DEATH))) == []
    assert stays(lived(start(), end(STARTS, AssignmentEnd.CANCELLED))) == [
        (CLINIC, STARTS, STARTS + timedelta(days=1))
    ]


def test_a_granted_request_may_be_carried_out_or_wait_or_be_named_by_no_move() -> None:
    one = lived(ask(APRIL), answer(2, APRIL, RelocationDecision.PARTIAL), move(MAY), ask(MAY))
    first, second = one.service.requests()
    assert first.decided is not None
    assert (first.decided.decision, first.relocated) == (RelocationDecision.PARTIAL, None)
    assert second.decided is None
    move(JUNE, THIRD_CLINIC, request=2)(one)
    assert one.service.requests()[0].relocated is not None


def test_suspended_days_are_not_present_days() -> None:
    one = lived(start(), suspend(APRIL), resume(MAY), move(date(2026, 4, 10)), suspend(JUNE))
    assert [tuple(part) for part in one.service.presence()] == [
        (CLINIC, STARTS, APRIL),
        (OTHER_CLINIC, MAY, JUNE),
    ]
    assert [(pause.since, pause.until, pause.resumed) for pause in one.service.suspensions()] == [
        (APRIL, MAY, MAY),
        (JUNE, date(2027, 2, 1), None),
    ]


# Few days and few versions, so that commands meet; ends are rare, or nothing would follow.
days = st.sampled_from([date(2026, 1, 20), *(date(2026, month, 1) for month in range(2, 9)), PLANNED_END])
versions = st.integers(1, 7)
commands: st.SearchStrategy[Step] = st.one_of(
    days.map(start),
    *[days.map(suspend)] * 3,
    *[days.map(resume)] * 3,
    days.map(ask),
    *[st.builds(answer, versions, days, st.sampled_from(RelocationDecision))] * 2,
    *[st.builds(move, days, st.sampled_from([CLINIC, OTHER_CLINIC, THIRD_CLINIC]))] * 4,
    st.builds(move, days, st.sampled_from([OTHER_CLINIC, THIRD_CLINIC]), versions),
    st.builds(end, days, st.sampled_from(AssignmentEnd)),
    *[
        st.builds(
            correct,
            versions,
            st.sampled_from(["on", "effective", "starts", "planned_end"]),
            st.none() | days.map(date.isoformat),
        )
    ]
    * 4,
)


@given(st.booleans(), st.lists(commands, min_size=12, max_size=30))
def test_whatever_is_accepted_stays_and_suspensions_are_apart_and_within_the_service(
    started: bool, steps: list[Step]
) -> None:
    one = lived(start()) if started else registered()
    for step in steps:
        ended = one.service.ended is not None
        before = len(one.pending)
        with suppress(RegistryError):
            step(one)
        accepted = [pending.event.TOPIC for pending in one.pending[before:]]
        assert not ended or set(accepted) <= {"assignment.corrected"}
        _apart_and_within(one)
    replayed = Assignment(id=one.id)
    for event in one.collect_events():
        replayed.fold(decode_event(event.TOPIC, encode_event(event)))
    assert replayed == one


def _apart_and_within(one: Assignment) -> None:
    service = one.service
    for spans in (service.stays(), service.suspensions(), service.presence()):
        dates: list[tuple[Any, Any]] = [(span.since, span.until) for span in spans]
        assert all(since < until for since, until in dates)
        assert all(service.begin <= since and until <= service.over for since, until in dates)
        assert all(before[1] <= after[0] for before, after in pairwise(dates))
    present = sum((stay.until - stay.since).days for stay in service.presence())
    assigned = sum((stay.until - stay.since).days for stay in service.stays())
    paused = sum((pause.until - pause.since).days for pause in service.suspensions())
    assert (
        present + paused
        == assigned
        == (max(0, (service.over - service.begin).days) if service.took_place else 0)
    )
