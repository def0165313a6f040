"""The policy document: what is shipped, and what is refused."""

import copy
import hashlib
from typing import Any

import pytest
import rfc8785

from registry.disclosure.policy import parse, sha256, shipped
from registry.errors import InvalidInput
from registry.log.canonical import encode

# The same numbers as the table in docs/disclosure.md: tier → rungs of (facets, k, k if public, students).
LADDER = {
    1: [("state", 1, 1, 0), ("kind sex", 1, 1, 0), ("municipality", 3, 1, 10), ("month", 3, 1, 10)],
    2: [("state", 3, 1, 0), ("kind", 3, 1, 0), ("municipality", 3, 1, 10), ("month", 3, 3, 10)],
    3: [("kind", 10, 10, 0)],
}


def document() -> Any:
    return copy.deepcopy(shipped())


def test_the_shipped_policy_has_the_numbers_of_the_ladder() -> None:
    policy = parse(shipped())
    assert policy.id == "disclosure-policy/1"
    assert {
        tier.tier: [
            (" ".join(rung.facets), rung.k.default, rung.k.already_public, rung.students.default)
            for rung in tier.rungs
        ]
        for tier in policy.tiers
    } == LADDER
    assert {rung.students.already_public for tier in policy.tiers for rung in tier.rungs} == {0}


def test_the_shipped_policy_has_the_waits_of_the_ladder() -> None:
    waits = {
        (tier.tier, facet): (
            rung.wait.days_after_report,
            rung.wait.first_release_of_quarter,
            rung.wait.after_promotion,
        )
        for tier in parse(shipped()).tiers
        for rung in tier.rungs
        for facet in rung.facets
    }
    at_once, quarter, promotion = (0, False, False), (90, True, False), (90, True, True)
    assert waits == {
        **dict.fromkeys([(1, facet) for facet in ("state", "kind", "sex", "municipality", "month")], at_once),
        **dict.fromkeys([(2, "state"), (2, "kind"), (3, "kind")], quarter),
        **dict.fromkeys([(2, "municipality"), (2, "month")], promotion),
    }


def test_a_policy_is_named_by_the_hash_of_its_canonical_json() -> None:
    assert sha256(shipped()) == hashlib.sha256(rfc8785.dumps(shipped())).hexdigest()


def test_a_change_of_the_shipped_policy_is_a_new_policy() -> None:
    # What releases have followed is public: change a number only under a new id, and this hash with it.
    assert sha256(shipped()) == "13f4ad2d9696ff38e3cc4b212663d1ed717a55f569f38ba7d170b0fdc04da502"


def test_numbers_are_data() -> None:
    changed = document()
    changed["tiers"][2]["rungs"][0]["k"]["default"] = 5
    assert parse(changed).tiers[2].rungs[0].crowd(already_public=False) == 5


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("id",), "national-count/1", "$.id"),
        (("tiers",), [], "$.tiers"),
        (("tiers", 0, "tier"), 2, "$.tiers"),
        (("tiers", 2, "rules", 0, "kinds"), ["ROBBERY"], "$.tiers[2].rules"),
        (("tiers", 2, "rules", 0, "public_or_agreed"), True, "$.tiers[2].rules"),
        (("tiers", 0, "rules", 0, "outcome"), "DEAD", "$.tiers[0].rules"),
        (("tiers", 0, "rules", 0, "all_in_scope"), ["ALIVE"], "$.tiers[0].rules"),
        (("tiers", 1, "rules", 0, "kinds"), ["MURDER"], "$.tiers[1].rules.kinds"),
        (("tiers", 0, "stops", 0, "if_tier"), 4, "$.tiers[0].stops"),
        (("tiers", 0, "stops", 0, "before"), "year", "$.tiers[0].stops"),
        (("tiers", 0, "rungs", 0, "facets"), ["month"], "$.tiers[0].rungs"),
        (("tiers", 0, "rungs", 0, "facets"), ["state", "state"], "$.tiers[0].rungs"),
        (("tiers", 0, "rungs", 0, "facets"), ["year"], "$.tiers[0].rungs"),
        (("tiers", 0, "rungs", 0, "facets"), [], "$.tiers[0].rungs[0].facets"),
        (("tiers", 0, "rungs", 0, "k", "default"), 0, "$.tiers[0].rungs[0].k.default"),
        (("tiers", 0, "rungs", 0, "k", "default"), True, "$.tiers[0].rungs[0].k.default"),
        (("tiers", 0, "rungs", 0, "students", "default"), -1, "$.tiers[0].rungs[0].students.default"),
        (("tiers", 0, "rungs", 0, "wait", "days"), 90, "$.tiers[0].rungs[0].wait"),
    ],
)
def test_a_policy_that_leaves_a_choice_open_is_refused(
    path: tuple[str | int, ...], value: object, field: str
) -> None:
    changed = document()
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    with pytest.raises(InvalidInput) as refused:
        parse(changed)
    assert refused.value.field == field


def test_a_field_left_out_is_refused() -> None:
    changed = document()
    del changed["tiers"][0]["rungs"][0]["wait"]["after_promotion"]
    with pytest.raises(InvalidInput, match="after_promotion"):
        parse(changed)


def test_the_document_survives_a_leaf() -> None:
    assert parse(shipped()) == parse(shipped())
    assert encode(shipped()) == rfc8785.dumps(shipped())
