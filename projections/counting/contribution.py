"""What one disclosure adds to a count: rules 3, 5 and 6 of ``national-count/1``, component by component.

Certainty decides which components an incident may enter: low needs CONFIRMED, best PROBABLE or better, high
POSSIBLE or better. The tally decides by how much. A death is counted where its incident is counted, once.
"""

from collections.abc import Mapping
from enum import StrEnum

from projections.counting.disclosure import NOTHING, Bounds, Disclosure, NexusScope, Status
from projections.counting.query import Unit
from registry.domain.codes import Certainty


class Reason(StrEnum):
    """Why an incident that the filter does not rule out is not in the count. The first that applies is given."""

    RETRACTED = "RETRACTED"
    MERGED = "MERGED"
    REFUTED = "REFUTED"
    RUMOUR = "RUMOUR"
    NO_IN_SCOPE_VICTIM = "NO_IN_SCOPE_VICTIM"
    UNDISCLOSED = "UNDISCLOSED"
    UNKNOWN = "UNKNOWN"
    NOT_REPORTED = "NOT_REPORTED"


_COMPONENTS = {Certainty.POSSIBLE: (0, 0, 1), Certainty.PROBABLE: (0, 1, 1), Certainty.CONFIRMED: (1, 1, 1)}
"""Which of low, best and high an incident of each certainty enters."""


def exclusion(disclosure: Disclosure, nexus: NexusScope) -> Reason | None:
    """Why the incident counts in no query of this nexus, or None if it may count."""
    if disclosure.status is Status.RETRACTED:
        return Reason.RETRACTED
    if disclosure.status is Status.MERGED:
        return Reason.MERGED
    if disclosure.certainty is Certainty.REFUTED:
        return Reason.REFUTED
    if disclosure.certainty is Certainty.RUMOUR:
        return Reason.RUMOUR
    if disclosure.tally is None:
        return Reason.UNDISCLOSED
    if disclosure.tally[nexus].victims.high == 0:
        return Reason.NO_IN_SCOPE_VICTIM
    return None


def contribution(disclosure: Disclosure, nexus: NexusScope) -> dict[Unit, Bounds]:
    """What the incident adds, by unit: all nothing where ``exclusion`` gives a reason."""
    if exclusion(disclosure, nexus) is not None:
        return dict.fromkeys(Unit, NOTHING)
    return {unit: counted(disclosure, nexus, unit) for unit in Unit}


def counted(disclosure: Disclosure, nexus: NexusScope, unit: Unit) -> Bounds:
    """What an incident adds for which ``exclusion`` gives no reason."""
    if disclosure.tally is None:
        raise ValueError("an incident whose tally is sealed is not counted")
    victims, deaths = disclosure.tally[nexus]
    match unit:
        case Unit.INCIDENTS:
            present = Bounds(min(victims.low, 1), min(victims.best, 1), min(victims.high, 1))
            return admitted(present, disclosure.certainty)
        case Unit.VICTIMISATIONS:
            return admitted(victims, disclosure.certainty)
        case Unit.DEATHS:
            return admitted(deaths, disclosure.certainty)


def deaths_by_sex(disclosure: Disclosure, nexus: NexusScope) -> Mapping[str | None, Bounds]:
    """The deaths that the incident adds, by sex; under None where the sex is sealed. Without dead: empty."""
    deaths = contribution(disclosure, nexus)[Unit.DEATHS]
    if deaths.high == 0:
        return {}
    if disclosure.sex is None:
        return {None: deaths}
    return {
        sex: admitted(bounds, disclosure.certainty)
        for sex, bounds in disclosure.sex[nexus].items()
        if bounds.high > 0
    }


def admitted(bounds: Bounds, certainty: Certainty) -> Bounds:
    """What an incident of this certainty, POSSIBLE or better, adds of a number: low, best and high where it enters."""
    low, best, high = _COMPONENTS[certainty]
    return Bounds(bounds.low * low, bounds.best * best, bounds.high * high)
