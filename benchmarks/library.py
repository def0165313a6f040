"""The alternative: the same aggregates as anyone would write them with the ``eventsourcing`` library, on PostgreSQL."""

from datetime import date
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import Transcoding

from benchmarks.harness import LIBRARY_THREADS, postgres_parameters


class Assignment(Aggregate):
    """A student's year of service, in the library's own style."""

    @event("Registered")
    def __init__(
        self,
        *,
        student: str,
        institution: UUID,
        site: UUID,
        promotion: str,
        plaza_type: str,
        starts: date,
        planned_end: date,
    ) -> None:
        self.student = student
        self.institution = institution
        self.site = site
        self.promotion = promotion
        self.plaza_type = plaza_type
        self.starts = starts
        self.planned_end = planned_end
        self.since = starts

    @event("Relocated")
    def relocate(
        self,
        from_: UUID,  # noqa: ARG002 - the library makes the event's fields from the parameters
        to: UUID,
        effective: date,
        reason: str,  # noqa: ARG002
        trigger_incident: UUID,  # noqa: ARG002
    ) -> None:
        """The student goes on at another site."""
        self.site = to
        self.since = effective


class Report(Aggregate):
    """One source's account; everything in one event, nothing sealed or encrypted."""

    @event("Submitted")
    def __init__(self, *, institution: UUID, account: dict[str, Any]) -> None:
        self.institution = institution
        self.account = account


class DateAsISO(Transcoding):
    """Dates, which the library's JSON does not know."""

    type = date
    name = "date_iso"

    def encode(self, obj: date) -> str:
        return obj.isoformat()

    def decode(self, data: str) -> date:
        return date.fromisoformat(data)


class Register(Application[UUID]):
    """The library's application with its default mapper."""

    name = "register"

    def register_transcodings(self, transcoder: Any) -> None:
        super().register_transcodings(transcoder)
        transcoder.register(DateAsISO())


def environment(address: str) -> dict[str, str]:
    """The library's settings for a database of the server."""
    parameters = {
        f"POSTGRES_{name.upper()}": str(value) for name, value in postgres_parameters(address).items()
    }
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_POOL_SIZE": str(LIBRARY_THREADS),
        **parameters,
    }


def assignment(relocations: int) -> Assignment:
    """An assignment with so many relocations, not saved yet."""
    made = Assignment(
        student="3q2-7wAAAAAAAAAAAAAAAAAAAAAA",
        institution=UUID(int=1, version=4),
        site=UUID(int=2, version=4),
        promotion="2026-1",
        plaza_type="A",
        starts=date(2026, 2, 1),
        planned_end=date(2027, 1, 31),
    )
    for number in range(relocations):
        relocate(made, UUID(int=2 + number % 2, version=4))
    return made


def relocate(aggregate: Assignment, to: UUID) -> None:
    """One more relocation."""
    aggregate.relocate(
        from_=aggregate.site,
        to=to,
        effective=date(2026, 3, 2),
        reason="THREAT",
        trigger_incident=UUID(int=3, version=4),
    )
