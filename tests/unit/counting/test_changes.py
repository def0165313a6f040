"""What releases changed: the effects of all changes sum to the difference of two counts, whatever happened between."""

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from projections.counting.changes import FIELDS, SEALED, WHOLE, changes
from projections.counting.count import count
from projections.counting.disclosure import Disclosure, NexusScope, parse
from projections.counting.query import Unit, ask
from tests.histories import INCIDENTS, Public, histories
from tests.histories import SEALED as A_SEAL


def leaf(**changed: Any) -> Disclosure:
    scope = {"victims": [1, 1, 2], "deaths": [0, 0, 0]}
    facets = {
        "tally": {"value": {"strict": scope, "broad": scope}},
        "year": {"value": "2020"},
        **dict.fromkeys(("state", "kind", "municipality", "month", "sex"), A_SEAL),
        **changed.pop("facets", {}),
    }
    return parse(
        {
            "incident": INCIDENTS[0],
            "status": "ACTIVE",
            "merged_into": None,
            "certainty": "PROBABLE",
            "disputed": False,
            "class": "ATTACK",
            "reason": None,
            "waived": [],
            "facets": facets,
            **changed,
        }
    )


@given(histories, st.integers(0, 12))
def test_effects_sum_to_the_difference_of_the_counts(history: list[Public], cut: int) -> None:
    moved: Counter[tuple[Unit, NexusScope, int]] = Counter()
    last: dict[str, Disclosure] = {}
    states: list[list[Disclosure]] = [[]]
    for number, public in enumerate(history):
        after = parse(public)
        for change in changes(last.get(after.incident), after):
            if number >= cut:
                for unit, nexus, bounds in change.effects:
                    moved.update({(unit, nexus, n): value for n, value in enumerate(bounds)})
        last[after.incident] = after
        states.append(list(last.values()))
    for unit in Unit:
        for nexus in NexusScope:
            query = ask(unit, nexus=nexus)
            since, until = count(states[min(cut, len(history))], query), count(states[-1], query)
            difference = [new - old for new, old in zip(until.bounds, since.bounds, strict=True)]
            assert [moved[unit, nexus, n] for n in range(3)] == difference


def test_the_first_leaf_is_one_change_that_shows_everything_open() -> None:
    (change,) = changes(None, leaf())
    assert (change.field, change.old) == (WHOLE, None)
    assert change.new is not None
    assert '"year":"2020"' in change.new
    assert "state" not in change.new
    assert {(effect.unit, effect.nexus): tuple(effect.bounds) for effect in change.effects} == {
        (unit, nexus): bounds
        for nexus in NexusScope
        for unit, bounds in ((Unit.INCIDENTS, (0, 1, 1)), (Unit.VICTIMISATIONS, (0, 1, 2)))
    }


def test_each_field_is_a_change_with_its_own_effect_and_the_leafs_reason() -> None:
    after = leaf(
        certainty="CONFIRMED", disputed=True, reason="NEW_EVIDENCE", facets={"state": {"value": "16"}}
    )
    certainty, disputed, state = changes(leaf(), after)
    assert (certainty.field, certainty.old, certainty.new) == ("certainty", "PROBABLE", "CONFIRMED")
    assert {tuple(effect.bounds) for effect in certainty.effects} == {(1, 0, 0)}
    assert (disputed.field, disputed.old, disputed.new) == ("disputed", "false", "true")
    assert (state.field, state.old, state.new, state.effects) == ("state", None, "16", ())
    assert {change.reason for change in (certainty, disputed, state)} == {"NEW_EVIDENCE"}


def test_a_merger_takes_away_what_the_incident_had_added() -> None:
    status, merged_into = changes(leaf(), leaf(status="MERGED", merged_into=INCIDENTS[1], reason="DUPLICATE"))
    assert [status.field, merged_into.field] == ["status", "merged_into"]
    assert merged_into.new == INCIDENTS[1]
    assert {tuple(effect.bounds) for effect in status.effects} == {(0, -1, -1), (0, -1, -2)}
    assert merged_into.effects == ()


def test_an_exemption_that_is_said_or_falls_away_is_a_change_of_its_own_without_effect() -> None:
    (said,) = changes(leaf(), leaf(waived=["year"]))
    assert (said.field, said.old, said.new, said.effects) == ("waived", None, '["year"]', ())
    (gone,) = changes(leaf(waived=["tally", "year"]), leaf(waived=["tally"]))
    assert (gone.field, gone.old, gone.new) == ("waived", '["tally","year"]', '["tally"]')
    (first,) = changes(None, leaf(waived=["year"]))
    assert '"waived":["year"]' in (first.new or "")


def test_what_closes_again_is_shown_as_gone_and_what_is_sealed_anew_is_not_shown() -> None:
    other = {"sealed": A_SEAL["sealed"].replace("3", "4")}
    (closed,) = changes(leaf(), leaf(facets={"year": A_SEAL}))
    assert (closed.field, closed.old, closed.new) == ("year", "2020", None)
    (sealed,) = changes(leaf(), leaf(facets={"kind": other}, reason="RECLASSIFICATION"))
    assert (sealed.field, sealed.old, sealed.new, sealed.reason) == (SEALED, None, None, "RECLASSIFICATION")
    assert changes(leaf(), leaf()) == ()
    assert WHOLE not in FIELDS
