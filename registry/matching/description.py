"""What two records are compared by, whether a report says it or reviewers found it."""

from collections.abc import Iterable
from uuid import UUID

import msgspec

from registry.domain.claims import MAX_COUNT, Range, Victim, When, Where
from registry.domain.codes import (
    NOT_REPORTED,
    UNKNOWN,
    IncidentClass,
    Outcome,
    Sex,
    SourceType,
    VictimRole,
)
from registry.domain.incident import Incident

_SAYS_NOTHING = frozenset({UNKNOWN, NOT_REPORTED})


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """None, or an empty set, is what nobody said: never a disagreement.

    ``severity`` is the gravest outcome of any victim, ``victims`` how many there were. ``institutions`` are the
    universities that report it, of their own students. ``documents`` are keyed pseudonyms of digests and URLs.
    """

    incident_class: IncidentClass
    when: When | None
    where: Where | None
    kind: str | None
    severity: Outcome | None
    victims: Range | None
    sexes: frozenset[Sex]
    roles: frozenset[VictimRole]
    people: frozenset[str]
    institutions: frozenset[UUID]
    documents: frozenset[str]


def describe(
    *,
    incident_class: IncidentClass,
    when: When | None,
    where: Where | None,
    kind: str | None,
    victims: Iterable[Victim],
    sources: Iterable[tuple[SourceType, UUID]],
    documents: Iterable[str],
) -> Description:
    """A description from what was said; ``sources`` are the types and institutions of those who said it."""
    people = [victim for victim in victims if victim.count.high > 0]
    outcomes = [victim.outcome for victim in people if victim.outcome not in _SAYS_NOTHING]
    return Description(
        incident_class=incident_class,
        when=when,
        where=where,
        kind=None if kind in _SAYS_NOTHING else kind,
        severity=max(outcomes, key=lambda outcome: outcome.rank, default=None),
        victims=_total(people),
        sexes=frozenset(victim.sex for victim in people if victim.sex not in _SAYS_NOTHING),
        roles=frozenset(victim.role for victim in people if victim.role not in _SAYS_NOTHING),
        people=frozenset(victim.person for victim in people if victim.person is not None),
        institutions=frozenset(who for source, who in sources if source is SourceType.UNIVERSITY),
        documents=frozenset(documents),
    )


def describe_incident(incident: Incident) -> Description:
    """What reviewers found; of date and place, before anything was found, what the first report says."""
    reported_when = next((report.when for report in incident.reports if report.when), None)
    reported_where = next((report.where for report in incident.reports if report.where), None)
    return describe(
        incident_class=incident.incident_class,
        when=incident.when or reported_when,
        where=incident.where or reported_where,
        kind=incident.kind,
        victims=incident.victims,
        sources=[(report.source_type, report.institution) for report in incident.reports],
        documents=(),
    )


def _total(victims: list[Victim]) -> Range | None:
    if not victims:
        return None
    low, best, high = (
        sum(getattr(victim.count, bound) for victim in victims) for bound in ("low", "best", "high")
    )
    return Range(low=low, best=best, high=high) if high <= MAX_COUNT else None
