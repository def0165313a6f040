"""Laws of the count that hold for every history and every question."""

from hypothesis import given
from hypothesis import strategies as st

from projections.counting.contribution import contribution
from projections.counting.count import Count, count
from projections.counting.disclosure import NOTHING, Disclosure, NexusScope, parse, total
from projections.counting.query import CountQuery, Unit, read
from registry.log.canonical import decode, encode
from tests.histories import Public, histories, publics, queries


def last(history: list[Public]) -> list[Disclosure]:
    return list({public["incident"]: parse(public) for public in history}.values())


def answer(history: list[Public], query: CountQuery) -> Count:
    return count(last(history), query)


@given(histories, queries())
def test_the_rows_of_a_breakdown_sum_to_the_whole(history: list[Public], query: CountQuery) -> None:
    result = answer(history, query)

    assert result.bounds == answer(history, query.whole()).bounds
    if query.group_by:
        assert total(row.bounds for row in result.rows) == result.bounds


@given(histories, queries())
def test_low_is_at_most_best_and_best_at_most_high(history: list[Public], query: CountQuery) -> None:
    result = answer(history, query)

    for bounds in (result.bounds, *(row.bounds for row in result.rows)):
        assert 0 <= bounds.low <= bounds.best <= bounds.high


@given(histories, queries(), st.randoms())
def test_the_order_of_incidents_plays_no_part(
    history: list[Public], query: CountQuery, random: object
) -> None:
    incidents = last(history)
    shuffled = list(incidents)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert count(shuffled, query) == count(incidents, query)


@given(histories, queries())
def test_an_incident_is_counted_or_excluded_once_and_an_open_question_asks_of_all(
    history: list[Public], query: CountQuery
) -> None:
    incidents = last(history)
    everything = count(incidents, CountQuery(unit=query.unit, nexus=query.nexus))
    asked = count(incidents, query)

    counted = [item for item in incidents if contribution(item, query.nexus)[Unit.INCIDENTS].high == 1]
    assert len(counted) + sum(item.incidents for item in everything.excluded) == len(incidents)
    assert sum(item.incidents for item in asked.excluded) <= len(incidents)


@given(histories, queries())
def test_what_was_retracted_counts_nothing(history: list[Public], query: CountQuery) -> None:
    retracted = [{**public, "status": "RETRACTED", "merged_into": None} for public in history]

    result = answer(history + retracted, query)

    assert result.bounds == NOTHING
    assert result.rows == ()
    assert {item.reason.value for item in result.excluded} <= {"RETRACTED"}


@given(publics(), st.sampled_from(Unit))
def test_broad_includes_strict(public: Public, unit: Unit) -> None:
    disclosure = parse(public)
    strict, broad = (contribution(disclosure, nexus)[unit] for nexus in NexusScope)

    assert all(one <= other for one, other in zip(strict, broad, strict=True))


@given(queries())
def test_a_question_is_read_back_from_its_canonical_form(query: CountQuery) -> None:
    assert read(decode(encode(query.canonical()))) == query
