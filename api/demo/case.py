"""What is told of a case: who was harmed, when, where, how, and what becomes of it in the register."""

from datetime import date

import msgspec

from api.demo.places import Placement
from registry.domain.claims import Perpetrator, Range
from registry.domain.codes import (
    Certainty,
    CorrectionReason,
    DatePrecision,
    IncidentClass,
    Manner,
    Means,
    Nexus,
    Outcome,
    PlacePrecision,
    Sex,
    VictimRole,
)


class Harmed(msgspec.Struct, frozen=True, kw_only=True):
    """A victim: a student who serves, or somebody (or several) of another role or unnamed."""

    placement: Placement | None = None
    role: VictimRole = VictimRole.PASANTE_MEDICINE
    sex: Sex = Sex.UNKNOWN
    outcome: Outcome = Outcome.PSYCHOLOGICAL
    nexus: Nexus = Nexus.ON_DUTY_AT_SITE
    manner: Manner | None = None
    count: Range | None = None


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One occurrence and what becomes of it in the register.

    ``certainty`` is the level that the reviewers set, None while they have set none. ``spread`` is by how many days
    the sources' interval reaches back. Later turns, each None or False where it does not come: ``retracted``,
    ``lowered`` (to RUMOUR or REFUTED), ``corrected`` (to another kind), ``relocates`` (the victim moves because of it).
    """

    incident_class: IncidentClass
    kind: str
    day: date
    cvegeo: str
    victims: tuple[Harmed, ...]
    certainty: Certainty | None = Certainty.POSSIBLE
    date_precision: DatePrecision = DatePrecision.DAY
    place_precision: PlacePrecision = PlacePrecision.MUNICIPALITY
    spread: int = 0
    means: Means = Means.UNKNOWN
    perpetrator: Perpetrator | None = None
    already_public: bool = False
    family_agrees: bool = False
    retracted: CorrectionReason | None = None
    lowered: Certainty | None = None
    corrected: str | None = None
    relocates: bool = False
    moves_many: bool = False

    @property
    def named(self) -> tuple[Placement, ...]:
        """The victims who are known students."""
        return tuple(harmed.placement for harmed in self.victims if harmed.placement is not None)
