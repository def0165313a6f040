"""The plan of the invented register: repeatable, in order, and of nobody real."""

from collections import Counter
from datetime import UTC, date, datetime
from random import Random

import pytest

from api.demo.places import clinics, placements
from api.demo.plan import MONTHS, OPERATOR, Batch, Release, Step, beginning, moment, month
from api.demo.script import script
from registry.catalogs.clues import check
from registry.domain.codes import STATES

QUARTERS = [date(2023, 1, 1), date(2023, 4, 1), date(2023, 7, 1), date(2023, 10, 1)]


def names(steps: list[Step]) -> list[tuple[str, ...]]:
    return [tuple(write.name for write in step.writes) if isinstance(step, Batch) else () for step in steps]


@pytest.mark.parametrize(
    ("now", "begin"),
    [
        (datetime(2026, 11, 22, 12, tzinfo=UTC), date(2023, 10, 1)),
        (datetime(2026, 1, 31, tzinfo=UTC), date(2023, 1, 1)),
        (datetime(2026, 4, 1, 0, 1, tzinfo=UTC), date(2023, 1, 1)),  # its last steps would still be to come
        (datetime(2024, 2, 29, 9, tzinfo=UTC), date(2021, 1, 1)),
    ],
)
def test_the_plan_is_the_last_three_years_of_whole_quarters(now: datetime, begin: date) -> None:
    assert beginning(now) == begin
    assert max(step.at for step in script(begin)) <= now


def test_months_are_counted_across_years() -> None:
    assert [month(date(2023, 10, 1), number) for number in (-10, 0, 2, 3, 36)] == [
        date(2022, 12, 1),
        date(2023, 10, 1),
        date(2023, 12, 1),
        date(2024, 1, 1),
        date(2026, 10, 1),
    ]


@pytest.mark.parametrize("begin", QUARTERS)
def test_the_same_beginning_gives_the_same_plan(begin: date) -> None:
    assert names(script(begin)) == names(script(begin))


@pytest.mark.parametrize("begin", QUARTERS)
def test_every_write_has_a_name_of_its_own(begin: date) -> None:
    counted = Counter(name for step in names(script(begin)) for name in step)
    assert [name for name, times in counted.items() if times > 1] == []


@pytest.mark.parametrize("begin", QUARTERS)
def test_institutions_come_first_and_each_quarter_ends_with_a_release(begin: date) -> None:
    steps = script(begin)
    assert isinstance(steps[0], Batch)
    assert {write.by for write in steps[0].writes} == {OPERATOR}
    assert [step.at for step in steps if isinstance(step, Release)] == [
        moment(begin, number, 1, 0, 10) for number in range(3, MONTHS + 1, 3)
    ]
    # By the last batch a later start sees that nothing is left to do.
    assert isinstance(steps[-1], Batch)


def test_there_are_clinics_in_every_state_and_no_code_of_a_real_one() -> None:
    found = clinics(Random(1))
    assert {clinic.draft.cvegeo[:2] for clinic in found} == set(STATES)
    codes = [(draft.clues, draft.cvegeo) for clinic in found if (draft := clinic.draft).clues]
    assert codes
    for code, cvegeo in codes:
        assert check(str(code), cvegeo).institution == "XXX"
        assert check(str(code), cvegeo).warnings == ()


def test_no_two_students_share_an_identity_and_nobody_has_initials() -> None:
    students = placements(date(2023, 10, 1), clinics(Random(1)), Random(2))
    identities = [student.student for student in students]
    assert len(set(identities)) == len(identities)
    assert all((one.curp or "XXXX").startswith("XXXX") for one in identities)
