"""Who acts, when and about whom, in all golden events."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from registry.domain.claims import Range, Victim, When, Where
from registry.domain.codes import DatePrecision, Manner, Nexus, Outcome, PlacePrecision, Sex, VictimRole
from registry.domain.event import By


def numbered(number: int) -> UUID:
    return UUID(int=(0x5EED << 96) + number, version=4)


OPERATOR = By(institution=None, key=None)
UNIVERSITY = By(institution=numbered(1), key=numbered(2))
REVIEWER = By(institution=numbered(3), key=numbered(4))
SECOND_REVIEWER = By(institution=numbered(5), key=None)
STUDENT = "person-0b6f3f8c2c6a4f5e9d0a"


def envelope(stream: int, version: int, by: By, at: datetime | None = None) -> dict[str, Any]:
    return {
        "originator_id": numbered(stream),
        "originator_version": version,
        "event_id": numbered(stream * 1000 + version),
        "recorded": at or datetime(2026, 3, 2, 12, 0, version, 123456, tzinfo=UTC),
        "by": by,
    }


DAY = When(earliest=date(2026, 1, 5), latest=date(2026, 1, 6), precision=DatePrecision.DAY)
CLINIC = Where(state="16", cvegeo="16012", site=numbered(11), precision=PlacePrecision.SITE)

NAMED_VICTIM = Victim(
    role=VictimRole.PASANTE_MEDICINE,
    sex=Sex.FEMALE,
    outcome=Outcome.KILLED,
    nexus=Nexus.ON_DUTY_AT_SITE,
    manner=Manner.DISPUTED,
    person=STUDENT,
    assignment=numbered(20),
)
VICTIMS = Victim(
    role=VictimRole.STAFF,
    sex=Sex.NOT_REPORTED,
    outcome=Outcome.UNKNOWN,
    nexus=Nexus.UNKNOWN,
    count=Range(low=2, best=3, high=1_000_000),
)
