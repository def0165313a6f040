"""Retries go on for three days, further and further apart, and stop only at an endpoint that was really asked."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.delivery.webhooks.schedule import (
    FIRST_PAUSE,
    GIVEN_UP_AFTER,
    JITTER,
    LEAST_FAILURES,
    LONGEST_PAUSE,
    LONGEST_RETRY_AFTER,
    next_try,
    pause,
    retry_after,
)

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
JITTERS = st.floats(0, 1)
WISHES = st.none() | st.timedeltas(timedelta(), timedelta(days=400))


@given(st.integers(1, 10_000), JITTERS)
def test_pauses_grow_and_stay_within_their_bounds(failures: int, jitter: float) -> None:
    assert FIRST_PAUSE <= pause(failures, jitter) <= LONGEST_PAUSE * (1 + JITTER)
    assert pause(failures, 0) <= pause(failures + 1, 0)
    assert pause(failures, 0) <= pause(failures, jitter)


@given(st.integers(1, 200), st.timedeltas(timedelta(), timedelta(days=9)), JITTERS, WISHES)
def test_the_next_try_lies_ahead_or_the_endpoint_was_asked_often_and_long(
    failures: int, failing: timedelta, jitter: float, wished: timedelta | None
) -> None:
    then = next_try(NOW, NOW - failing, failures, jitter, wished)
    if then is None:
        assert failing >= GIVEN_UP_AFTER
        assert failures >= LEAST_FAILURES
    else:
        assert NOW < then <= NOW + max(LONGEST_PAUSE * (1 + JITTER), LONGEST_RETRY_AFTER)


@given(st.lists(st.tuples(JITTERS, WISHES), min_size=1, max_size=20))
def test_an_endpoint_that_never_answers_is_asked_to_the_end_of_three_days(
    chances: list[tuple[float, timedelta | None]],
) -> None:
    now, failures, tried = NOW, 0, [NOW]
    while True:
        failures += 1
        jitter, wished = chances[failures % len(chances)]
        then = next_try(now, NOW, failures, jitter, wished)
        if then is None:
            break
        now = then
        tried.append(now)
    assert tried[-1] >= NOW + GIVEN_UP_AFTER
    assert NOW + GIVEN_UP_AFTER in tried
    assert len(tried) >= LEAST_FAILURES


def test_a_register_that_stood_still_gives_nobody_up() -> None:
    asked_again = NOW + timedelta(days=30)
    assert next_try(asked_again, NOW, 2, 0.0) == asked_again + pause(2, 0.0)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        (None, None),
        ("120", timedelta(minutes=2)),
        (" 0 ", timedelta()),
        ("9" * 5_000, LONGEST_RETRY_AFTER),
        ("Mon, 02 Mar 2026 12:00:30 GMT", timedelta(seconds=30)),
        ("Mon, 02 Mar 2026 11:00:00 GMT", timedelta()),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("", None),
        ("Wed, 99 Oct 99999 07:28:00 GMT", None),
        ("Mon, 02 Mar 2026 12:00:30 +99999999999999999999", None),
        ("Mon, 02 Mar 99999999999999999999 12:00:30 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_anything_else_is_not_there(
    value: str | None, wait: timedelta | None
) -> None:
    assert retry_after(value, NOW) == wait
