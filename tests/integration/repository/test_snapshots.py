"""Snapshots: taken early, refused when doubtful, and never needed."""

import logging
from collections.abc import Iterator
from datetime import date
from uuid import UUID

import asyncpg
import msgspec
import pytest

from registry.application import incidents
from registry.application.drafts import CertaintyDraft, FindingDraft, Student, VictimDraft, WhenDraft
from registry.application.execution.application import Application
from registry.application.execution.repository import Repository
from registry.application.execution.unit import Actor, WriteOptions
from registry.domain.codes import Certainty, CorrectionReason, DatePrecision, VictimRole
from registry.domain.incident import Incident
from registry.domain.mapper import decode_event
from registry.store.snapshots import Snapshots
from tests.integration.repository.conftest import INTERVAL
from tests.integration.repository.growing import grow, note_reads


async def snapshot_versions(pool: asyncpg.Pool) -> list[int]:
    return [row["version"] for row in await pool.fetch("SELECT version FROM snapshots ORDER BY stream_id")]


async def full_replay(app: Application, incident: UUID) -> Incident:
    """The incident, folded from its first event by hand."""
    folded = Incident(id=incident)
    for topic, state in await app.store.history(incident):
        folded.fold(decode_event(topic, state))
    return folded


async def test_a_snapshot_is_taken_every_interval_and_replaces_the_one_before(
    app: Application, pool: asyncpg.Pool, verifier: Actor, incident: UUID, repository: Repository
) -> None:
    seen = []
    for _ in range(11):
        await repository.load(Incident, incident)
        seen.append(await snapshot_versions(pool))
        await grow(app, verifier, incident, 1)
    assert seen == [[]] * 4 + [[5]] * 5 + [[10]] * 2


async def test_from_a_snapshot_only_the_tail_is_read_and_the_result_is_the_replay(
    app: Application,
    pool: asyncpg.Pool,
    verifier: Actor,
    incident: UUID,
    repository: Repository,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await grow(app, verifier, incident, 8)
    await repository.load(Incident, incident)
    assert await snapshot_versions(pool) == [9]
    await grow(app, verifier, incident, 2)

    asked = note_reads(monkeypatch)
    from_snapshot = await Repository(app.store, Snapshots(pool)).load(Incident, incident)
    assert asked == [9]
    assert from_snapshot is not None
    assert from_snapshot.version == 11
    assert from_snapshot == await full_replay(app, incident)


async def test_deleting_all_snapshots_changes_nothing(
    app: Application, pool: asyncpg.Pool, verifier: Actor, incident: UUID, repository: Repository
) -> None:
    await grow(app, verifier, incident, 8)
    with_snapshot = await repository.load(Incident, incident)
    await pool.execute("DELETE FROM snapshots")
    for repository_of_a_new_process in (
        repository,
        Repository(app.store, Snapshots(pool), interval=INTERVAL),
    ):
        assert await repository_of_a_new_process.load(Incident, incident) == with_snapshot
    assert await snapshot_versions(pool) == [9]


@pytest.mark.parametrize(
    "damage",
    [
        "state = set_byte(state, 20, get_byte(state, 20) # 1)",
        "state = ''",
        "version = version - 1",
        "digest = sha256('other')",
    ],
)
async def test_a_corrupt_snapshot_is_refused_visibly_and_the_events_are_replayed(
    app: Application,
    pool: asyncpg.Pool,
    verifier: Actor,
    incident: UUID,
    repository: Repository,
    caplog: pytest.LogCaptureFixture,
    damage: str,
) -> None:
    await grow(app, verifier, incident, 8)
    expected = await repository.load(Incident, incident)
    await pool.execute(f"UPDATE snapshots SET {damage}")

    fresh = Repository(app.store, Snapshots(pool), interval=INTERVAL)
    with caplog.at_level(logging.WARNING):
        assert await fresh.load(Incident, incident) == expected
    assert f"the snapshot of stream {incident} is refused" in caplog.text
    caplog.clear()
    assert await Repository(app.store, Snapshots(pool)).load(Incident, incident) == expected
    assert caplog.text == "", "the replay has put a good snapshot in the place of the bad one"


async def test_a_snapshot_of_another_shape_is_left_alone(
    app: Application,
    pool: asyncpg.Pool,
    verifier: Actor,
    incident: UUID,
    repository: Repository,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await grow(app, verifier, incident, 8)
    expected = await repository.load(Incident, incident)
    await pool.execute("UPDATE snapshots SET shape = sha256('of an older program'), state = 'unreadable'")
    assert await Repository(app.store, Snapshots(pool)).load(Incident, incident) == expected
    assert caplog.text == ""


async def test_a_snapshot_ahead_of_its_stream_is_none(
    app: Application, pool: asyncpg.Pool, verifier: Actor, incident: UUID, repository: Repository
) -> None:
    """As after the events were restored from a backup that is older than the snapshots."""
    await grow(app, verifier, incident, 8)
    await repository.load(Incident, incident)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute("DELETE FROM events WHERE stream_id = $1 AND version > 4", incident)
    restored = await Repository(app.store, Snapshots(pool)).load(Incident, incident)
    assert restored is not None
    assert (restored.version, len(restored.victims)) == (4, 3)


async def test_without_a_place_for_snapshots_everything_goes_on(
    app: Application,
    pool: asyncpg.Pool,
    verifier: Actor,
    incident: UUID,
    repository: Repository,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await pool.execute("ALTER TABLE snapshots ADD CONSTRAINT full_disk CHECK (false)")
    await grow(app, verifier, incident, 8)
    loaded = await repository.load(Incident, incident)
    assert loaded is not None
    assert len(loaded.victims) == 8
    assert caplog.text.count("no snapshot of stream") == 1
    await repository.load(Incident, incident)
    assert caplog.text.count("no snapshot of stream") == 1


async def test_no_private_value_is_in_a_snapshot(
    app: Application, pool: asyncpg.Pool, verifier: Actor, incident: UUID
) -> None:
    secrets = {
        "wording": "el lunes de la fiesta",
        "source": "https://private.example/aviso",
        "curp": "XEXX010101HDFRRN09",
        "number": "INTERNAL-41",
    }
    finding = FindingDraft(
        when=WhenDraft(
            earliest=date(2026, 1, 5),
            latest=date(2026, 1, 5),
            precision=DatePrecision.DAY,
            wording=secrets["wording"],
        ),
        sources=[secrets["source"]],
    )
    await app.execute(verifier, incidents.record_finding(incident, finding), WriteOptions())
    for student in (Student(curp=secrets["curp"]), Student(internal_id=secrets["number"])):
        victim = VictimDraft(role=VictimRole.PASANTE_MEDICINE, student=student)
        await app.execute(verifier, incidents.record_victim(incident, victim), WriteOptions())
    await app.execute(
        verifier, incidents.set_certainty(incident, CertaintyDraft(level=Certainty.POSSIBLE)), WriteOptions()
    )
    every_event = Repository(app.store, Snapshots(pool), interval=1)
    loaded = await every_event.load(Incident, incident)
    assert loaded is not None
    assert len(loaded.victims) == 2

    row = await pool.fetchrow("SELECT * FROM snapshots WHERE stream_id = $1", incident)
    assert row is not None
    events = b"".join(one.state for one in await app.store.read_stream(incident))
    stored = b"".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
    for secret in secrets.values():
        assert secret.encode() not in stored
    # Every text of the state is one that an event of the stream holds, too: nothing came from anywhere else.
    for text in _texts(msgspec.msgpack.decode(row["state"])):
        assert text.encode() in events or text in CorrectionReason.__members__, text


def _texts(state: object) -> Iterator[str]:
    """Every text in a decoded state, but for the names of its fields."""
    match state:
        case str():
            yield state
        case list():
            for item in state:
                yield from _texts(item)
        case dict():
            yield from _texts(list(state.values()))
