"""Deadlines in working days: weekends do not count, nor does the day from which is counted."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.working_days import DAYS_TO_ANSWER, DAYS_TO_CARRY_OUT, working_days_after


@pytest.mark.parametrize(
    ("day", "due"),
    [
        (date(2026, 11, 2), date(2026, 11, 30)),  # a Monday
        (date(2026, 11, 6), date(2026, 12, 4)),  # a Friday
        (date(2026, 11, 7), date(2026, 12, 4)),  # a Saturday
        (date(2026, 11, 8), date(2026, 12, 4)),  # a Sunday
    ],
)
def test_twenty_working_days_are_four_weeks(day: date, due: date) -> None:
    assert working_days_after(day, DAYS_TO_ANSWER) == due


def test_three_more_weeks_to_carry_out() -> None:
    assert working_days_after(date(2026, 11, 30), DAYS_TO_CARRY_OUT) == date(2026, 12, 21)


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(1, 60))
def test_counting_day_by_day_comes_to_the_same(day: date, count: int) -> None:
    due, left = day, count
    while left:
        due += timedelta(days=1)
        left -= due.weekday() < 5
    assert working_days_after(day, count) == due
