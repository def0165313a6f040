"""Laws of the ladder over random incidents and random sequences of releases, checked the slow and obvious way."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, cast
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.disclosure.facets import FACETS
from registry.disclosure.ladder import Candidate, decide, distinct_victims
from registry.disclosure.policy import Policy, Rung
from registry.domain.codes import Certainty, IncidentClass, Outcome
from registry.log.canonical import JSON, encode
from registry.log.lines import read_base64
from registry.privacy.sealing import verify_opening
from tests.unit.disclosure.world import FIRST, LATE, POLICY, REPORTED, Case, World, findings, victim

# Few values, so that crowds form, break and form again.
days = st.sampled_from([date(2025, 12, 30), date(2026, 4, 10), date(2026, 4, 20), date(2026, 5, 1)])
all_findings = st.builds(
    findings,
    st.sampled_from(["ARMED_ATTACK", "ROBBERY", "HARASSMENT", "SITE_ATTACK", None]),
    day=days,
    cvegeo=st.sampled_from(["16012", "16034", "14001", None]),
    already_public=st.sampled_from([False, False, False, True]),
    family_agrees=st.booleans(),
)
victims = st.lists(
    st.builds(
        victim,
        st.sampled_from([Outcome.MINOR, Outcome.KILLED, Outcome.MISSING]),
        person=st.sampled_from([None, None, "p1", "p2", "p3"]),
    ),
    max_size=2,
).map(tuple)
some_cases = st.builds(
    Case,
    incident=st.uuids(version=4),
    status=st.sampled_from(["ACTIVE", "ACTIVE", "ACTIVE", "RETRACTED"]),
    certainty=st.sampled_from([Certainty.POSSIBLE, Certainty.CONFIRMED, Certainty.RUMOUR]),
    disputed=st.sampled_from([False, False, False, True]),
    victims=victims,
    findings=all_findings,
    reported=st.sampled_from([REPORTED, REPORTED + timedelta(days=200)]),
    promotion_end=st.sampled_from([date(2026, 7, 31), date(2027, 1, 31), None]),
    students=st.sampled_from([{"municipality": 40, "month": 40}, {"municipality": 12, "month": 3}]),
)
worlds = st.lists(some_cases, min_size=1, max_size=24, unique_by=lambda case: case.incident)


@st.composite
def crowded(draw: st.DrawFn) -> list[Case]:
    """Several incidents of each of a few shapes: most crowds are near their k."""
    shapes = draw(st.lists(some_cases, min_size=1, max_size=4))
    return [
        Case(
            **{
                **{field: getattr(shape, field) for field in shape.__struct_fields__},
                "incident": draw(st.uuids(version=4)),
            }
        )
        for shape in shapes
        for _ in range(draw(st.integers(1, 11)))
    ]


changes = st.lists(
    st.tuples(
        st.integers(0, 100),
        st.one_of(
            st.tuples(st.just("findings"), all_findings),
            st.tuples(st.just("victims"), victims),
            st.tuples(st.just("status"), st.just("RETRACTED")),
            st.tuples(st.just("certainty"), st.sampled_from([Certainty.REFUTED, Certainty.PROBABLE])),
            st.tuples(st.just("disputed"), st.booleans()),
            st.tuples(st.just("incident_class"), st.sampled_from(list(IncidentClass))),
        ),
    ),
    max_size=4,
)
histories = st.lists(st.tuples(st.integers(1, 200), changes), min_size=1, max_size=5)
slow = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


def shown(candidate: Candidate, facets: frozenset[str] | set[str]) -> tuple[object, ...]:
    return (
        candidate.incident_class,
        *(
            (facet, encode(candidate.facets.value(facet)))
            for facet in FACETS
            if facet in facets and facet != "tally"
        ),
    )


def crowd(
    candidate: Candidate, path: set[str], candidates: list[Candidate], result: Mapping[UUID, frozenset[str]]
) -> tuple[int, int]:
    """Incidents, and distinct victims, that show the candidate's values along a path."""
    members = [
        other
        for other in candidates
        if other.status == "ACTIVE"
        and not other.disputed
        and other.certainty in (Certainty.POSSIBLE, Certainty.PROBABLE, Certainty.CONFIRMED)
        and path <= result[other.incident]
        and shown(other, path) == shown(candidate, path)
    ]
    persons = {person for other in members for person in distinct_victims(other.incident, other.victims)}
    return len(members), len(persons)


def paths(candidate: Candidate, policy: Policy) -> list[tuple[Rung, set[str]]]:
    """Each rung with all that is open once it is."""
    path, result = set(FIRST), []
    for rung in policy.rungs_for(candidate.victims, candidate.findings):
        path = path | set(rung.facets)
        result.append((rung, path))
    return result


def check_release(world: World, candidates: list[Candidate], result: Mapping[UUID, frozenset[str]]) -> None:
    for candidate in candidates:
        now = result[candidate.incident]
        before = candidate.opened
        assert now >= FIRST
        same_class = before is not None and before.incident_class == candidate.incident_class
        old = {} if before is None else before.values
        unchanged = {name for name, value in old.items() if candidate.facets.value(name) == value}
        corrected = not same_class or unchanged - {"tally"} != set(old) - {"tally"}

        # Nothing that is open closes without a correction.
        if not corrected:
            assert now >= set(old)

        newly = False
        for rung, path in paths(candidate, world.policy):
            # What opens below shows beside all that is open above it.
            newly = newly or not set(rung.facets) <= set(old)
            moved = any(name not in unchanged for name in path & set(old) - {"tally"}) or not same_class
            if not set(rung.facets) <= now or not (newly or moved):
                continue
            # Opened, or opened anew: no rung below is skipped, the crowd is there, and the waits are over.
            assert path <= now
            k = rung.crowd(candidate.findings.already_public)
            incidents, persons = crowd(candidate, path, candidates, result)
            assert incidents >= k
            assert persons >= k
            assert candidate.makes_crowd

        # Sexual violence shows its kind only nationwide, and no kind beside a death.
        if candidate.facets.kind in ("SEXUAL_VIOLENCE", "HARASSMENT") and "kind" in now:
            assert now == {*FIRST, "kind"}


def apply(world: World, number: int, change: tuple[str, object]) -> None:
    field, value = change
    setattr(world.cases[number % len(world.cases)], field, value)


@slow
@given(st.one_of(worlds, crowded()), histories)
def test_every_release_of_any_history_keeps_the_rules(
    some: list[Case], history: list[tuple[int, list[tuple[int, tuple[str, object]]]]]
) -> None:
    world, on = World(some), REPORTED
    for wait, changed in history:
        on += timedelta(days=wait)
        for number, change in changed:
            apply(world, number, change)
        candidates = world.candidates()
        check_release(world, candidates, world.release(on))
        # A second release of the same day has nothing left to say of what was not sealed anew.
        check_release(world, world.candidates(), world.release(on))


@slow
@given(crowded(), st.randoms(use_true_random=False))
def test_the_order_of_the_incidents_does_not_matter(some: list[Case], shuffle: object) -> None:
    candidates = World(some).candidates()
    result = decide(candidates, POLICY, on=LATE, previous_release=None)
    shuffle.shuffle(candidates)  # type: ignore[attr-defined]
    assert decide(candidates, POLICY, on=LATE, previous_release=None) == result


@slow
@given(crowded())
def test_everybody_who_may_open_does(some: list[Case]) -> None:
    """The decision is the largest that keeps the rules: the naive elimination, round by round, finds the same."""
    candidates = World(some).candidates()
    levels = {}
    for candidate in candidates:
        rungs = POLICY.rungs_for(candidate.victims, candidate.findings) if candidate.makes_crowd else ()
        public = candidate.findings.already_public
        allowed = 0
        for rung in rungs:
            populated = all(
                candidate.students.get(facet, 0) >= rung.population(public) for facet in rung.facets
            )
            if not (rung.wait.is_over(LATE, candidate.reported, candidate.promotion_end) and populated):
                break
            allowed += 1
        levels[candidate.incident] = allowed

    def result() -> dict[UUID, frozenset[str]]:
        return {
            candidate.incident: frozenset(FIRST).union(
                *(path for _, path in paths(candidate, POLICY)[: levels[candidate.incident]])
            )
            for candidate in candidates
        }

    while True:
        now = result()
        alone = [
            candidate.incident
            for candidate in candidates
            if any(
                min(crowd(candidate, path, candidates, now)) < rung.crowd(candidate.findings.already_public)
                for rung, path in paths(candidate, POLICY)[: levels[candidate.incident]]
            )
        ]
        if not alone:
            break
        for incident in alone:
            levels[incident] -= 1
    assert decide(candidates, POLICY, on=LATE, previous_release=None) == result()


@slow
@given(st.one_of(worlds, crowded()), histories)
def test_every_leaf_follows_from_the_one_before(
    some: list[Case], history: list[tuple[int, list[tuple[int, tuple[str, object]]]]]
) -> None:
    world, on = World(some), REPORTED
    for wait, changed in history:
        on += timedelta(days=wait)
        for number, change in changed:
            apply(world, number, change)
        world.release(on)
    for leaves in world.history.values():
        check_leaves([(event_id, leaf.public) for event_id, leaf in leaves])


def check_leaves(leaves: list[tuple[UUID, Mapping[str, JSON]]]) -> None:
    seals: dict[str, tuple[str, str]] = {}
    values: dict[str, JSON] = {}
    for event_id, public in leaves:
        reason = public["reason"]
        facets: dict[str, Any] = cast("dict[str, Any]", public["facets"])
        assert set(facets) == set(FACETS)
        for name, facet in facets.items():
            if "sealed" in facet:
                seal = (facet["sealed"], facet.get("sealed_in", str(event_id)))
                if name in seals:
                    assert (seal != seals[name]) == (reason is not None)
                assert name not in values or reason is not None
                values.pop(name, None)
                seals[name] = seal
            elif name in seals:
                commitment, sealed_in = seals.pop(name)
                assert facet["sealed_in"] == sealed_in
                key = read_base64(facet["key"], "key")
                verify_opening(commitment, key, UUID(sealed_in), name, facet["value"])
                values[name] = facet["value"]
            else:
                assert set(facet) == {"value"}
                assert name not in values or values[name] == facet["value"] or reason is not None
                values[name] = facet["value"]
