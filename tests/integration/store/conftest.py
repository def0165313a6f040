"""Events without meaning: what the store needs of an event, and no more. And the end of a server."""

from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import psutil
import pytest

from registry.log.merkle import leaf_hash
from registry.store import Command, EventStore, Idempotency, NewEvent, SourceRecord


def event(
    stream: UUID | None = None, version: int = 1, *, leaf: bytes = b"", event_id: UUID | None = None
) -> NewEvent:
    event_id = event_id or uuid4()
    leaf = leaf or event_id.bytes
    return NewEvent(event_id, stream or uuid4(), version, "site.registered", b"{}", leaf, leaf_hash(leaf))


def command(
    *events: NewEvent, idempotency: Idempotency | None = None, records: tuple[SourceRecord, ...] = ()
) -> Command:
    return Command(events or (event(),), idempotency, records)


@pytest.fixture
async def store(pool: asyncpg.Pool) -> AsyncIterator[EventStore]:
    store = EventStore(pool)
    yield store
    await store.close()


def kill_server(data: Path) -> None:
    """Kill the embedded server of a data directory with all its processes, at once."""
    pid = int((data / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    server = psutil.Process(pid)
    family = [server, *server.children(recursive=True)]
    for process in family:
        # Some go by themselves: those that had just ended their work, and those that miss the first.
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(family, timeout=30)
