"""Which openings rest on more than their crowd, judged by what leaves show to everyone.

A facet may open in a smaller crowd than others of its kind need: because the incident is already public, or because
the family of a missing student agrees. Nobody outside can check that, so the leaf says so: it names such facets as
``waived``. What it names must not tell anything new. Therefore it is computed from public facts alone: a facet is
waived only where the open incidents do not justify it, which anyone can see. An incident that is already public and
stands in a crowd large enough is shown exactly as one that is not.

The register computes ``waived`` with this module; a verifier computes it again, and finds every facet that opened
without its crowd and without that word.

What tier an incident is of depends on victims and findings that are not public. Leaves bound it: no tier for killings
without survivors where the tally has survivors, none for another kind where the kind is open. An opening is justified
if any tier that these facts leave possible allows it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from registry.disclosure.combinations import COMPARED
from registry.disclosure.policy import FIRST_RUNG, Policy, Rule, Rung
from registry.domain.codes import KINDS, IncidentClass, Outcome
from registry.log.canonical import JSON

Size = Callable[[frozenset[str]], int]
"""How many open incidents show the same values as this one, with class and year, on these facets."""

Ladder = tuple[Rung, ...]


class Facts(NamedTuple):
    """What a leaf tells about the conditions of a tier, of students in scope. ``kind`` is None while it is sealed."""

    incident_class: IncidentClass
    kind: str | None
    dead: bool
    surely_dead: bool
    others: bool
    """Whether there may be victims who were not killed."""


class Opening(NamedTuple):
    """What a release does to one incident. All names of facets are above the first rung.

    ``before``: open until now. ``kept``: of these, what no correction touches. ``open``: open from now on.
    """

    facts: Facts
    before: frozenset[str]
    kept: frozenset[str]
    open: frozenset[str]


def facts_of(
    incident_class: IncidentClass, kind: str | None, victims: Sequence[int], deaths: Sequence[int]
) -> Facts:
    """From the tally's victims and deaths of the broad nexus, [low, best, high] each."""
    return Facts(incident_class, kind, deaths[2] > 0, deaths[0] > 0, victims[2] > deaths[2])


def unchanged(before: Mapping[str, JSON], now: Callable[[str], JSON]) -> frozenset[str]:
    """The facets above the first rung that were open and stand below no value that changed. The class is the same."""
    kept = []
    for facet in COMPARED:
        if facet in before:
            if before[facet] != now(facet):
                break
            kept.append(facet)
    return frozenset(kept).difference(FIRST_RUNG)


class Exemptions:
    """One policy, as those see it who see leaves only."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._ladders: dict[tuple[Facts, bool], tuple[Ladder, ...]] = {}
        self.paths = tuple(dict.fromkeys(path for tier in policy.tiers for path in paths(tier.rungs)[1:]))
        """Every combination of facets whose crowd the policy asks for, each once."""

    def waived(self, opening: Opening, size: Size, *, new_quarter: bool) -> frozenset[str]:
        """The newly open facets that no crowd justifies; empty where all is in order by numbers alone."""
        justified = opening.kept
        for ladder in self._possible(opening.facts, exempt=False):
            reached = _reached(ladder, opening, size, _ordinary, new_quarter)
            justified = max(justified, reached, key=len)
        return opening.open - justified

    def allowed(self, opening: Opening, size: Size, *, new_quarter: bool) -> bool:
        """Whether at least somebody's word can justify everything that is open."""
        return any(
            _reached(ladder, opening, size, _exempt, new_quarter) == opening.open
            for ladder in self._possible(opening.facts, exempt=True)
        )

    def _possible(self, facts: Facts, *, exempt: bool) -> tuple[Ladder, ...]:
        """The ladders of all tiers that the facts leave possible."""
        if (facts, exempt) not in self._ladders:
            found = []
            for tier in self._policy.tiers:
                if any(_may_hold(rule, facts, exempt=exempt) for rule in tier.rules):
                    found.append(self._rungs(tier.tier, facts))
                if any(_surely_holds(rule, facts) for rule in tier.rules):
                    break
            self._ladders[facts, exempt] = tuple(found)
        return self._ladders[facts, exempt]

    def _rungs(self, number: int, facts: Facts) -> Ladder:
        """The tier's rungs, without those that another tier surely seals."""
        by_number = {tier.tier: tier for tier in self._policy.tiers}
        tier = by_number[number]
        sealed = {
            stop.before
            for stop in tier.stops
            if any(_surely_holds(rule, facts) for rule in by_number[stop.if_tier].rules)
        }
        for height, rung in enumerate(tier.rungs):
            if sealed.intersection(rung.facets):
                return tier.rungs[:height]
        return tier.rungs


@cache
def paths(rungs: Ladder) -> tuple[frozenset[str], ...]:
    """What is open above the first rung at each level, from level 0."""
    return tuple(
        frozenset(facet for rung in rungs[:level] for facet in rung.facets) for level in range(len(rungs) + 1)
    )


def _ordinary(rung: Rung) -> int:
    return rung.k.default


def _exempt(rung: Rung) -> int:
    return min(rung.k.default, rung.k.already_public)


def _reached(
    ladder: Ladder, opening: Opening, size: Size, need: Callable[[Rung], int], new_quarter: bool
) -> frozenset[str]:
    """How much of what is open this ladder justifies, from what was kept upwards."""
    path = paths(ladder)
    if not opening.kept <= path[-1]:
        return opening.kept
    base = max(level for level in range(len(path)) if path[level] <= opening.kept)
    floor = max(
        (level for level, rung in enumerate(ladder, 1) if opening.kept.intersection(rung.facets)), default=0
    )
    reached = opening.kept
    for level in range(base + 1, len(path)):
        rung = ladder[level - 1]
        waits = rung.wait.first_release_of_quarter and not (
            new_quarter or opening.before.issuperset(rung.facets)
        )
        if waits or not path[level] <= opening.open or size(path[level]) < need(rung):
            break
        if level >= floor:
            reached = opening.kept | path[level]
    return reached


def _may_hold(rule: Rule, facts: Facts, *, exempt: bool) -> bool:
    """Whether the facts leave it possible. A killed person out of scope is in no tally, so an outcome always may be."""
    if rule.public_or_agreed and not exempt:
        return False
    if rule.kinds is not None:
        known = KINDS[facts.incident_class] if facts.kind is None else {facts.kind}
        if known.isdisjoint(rule.kinds):
            return False
    if rule.all_in_scope is None:
        return True
    if facts.others and not set(rule.all_in_scope) - {Outcome.KILLED}:
        return False
    return not facts.dead or Outcome.KILLED in rule.all_in_scope


def _surely_holds(rule: Rule, facts: Facts) -> bool:
    if rule.public_or_agreed:
        return False
    if rule.kinds is not None and facts.kind not in rule.kinds:
        return False
    if rule.outcome is not None and not (rule.outcome == Outcome.KILLED and facts.surely_dead):
        return False
    if rule.all_in_scope is None:
        return True
    return not facts.others and (not facts.dead or Outcome.KILLED in rule.all_in_scope)
