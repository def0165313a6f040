"""A disclosure is read strictly: what two readers could understand differently is refused."""

import copy
from typing import Any

import pytest

from projections.counting.contribution import contribution, deaths_by_sex
from projections.counting.disclosure import Bounds, NexusScope, parse
from projections.counting.query import Unit
from registry.errors import MalformedLog

SCOPE = {"victims": [1, 2, 3], "deaths": [1, 1, 1]}
PUBLIC: dict[str, Any] = {
    "incident": "00000001-0000-4000-8000-000000000000",
    "status": "ACTIVE",
    "merged_into": None,
    "certainty": "CONFIRMED",
    "disputed": False,
    "class": "ATTACK",
    "reason": None,
    "waived": [],
    "facets": {
        "tally": {"value": {"strict": dict(SCOPE), "broad": dict(SCOPE)}},
        "year": {"value": "2020"},
        "state": {"value": "16"},
        "kind": {"value": "ROBBERY"},
        "municipality": {"value": "16012"},
        "month": {"value": "2020-04"},
        "sex": {"value": {"strict": {"FEMALE": [1, 1, 1]}, "broad": {"FEMALE": [1, 1, 1]}}},
    },
}
SEALED = {"sealed": "3q2+7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}

CONTRADICTIONS: list[tuple[str, object]] = [
    ("incident", "1"),
    ("status", "GONE"),
    ("merged_into", "00000001-0000-4000-8000-000000000000"),  # and the status says ACTIVE
    ("status", "MERGED"),  # into what?
    ("certainty", "UNDER_REVIEW"),
    ("disputed", 0),
    ("class", "RELOCATION"),
    ("reason", 1),
    ("waived", None),
    ("waived", ["municipality", "kind"]),  # not in order
    ("waived", ["kind", "kind"]),
    ("waived", ["weather"]),
    ("waived", [1]),
    ("note", "an additional member"),
    ("facets.weather", {"value": "rain"}),
    ("facets.year", {"value": 2020}),
    ("facets.year", {"value": "20"}),
    ("facets.year", {}),
    ("facets.year", {"value": "2020", "sealed": "x"}),
    ("facets.year", {"value": "2020", "key": "x"}),
    ("facets.year", {"value": "2020", "key": "x", "sealed_in": "y"}),
    ("facets.month", {"value": "2020-13"}),
    ("facets.month", {"value": "2021-04"}),  # outside its year
    ("facets.year", {"value": "UNKNOWN"}),  # and the month is known
    ("facets.state", {"value": "33"}),
    ("facets.municipality", {"value": "14012"}),  # outside its state
    ("facets.municipality", {"value": "1612"}),
    ("facets.kind", {"value": "VERBAL"}),  # a threat's
    ("facets.tally.value.strict.victims", [1, 2]),
    ("facets.tally.value.strict.victims", [True, 2, 3]),
    ("facets.tally.value.strict.victims", [2, 1, 3]),
    ("facets.tally.value.strict.victims", [-1, 1, 3]),
    ("facets.tally.value.strict.victims", [1, 2, 4]),  # more than broad
    ("facets.tally.value.strict.deaths", [2, 2, 2]),  # more than victims
    ("facets.sex.value.strict", {"FEMALE": [1, 1, 2]}),  # not the deaths of the tally
    ("facets.sex.value.strict", {"WOMAN": [1, 1, 1]}),
    ("facets.sex", {"value": "NOT_APPLICABLE"}),  # and somebody died
]


def changed(path: str, value: object) -> dict[str, Any]:
    public = copy.deepcopy(PUBLIC)
    *parents, last = path.split(".")
    place = public
    for parent in parents:
        place = place[parent]
    place[last] = value
    return public


def test_what_is_open_is_read_and_what_is_sealed_is_none() -> None:
    disclosure = parse(changed("facets.month", SEALED))

    assert disclosure.year == "2020"
    assert disclosure.month is None
    assert disclosure.facets["month"].commitment == SEALED["sealed"]
    assert contribution(disclosure, NexusScope.STRICT)[Unit.VICTIMISATIONS] == Bounds(1, 2, 3)
    assert deaths_by_sex(disclosure, NexusScope.STRICT) == {"FEMALE": Bounds(1, 1, 1)}


@pytest.mark.parametrize(("path", "value"), CONTRADICTIONS)
def test_a_disclosure_that_contradicts_itself_is_refused(path: str, value: object) -> None:
    with pytest.raises(MalformedLog):
        parse(changed(path, value))


def test_a_refusal_names_the_field_and_never_its_value() -> None:
    with pytest.raises(MalformedLog, match="state") as refused:
        parse(changed("facets.state", {"value": "a private note"}))

    assert "private" not in str(refused.value)
