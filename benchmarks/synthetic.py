"""Invented events of realistic size, ready to be stored: assignments and relocations of nobody."""

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

from eventsourcing.persistence import StoredEvent

from registry.domain.assignment_events import AssignmentRegistered, AssignmentRelocated
from registry.domain.codes import PlazaType, RelocationReason
from registry.domain.event import By, Event
from registry.domain.mapper import encode_event
from registry.log.leaf import entry_leaf
from registry.log.merkle import leaf_hash
from registry.store import Command, NewEvent

BY = By(institution=UUID(int=1, version=4), key=UUID(int=2, version=4))
AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_COMMITMENT = "3q2+7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


def commands(count: int, events: int = 1) -> list[Command]:
    """Commands of so many events, each event the first of a new stream."""
    return [Command(tuple(_relocated(uuid4(), 1) for _ in range(events))) for _ in range(count)]


def history(length: int) -> tuple[NewEvent, ...]:
    """A whole stream: an assignment and its relocations."""
    stream = uuid4()
    return (_registered(stream), *(_relocated(stream, version) for version in range(2, length + 1)))


def stored_event(event: NewEvent) -> StoredEvent:
    """The same stream, version, name and state for the library, which has no leaves."""
    return StoredEvent(event.stream_id, event.version, event.type, event.state)


def _registered(stream: UUID) -> NewEvent:
    return _new(
        AssignmentRegistered(
            originator_id=stream,
            originator_version=1,
            event_id=uuid4(),
            recorded=AT,
            by=BY,
            student="3q2-7wAAAAAAAAAAAAAAAAAAAAAA",
            institution=UUID(int=1, version=4),
            site=UUID(int=2, version=4),
            promotion="2026-1",
            plaza_type=PlazaType.A,
            starts=date(2026, 2, 1),
            planned_end=date(2027, 1, 31),
        )
    )


def _relocated(stream: UUID, version: int) -> NewEvent:
    return _new(
        AssignmentRelocated(
            originator_id=stream,
            originator_version=version,
            event_id=uuid4(),
            recorded=AT,
            by=BY,
            from_=UUID(int=2, version=4),
            to=UUID(int=3, version=4),
            effective=date(2026, 3, 2),
            reason=RelocationReason.THREAT,
            trigger_incident=uuid4(),
            request=None,
        )
    )


def _new(event: Event) -> NewEvent:
    """About 450 bytes of state and 160 of leaf."""
    leaf = entry_leaf(event.event_id, _COMMITMENT)
    return NewEvent(
        event.event_id,
        event.originator_id,
        event.originator_version,
        event.TOPIC,
        encode_event(event),
        leaf,
        leaf_hash(leaf),
    )
