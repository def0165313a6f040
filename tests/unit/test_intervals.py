"""What came first, and by how many days, where dates are intervals."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.intervals import Days, Interval, certainly_before, day, days_between

APRIL, MAY = date(2026, 4, 1), date(2026, 5, 1)


@pytest.mark.parametrize(
    ("one", "other", "before", "days"),
    [
        (day(APRIL), day(MAY), True, Days(least=30, most=30)),
        ((None, APRIL), day(MAY), True, Days(least=30, most=None)),
        ((APRIL, date(2026, 4, 30)), (MAY, date(2026, 5, 3)), True, Days(least=1, most=32)),
        ((APRIL, MAY), day(MAY), False, Days(least=0, most=30)),
        (day(APRIL), (None, MAY), False, Days(least=0, most=30)),
        (day(APRIL), day(APRIL), False, Days(least=0, most=0)),
        (None, day(MAY), None, None),
        (day(MAY), None, None, None),
    ],
)
def test_what_may_have_come_before_is_told_from_what_must(
    one: Interval | None, other: Interval | None, before: bool | None, days: Days | None
) -> None:
    assert certainly_before(one, other) is before
    assert days_between(one, other) == days


spans = st.tuples(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 400)).map(
    lambda drawn: (drawn[0], drawn[0] + timedelta(days=drawn[1]))
)


@given(spans, spans, st.data())
def test_any_two_days_within_are_as_far_apart_as_said(
    one: tuple[date, date], other: tuple[date, date], data: st.DataObject
) -> None:
    first, second = data.draw(st.dates(*one)), data.draw(st.dates(*other))
    days = days_between(one, other)
    assert days is not None
    assert days.most is not None
    if first <= second:
        assert days.least <= (second - first).days <= days.most
    else:
        assert not certainly_before(one, other)
