from datetime import date

import pytest

from registry.disclosure.promotions import end_concerned, end_of
from registry.domain.claims import When
from registry.domain.codes import DatePrecision


def on(day: date) -> When:
    return When(earliest=None, latest=day, precision=DatePrecision.INTERVAL)


def test_a_promotion_lasts_one_year_from_february_or_august() -> None:
    assert end_of("2026-1") == date(2027, 1, 31)
    assert end_of("2026-2") == date(2027, 7, 31)


@pytest.mark.parametrize(
    ("day", "end"),
    [
        (date(2026, 1, 31), date(2026, 7, 31)),
        (date(2026, 2, 1), date(2027, 1, 31)),
        (date(2026, 7, 31), date(2027, 1, 31)),
        (date(2026, 8, 1), date(2027, 7, 31)),
    ],
)
def test_without_a_known_student_the_promotion_begun_last_is_waited_for(day: date, end: date) -> None:
    assert end_concerned([], on(day)) == end


def test_the_students_own_promotion_is_waited_for() -> None:
    assert end_concerned(["2025-1"], on(date(2026, 1, 5))) == date(2026, 1, 31)
    assert end_concerned(["2025-1", "2025-2"], None) == date(2026, 7, 31)


def test_without_a_date_the_end_is_not_known() -> None:
    assert end_concerned([], None) is None


def test_a_year_beyond_all_dates_waits_for_ever_and_stops_no_release() -> None:
    assert end_of("9999-2") == date(9999, 7, 31)
    assert end_concerned([], on(date.max)) == date(9999, 7, 31)
    assert end_concerned([], on(date.min)) == date(1, 7, 31)
