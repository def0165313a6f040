"""What a process remembers of aggregates, and what it keeps to itself."""

from uuid import UUID, uuid4

import asyncpg
import pytest

from registry.application import incidents, reports
from registry.application.drafts import RetractionDraft
from registry.application.execution.application import Application
from registry.application.execution.repository import Repository
from registry.application.execution.unit import Actor, Unit, WriteOptions
from registry.application.imports.rows import check
from registry.domain.assignment import Assignment
from registry.domain.codes import CorrectionReason
from registry.domain.incident import Incident
from registry.domain.report import Report
from registry.errors import RuleViolated
from registry.store.snapshots import Snapshots
from tests.integration.repository.growing import VICTIM, grow, note_reads
from tests.integration.test_application import attack


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


async def test_only_what_is_new_is_read(
    app: Application, verifier: Actor, incident: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    await grow(app, verifier, incident, 3)
    await app.load(Incident, incident)
    asked = note_reads(monkeypatch)
    await grow(app, verifier, incident, 1)
    await app.load(Incident, incident)
    assert asked == [5]  # its own events it knows
