"""When a promotion of social service ends: the date after which a finer place and time may open.

A promotion ``YYYY-1`` starts on 1 February, ``YYYY-2`` on 1 August; each lasts one year.
"""

from collections.abc import Iterable
from datetime import MAXYEAR, date

from registry.domain.claims import When


def end_of(promotion: str) -> date:
    """Last day of a promotion such as ``2026-2``, whatever became of the student.

    Stored years are not all plausible ones, and one of them must not stop every release: the last year that a date can
    hold stands for itself and all later ones.
    """
    year, half = promotion.split("-")
    month = 1 if half == "1" else 7
    return date(min(int(year) + 1, MAXYEAR), month, 31)


def end_concerned(promotions: Iterable[str], when: When | None) -> date | None:
    """The end that an incident waits for.

    ``promotions`` are those of its students. Where none is known: the last day of the promotion that had begun last
    when it happened. None without a date either, which is never over.
    """
    ends = [end_of(promotion) for promotion in promotions]
    if ends:
        return max(ends)
    return None if when is None else end_of(_latest_begun(when.latest))


def _latest_begun(day: date) -> str:
    if day.month >= 8:
        return f"{day.year:04d}-2"
    return f"{day.year:04d}-1" if day.month >= 2 else f"{day.year - 1:04d}-2"
