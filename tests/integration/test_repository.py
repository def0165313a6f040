"""Aggregates over a real database: loaded from memory, snapshot or first event alike, changed one after another."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Set
from datetime import date
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest

from registry.application import assignments, incidents, reports
from registry.application.drafts import (
    AssignmentDraft,
    CertaintyDraft,
    FindingDraft,
    IncidentDraft,
    RetractionDraft,
    SiteDraft,
    SiteSuspensionDraft,
    Student,
    VictimDraft,
    WhenDraft,
)
from registry.application.execution import application
from registry.application.execution.application import Application
from registry.application.execution.repository import Repository
from registry.application.execution.unit import OPERATOR, Actor, Unit, WriteOptions
from registry.application.imports import bulk
from registry.application.imports.rows import RowRejected, check, execute_all
from registry.application.places import sites
from registry.domain.assignment import Assignment
from registry.domain.codes import (
    Certainty,
    CorrectionReason,
    DatePrecision,
    IncidentClass,
    PlazaType,
    SiteSuspensionReason,
    VictimRole,
)
from registry.domain.event import Aggregate
from registry.domain.incident import Incident
from registry.domain.mapper import decode_event
from registry.domain.report import Report
from registry.errors import RuleViolated, VersionConflict
from registry.log.keys import LogKeys
from registry.privacy.master import MasterKey
from registry.privacy.vault import SealingKeys
from registry.store import EventStore
from registry.store.snapshots import Snapshots
from tests.integration.conftest import Clock
from tests.integration.test_application import attack

INTERVAL = 5
"""Events between snapshots in these tests."""

VICTIM = VictimDraft(role=VictimRole.STAFF)


@pytest.fixture
async def incident(app: Application, university: Actor, verifier: Actor) -> UUID:
    """An incident with one event."""
    return await opened(app, university, verifier)


async def opened(app: Application, university: Actor, verifier: Actor) -> UUID:
    report = await app.execute(university, reports.submit(attack()), WriteOptions())
    draft = IncidentDraft(class_=IncidentClass.ATTACK, reports=[report.id])
    return (await app.execute(verifier, incidents.open_incident(draft), WriteOptions())).id


@pytest.fixture
async def second(
    pool: asyncpg.Pool, master: MasterKey, log_keys: LogKeys, clock: Clock
) -> AsyncIterator[Application]:
    """Another process on the same database."""
    async with Application(pool, master, log_keys, clock=clock) as another:
        yield another


@pytest.fixture
def repository(app: Application, pool: asyncpg.Pool) -> Repository:
    """One that takes snapshots early."""
    return Repository(app.store, Snapshots(pool), interval=INTERVAL)


async def grow(app: Application, actor: Actor, incident: UUID, count: int) -> None:
    for _ in range(count):
        await app.execute(actor, incidents.record_victim(incident, VICTIM), WriteOptions())


# Commands on one aggregate


async def test_sixty_four_contenders_without_if_match_all_succeed_at_their_first_attempt(
    app: Application, verifier: Actor, incident: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "MAX_ATTEMPTS", 1)
    accepted = await asyncio.gather(
        *(app.execute(verifier, incidents.record_victim(incident, VICTIM), WriteOptions()) for _ in range(64))
    )
    assert sorted(one.version for one in accepted) == list(range(2, 66))
    loaded = await app.load(Incident, incident)
    assert loaded is not None
    assert (loaded.version, len(loaded.victims)) == (65, 64)


async def test_of_sixty_four_contenders_with_if_match_exactly_one_wins(
    app: Application, verifier: Actor, incident: UUID
) -> None:
    outcomes = await asyncio.gather(
        *(
            app.execute(verifier, incidents.record_victim(incident, VICTIM), WriteOptions(expected_version=1))
            for _ in range(64)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, VersionConflict) for outcome in outcomes) == 63
    assert sum(not isinstance(outcome, BaseException) for outcome in outcomes) == 1


@pytest.mark.parametrize("expected_version", [None, 1])
async def test_a_request_sent_many_times_at_once_is_never_refused_for_what_its_twin_did(
    app: Application, verifier: Actor, incident: UUID, expected_version: int | None
) -> None:
    options = WriteOptions(idempotency_key="k", body=b"{}", expected_version=expected_version)
    retraction = incidents.retract(incident, RetractionDraft(reason=CorrectionReason.DUPLICATE))
    answers = await asyncio.gather(*(app.execute(verifier, retraction, options) for _ in range(16)))
    assert [answer.replayed for answer in answers].count(False) == 1
    assert len({answer.events[0].event_id for answer in answers}) == 1


async def test_decisions_over_two_incidents_in_opposite_orders_all_end_and_none_is_lost(
    app: Application, university: Actor, verifier: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever loses the first time, holding one turn, holds both the second time."""
    monkeypatch.setattr(application, "MAX_ATTEMPTS", 2)
    pair = [await opened(app, university, verifier) for _ in range(2)]

    def both(first: UUID, then: UUID) -> Callable[[Unit], Awaitable[Aggregate]]:
        async def decide(unit: Unit) -> Incident:
            for target in (first, then):
                await incidents.record_victim(target, VICTIM)(unit)
            return await unit.get(Incident, first)

        return decide

    async def submit(number: int) -> None:
        for order in (pair, pair[::-1]) * 4:
            await app.execute(verifier, both(*order[:: (-1) ** number]), WriteOptions())

    async with asyncio.timeout(30):
        await asyncio.gather(*(submit(number) for number in range(8)))
    for one in pair:
        loaded = await app.load(Incident, one)
        assert loaded is not None
        assert len(loaded.victims) == 64


async def test_a_caller_that_goes_away_leaves_its_turn_to_the_next(
    app: Application, verifier: Actor, incident: UUID
) -> None:
    async def one() -> None:
        await app.execute(verifier, incidents.record_victim(incident, VICTIM), WriteOptions())

    tasks = [asyncio.create_task(one()) for _ in range(20)]
    await asyncio.sleep(0.01)
    for task in tasks[::2]:
        task.cancel()
    async with asyncio.timeout(30):
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert not any(isinstance(outcome, Exception) for outcome in outcomes)
    loaded = await app.load(Incident, incident)
    assert loaded is not None
    assert len(loaded.victims) >= 10


async def test_two_processes_on_one_database_bring_each_other_forward(
    app: Application, second: Application, verifier: Actor, second_verifier: Actor, incident: UUID
) -> None:
    for count in range(1, 4):
        await grow(app, verifier, incident, 1)
        await grow(second, second_verifier, incident, 1)
        for process in (app, second):
            loaded = await process.load(Incident, incident)
            assert loaded is not None
            assert len(loaded.victims) == 2 * count
    with pytest.raises(VersionConflict):
        await second.execute(
            second_verifier,
            incidents.record_victim(incident, VICTIM),
            WriteOptions(expected_version=6),
        )
    await asyncio.gather(
        *(grow(process, verifier, incident, 5) for process in (app, second)),
    )
    loaded = await app.load(Incident, incident)
    assert loaded is not None
    assert len(loaded.victims) == 16


async def test_what_is_remembered_alone_neither_refuses_nor_accepts(
    app: Application, second: Application, verifier: Actor, second_verifier: Actor, incident: UUID
) -> None:
    await grow(app, verifier, incident, 1)  # remembered at version 2
    await grow(second, second_verifier, incident, 1)
    for read, accepted in ((2, False), (3, True)):
        writing = app.execute(
            verifier, incidents.record_victim(incident, VICTIM), WriteOptions(expected_version=read)
        )
        if accepted:
            assert (await writing).version == 4
        else:
            with pytest.raises(VersionConflict):
                await writing
    retraction = incidents.retract(incident, RetractionDraft(reason=CorrectionReason.DUPLICATE))
    await second.execute(second_verifier, retraction, WriteOptions())
    with pytest.raises(RuleViolated):
        await app.execute(verifier, retraction, WriteOptions())


@pytest.mark.parametrize("way", ["one", "together", "each"])
async def test_what_a_decision_has_only_read_must_not_change_before_it_is_stored(
    app: Application, second: Application, university: Actor, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    draft = SiteDraft(name="Clínica del Lago", cvegeo="16012")
    site = (await app.execute(OPERATOR, sites.register(draft), WriteOptions())).id
    closing = SiteSuspensionDraft(reason=SiteSuspensionReason.INSECURITY, on=date(2026, 1, 1))
    assignment = assignments.register(
        AssignmentDraft(
            student=Student(internal_id="A-17"),
            site=site,
            promotion="2026-1",
            plaza_type=PlazaType.C,
            starts=date(2026, 2, 1),
            planned_end=date(2027, 1, 31),
        )
    )
    keys_for_sealing, closed = second.vault.keys_for_sealing, False

    async def another_process_closes_the_site(subjects: Iterable[str], unknown: Set[str]) -> SealingKeys:
        nonlocal closed
        if not closed:
            closed = True
            await app.execute(OPERATOR, sites.suspend(site, closing), WriteOptions())
        return await keys_for_sealing(subjects, unknown)

    # ``second`` remembers nothing of the site: it has just looked it up.
    monkeypatch.setattr(second.vault, "keys_for_sealing", another_process_closes_the_site)
    named = WriteOptions(source_record_id="one")
    if way == "each":
        (refused,) = await bulk.store_each(second, university, [(assignment, named)])
        assert isinstance(refused, RuleViolated)
    elif way == "together":
        with pytest.raises(RowRejected):
            await execute_all(second, university, [(assignment, named)])
    else:
        with pytest.raises(RuleViolated):
            await second.execute(university, assignment, named)


# What is kept in memory


async def test_a_failed_decision_leaves_no_trace(
    app: Application, verifier: Actor, second_verifier: Actor, incident: UUID
) -> None:
    before = await app.load(Incident, incident)

    async def decide_and_fail(unit: Unit) -> Incident:
        loaded = await unit.target(Incident, incident)
        loaded.retract(unit.act, CorrectionReason.DUPLICATE)
        loaded.victims = ()
        raise RuleViolated("made-up", "No.", "No.")

    with pytest.raises(RuleViolated):
        await app.execute(verifier, decide_and_fail, WriteOptions())
    assert await app.load(Incident, incident) == before

    verdicts = await check(
        app,
        verifier,
        [(incidents.retract(incident, RetractionDraft(reason=CorrectionReason.DUPLICATE)), WriteOptions())],
    )
    assert [one.verdict for one in verdicts] == ["created"]
    assert await app.load(Incident, incident) == before
    await app.execute(second_verifier, incidents.record_victim(incident, VICTIM), WriteOptions())


async def test_what_a_caller_does_to_a_loaded_aggregate_stays_with_the_caller(
    app: Application, incident: UUID
) -> None:
    first = await app.load(Incident, incident)
    assert first is not None
    first.victims, first.version = (), 17
    first.pending.append(None)  # type: ignore[arg-type]
    again = await app.load(Incident, incident)
    assert again is not None
    assert (again.version, again.pending) == (1, [])


async def test_no_more_is_kept_than_the_bound_and_the_least_used_leave_first(
    app: Application, pool: asyncpg.Pool, university: Actor
) -> None:
    small = Repository(app.store, Snapshots(pool), capacity=3)
    ids = [(await app.execute(university, reports.submit(attack()), WriteOptions())).id for _ in range(5)]
    for report in (*ids[:3], ids[0], ids[3], ids[4]):
        assert await small.load(Report, report) is not None
    assert list(small._cache) == [ids[0], ids[3], ids[4]]


async def test_an_id_of_another_kind_or_of_nothing_is_none(app: Application, incident: UUID) -> None:
    for _ in range(2):
        assert await app.load(Assignment, incident) is None
        assert await app.load(Incident, uuid4()) is None
        assert await app.load(Incident, incident) is not None


def note_reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """After which version streams are read from now on."""
    asked: list[int] = []
    history = EventStore.history

    async def noting(store: EventStore, stream_id: UUID, after_version: int = 0) -> list[tuple[str, bytes]]:
        asked.append(after_version)
        return await history(store, stream_id, after_version)

    monkeypatch.setattr(EventStore, "history", noting)
    return asked


async def test_only_what_is_new_is_read(
    app: Application, verifier: Actor, incident: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    await grow(app, verifier, incident, 3)
    await app.load(Incident, incident)
    asked = note_reads(monkeypatch)
    await grow(app, verifier, incident, 1)
    await app.load(Incident, incident)
    assert asked == [5]  # its own events it knows


# Snapshots


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
