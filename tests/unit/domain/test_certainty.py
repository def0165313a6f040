"""Certainty follows from the linked reports, criterion by criterion."""

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain import certainty
from registry.domain.certainty import (
    DIRECT_OR_INSTITUTIONAL,
    DOCUMENT,
    INDEPENDENT_SOURCES,
    LinkedReport,
    missing,
)
from registry.domain.claims import When, Where
from registry.domain.codes import (
    Certainty,
    CertaintyBasis,
    DatePrecision,
    Directness,
    IncidentClass,
    PlacePrecision,
    ReportClass,
    SourceType,
)

INSTITUTION = UUID("00000000-0000-4000-8000-000000000001")


def criteria_met(reports: list[LinkedReport], basis: list[CertaintyBasis]) -> tuple[str, ...]:
    return certainty.criteria_met(reports, basis, IncidentClass.ATTACK)


def supported(reports: list[LinkedReport], basis: list[CertaintyBasis]) -> Certainty:
    return certainty.supported(reports, basis, IncidentClass.ATTACK)


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


def test_sources_that_agree_on_another_class_than_the_incident_s_establish_nothing_more() -> None:
    threats = [press(name, report_class=ReportClass.THREAT) for name in ("a", "b")]
    assert INDEPENDENT_SOURCES in certainty.criteria_met(threats, [], IncidentClass.THREAT)
    assert INDEPENDENT_SOURCES not in criteria_met(threats, [])


def test_an_open_interval_agrees_with_a_day_inside_it() -> None:
    open_start = When(earliest=None, latest=date(2026, 1, 31), precision=DatePrecision.INTERVAL)
    assert INDEPENDENT_SOURCES in criteria_met([press("a"), press("b", when=open_start)], [])


def test_sealed_evidence_can_be_cited_where_a_linked_report_has_some() -> None:
    cited = [CertaintyBasis.SEALED_EVIDENCE]
    assert DOCUMENT not in criteria_met([press("a"), press("b")], cited)
    assert DOCUMENT in criteria_met([press("a"), press("b", evidence=True)], cited)
    assert DOCUMENT not in criteria_met([press("a"), press("b", evidence=True)], [])


def test_confirmed_needs_a_document_beside_two_sources() -> None:
    met = criteria_met([press("a"), press("b")], [])
    assert missing(Certainty.CONFIRMED, met) == (DOCUMENT,)
    with_document = criteria_met([press("a"), press("b")], [CertaintyBasis.JUDICIAL_DOCUMENT])
    assert missing(Certainty.CONFIRMED, with_document) == ()


NAMES = st.sampled_from(["a", "b", "c"])
WHENS = st.one_of(
    st.none(),
    st.builds(
        lambda first, days: When(
            earliest=date(2026, 1, first),
            latest=date(2026, 1, first + days),
            precision=DatePrecision.INTERVAL,
        ),
        st.integers(1, 9),
        st.integers(0, 9),
    ),
)
WHERES = st.sampled_from(
    [
        None,
        PLACE,
        Where(state="16", cvegeo="16053", precision=PlacePrecision.MUNICIPALITY),
        Where(state="16", precision=PlacePrecision.STATE),
    ]
)


@st.composite
def linked(draw: st.DrawFn, /, **changes: object) -> LinkedReport:
    fields: dict[str, object] = {
        "report_class": draw(st.sampled_from([ReportClass.ATTACK, ReportClass.THREAT])),
        "source_type": draw(st.sampled_from([SourceType.PRESS, SourceType.UNIVERSITY])),
        "directness": draw(st.sampled_from(Directness)),
        "derived_from": draw(st.none() | st.uuids(version=4)),
        "when": draw(WHENS),
        "where": draw(WHERES),
        "evidence": draw(st.booleans()),
    }
    return press(draw(NAMES), **(fields | changes))


REPORTS = st.lists(linked(), max_size=6)
BASES = st.lists(st.sampled_from(CertaintyBasis), unique=True)


@given(REPORTS, BASES, st.data())
def test_order_does_not_matter(
    reports: list[LinkedReport], basis: list[CertaintyBasis], data: st.DataObject
) -> None:
    assert supported(data.draw(st.permutations(reports)), basis) is supported(reports, basis)


@given(REPORTS, linked(), BASES)
def test_another_report_never_lowers_what_others_hold(
    reports: list[LinkedReport], another: LinkedReport, basis: list[CertaintyBasis]
) -> None:
    assert supported([*reports, another], basis).rank >= supported(reports, basis).rank


@given(REPORTS, linked(derived_from=uuid4()), BASES)
def test_a_derived_report_never_makes_more_than_a_possibility(
    reports: list[LinkedReport], derived: LinkedReport, basis: list[CertaintyBasis]
) -> None:
    basis = [one for one in basis if one is not CertaintyBasis.SEALED_EVIDENCE]
    before, after = supported(reports, basis), supported([*reports, derived], basis)
    assert after is before or after.rank <= Certainty.POSSIBLE.rank


@given(REPORTS, BASES)
def test_one_organisation_however_often_it_reports_never_makes_more_than_a_possibility(
    reports: list[LinkedReport], basis: list[CertaintyBasis]
) -> None:
    same = [msgspec.structs.replace(report, source="a") for report in reports]
    assert supported(same, basis).rank <= Certainty.POSSIBLE.rank


@given(st.lists(linked(), min_size=1, max_size=6), BASES)
def test_a_chain_is_one_source_whether_or_not_its_original_is_linked(
    reports: list[LinkedReport], basis: list[CertaintyBasis]
) -> None:
    original = msgspec.structs.replace(reports[0], derived_from=None)
    chain, last = [], original
    for number, report in enumerate(reports[1:]):
        last = msgspec.structs.replace(report, source=f"outlet {number}", derived_from=last.report)
        chain.append(last)
    for linked_ones in ([original, *chain], chain):
        assert supported(linked_ones, basis).rank <= Certainty.POSSIBLE.rank


@given(REPORTS, BASES)
def test_what_is_supported_is_the_highest_level_that_misses_nothing(
    reports: list[LinkedReport], basis: list[CertaintyBasis]
) -> None:
    level, met = supported(reports, basis), criteria_met(reports, basis)
    assert missing(level, met) == ()
    higher = [one for one in Certainty if level.rank < one.rank < Certainty.REFUTED.rank]
    assert all(missing(one, met) for one in higher)
