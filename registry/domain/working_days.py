"""Working days, by which the law counts the time to answer people about their data.

Assumption: Saturdays and Sundays do not count, every other day does. Mexico's public holidays would make a deadline
later, never earlier: whoever keeps these has kept the law's.
"""

from datetime import date, timedelta
from typing import Final

DAYS_TO_ANSWER: Final = 20
"""From the day after the request was received (LFPDPPP, access, rectification, cancellation, opposition)."""

DAYS_TO_CARRY_OUT: Final = 15
"""From the day after the answer that grants it (ibid.)."""

_WEEK: Final = 5
_SATURDAY: Final = 5


def working_days_after(day: date, count: int) -> date:
    """The last of so many working days that follow a day, which itself does not count."""
    # A weekend counts as the Friday before it.
    start = day - timedelta(days=max(0, day.weekday() - _SATURDAY + 1))
    weeks, rest = divmod(count, _WEEK)
    days = 7 * weeks + rest + (2 if start.weekday() + rest >= _SATURDAY else 0)
    return start + timedelta(days=days)
