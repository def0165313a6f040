"""The disclosure policy: an adopted JSON document whose numbers and waits decide how far an incident may open.

The document is data, published whole in ``policy.adopted``, so that anyone can hold a release against it. This
module gives it types, refuses one that contradicts itself, and says which tier an incident belongs to.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, timedelta
from importlib import resources
from typing import Annotated, Final, cast

import msgspec

from registry.disclosure.facets import FACETS, Findings
from registry.domain.claims import Victim
from registry.domain.codes import IN_SCOPE, KINDS, Outcome
from registry.errors import InvalidInput
from registry.log.canonical import JSON, encode

FIRST_RUNG: Final = ("tally", "year")
"""Opens for every incident, with its class, whatever the policy: the crowd is the nation."""

_KINDS: Final = frozenset[str]().union(*KINDS.values())
_OUTCOMES: Final = frozenset[str](Outcome)

Natural = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[int, msgspec.Meta(ge=1)]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base: every field must be written out, and no other."""


class Crowd(_Part, frozen=True):
    """k: how many incidents must share the values, with as many distinct victims."""

    default: Positive
    already_public: Positive


class Students(_Part, frozen=True):
    """How many students must have been assigned there then. 0 = no condition."""

    default: Natural
    already_public: Natural


class Wait(_Part, frozen=True):
    """What must have passed. Never depends on what became of the student."""

    days_after_report: Natural
    first_release_of_quarter: bool
    after_promotion: bool

    def is_over(self, on: date, reported: date, promotion_end: date | None) -> bool:
        """Whether the dates have passed. Without a known end of the promotion its wait is never over."""
        if on - reported < timedelta(days=self.days_after_report):
            return False
        return not self.after_promotion or (promotion_end is not None and on > promotion_end)


class Rung(_Part, frozen=True):
    """Facets that open together, after all rungs below."""

    facets: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    k: Crowd
    students: Students
    wait: Wait

    def crowd(self, already_public: bool) -> int:
        return self.k.already_public if already_public else self.k.default

    def population(self, already_public: bool) -> int:
        return self.students.already_public if already_public else self.students.default


class Rule(_Part, frozen=True):
    """One way into a tier; null sets no condition, and all that are set must hold.

    ``kinds``: the incident is of one of them. ``outcome``: somebody, in scope or not, surely suffered it.
    ``all_in_scope``: every in-scope victim there may have been suffered one of these outcomes; who suffered
    another, or an unknown one, may be alive to be found out. ``public_or_agreed``: it is already public, or the
    family agrees.
    """

    kinds: tuple[str, ...] | None
    outcome: str | None
    all_in_scope: tuple[str, ...] | None
    public_or_agreed: bool

    def holds(self, victims: Sequence[Victim], findings: Findings) -> bool:
        if self.kinds is not None and findings.kind not in self.kinds:
            return False
        if self.outcome is not None and not any(
            victim.outcome == self.outcome and victim.count.low > 0 for victim in victims
        ):
            return False
        if self.all_in_scope is not None and not all(
            victim.outcome in self.all_in_scope
            for victim in victims
            if victim.role == IN_SCOPE and victim.count.high > 0
        ):
            return False
        return not self.public_or_agreed or findings.already_public or findings.family_agrees


class Stop(_Part, frozen=True):
    """The ladder ends below the rung that holds ``before`` for an incident to which tier ``if_tier`` applies too."""

    before: str
    if_tier: int


class Tier(_Part, frozen=True):
    """A kind of incident and its ladder above the first rung."""

    tier: int
    rules: Annotated[tuple[Rule, ...], msgspec.Meta(min_length=1)]
    stops: tuple[Stop, ...]
    rungs: tuple[Rung, ...]

    def applies(self, victims: Sequence[Victim], findings: Findings) -> bool:
        return any(rule.holds(victims, findings) for rule in self.rules)


class Policy(_Part, frozen=True):
    """The first tier that applies is the incident's."""

    id: Annotated[str, msgspec.Meta(pattern=r"^disclosure-policy/[1-9][0-9]*$")]
    tiers: tuple[Tier, ...]

    @property
    def waits_end_with_quarters(self) -> bool:
        """Whether between the first releases of quarters nothing opens because a day has come."""
        return all(
            rung.wait.first_release_of_quarter
            or not (rung.wait.days_after_report or rung.wait.after_promotion)
            for tier in self.tiers
            for rung in tier.rungs
        )

    @property
    def largest_crowd(self) -> int:
        """The largest k that any rung asks for."""
        return max((rung.k.default for tier in self.tiers for rung in tier.rungs), default=1)

    def tier_of(self, victims: Sequence[Victim], findings: Findings) -> Tier:
        """The incident's tier; there always is one, because the last takes what no other took."""
        return next(tier for tier in self.tiers if tier.applies(victims, findings))

    def rungs_for(self, victims: Sequence[Victim], findings: Findings) -> tuple[Rung, ...]:
        """The rungs above the first that this incident may ever climb, in their order."""
        tier = self.tier_of(victims, findings)
        sealed = {
            stop.before
            for stop in tier.stops
            if any(other.tier == stop.if_tier and other.applies(victims, findings) for other in self.tiers)
        }
        for height, rung in enumerate(tier.rungs):
            if sealed.intersection(rung.facets):
                return tier.rungs[:height]
        return tier.rungs


def parse(document: JSON) -> Policy:
    """Read an adopted document. Raises InvalidInput, naming the field, if it is not a policy."""
    try:
        policy = msgspec.convert(document, Policy)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at ")
        raise _invalid(path.strip("`") or "$", what) from error
    _check(policy)
    return policy


def sha256(document: JSON) -> str:
    """SHA-256 (hex) of the document's canonical JSON: how a release names the policy it followed."""
    return hashlib.sha256(encode(document)).hexdigest()


def shipped() -> dict[str, JSON]:
    """The document that a new register adopts: ``disclosure-policy/1``."""
    text = resources.files("registry.disclosure").joinpath("policy-1.json").read_bytes()
    return cast("dict[str, JSON]", msgspec.json.decode(text))


def _check(policy: Policy) -> None:
    """What types cannot say: a policy that leaves a choice open would be decided by whoever reads it."""
    numbers = [tier.tier for tier in policy.tiers]
    if not numbers or len(set(numbers)) != len(numbers):
        raise _invalid("$.tiers", "needs at least one tier, each with its own number")
    if not any(_takes_everything(rule) for rule in policy.tiers[-1].rules):
        raise _invalid(
            f"$.tiers[{len(numbers) - 1}].rules",
            "needs a last tier with a rule without conditions, to take every other incident",
        )
    for index, tier in enumerate(policy.tiers):
        _check_tier(tier, numbers, f"$.tiers[{index}]")


def _check_tier(tier: Tier, numbers: list[int], at: str) -> None:
    facets = [facet for rung in tier.rungs for facet in rung.facets]
    upper = [facet for facet in FACETS if facet not in FIRST_RUNG]
    if facets != [facet for facet in upper if facet in facets]:
        raise _invalid(f"{at}.rungs", f"names facets at most once and in the order {', '.join(upper)}")
    for rule in tier.rules:
        if not _KINDS.issuperset(rule.kinds or ()):
            raise _invalid(f"{at}.rules.kinds", "holds codes of kinds only")
        if not _OUTCOMES.issuperset([*(rule.all_in_scope or ()), *([rule.outcome] if rule.outcome else ())]):
            raise _invalid(f"{at}.rules", "holds codes of outcomes only")
    for stop in tier.stops:
        if stop.before not in facets or stop.if_tier not in numbers or stop.if_tier == tier.tier:
            raise _invalid(f"{at}.stops", "names a facet of this tier and the number of another tier")


def _takes_everything(rule: Rule) -> bool:
    return (
        rule.kinds is None
        and rule.outcome is None
        and rule.all_in_scope is None
        and not rule.public_or_agreed
    )


def _invalid(field: str, what: str) -> InvalidInput:
    return InvalidInput(
        field,
        f"No es una política de divulgación: corrija «{field}» ({what}) y adóptela de nuevo.",
        f"This is not a disclosure policy: correct “{field}” ({what}) and adopt it again.",
    )
