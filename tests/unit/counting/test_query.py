"""A question is answered in one canonical form, or refused with what would be accepted."""

from typing import Any

import pytest

from projections.counting.query import ask, read
from projections.errors import InvalidQuery


def test_equal_questions_have_equal_canonical_forms() -> None:
    one = ask(states=["16", "14", "16"], kinds=["ROBBERY", "ABDUCTION"])
    other = ask(states=["14", "16"], kinds=["ABDUCTION", "ROBBERY"])

    assert one.canonical() == other.canonical()


@pytest.mark.parametrize(
    ("given", "field", "accepted"),
    [
        ({"unit": "PERSONS"}, "unit", "DEATHS"),
        ({"nexus": "LOOSE"}, "filter.nexus", "STRICT"),
        ({"classes": ["RELOCATION"]}, "filter.class", "THREAT"),
        ({"kinds": ["THEFT"]}, "filter.kind", "ROBBERY"),
        ({"kinds": []}, "filter.kind", "leave the filter out"),
        ({"states": ["Jalisco"]}, "filter.state", "14"),
        ({"municipalities": ["1001"]}, "filter.municipality", "01001"),
        ({"municipalities": ["99001"]}, "filter.municipality", "01001"),
        ({"period": ("2020", "2021-01")}, "filter.period.from", "2020-04"),
        ({"period": ("2020-01", "2020-00")}, "filter.period.to", "2020-04"),
        ({"period": ("2020-02", "2020-01")}, "filter.period", "Swap"),
        ({"group_by": ["WEATHER"]}, "groupBy", "STATE"),
        ({"group_by": ["STATE", "STATE"]}, "groupBy", "only once"),
        ({"group_by": ["SEX"]}, "groupBy", "DEATHS"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_what_can(
    given: dict[str, Any], field: str, accepted: str
) -> None:
    with pytest.raises(InvalidQuery, match=accepted) as refused:
        ask(**given)

    assert refused.value.field == field


@pytest.mark.parametrize(
    "form",
    [
        None,
        {},
        {"unit": "INCIDENTS"},
        {**ask().canonical(), "as_of": 7},
        {**ask().canonical(), "filter": {**ask().canonical()["filter"], "state": ["16", "14"]}},  # type: ignore[dict-item]
        {**ask().canonical(), "filter": {**ask().canonical()["filter"], "period": "2020"}},  # type: ignore[dict-item]
        {**ask().canonical(), "group_by": "STATE"},
    ],
)
def test_a_form_that_is_not_canonical_is_not_read(form: Any) -> None:
    with pytest.raises(InvalidQuery):
        read(form)
