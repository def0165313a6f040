"""Cases that nobody arranged: like many others, drawn at random."""

from datetime import date, timedelta
from random import Random
from typing import Final

from api.demo.case import Case, Harmed
from api.demo.places import People
from api.demo.plan import MONTHS, month
from registry.domain.claims import Perpetrator
from registry.domain.codes import (
    UNKNOWN,
    AttackKind,
    AttributionBasis,
    Certainty,
    IncidentClass,
    Means,
    Nexus,
    Outcome,
    PerpetratorGroup,
    ThreatKind,
)

LAST_MONTH: Final = MONTHS - 2
"""Something that happens later than this could not be reported before the plan ends."""

ATTACK, THREAT = IncidentClass.ATTACK, IncidentClass.THREAT


def by_chance(begin: date, people: People, chance: Random) -> Case:
    """A case like many others."""
    first = month(begin, chance.randrange(LAST_MONTH + 1))
    day = first + timedelta(days=chance.randrange(28))
    incident_class = chance.choices((ATTACK, THREAT), (60, 40))[0]
    placement = people.serving(day)
    kind: str = chance.choice(_KINDS[incident_class])
    harmed = Harmed(
        placement=placement,
        sex=placement.sex,
        outcome=chance.choices(
            (
                Outcome.NONE,
                Outcome.PSYCHOLOGICAL,
                Outcome.MINOR,
                Outcome.MODERATE,
                Outcome.SEVERE,
                Outcome.UNKNOWN,
            ),
            (5, 40, 25, 15, 8, 7) if incident_class is ATTACK else (30, 65, 0, 0, 0, 5),
        )[0],
        nexus=chance.choices(
            (
                Nexus.ON_DUTY_AT_SITE,
                Nexus.LIVING_QUARTERS,
                Nexus.COMMUTE,
                Nexus.ON_DUTY_TRANSFER,
                Nexus.OFF_DUTY_SAME_MUNICIPALITY,
                Nexus.UNKNOWN,
            ),
            (45, 20, 15, 5, 10, 5),
        )[0],
    )
    return Case(
        incident_class=incident_class,
        kind=kind,
        day=day,
        cvegeo=placement.cvegeo,
        victims=(harmed,),
        certainty=chance.choices(
            (Certainty.RUMOUR, Certainty.POSSIBLE, Certainty.PROBABLE, Certainty.CONFIRMED, None),
            (8, 34, 32, 22, 4),
        )[0],
        means=chance.choice((Means.FIREARM, Means.BODILY, Means.BLADE, Means.NONE, Means.UNKNOWN)),
        perpetrator=Perpetrator(
            group=chance.choice(tuple(PerpetratorGroup)), basis=chance.choice(tuple(AttributionBasis))
        ),
        relocates=chance.random() < 0.15,
    )


_KINDS: Final[dict[IncidentClass, tuple[str, ...]]] = {
    # Tier 3 and the deaths are arranged above, so that their numbers are known.
    ATTACK: (
        AttackKind.PHYSICAL_ASSAULT,
        AttackKind.ROBBERY,
        AttackKind.EXTORTION,
        AttackKind.COERCED_CARE,
        AttackKind.ARMED_ATTACK,
        AttackKind.OBSTRUCTION,
        UNKNOWN,
    ),
    THREAT: tuple(ThreatKind),
}
