import asyncio

import pytest

from api.health import FAILING, RUNNING, STOPPED, Health
from api.redaction import describe
from api.supervision import keep_going
from registry.errors import PublisherRefused, StoreUnavailable


async def test_a_task_that_fails_is_seen_failing_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    health, stopping, runs = Health(), asyncio.Event(), []

    async def run() -> None:
        runs.append((await health.states())["task"])
        if len(runs) == 3:
            stopping.set()
            return
        raise ValueError("the patient's name")

    await keep_going("task", run, health, stopping, first_pause=0.001)
    assert runs == [RUNNING, FAILING, FAILING]
    assert "ValueError at" in caplog.text
    assert "patient" not in caplog.text


async def test_what_only_an_operator_can_resolve_stops_the_task_until_the_next_start(
    caplog: pytest.LogCaptureFixture,
) -> None:
    health, stopping = Health(), asyncio.Event()

    async def run() -> None:
        raise PublisherRefused("No se firma.", "Nothing is signed.")

    await keep_going("task", run, health, stopping, first_pause=0.001)
    assert await health.states() == {"task": STOPPED}
    assert "No se firma.\nNothing is signed." in caplog.text


async def test_a_store_that_is_away_is_waited_for() -> None:
    health, stopping, runs = Health(), asyncio.Event(), []

    async def run() -> None:
        runs.append(1)
        if len(runs) == 2:
            stopping.set()
        raise StoreUnavailable("Espere.", "Wait.")

    await keep_going("task", run, health, stopping, first_pause=0.001)
    assert len(runs) == 2


async def test_a_task_that_ends_by_itself_is_started_again() -> None:
    health, stopping, runs = Health(), asyncio.Event(), []

    async def run() -> None:
        runs.append(1)
        if len(runs) == 2:
            stopping.set()

    await keep_going("task", run, health, stopping, first_pause=0.001)
    assert len(runs) == 2


async def test_a_task_that_was_well_in_between_is_tried_again_as_soon_as_at_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("api.supervision.WELL_AFTER_SECONDS", 0.0)
    health, stopping, runs = Health(), asyncio.Event(), []

    async def run() -> None:
        runs.append(1)
        if len(runs) == 20:
            stopping.set()
        raise OSError

    async with asyncio.timeout(20):  # doubled 19 times, the pauses would come to more than a minute
        await keep_going("task", run, health, stopping, first_pause=0.001)


async def test_stopping_does_not_wait_for_the_pause() -> None:
    health, stopping = Health(), asyncio.Event()

    async def run() -> None:
        asyncio.get_running_loop().call_soon(stopping.set)
        raise OSError

    async with asyncio.timeout(5):
        await keep_going("task", run, health, stopping, first_pause=60)


async def test_a_check_that_hangs_or_fails_counts_as_failing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.health.CHECK_TIMEOUT_SECONDS", 0.01)
    health = Health()

    async def hangs() -> str:
        await asyncio.sleep(60)
        return RUNNING

    async def fails() -> str:
        raise OSError

    health.ask("hangs", hangs)
    health.ask("fails", fails)
    assert await health.states() == {"hangs": FAILING, "fails": FAILING}


async def test_a_part_is_as_bad_as_the_worst_that_is_known_of_it() -> None:
    health = Health()

    async def stopped() -> str:
        return STOPPED

    async def well() -> str:
        return RUNNING

    health.report("a", RUNNING)
    health.ask("a", stopped)
    health.report("b", FAILING)
    health.ask("b", well)
    assert await health.states() == {"a": STOPPED, "b": FAILING}


def test_an_exception_is_described_without_its_words_through_its_causes_and_groups() -> None:
    try:
        try:
            raise KeyError("CURP AAAA000000HDFXXX00")
        except KeyError as error:
            raise ExceptionGroup("names", [ValueError("María"), TypeError("Juana")]) from error
    except ExceptionGroup as group:
        told = describe(group)
    assert told.startswith("ExceptionGroup at api/test_supervision.py:")
    assert "[ValueError; TypeError], because of KeyError at" in told
    for word in ("CURP", "María", "Juana", "names"):
        assert word not in told
