"""The public object of a leaf, literally, as an incident goes through its releases."""

from itertools import count
from typing import Any
from uuid import UUID

import pytest

from registry.disclosure.disclosed import Disclosure, Previous, Seal, Standing, changed, disclose, opened
from registry.disclosure.facets import Facets
from registry.domain.codes import Certainty, CorrectionReason, IncidentClass
from registry.errors import RuleViolated
from registry.log.lines import write_base64
from registry.privacy.sealing import commitment

INCIDENT = UUID("11111111-1111-4111-8111-111111111111")
FIRST_LEAF = UUID("aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa")
SECOND_LEAF = UUID("bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb")
THIRD_LEAF = UUID("cccccccc-cccc-4ccc-8ccc-cccccccccccc")
ONE = {"victims": [1, 1, 1], "deaths": [0, 0, 0]}
TALLY = {"strict": ONE, "broad": ONE}
FIRST_RUNG = frozenset({"tally", "year"})


def facets(**other: Any) -> Facets:
    fields: dict[str, Any] = {
        "tally": TALLY,
        "year": "2020",
        "month": "2020-04",
        "state": "16",
        "municipality": "16012",
        "kind": "COERCED_CARE",
        "sex": "NOT_APPLICABLE",
    }
    return Facets(**{**fields, **other})


def standing(*rungs: str, **other: Any) -> Standing:
    fields: dict[str, Any] = {
        "incident": INCIDENT,
        "status": "ACTIVE",
        "merged_into": None,
        "certainty": Certainty.PROBABLE,
        "disputed": False,
        "incident_class": IncidentClass.ATTACK,
        "facets": facets(),
        "open": FIRST_RUNG.union(rungs),
    }
    return Standing(**{**fields, **other})


class Keys:
    """Keys that a test can foresee: 1, 2, 3, … repeated to 32 bytes."""

    def __init__(self, start: int = 1) -> None:
        self._numbers = count(start)

    def __call__(self) -> bytes:
        return bytes([next(self._numbers)]) * 32


def previous(event_id: UUID, leaf: Disclosure, seals: dict[str, Seal] | None = None) -> Previous:
    made = {seal.field: Seal(seal.value, seal.key) for seal in leaf.sealed}
    return Previous(event_id, leaf.public, {**(seals or {}), **made})


def facet_of(leaf: Disclosure, name: str) -> Any:
    public: Any = leaf.public
    return public["facets"][name]


@pytest.fixture
def first() -> Previous:
    return previous(FIRST_LEAF, disclose(FIRST_LEAF, standing(), None, None, Keys()))


def test_the_first_leaf_shows_the_first_rung_and_seals_the_rest() -> None:
    leaf = disclose(FIRST_LEAF, standing(), None, None, Keys())
    sealed = [("state", "16"), ("kind", "COERCED_CARE"), ("sex", "NOT_APPLICABLE"), ("municipality", "16012")]
    sealed.append(("month", "2020-04"))
    assert leaf.public == {
        "incident": str(INCIDENT),
        "status": "ACTIVE",
        "merged_into": None,
        "certainty": "PROBABLE",
        "disputed": False,
        "class": "ATTACK",
        "reason": None,
        "waived": [],
        "facets": {
            "tally": {"value": TALLY},
            "year": {"value": "2020"},
            **{
                name: {"sealed": commitment(bytes([number]) * 32, FIRST_LEAF, name, value)}
                for number, (name, value) in enumerate(sealed, 1)
            },
        },
    }
    assert [(seal.field, seal.value) for seal in leaf.sealed] == sealed
    assert [seal.key for seal in leaf.sealed] == [bytes([number]) * 32 for number in range(1, 6)]


def test_without_news_no_leaf_is_due(first: Previous) -> None:
    assert changed(standing(), None)
    assert not changed(standing(), first)


@pytest.mark.parametrize(
    "news",
    [
        {"status": "RETRACTED"},
        {"status": "MERGED", "merged_into": SECOND_LEAF},
        {"certainty": Certainty.CONFIRMED},
        {"disputed": True},
        {"incident_class": IncidentClass.THREAT},
        {"facets": facets(year="2021")},
        {"facets": facets(municipality="16034")},
        {"open": FIRST_RUNG | {"state"}},
    ],
)
def test_news_are_due_a_leaf_also_behind_a_seal(first: Previous, news: dict[str, Any]) -> None:
    assert changed(standing(**news), first)


def test_a_sealed_facet_opens_with_its_key_and_the_others_repeat_their_commitment(first: Previous) -> None:
    leaf = disclose(SECOND_LEAF, standing("state"), first, None, Keys(100))
    assert facet_of(leaf, "state") == {
        "value": "16",
        "key": write_base64(bytes([1]) * 32),
        "sealed_in": str(FIRST_LEAF),
    }
    assert facet_of(leaf, "kind") == {
        "sealed": commitment(bytes([2]) * 32, FIRST_LEAF, "kind", "COERCED_CARE"),
        "sealed_in": str(FIRST_LEAF),
    }
    assert facet_of(leaf, "year") == {"value": "2020"}
    assert leaf.public["reason"] is None
    assert leaf.sealed == ()


def test_a_later_leaf_repeats_the_open_value_and_names_the_leaf_that_sealed_the_rest(first: Previous) -> None:
    second = previous(SECOND_LEAF, disclose(SECOND_LEAF, standing("state"), first, None), dict(first.seals))
    third = disclose(THIRD_LEAF, standing("state", "kind"), second, None)
    assert facet_of(third, "state") == {"value": "16"}
    assert facet_of(third, "kind")["sealed_in"] == str(FIRST_LEAF)
    assert facet_of(third, "month")["sealed_in"] == str(FIRST_LEAF)


def test_a_correction_carries_its_reason_and_seals_anew_all_that_is_not_open(first: Previous) -> None:
    now = standing("state", facets=facets(year="2021", month="2021-04"))
    leaf = disclose(SECOND_LEAF, now, first, CorrectionReason.DATA_ENTRY, Keys(100))
    assert leaf.public["reason"] == "DATA_ENTRY"
    assert facet_of(leaf, "year") == {"value": "2021"}
    # Unchanged behind its seal: it still opens by its key.
    assert facet_of(leaf, "state")["sealed_in"] == str(FIRST_LEAF)
    assert [seal.field for seal in leaf.sealed] == ["kind", "sex", "municipality", "month"]
    assert facet_of(leaf, "month") == {
        "sealed": commitment(leaf.sealed[-1].key, SECOND_LEAF, "month", "2021-04")
    }


def test_a_change_behind_a_seal_seals_everything_anew_so_that_nobody_sees_which(first: Previous) -> None:
    leaf = disclose(SECOND_LEAF, standing(facets=facets(municipality="16034")), first, None, Keys(100))
    assert leaf.public["reason"] == "NEW_EVIDENCE"
    assert {seal.field for seal in leaf.sealed} == {"state", "kind", "sex", "municipality", "month"}


def test_what_closes_is_sealed_under_a_reason(first: Previous) -> None:
    second = previous(SECOND_LEAF, disclose(SECOND_LEAF, standing("state"), first, None), dict(first.seals))
    leaf = disclose(THIRD_LEAF, standing(facets=facets(state="14", municipality="14001")), second, None)
    assert set(facet_of(leaf, "state")) == {"sealed"}
    assert leaf.public["reason"] == "NEW_EVIDENCE"


def test_a_reason_is_not_shown_where_nothing_public_changed_for_it(first: Previous) -> None:
    raised = standing(certainty=Certainty.CONFIRMED)
    leaf = disclose(SECOND_LEAF, raised, first, CorrectionReason.NEW_EVIDENCE)
    assert leaf.public["reason"] is None
    assert leaf.sealed == ()


@pytest.mark.parametrize("reason", [CorrectionReason.DATA_SUBJECT_REQUEST, CorrectionReason.SOURCE_WITHDRAWN])
def test_who_asked_for_a_retraction_is_protected(first: Previous, reason: CorrectionReason) -> None:
    leaf = disclose(SECOND_LEAF, standing(status="RETRACTED"), first, reason)
    assert leaf.public["reason"] == "PROTECTED"


def test_a_tombstone_keeps_its_reason(first: Previous) -> None:
    retracted = standing(status="RETRACTED")
    leaf = disclose(SECOND_LEAF, retracted, first, CorrectionReason.OUT_OF_SCOPE)
    second = previous(SECOND_LEAF, leaf)
    assert not changed(retracted, second)
    later = disclose(THIRD_LEAF, standing(status="RETRACTED", disputed=True), second, None)
    assert later.public["reason"] == "OUT_OF_SCOPE"


def test_a_facet_whose_key_is_gone_can_only_be_repeated(first: Previous) -> None:
    erased = Previous(first.event_id, first.public, {})
    assert opened(erased, facets()).locked == {"state", "kind", "sex", "municipality", "month"}
    assert facet_of(disclose(SECOND_LEAF, standing(disputed=True), erased, None), "state")["sealed_in"]
    with pytest.raises(RuleViolated, match="key of its commitment was erased"):
        disclose(SECOND_LEAF, standing("state"), erased, None)


def test_the_ladder_learns_what_is_open_and_what_must_be_sealed_anew(first: Previous) -> None:
    second = previous(SECOND_LEAF, disclose(SECOND_LEAF, standing("state"), first, None), dict(first.seals))
    known = opened(second, facets(kind="ROBBERY"))
    assert known.incident_class is IncidentClass.ATTACK
    assert known.values == {"tally": TALLY, "year": "2020", "state": "16"}
    assert known.locked == {"kind"}
