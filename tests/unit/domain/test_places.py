"""Sites and institutions: one code at a time, one suspension at a time, one name at a time."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.codes import InstitutionKind, SiteSuspensionReason
from registry.domain.event import Act, By
from registry.domain.institution import FormerName, Institution
from registry.domain.site import Site
from registry.errors import RuleViolated

ACT = Act(By(institution=None, key=None), datetime(2026, 3, 2, tzinfo=UTC))
APRIL, MAY, JUNE = date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 1)
OLD, NEW, NEWER = "MNSSA000123", "MNIMB000126", "MNIMB001234"

Step = Callable[[Site], None]


def registered(clues: str | None = OLD) -> Site:
    return Site.register(
        ACT, name="Clínica", cvegeo="16012", clues=clues, level=None, plaza_types=(), contact=None
    )


def recode(clues: str, valid_from: date) -> Step:
    return lambda site: site.recode(ACT, clues=clues, valid_from=valid_from)


def suspend(on: date) -> Step:
    return lambda site: site.suspend(ACT, reason=SiteSuspensionReason.THREAT, on=on)


def reopen(on: date) -> Step:
    return lambda site: site.reopen(ACT, on=on)


def test_one_code_is_valid_at_a_time() -> None:
    site = registered()
    recode(NEW, APRIL)(site)
    recode(NEWER, JUNE)(site)
    days = (date(2020, 1, 1), APRIL - timedelta(days=1), APRIL, MAY, JUNE)
    assert [site.clues_on(day) for day in days] == [OLD, OLD, NEW, NEW, NEWER]
    assert registered(None).clues_on(MAY) is None


def test_a_site_is_closed_from_its_suspension_until_the_day_it_reopens() -> None:
    site = registered()
    suspend(APRIL)(site)
    assert (site.closed_on(APRIL - timedelta(days=1)), site.closed_on(APRIL), site.closed_on(JUNE)) == (
        False,
        True,
        True,
    )
    reopen(MAY)(site)
    assert (site.closed_on(MAY - timedelta(days=1)), site.closed_on(MAY)) == (True, False)


@pytest.mark.parametrize(
    ("rule", "before", "refused"),
    [
        ("code-is-another", [recode(NEW, APRIL)], recode(NEW, MAY)),
        ("code-after-the-last", [recode(NEW, APRIL)], recode(NEWER, APRIL)),
        ("site-suspended-already", [suspend(APRIL)], suspend(MAY)),
        ("site-suspension-in-order", [suspend(APRIL), reopen(MAY)], suspend(date(2026, 4, 20))),
        ("site-not-suspended", [], reopen(MAY)),
        ("site-not-suspended", [suspend(APRIL), reopen(MAY)], reopen(JUNE)),
        ("reopening-after-suspension", [suspend(APRIL)], reopen(APRIL)),
    ],
)
def test_what_cannot_be_is_refused_by_its_rule(rule: str, before: list[Step], refused: Step) -> None:
    site = registered()
    for step in before:
        step(site)
    with pytest.raises(RuleViolated) as caught:
        refused(site)
    assert caught.value.rule == rule


days = st.dates(date(2026, 1, 1), date(2026, 12, 31))


@given(st.lists(st.one_of(days.map(suspend), days.map(reopen)), max_size=12))
def test_whatever_is_accepted_suspensions_of_a_site_are_apart(steps: list[Step]) -> None:
    site = registered()
    for step in steps:
        try:
            step(site)
        except RuleViolated:
            continue
    assert all(closure.reopened is not None for closure in site.closures[:-1])
    for before, after in pairwise(site.closures):
        assert before.reopened is not None
        assert before.on < before.reopened <= after.on


def test_an_institution_keeps_its_former_names() -> None:
    institution = Institution.register(ACT, name="Primera", kind=InstitutionKind.UNIVERSITY, state="16")
    institution.rename(ACT, name="Segunda")
    assert institution.name == "Segunda"
    assert institution.former_names == (FormerName(name="Primera", until=date(2026, 3, 2)),)
    with pytest.raises(RuleViolated) as caught:
        institution.rename(ACT, name="Segunda")
    assert caught.value.rule == "name-is-another"
