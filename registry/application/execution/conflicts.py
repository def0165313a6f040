"""What a caller who came too late is told: which events changed the record since it was read, never what they say."""

from uuid import UUID

from registry.application.execution.unit import Actor, no_such_record
from registry.domain.mapper import decode_event
from registry.errors import Change, RegistryError, VersionConflict
from registry.store import EventStore


async def explain_conflict(
    store: EventStore, actor: Actor, stream_id: UUID, read_version: int
) -> RegistryError:
    """The error to raise. To whoever may not see the record, it does not exist."""
    recorded = await store.read_stream(stream_id)
    events = [decode_event(one.type, one.state) for one in recorded]
    first = events[0]
    if not (actor.sees_all or first.OPEN or first.by.institution == actor.institution):
        return no_such_record()
    changes = [
        Change(event.originator_version, event.TOPIC, event.touched())
        for event in events
        if event.originator_version > read_version
    ]
    return VersionConflict(stream_id, events[-1].originator_version, changes)
