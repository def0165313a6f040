"""How much speaks for one occurrence: a sum of weights of evidence, feature by feature.

After I. P. Fellegi and A. B. Sunter, A Theory for Record Linkage, JASA 64 (1969): each feature gives a weight in bits
(log2 of how much likelier it is among pairs that are one occurrence than among others), positive for agreement,
negative for disagreement, and none at all where a side says nothing. The weights here are judgement, not estimates:
there are no decided pairs to estimate them from yet. Whoever changes one changes ``ALGORITHM``, too.
"""

from collections.abc import Callable, Set
from datetime import date
from math import log2
from typing import Final, NamedTuple

from registry.domain.claims import When, Where
from registry.domain.codes import PlacePrecision
from registry.matching.description import Description
from registry.matching.taxonomy import distance

ALGORITHM: Final = "match/1"

PRIOR_BITS: Final = -10.0
"""Of candidate pairs, about one in a thousand is taken to be one occurrence before anything is compared."""

YEAR_DAYS: Final = 365
LIMIT_BITS: Final = 8.0
"""However exact two dates are, or far apart, they decide nothing alone."""


class Score(NamedTuple):
    """``value`` from 0 to 1, in the order of likelihood. ``features``: bits by name, None where a side is silent."""

    value: float
    features: dict[str, float | None]


def score(one: Description, other: Description) -> Score:
    """The same both ways."""
    features = {name: compare(one, other) for name, compare in _FEATURES.items()}
    bits = PRIOR_BITS + sum(weight for weight in features.values() if weight is not None)
    return Score(round(1 / (1 + 2**-bits), 4), features)


def _class(one: Description, other: Description) -> float:
    return 1.0 if one.incident_class is other.incident_class else -2.0


def _when(one: Description, other: Description) -> float | None:
    """Exact intervals that meet say most; each doubling of the gap between them takes three bits."""
    if one.when is None or other.when is None:
        return None
    width = max(_days(one.when), _days(other.when))
    bits = log2(YEAR_DAYS / width) - 3 * log2(1 + _gap(one.when, other.when))
    return round(max(-LIMIT_BITS, min(LIMIT_BITS, bits)), 1)


def _where(one: Description, other: Description) -> float | None:
    """At the coarser of the two precisions: a state agrees with a clinic in it, and says little."""
    if one.where is None or other.where is None:
        return None
    level = max(_level(one.where), _level(other.where), key=lambda precision: precision.rank)
    here, there = one.where, other.where
    if level is PlacePrecision.COUNTRY:
        return None
    if here.state != there.state:
        return -7.0
    if level is PlacePrecision.STATE:
        return 4.0
    if here.cvegeo != there.cvegeo:
        return -5.0
    if level is PlacePrecision.MUNICIPALITY:
        return 7.0
    return 9.0 if here.site == there.site else -2.0


def _kind(one: Description, other: Description) -> float | None:
    if one.kind is None or other.kind is None:
        return None
    return (3.0, 1.0, -1.0, -1.0)[distance(one.kind, other.kind)]


def _severity(one: Description, other: Description) -> float | None:
    if one.severity is None or other.severity is None:
        return None
    return max(-2.0, 1.5 - 0.5 * abs(one.severity.rank - other.severity.rank))


def _victims(one: Description, other: Description) -> float | None:
    if one.victims is None or other.victims is None:
        return None
    meet = one.victims.low <= other.victims.high and other.victims.low <= one.victims.high
    return 0.5 if meet else -1.0


def _victim(one: Description, other: Description) -> float | None:
    """Two names may be two victims of one occurrence: that different ones are named says little."""
    return _sets(one.people, other.people, 12.0, -1.0)


def _evidence(one: Description, other: Description) -> float | None:
    """The same document; that the documents differ says nothing."""
    return 10.0 if one.documents & other.documents else None


def _sets(one: Set[object], other: Set[object], agree: float, differ: float) -> float | None:
    if not one or not other:
        return None
    return agree if one & other else differ


_FEATURES: Final[dict[str, Callable[[Description, Description], float | None]]] = {
    "class": _class,
    "when": _when,
    "where": _where,
    "kind": _kind,
    "severity": _severity,
    "victims": _victims,
    "sex": lambda one, other: _sets(one.sexes, other.sexes, 1.0, -3.0),
    "role": lambda one, other: _sets(one.roles, other.roles, 1.0, -2.0),
    "institution": lambda one, other: _sets(one.institutions, other.institutions, 1.5, -2.0),
    "victim": _victim,
    "evidence": _evidence,
}


def _days(when: When) -> int:
    """How many days an interval has; one with an open start leaves the whole year before its end open."""
    return YEAR_DAYS if when.earliest is None else (when.latest - when.earliest).days + 1


def _gap(one: When, other: When) -> int:
    """Days from the end of the earlier interval to the start of the later one, 0 if they meet."""
    first = (other.earliest or date.min) - one.latest
    second = (one.earliest or date.min) - other.latest
    return max(first.days, second.days, 0)


def _level(where: Where) -> PlacePrecision:
    """The finest level of which a code is known; a locality has none of its own."""
    if where.site is not None and where.precision is PlacePrecision.SITE:
        return PlacePrecision.SITE
    if where.cvegeo is not None:
        return PlacePrecision.MUNICIPALITY
    return PlacePrecision.STATE if where.state is not None else PlacePrecision.COUNTRY
