"""Certainty follows from the linked reports, criterion by criterion."""

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest

from registry.domain.certainty import (
    DIRECT_OR_INSTITUTIONAL,
    DOCUMENT,
    INDEPENDENT_SOURCES,
    LinkedReport,
    criteria_met,
    missing,
)
from registry.domain.claims import When, Where
from registry.domain.codes import (
    Certainty,
    CertaintyBasis,
    DatePrecision,
    Directness,
    PlacePrecision,
    ReportClass,
    SourceType,
)

INSTITUTION = UUID("00000000-0000-4000-8000-000000000001")


def day(number: int) -> When:
    return When(earliest=date(2026, 1, number), latest=date(2026, 1, number), precision=DatePrecision.DAY)


PLACE = Where(state="16", cvegeo="16012", precision=PlacePrecision.MUNICIPALITY)


def press(source: str, **changes: object) -> LinkedReport:
    fields: dict[str, object] = {
        "report": uuid4(),
        "institution": INSTITUTION,
        "recorded": datetime(2026, 2, 1, tzinfo=UTC),
        "report_class": ReportClass.ATTACK,
        "source_type": SourceType.PRESS,
        "directness": Directness.INDIRECT,
        "source": source,
        "derived_from": None,
        "when": day(5),
        "where": PLACE,
    }
    return LinkedReport(**(fields | changes))  # type: ignore[arg-type]


def test_one_indirect_press_report_is_a_rumour() -> None:
    assert criteria_met([press("a")], []) == ()


def test_a_direct_or_an_institutional_source_makes_it_possible() -> None:
    direct = press("a", directness=Directness.DIRECT)
    institutional = press("a", source_type=SourceType.UNIVERSITY)
    for source in (direct, institutional):
        assert DIRECT_OR_INSTITUTIONAL in criteria_met([source], [])


def test_two_outlets_that_agree_are_independent_sources() -> None:
    assert INDEPENDENT_SOURCES in criteria_met([press("a"), press("b")], [])


@pytest.mark.parametrize(
    "other",
    [
        press("a"),
        press("b", derived_from=uuid4()),
        press("b", report_class=ReportClass.THREAT),
        press("b", when=day(6)),
        press("b", when=None),
        press("b", where=Where(state="16", precision=PlacePrecision.STATE)),
        press("b", where=None),
    ],
    ids=["same outlet", "derived", "other class", "other day", "no date", "only the state", "no place"],
)
def test_sources_that_are_one_or_do_not_agree_establish_nothing_more(other: LinkedReport) -> None:
    assert INDEPENDENT_SOURCES not in criteria_met([press("a"), other], [])


def test_an_open_interval_agrees_with_a_day_inside_it() -> None:
    open_start = When(earliest=None, latest=date(2026, 1, 31), precision=DatePrecision.INTERVAL)
    assert INDEPENDENT_SOURCES in criteria_met([press("a"), press("b", when=open_start)], [])


def test_confirmed_needs_a_document_beside_two_sources() -> None:
    met = criteria_met([press("a"), press("b")], [])
    assert missing(Certainty.CONFIRMED, met) == (DOCUMENT,)
    with_document = criteria_met([press("a"), press("b")], [CertaintyBasis.JUDICIAL_DOCUMENT])
    assert missing(Certainty.CONFIRMED, with_document) == ()
