"""What happened in the invented register: cases, some arranged so that every view shows something, most by chance.

The arranged ones lie in the first whole year of the plan, so that all their waits are over at its end.
"""

from collections.abc import Iterator
from datetime import date
from random import Random
from typing import Any, Final

from msgspec.structs import replace

from api.demo.case import Case, Harmed
from api.demo.chance import by_chance
from api.demo.places import People, Placement
from registry.domain.claims import Range
from registry.domain.codes import (
    UNKNOWN,
    AttackKind,
    Certainty,
    CorrectionReason,
    DatePrecision,
    IncidentClass,
    Manner,
    Nexus,
    Outcome,
    PlacePrecision,
    Sex,
    ThreatKind,
    VictimRole,
)

BY_CHANCE: Final = 190
"""Cases that nobody arranged."""

_LEVELS: Final = (Certainty.POSSIBLE, Certainty.PROBABLE, Certainty.CONFIRMED)

ATTACK, THREAT = IncidentClass.ATTACK, IncidentClass.THREAT


def first_whole_year(begin: date) -> int:
    """The year in which the arranged cases lie."""
    return begin.year if begin.month == 1 else begin.year + 1


def cases(begin: date, students: list[Placement], chance: Random) -> list[Case]:
    """All cases, the arranged ones first. Nobody is the victim of two."""
    people = People(students, chance)
    arranged = _Arranged(first_whole_year(begin), people)
    found = [
        *arranged.crowds(),
        *arranged.sexual_violence(),
        *arranged.deaths(),
        *arranged.unknowns(),
        *arranged.turns(),
        *arranged.unreleased(),
    ]
    return found + [by_chance(begin, people, chance) for _ in range(BY_CHANCE)]


class _Arranged:
    """Cases that make every rung of the ladder, and every turn, appear."""

    def __init__(self, year: int, people: People) -> None:
        self._year, self._people = year, people

    def crowds(self) -> Iterator[Case]:
        """Enough alike, in one class and year, to open up to the state, the kind, the municipality, the month."""
        possible, probable, confirmed = _LEVELS
        for day, level in ((4, possible), (11, confirmed), (19, probable), (26, probable)):
            yield self._attack(
                AttackKind.ROBBERY, date(self._year, 3, day), "16002", certainty=level, relocates=day == 19
            )
        for number, level in ((2, probable), (4, possible), (6, confirmed), (9, confirmed)):
            yield self._attack(
                AttackKind.ARMED_ATTACK, date(self._year, number, 14), "12002", certainty=level
            )
        for number, place, level in (
            (1, "08002", probable),
            (5, "08003", possible),
            (10, "08002", confirmed),
        ):
            yield self._attack(AttackKind.EXTORTION, date(self._year, number, 9), place, certainty=level)
        for number, kind in ((3, AttackKind.ROBBERY), (5, AttackKind.OBSTRUCTION), (8, AttackKind.ABDUCTION)):
            yield self._attack(kind, date(self._year, number, 20), "20", certainty=probable)
        for number, level in ((2, possible), (3, probable), (7, confirmed)):
            yield self._case(
                THREAT,
                ThreatKind.ORDER_TO_LEAVE,
                date(self._year, number, 6),
                "25002",
                certainty=level,
                relocates=True,
            )
        # Alone in its state and its year, but found public by both reviewers: open up to the municipality.
        yield self._attack(
            AttackKind.COERCED_CARE,
            date(self._year, 4, 17),
            "32",
            already_public=True,
            certainty=Certainty.CONFIRMED,
        )
        # And one that is nobody's like: the first rung only.
        yield self._attack(
            AttackKind.COERCED_CARE, date(self._year, 6, 2), "06", certainty=Certainty.PROBABLE
        )

    def sexual_violence(self) -> Iterator[Case]:
        """One kind reaches k = 10 in its year, nationwide; the other does not and stays sealed."""
        for number in range(12):
            yield self._attack(
                AttackKind.SEXUAL_VIOLENCE,
                date(self._year, number % 9 + 1, 2 + number),
                f"{7 + number:02d}",
                certainty=_LEVELS[number % 3],
            )
        for number in range(4):
            yield self._attack(AttackKind.HARASSMENT, date(self._year, 4 + number, 8), f"{18 + number:02d}")

    def deaths(self) -> Iterator[Case]:
        """Tier 1, with its exceptions."""
        killed = Harmed(outcome=Outcome.KILLED, manner=Manner.HOMICIDE)
        yield self._attack(
            AttackKind.ARMED_ATTACK,
            date(self._year, 5, 23),
            "25",
            certainty=Certainty.CONFIRMED,
            harm=replace(killed, nexus=Nexus.COMMUTE),
        )
        # A driver dies with the student: two dead, one of them in scope.
        public = self._attack(
            AttackKind.ARMED_ATTACK,
            date(self._year, 8, 5),
            "08",
            certainty=Certainty.CONFIRMED,
            already_public=True,
            harm=replace(killed, nexus=Nexus.ON_DUTY_TRANSFER),
        )
        driver = Harmed(
            role=VictimRole.STAFF, sex=Sex.MALE, outcome=Outcome.KILLED, nexus=Nexus.ON_DUTY_TRANSFER
        )
        yield replace(public, victims=(*public.victims, driver))
        yield self._attack(
            AttackKind.SEXUAL_VIOLENCE,
            date(self._year, 9, 12),
            "15",
            certainty=Certainty.PROBABLE,
            harm=replace(killed, manner=Manner.FEMINICIDE),
        )
        yield self._attack(
            AttackKind.PHYSICAL_ASSAULT,
            date(self._year, 10, 3),
            "21",
            certainty=Certainty.CONFIRMED,
            harm=replace(killed, nexus=Nexus.OFF_DUTY_ELSEWHERE),
        )
        yield self._attack(
            AttackKind.DEATH_UNDETERMINED,
            date(self._year, 2, 27),
            "12003",
            harm=replace(killed, manner=Manner.DISPUTED, nexus=Nexus.LIVING_QUARTERS),
        )
        missing = Harmed(outcome=Outcome.MISSING, nexus=Nexus.COMMUTE)
        yield self._attack(
            AttackKind.DISAPPEARANCE,
            date(self._year, 7, 1),
            "28",
            certainty=Certainty.PROBABLE,
            family_agrees=True,
            harm=missing,
        )
        yield self._attack(
            AttackKind.DISAPPEARANCE,
            date(self._year, 11, 15),
            "24",
            certainty=Certainty.PROBABLE,
            harm=missing,
        )

    def unknowns(self) -> Iterator[Case]:
        """What no source knows: the place, the kind, the year."""
        for number in (1, 4, 6, 11):
            yield self._case(
                THREAT,
                ThreatKind.MESSAGE,
                date(self._year, number, 18),
                "",
                certainty=Certainty.POSSIBLE,
                place_precision=PlacePrecision.COUNTRY,
            )
        for number in (3, 5, 9):
            yield self._attack(UNKNOWN, date(self._year, number, 25), "08")
        for number in (1, 2):
            yield self._attack(
                AttackKind.PHYSICAL_ASSAULT,
                date(self._year + 1, 1, 10 * number),
                f"{3 + number:02d}",
                date_precision=DatePrecision.INTERVAL,
                spread=60,
            )

    def turns(self) -> Iterator[Case]:
        """What is found wrong, withdrawn or refuted after it was released, and what was never in scope."""
        yield self._attack(
            AttackKind.ROBBERY, date(self._year, 1, 12), "13", retracted=CorrectionReason.DUPLICATE
        )
        yield self._case(
            THREAT,
            ThreatKind.VERBAL,
            date(self._year, 2, 8),
            "29",
            retracted=CorrectionReason.SOURCE_WITHDRAWN,
        )
        yield self._attack(AttackKind.EXTORTION, date(self._year, 3, 3), "22", lowered=Certainty.REFUTED)
        yield self._case(THREAT, ThreatKind.WRITTEN, date(self._year, 4, 4), "17", lowered=Certainty.RUMOUR)
        yield self._attack(
            AttackKind.ROBBERY, date(self._year, 5, 5), "30003", corrected=AttackKind.ARMED_ATTACK
        )
        yield Case(
            incident_class=ATTACK,
            kind=AttackKind.SITE_ATTACK,
            day=date(self._year, 6, 16),
            cvegeo="08003",
            victims=(
                Harmed(
                    role=VictimRole.STAFF,
                    outcome=Outcome.KILLED,
                    sex=Sex.MALE,
                    manner=Manner.HOMICIDE,
                    count=Range(low=1, best=1, high=2),
                ),
            ),
            certainty=Certainty.PROBABLE,
            moves_many=True,
        )
        two = self._attack(
            AttackKind.PHYSICAL_ASSAULT, date(self._year, 8, 22), "19", certainty=Certainty.CONFIRMED
        )
        other = self._people.serving(two.day, "19")
        yield replace(two, victims=(*two.victims, Harmed(placement=other, sex=other.sex)))
        yield Case(
            incident_class=ATTACK,
            kind=AttackKind.ABDUCTION,
            day=date(self._year, 9, 27),
            cvegeo="10002",
            victims=(Harmed(outcome=Outcome.MINOR, count=Range(low=2, best=3, high=5)),),
            certainty=Certainty.PROBABLE,
        )

    def unreleased(self) -> Iterator[Case]:
        """Rumours, and a case that nobody has judged yet: the public hears nothing of them."""
        for number in range(5):
            yield self._attack(
                AttackKind.ABDUCTION,
                date(self._year, 2 + number, 13),
                f"{23 + number:02d}",
                certainty=Certainty.RUMOUR,
            )
        yield self._case(THREAT, ThreatKind.SURVEILLANCE, date(self._year, 10, 10), "31", certainty=None)

    def _attack(self, kind: str, day: date, place: str, **more: Any) -> Case:
        return self._case(ATTACK, kind, day, place, **more)

    def _case(
        self,
        incident_class: IncidentClass,
        kind: str,
        day: date,
        place: str,
        *,
        harm: Harmed | None = None,
        **more: Any,
    ) -> Case:
        """A case of one student who serves that day where the code begins so. ``more`` are fields of ``Case``."""
        student = self._people.serving(day, place)
        case = Case(
            incident_class=incident_class,
            kind=kind,
            day=day,
            cvegeo=student.cvegeo,
            victims=(replace(harm or Harmed(), placement=student, sex=student.sex),),
        )
        return replace(case, **more)
