"""The facets of an incident: the few coded values that may ever become public, derived from what was found.

Tally and the sex of the dead follow rules 3 to 6 of ``national-count/1``, the rest rule 4: whatever crosses a period,
or is known only more coarsely, is UNKNOWN within its parent, so that parts always sum to wholes.
"""

from calendar import monthrange
from collections.abc import Iterable
from datetime import date
from typing import Final

import msgspec

from registry.domain.claims import Range, Victim, When, Where
from registry.domain.codes import (
    IN_SCOPE,
    KINDS,
    NOT_APPLICABLE,
    STRICT_NEXUS,
    UNKNOWN,
    DatePrecision,
    IncidentClass,
    Outcome,
    PlacePrecision,
)
from registry.log.canonical import JSON

FACETS: Final = ("tally", "year", "state", "kind", "sex", "municipality", "month")
"""All of them, from the coarsest to the finest: every ladder climbs in this order."""


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What reviewers found about an incident. ``already_public`` has been found by two of them, with sources."""

    kind: str | None = None
    when: When | None = None
    where: Where | None = None
    already_public: bool = False
    family_agrees: bool = False


class Facets(msgspec.Struct, frozen=True, kw_only=True):
    """Each field holds the JSON value that a leaf shows or seals.

    ``tally`` is ``{"strict": {"victims": [low, best, high], "deaths": […]}, "broad": {…}}``; ``sex`` is
    ``{"strict": {"FEMALE": [low, best, high], …}, "broad": {…}}`` of the dead in scope, or NOT_APPLICABLE.
    ``year`` "2020", ``month`` "2020-04", ``state`` "16", ``municipality`` "16012", or UNKNOWN each.
    """

    tally: JSON
    year: str
    state: str
    kind: str
    sex: JSON
    municipality: str
    month: str

    def value(self, facet: str) -> JSON:
        """The value of one facet by its name, one of ``FACETS``."""
        value: JSON = getattr(self, facet)
        return value


def facets_of(incident_class: IncidentClass, victims: Iterable[Victim], findings: Findings) -> Facets:
    """Derive all facets. A kind that does not belong to the class is UNKNOWN, as is one that nobody has found."""
    in_scope = [victim for victim in victims if victim.role == IN_SCOPE]
    strict = [victim for victim in in_scope if victim.nexus in STRICT_NEXUS]
    year, month = _period(findings.when)
    state, municipality = _place(findings.where)
    kind = findings.kind if findings.kind in KINDS[incident_class] else None
    return Facets(
        tally={"strict": _tally(strict), "broad": _tally(in_scope)},
        year=year,
        state=state,
        kind=UNKNOWN if kind is None else str(kind),
        sex={"strict": _sexes(strict), "broad": _sexes(in_scope)} if _dead(in_scope) else NOT_APPLICABLE,
        municipality=municipality,
        month=month,
    )


def _tally(victims: list[Victim]) -> JSON:
    return {
        "victims": _sum(victim.count for victim in victims),
        "deaths": _sum(victim.count for victim in _dead(victims)),
    }


def _sexes(victims: list[Victim]) -> JSON:
    dead = _dead(victims)
    return {
        str(sex): _sum(victim.count for victim in dead if victim.sex == sex)
        for sex in sorted({victim.sex for victim in dead})
    }


def _dead(victims: list[Victim]) -> list[Victim]:
    return [victim for victim in victims if victim.outcome == Outcome.KILLED and victim.count.high > 0]


def _sum(counts: Iterable[Range]) -> JSON:
    low = best = high = 0
    for count in counts:
        low, best, high = low + count.low, best + count.best, high + count.high
    return [low, best, high]


def _period(when: When | None) -> tuple[str, str]:
    """Year and month of the occurrence, UNKNOWN where the interval crosses from one to the next."""
    if when is None:
        return UNKNOWN, UNKNOWN
    earliest, latest = bounds(when)
    if earliest is None or earliest.year != latest.year:
        return UNKNOWN, UNKNOWN
    year = f"{latest.year:04d}"
    return year, f"{year}-{latest.month:02d}" if earliest.month == latest.month else UNKNOWN


def bounds(when: When) -> tuple[date | None, date]:
    """The interval, widened to the unit that its precision names: "2020" is all of 2020 whatever day stands for it.

    The precision decides an open start too, except that of an INTERVAL, which may reach back any time.
    """
    start, end = when.earliest or when.latest, when.latest
    match when.precision:
        case DatePrecision.TIME | DatePrecision.DAY:
            return start, end
        case DatePrecision.WEEK:
            return when.earliest or _days_before(end, 6), end
        case DatePrecision.MONTH:
            return start.replace(day=1), _month_end(end.year, end.month)
        case DatePrecision.QUARTER:
            return date(start.year, _quarter_start(start), 1), _month_end(end.year, _quarter_start(end) + 2)
        case DatePrecision.YEAR:
            return date(start.year, 1, 1), date(end.year, 12, 31)
        case DatePrecision.INTERVAL:
            return when.earliest, end


def _days_before(day: date, days: int) -> date:
    return date.fromordinal(day.toordinal() - days)


def _quarter_start(day: date) -> int:
    return (day.month - 1) // 3 * 3 + 1


def _month_end(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


def _place(where: Where | None) -> tuple[str, str]:
    """State and municipality of the occurrence, no finer than what the sources support."""
    if where is None or where.precision == PlacePrecision.COUNTRY:
        return UNKNOWN, UNKNOWN
    if where.cvegeo is None:
        return where.state or UNKNOWN, UNKNOWN
    # The first two digits of a municipality are its state: derived, the two cannot contradict each other.
    state = where.cvegeo[:2]
    return state, UNKNOWN if where.precision == PlacePrecision.STATE else where.cvegeo
