"""``constancia erase``: it shows what goes, asks, and erases."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from api.cli import app as commands
from registry.application.execution.application import Application
from registry.application.people.erasure import Erasure
from registry.domain.codes import CorrectionReason
from registry.log.keys import LogKeys
from tests.integration.erasure.telling import (
    CURP,
    NARRATIVE,
    REASON,
    Killed,
    Told,
    everything_is_gone,
    killed_at,
    said_erased,
)


@pytest.fixture
def command(
    database_url: str, log_keys: LogKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Awaitable[Result]]:
    """``constancia erase`` beside the running application."""
    (tmp_path / "log" / "master.key").write_bytes(bytes(range(32)))
    monkeypatch.setenv("CONSTANCIA_DATABASE_URL", database_url)

    async def run(*arguments: str, typed: str = "") -> Result:
        given = ["erase", *arguments, "--data", str(tmp_path / "log")]
        return await asyncio.to_thread(CliRunner().invoke, commands, given, input=typed)

    return run


async def test_the_command_shows_what_goes_asks_and_erases(
    command: Callable[..., Awaitable[Result]], app: Application, told: Told
) -> None:
    refused = await command("--curp", typed=f"{CURP}\nn\n")
    assert refused.exit_code == 1
    assert "Nothing was erased" in refused.output
    assert (
        "events: 4 (assignment.registered 1, attack.reported 2, incident.victim_recorded 1)" in refused.output
    )
    assert "curp 4, evidence 2, narrative 2, when_wording 2" in refused.output
    assert "the words of 2 reports" in refused.output
    assert await said_erased(app) == []

    done = await command("--curp", "--reason", "LEGAL_ORDER", typed=f"{CURP.lower()}\ny\n")
    assert done.exit_code == 0, done.output
    (event,) = await said_erased(app)
    assert event.reason is CorrectionReason.LEGAL_ORDER
    for told_about in (refused, done):
        assert not [value for value in (CURP, NARRATIVE, "el lunes") if value in told_about.output]
    again = await command(str(told.person), "--yes")
    assert again.exit_code == 0
    assert "Nothing is left" in again.output


async def test_the_command_finishes_what_was_cut_short_without_asking_again(
    command: Callable[..., Awaitable[Result]], app: Application, pool: asyncpg.Pool, told: Told
) -> None:
    erasure = Erasure(app, pool)
    with pytest.MonkeyPatch.context() as monkeypatch:
        killed_at(monkeypatch, erasure._erasures, "delete", 1, after=False)
        with pytest.raises(Killed):
            await erasure.erase(told.person, REASON)
    done = await command(str(told.person))
    assert done.exit_code == 0, done.output
    assert "cut short" in done.output
    await everything_is_gone(app, pool, told)


@pytest.mark.parametrize("arguments", [(), ("--curp", "person:" + "0" * 32)])
async def test_the_command_takes_one_name(
    command: Callable[..., Awaitable[Result]], arguments: tuple[str, ...]
) -> None:
    assert (await command(*arguments)).exit_code == 2
