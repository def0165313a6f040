"""What a source, or a reviewer, says about an occurrence: intervals, places, victims, in codes only.

Nothing here names anybody: a person is a keyed pseudonym, and words that could identify stay in the private part
of the event (narrative, wording, evidence).
"""

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec

from registry.domain.codes import (
    AttributionBasis,
    DatePrecision,
    Manner,
    Nexus,
    Outcome,
    PerpetratorGroup,
    PlacePrecision,
    Sex,
    VictimRole,
)
from registry.text import Text


class Contradiction(ValueError):
    """Fields that are right one by one and cannot be true together. The text never holds what was sent."""

    def __init__(self, es: str, en: str) -> None:
        self.text = Text(es, en)
        super().__init__(en)


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of the value objects: immutable, compared by value, strict about field names."""


class When(Claim, frozen=True, kw_only=True):
    """Civil dates at the place of the event, both ends included; ``earliest`` None = open start."""

    earliest: date | None
    latest: date
    precision: DatePrecision

    def __post_init__(self) -> None:
        if self.earliest is not None and self.earliest > self.latest:
            raise Contradiction(
                "La fecha inicial es posterior a la final. Compruebe que día y mes no estén invertidos.",
                "The earliest date is after the latest. Check that day and month are not swapped.",
            )


class Where(Claim, frozen=True, kw_only=True):
    """INEGI codes as strings. ``precision`` is the finest level that the source supports."""

    state: str | None = None
    cvegeo: str | None = None
    site: UUID | None = None
    precision: PlacePrecision


MAX_COUNT = 1_000_000
"""More than any single occurrence can concern; beyond it somebody mistook a column."""

Bound = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]


class Range(Claim, frozen=True, kw_only=True):
    """low ≤ best ≤ high: bounds of what is said, not a confidence interval."""

    low: Bound
    best: Bound
    high: Bound

    def __post_init__(self) -> None:
        # Also what code constructs: an event that does not decode again must never be stored.
        if not 0 <= self.low <= self.best <= self.high <= MAX_COUNT:
            raise Contradiction(
                f"Indique 0 ≤ low ≤ best ≤ high ≤ {MAX_COUNT}.", f"Give 0 ≤ low ≤ best ≤ high ≤ {MAX_COUNT}."
            )


ONE = Range(low=1, best=1, high=1)
NOBODY = Range(low=0, best=0, high=0)


def without(whole: Range, part: Range) -> Range:
    """What is left of several when some are set apart, so that both sum to the whole. Raises Contradiction."""
    left = (whole.low - part.low, whole.best - part.best, whole.high - part.high)
    if not 0 <= left[0] <= left[1] <= left[2]:
        raise Contradiction(
            "Lo que se aparta cabe en el total, y lo que queda también cumple low ≤ best ≤ high. Ajuste el rango.",
            "What is set apart lies within the whole, and what is left keeps low ≤ best ≤ high, too. Adjust the range.",
        )
    return Range(low=left[0], best=left[1], high=left[2])


class Victim(Claim, frozen=True, kw_only=True):
    """A person (``person`` = pseudonym, count 1) or several alike."""

    role: VictimRole
    sex: Sex
    outcome: Outcome
    nexus: Nexus
    count: Range = ONE
    manner: Manner | None = None
    person: str | None = None
    assignment: UUID | None = None


class Perpetrator(Claim, frozen=True, kw_only=True):
    """A group and on whose word; never an individual."""

    group: PerpetratorGroup
    basis: AttributionBasis
