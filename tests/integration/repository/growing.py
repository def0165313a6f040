"""An incident that grows, event by event."""

from uuid import UUID

import pytest

from registry.application import incidents, reports
from registry.application.drafts import IncidentDraft, VictimDraft
from registry.application.execution.application import Application
from registry.application.execution.unit import Actor, WriteOptions
from registry.domain.codes import IncidentClass, VictimRole
from registry.store import EventStore
from tests.integration.test_application import attack

VICTIM = VictimDraft(role=VictimRole.STAFF)


async def opened(app: Application, university: Actor, verifier: Actor) -> UUID:
    report = await app.execute(university, reports.submit(attack()), WriteOptions())
    draft = IncidentDraft(class_=IncidentClass.ATTACK, reports=[report.id])
    return (await app.execute(verifier, incidents.open_incident(draft), WriteOptions())).id


async def grow(app: Application, actor: Actor, incident: UUID, count: int) -> None:
    for _ in range(count):
        await app.execute(actor, incidents.record_victim(incident, VICTIM), WriteOptions())


def note_reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """After which version streams are read from now on."""
    asked: list[int] = []
    history = EventStore.history

    async def noting(store: EventStore, stream_id: UUID, after_version: int = 0) -> list[tuple[str, bytes]]:
        asked.append(after_version)
        return await history(store, stream_id, after_version)

    monkeypatch.setattr(EventStore, "history", noting)
    return asked
