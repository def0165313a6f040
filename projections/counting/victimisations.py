"""What restricted counts are made of: a line for each victim of each incident that may count, in private codes. Pure.

An incident may count while it stands by itself and is POSSIBLE or better; its certainty decides which of low, best and
high its victims enter, as in the public definition. What nobody has found is UNKNOWN; NOT_REPORTED stays what a source
did not say, and NOT_APPLICABLE what cannot be asked.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

from projections.counting.contribution import admitted
from projections.counting.disclosure import Bounds
from registry.disclosure.facets import Findings, bounds, facets_of
from registry.domain.assignment import Assignment
from registry.domain.claims import Victim, When
from registry.domain.codes import (
    NOT_APPLICABLE,
    NOT_REPORTED,
    STRICT_NEXUS,
    UNKNOWN,
    Certainty,
    Nexus,
    Outcome,
    PlacePrecision,
    VictimRole,
)
from registry.domain.incident import Incident

COUNTED: Final = frozenset({Certainty.POSSIBLE, Certainty.PROBABLE, Certainty.CONFIRMED})
"""Certainties that count."""

_SERVING: Final = frozenset(
    {
        VictimRole.PASANTE_MEDICINE,
        VictimRole.PASANTE_OTHER,
        VictimRole.UNKNOWN,
        VictimRole.NOT_REPORTED,
    }
)
"""Roles that have, or may have, an assignment."""


class Victimisation(NamedTuple):
    """One entry of an incident's victims: a person, or several alike. ``bounds`` is what it adds, certainty applied.

    ``person`` is a pseudonym, None for whom nobody has identified. Every other text is a code or an id as text.
    """

    incident: UUID
    number: int
    incident_class: str
    kind: str
    year: str
    quarter: str
    month: str
    state: str
    municipality: str
    certainty: str
    disputed: bool
    means: tuple[str, ...]
    perpetrator: str
    role: str
    sex: str
    outcome: str
    manner: str
    nexus: str
    person: str | None
    assignment: UUID | None
    institution: str
    site: str
    plaza_type: str
    promotion: str
    bounds: Bounds

    @property
    def strict(self) -> bool:
        """Whether the link to the service is one that the headline counts."""
        return self.nexus in STRICT_NEXUS


def victimisations(incident: Incident, assignments: Mapping[UUID, Assignment]) -> list[Victimisation]:
    """The lines of an incident, none while it does not count. ``assignments``: those that its victims name.

    One that is not among them is as unknown as one that nobody named.
    """
    certainty = incident.certainty
    if not incident.stands or certainty not in COUNTED:
        return []
    findings = Findings(kind=incident.kind, when=incident.when, where=incident.where)
    facets = facets_of(incident.incident_class, incident.victims, findings)
    lines = []
    for number, victim in enumerate(incident.victims, 1):
        if victim.count.high == 0:
            continue
        assignment = None if victim.assignment is None else assignments.get(victim.assignment)
        count = Bounds(victim.count.low, victim.count.best, victim.count.high)
        lines.append(
            Victimisation(
                incident=incident.id,
                number=number,
                incident_class=incident.incident_class.value,
                kind=facets.kind,
                year=facets.year,
                quarter=_quarter(incident.when),
                month=facets.month,
                state=facets.state,
                municipality=facets.municipality,
                certainty=certainty.value,
                disputed=incident.disputed,
                means=tuple(sorted({means.value for means in incident.means or ()})) or (UNKNOWN,),
                perpetrator=UNKNOWN if incident.perpetrator is None else incident.perpetrator.group.value,
                role=victim.role.value,
                sex=victim.sex.value,
                outcome=victim.outcome.value,
                manner=_manner(victim),
                nexus=victim.nexus.value,
                person=victim.person,
                assignment=victim.assignment,
                institution=_of(assignment, victim, lambda one: str(one.institution or UNKNOWN)),
                site=_site(incident, victim, assignment),
                plaza_type=_of(assignment, victim, lambda one: one.service.plaza_type.value),
                promotion=_of(assignment, victim, lambda one: one.service.promotion),
                bounds=admitted(count, certainty),
            )
        )
    return lines


def _of(assignment: Assignment | None, victim: Victim, read: Callable[[Assignment], str]) -> str:
    if assignment is not None:
        return read(assignment)
    return UNKNOWN if victim.role in _SERVING else NOT_APPLICABLE


def _manner(victim: Victim) -> str:
    """Of death: of the living it cannot be asked, and of whom it is not known whether they live it is not known."""
    if victim.outcome is Outcome.KILLED:
        return UNKNOWN if victim.manner is None else victim.manner.value
    return victim.outcome.value if victim.outcome in (UNKNOWN, NOT_REPORTED) else NOT_APPLICABLE


def _site(incident: Incident, victim: Victim, assignment: Assignment | None) -> str:
    """Where it happened (rule 7). Who was on duty at the own site was where the assignment says that this is."""
    where = incident.where
    if where is not None and where.site is not None and where.precision is PlacePrecision.SITE:
        return str(where.site)
    if victim.nexus is not Nexus.ON_DUTY_AT_SITE or assignment is None or incident.when is None:
        return UNKNOWN
    earliest, latest = bounds(incident.when)
    if earliest is None:
        return UNKNOWN
    stays = assignment.service.stays()
    sites = [str(stay.site) for stay in stays if stay.since <= earliest and latest < stay.until]
    return sites[0] if sites else UNKNOWN


def _quarter(when: When | None) -> str:
    """``2026-Q1``, UNKNOWN where the interval crosses from one quarter to the next."""
    if when is None:
        return UNKNOWN
    earliest, latest = bounds(when)
    if earliest is None or _name(earliest) != _name(latest):
        return UNKNOWN
    return _name(latest)


def _name(day: date) -> str:
    return f"{day.year:04d}-Q{(day.month + 2) // 3}"
