"""Whether an incident belongs to what was asked, judged by its open facets alone.

A sealed facet is never guessed at, and what is unknown is not assumed: an incident is in the answer only where its
open facets prove it, outside only where one of them proves that, and otherwise undecided with its reason.
"""

from collections.abc import Iterable
from enum import IntEnum

from projections.counting.disclosure import Disclosure
from projections.counting.query import CountQuery, Period
from registry.domain.codes import KINDS, NOT_REPORTED, UNKNOWN


class Verdict(IntEnum):
    """Ordered so that, unless one facet is OUTSIDE, the greatest verdict of all facets is that of the incident.

    UNDISCLOSED outweighs UNKNOWN: what is still sealed may yet rule the incident out.
    """

    OUTSIDE = 0
    MATCH = 1
    NOT_REPORTED = 2
    UNKNOWN = 3
    UNDISCLOSED = 4


def judge(disclosure: Disclosure, query: CountQuery) -> Verdict:
    """The verdict over all facets that the query filters by. The breakdown plays no part."""
    verdicts = (
        _class(disclosure, query.classes),
        _kind(disclosure, query.kinds),
        _listed(disclosure.state, query.states),
        _municipality(disclosure, query.municipalities),
        _period(disclosure, query.period),
    )
    return Verdict.OUTSIDE if Verdict.OUTSIDE in verdicts else max(verdicts)


def _class(disclosure: Disclosure, wanted: tuple[str, ...] | None) -> Verdict:
    return Verdict.MATCH if wanted is None or disclosure.incident_class in wanted else Verdict.OUTSIDE


def _listed(value: str | None, wanted: Iterable[str] | None) -> Verdict:
    if wanted is None:
        return Verdict.MATCH
    if value is None:
        return Verdict.UNDISCLOSED
    if value in wanted:
        return Verdict.MATCH
    if value == UNKNOWN:
        return Verdict.UNKNOWN
    return Verdict.NOT_REPORTED if value == NOT_REPORTED else Verdict.OUTSIDE


def _kind(disclosure: Disclosure, wanted: tuple[str, ...] | None) -> Verdict:
    """The class is always open, and a threat cannot be of a kind that only attacks have."""
    if wanted is not None and KINDS[disclosure.incident_class].isdisjoint(wanted):
        return Verdict.OUTSIDE
    return _listed(disclosure.kind, wanted)


def _municipality(disclosure: Disclosure, wanted: tuple[str, ...] | None) -> Verdict:
    """A known state rules out the municipalities of all others, whether or not its own municipality is open."""
    if wanted is None:
        return Verdict.MATCH
    state = disclosure.state
    if UNKNOWN not in wanted and state not in (None, UNKNOWN) and all(code[:2] != state for code in wanted):
        return Verdict.OUTSIDE
    return _listed(disclosure.municipality, wanted)


def _period(disclosure: Disclosure, period: Period | None) -> Verdict:
    """By month where it is known; otherwise by year, if the period takes in the whole year or none of it."""
    if period is None:
        return Verdict.MATCH
    month, year = disclosure.month, disclosure.year
    if month is not None and month != UNKNOWN:
        return Verdict.MATCH if period.first <= month <= period.last else Verdict.OUTSIDE
    if year is None:
        return Verdict.UNDISCLOSED
    if year == UNKNOWN:
        return Verdict.UNKNOWN
    if period.first <= f"{year}-01" and f"{year}-12" <= period.last:
        return Verdict.MATCH
    if f"{year}-12" < period.first or period.last < f"{year}-01":
        return Verdict.OUTSIDE
    return Verdict.UNDISCLOSED if month is None else Verdict.UNKNOWN
