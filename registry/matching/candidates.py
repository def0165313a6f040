"""Which pairs are looked at: any one of six rules makes a candidate, so that most pairs never are."""

from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from registry.domain.claims import When
from registry.domain.codes import Outcome
from registry.matching.description import Description


class Rule(StrEnum):
    """Why a pair is a candidate. The rules that name days are about the intervals, not about single dates."""

    SAME_MUNICIPALITY = "SAME_MUNICIPALITY"
    SAME_STATE_AND_SEVERITY = "SAME_STATE_AND_SEVERITY"
    SAME_STATE_AND_LETHAL = "SAME_STATE_AND_LETHAL"
    SAME_SITE = "SAME_SITE"
    SAME_VICTIM = "SAME_VICTIM"
    SAME_EVIDENCE = "SAME_EVIDENCE"


DAYS: Final = {
    Rule.SAME_MUNICIPALITY: 3,
    Rule.SAME_STATE_AND_SEVERITY: 7,
    Rule.SAME_STATE_AND_LETHAL: 15,
    Rule.SAME_SITE: 30,
}
"""How many days may lie between two intervals."""


ANY_DAY: Final = (date.min, date.max)


def window(when: When | None, rule: Rule) -> tuple[date, date] | None:
    """What another interval must touch to lie within the days of a rule; None: no interval does.

    Where no date was said, any will do at one site or in one municipality; a state is too large for that.
    """
    if when is None:
        return ANY_DAY if rule in (Rule.SAME_MUNICIPALITY, Rule.SAME_SITE) else None
    margin = timedelta(days=DAYS[rule])
    first = when.earliest or date.min
    return (
        first - margin if first - date.min > margin else date.min,
        when.latest + margin if date.max - when.latest > margin else date.max,
    )


def rules(one: Description, other: Description) -> tuple[Rule, ...]:
    """The rules by which a pair is a candidate, in their order; the same both ways."""
    found: list[Rule] = []
    here, there = one.where, other.where
    if here is not None and there is not None:
        if here.cvegeo is not None and here.cvegeo == there.cvegeo:
            found += _near(one, other, Rule.SAME_MUNICIPALITY)
        if here.state is not None and here.state == there.state and one.severity is not None:
            if one.severity is other.severity:
                found += _near(one, other, Rule.SAME_STATE_AND_SEVERITY)
            if one.severity is other.severity is Outcome.KILLED:
                found += _near(one, other, Rule.SAME_STATE_AND_LETHAL)
        if here.site is not None and here.site == there.site:
            found += _near(one, other, Rule.SAME_SITE)
    if one.people & other.people:
        found.append(Rule.SAME_VICTIM)
    if one.documents & other.documents:
        found.append(Rule.SAME_EVIDENCE)
    return tuple(found)


def _near(one: Description, other: Description, rule: Rule) -> list[Rule]:
    days = window(one.when, rule)
    if days is None or window(other.when, rule) is None:
        return []
    if other.when is None:
        return [rule]
    first, last = days
    return [rule] if other.when.latest >= first and (other.when.earliest or date.min) <= last else []
