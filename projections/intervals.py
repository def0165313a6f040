"""Which of two days or intervals of days came first, and how many days lie between them. Pure.

Both ends of an interval are included; its start may be open. Two intervals that meet may lie in either order.
"""

from datetime import date

import msgspec

from registry.domain.claims import When

Interval = tuple[date | None, date]
"""Earliest (None: open) and latest day."""


class Days(msgspec.Struct, frozen=True, kw_only=True):
    """From the earlier to the later: at least, and at most (None: the earlier has an open start)."""

    least: int
    most: int | None


def interval(when: When | None) -> Interval | None:
    """Of an occurrence; None where its date is missing."""
    return None if when is None else (when.earliest, when.latest)


def day(on: date) -> Interval:
    """A single day."""
    return on, on


def certainly_before(one: Interval | None, other: Interval | None) -> bool | None:
    """Whether ``one`` must have come before ``other``; None where a date is missing."""
    if one is None or other is None:
        return None
    return other[0] is not None and one[1] < other[0]


def days_between(one: Interval | None, other: Interval | None) -> Days | None:
    """From ``one`` to ``other``, of which ``one`` may be the earlier; None where a date is missing."""
    if one is None or other is None:
        return None
    least = 0 if other[0] is None else max(0, (other[0] - one[1]).days)
    return Days(least=least, most=None if one[0] is None else max(0, (other[1] - one[0]).days))
