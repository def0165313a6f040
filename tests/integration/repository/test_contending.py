"""Commands on one aggregate, from many tasks and from two processes: none is lost, each sees what it decides on."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Set
from datetime import date
from uuid import UUID

import pytest

from registry.application import assignments, incidents
from registry.application.drafts import (
    AssignmentDraft,
    RetractionDraft,
    SiteDraft,
    SiteSuspensionDraft,
    Student,
)
from registry.application.execution import application
from registry.application.execution.application import Application
from registry.application.execution.unit import OPERATOR, Actor, Unit, WriteOptions
from registry.application.imports import bulk
from registry.application.imports.rows import RowRejected, execute_all
from registry.application.places import sites
from registry.domain.codes import CorrectionReason, PlazaType, SiteSuspensionReason
from registry.domain.event import Aggregate
from registry.domain.incident import Incident
from registry.errors import RuleViolated, VersionConflict
from registry.privacy.vault import SealingKeys
from tests.integration.repository.growing import VICTIM, grow, opened


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
