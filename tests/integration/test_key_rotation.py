"""Rotating keys over a real database: the log's, so that no verifier is lost, and those that institutions use."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from api.auth.keys import Keys
from api.auth.scopes import Scope
from api.auth.token import Tokens
from api.cli import app as commands
from api.cli.verify import run as verify
from api.problems import Problem
from api.start import adopt
from projections.verification.verifier import Options
from registry.application.execution.application import Application
from registry.errors import InvalidInput, NotFound
from registry.log.checkpoint import open_checkpoint
from registry.log.keys import LogKeys, Purpose, load_or_create
from registry.log.note import split_note
from registry.log.publisher import Publisher
from registry.privacy.master import MasterKey
from tests.integration.published import mirror

ORIGIN = "log.example/test"
TODAY = datetime.now(UTC).date()

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def constancia(database_url: str, log_keys: LogKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``constancia`` on the machine of the register."""
    (tmp_path / "log" / "master.key").write_bytes(bytes(range(32)))
    monkeypatch.setenv("CONSTANCIA_DATABASE_URL", database_url)

    async def run(*arguments: str) -> Result:
        given = [*arguments, "--data", str(tmp_path / "log")]
        return await asyncio.to_thread(CliRunner().invoke, commands, given)

    return run


async def publish(pool: asyncpg.Pool, directory: Path) -> str:
    """What a process that starts now publishes."""
    publisher = Publisher(pool, load_or_create(directory, ORIGIN), ORIGIN, directory)
    return (await publisher.publish_once()).note


async def test_a_verifier_with_either_key_keeps_working_while_both_sign(
    constancia: Run, app: Application, pool: asyncpg.Pool, log_keys: LogKeys, tmp_path: Path
) -> None:
    await adopt(app)
    directory = tmp_path / "log"
    await publish(pool, directory)
    old = log_keys.log.verifier.vkey()

    made = await constancia("keys", "rotate", "--key", "log")
    assert made.exit_code == 0, made.output
    new = made.stdout.strip()
    assert "restart all processes" in made.stderr
    early = await constancia("keys", "rotate", "--key", "log", "--retire")
    assert early.exit_code == 1
    assert "wait for the next checkpoint" in str(early.exception)

    note = await publish(pool, directory)
    assert len(split_note(note)[1]) == 2
    copy = await mirror(pool, tmp_path / "both")
    for known in ((old,), (new,), (old, new)):
        assert verify(str(copy), Options(vkeys=known)) == 0

    retired = await constancia("keys", "rotate", "--key", "log", "--retire")
    assert retired.exit_code == 0, retired.output
    assert retired.stdout.strip() == new
    note = await publish(pool, directory)
    keys = load_or_create(directory, ORIGIN)
    assert keys.vkeys()["log"] == [new]
    assert open_checkpoint(note, ORIGIN, keys.verifiers(Purpose.LOG))[1].ignored == ()
    copy = await mirror(pool, tmp_path / "new")
    assert verify(str(copy), Options(vkeys=(new,))) == 0
    assert verify(str(copy), Options(vkeys=(old,))) == 1


async def test_a_process_that_knows_only_the_old_key_does_no_harm(
    constancia: Run, app: Application, pool: asyncpg.Pool, log_keys: LogKeys, tmp_path: Path
) -> None:
    """The one that nobody has restarted yet."""
    await adopt(app)
    directory = tmp_path / "log"
    running = Publisher(pool, log_keys, ORIGIN, directory)
    await running.publish_once()
    await constancia("keys", "rotate", "--key", "log")
    await publish(pool, directory)
    await running.publish_once()
    assert (await constancia("keys", "rotate", "--key", "log", "--retire")).exit_code == 1
    await publish(pool, directory)
    assert (await constancia("keys", "rotate", "--key", "log", "--retire")).exit_code == 0
    await publish(pool, directory)


@pytest.mark.parametrize(
    "arguments", [(), (str(UUID(int=1)), "--key", "log"), ("--retire",), (str(UUID(int=1)), "--retire")]
)
async def test_one_key_is_rotated_at_a_time(constancia: Run, arguments: tuple[str, ...]) -> None:
    assert (await constancia("keys", "rotate", *arguments)).exit_code == 2


@pytest.fixture
def keys(pool: asyncpg.Pool, master: MasterKey) -> Keys:
    return Keys(pool, Tokens(master, "live"))


async def test_an_access_key_and_its_replacement_both_work_until_the_old_one_expires(keys: Keys) -> None:
    institution = uuid4()
    old = await keys.issue(institution, [Scope.REPORTS_WRITE, Scope.EVENTS_READ], TODAY + timedelta(days=90))
    until = TODAY + timedelta(days=7)
    new = await keys.rotate(old.id, until)

    first, second = await keys.authenticate(old.key), await keys.authenticate(new.key)
    assert (second.institution, second.scopes) == (first.institution, first.scopes)
    assert second.key != first.key
    assert (await keys.find(old.id)).expires_on == until
    assert (await keys.find(new.id)).expires_on == TODAY + timedelta(days=90)


async def test_rotating_never_lengthens_the_life_of_the_old_key(keys: Keys) -> None:
    old = await keys.issue(None, [Scope.ADMIN], TODAY + timedelta(days=2))
    await keys.rotate(old.id, TODAY + timedelta(days=7))
    assert (await keys.find(old.id)).expires_on == TODAY + timedelta(days=2)


async def test_only_a_key_in_force_is_rotated(keys: Keys, pool: asyncpg.Pool) -> None:
    revoked = await keys.issue(None, [Scope.ADMIN], None)
    await keys.revoke(revoked.id)
    expired = await keys.issue(None, [Scope.ADMIN], TODAY)
    await pool.execute("UPDATE api_keys SET expires_on = expires_on - 1 WHERE id = $1", expired.id)
    for key_id in (revoked.id, expired.id, uuid4()):
        with pytest.raises(NotFound):
            await keys.rotate(key_id, TODAY)
    issued = await keys.issue(None, [Scope.ADMIN], None)
    with pytest.raises(InvalidInput):
        await keys.rotate(issued.id, TODAY - timedelta(days=1))
    assert (await keys.find(issued.id)).expires_on is None
    assert len((await keys.list_())[0]) == 3


async def test_the_command_prints_the_new_access_key_alone(constancia: Run, keys: Keys) -> None:
    old = await keys.issue(uuid4(), [Scope.REPORTS_WRITE], None)
    done = await constancia("keys", "rotate", str(old.id), "--days", "0")
    assert done.exit_code == 0, done.output
    actor = await keys.authenticate(done.stdout.strip())
    assert f"id {actor.key}" in done.stderr
    assert (await keys.find(old.id)).expires_on == TODAY
    await keys.revoke(old.id)
    with pytest.raises(Problem):
        await keys.authenticate(old.key)


async def test_a_key_is_created_by_role_or_by_scopes(constancia: Run, keys: Keys) -> None:
    by_role = await constancia("keys", "create", "--role", "admin")
    assert by_role.exit_code == 0, by_role.output
    assert (await keys.authenticate(by_role.stdout.strip())).scopes == {"admin"}
    by_scope = await constancia("keys", "create", "--scope", "admin")
    assert (await keys.authenticate(by_scope.stdout.strip())).scopes == {"admin"}
    for refused in (
        (),
        ("--role", "public"),
        ("--role", "admin", "--scope", "admin"),
        ("--role", "submitter"),
    ):
        assert (await constancia("keys", "create", *refused)).exit_code != 0, refused
