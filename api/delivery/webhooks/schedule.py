"""When a delivery that failed is tried again, and when no longer. Pure. Standard Webhooks 1.0.0, "Deliverability".

A backlog costs nothing here, it is a position; what counts is that an endpoint that is back hears of it soon. So the
pauses double from five seconds to an hour and stay there, where the specification's example goes on to a day.
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

FIRST_PAUSE: Final = timedelta(seconds=5)
LONGEST_PAUSE: Final = timedelta(hours=1)

JITTER: Final = 0.5
"""A pause is longer by a random part of itself, at most this: those that failed together do not come back together."""

LONGEST_RETRY_AFTER: Final = timedelta(hours=6)
"""Longer wishes are granted so far: the endpoint may be well before."""

GIVEN_UP_AFTER: Final = timedelta(days=3)
"""Since the first failure behind the last success."""

LEAST_FAILURES: Final = 12
"""Before giving up: three days in which the register itself stood still say nothing of the endpoint."""


def pause(failures: int, jitter: float) -> timedelta:
    """How long to wait after so many failures in a row (1 and up). ``jitter`` is random, from 0 to 1."""
    # 2**10 pauses of five seconds are longer than the longest; larger powers would only overflow.
    doubled = min(FIRST_PAUSE * (1 << min(failures - 1, 10)), LONGEST_PAUSE)
    return doubled * (1 + JITTER * jitter)


def next_try(
    now: datetime, failing_since: datetime, failures: int, jitter: float, wished: timedelta | None = None
) -> datetime | None:
    """When to try again after a failure at ``now``; None: never, the endpoint is given up.

    :param failures: in a row, this one included.
    :param wished: the endpoint's ``Retry-After``.
    """
    end = failing_since + GIVEN_UP_AFTER
    if now >= end and failures >= LEAST_FAILURES:
        return None
    wait = max(pause(failures, jitter), min(wished or timedelta(), LONGEST_RETRY_AFTER))
    # The last try comes when the time is over, not up to hours later.
    return min(now + wait, end) if now < end else now + wait


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """The time that a ``Retry-After`` header names (RFC 9110, section 10.2.3): seconds, or a date.

    None without one, or where it cannot be read.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdecimal():
        return timedelta(seconds=min(int(text[:12]), int(LONGEST_RETRY_AFTER.total_seconds())))
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # the second of numbers that no date has
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(date - now, timedelta())
