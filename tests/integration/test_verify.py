"""What a register really publishes verifies, and what is changed behind its back does not.

Reports, incidents, releases and checkpoints are made by the program itself; only the tampering is done by hand.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from fastapi import FastAPI

from api.app import create_app
from api.auth.keys import Keys
from api.auth.token import Tokens
from api.cli.verify import run
from api.health import Health
from api.server import Server, reserve
from api.services import Services
from projections.models.public_count import PublicCount
from projections.models.waiting import Waiting
from projections.runner import Runner
from projections.verification.verifier import Options
from registry.application.execution.application import Application
from registry.application.execution.unit import Actor
from registry.log.keys import LogKeys
from registry.log.note import Signer
from registry.log.publisher import Publisher
from registry.privacy.master import MasterKey
from registry.settings import Settings, load_settings
from tests.integration.conftest import Clock
from tests.integration.published import given, mirror, one_incident, write_history


@pytest.fixture
async def publisher(
    app: Application,
    pool: asyncpg.Pool,
    clock: Clock,
    university: Actor,
    verifier: Actor,
    log_keys: LogKeys,
    tmp_path: Path,
) -> Publisher:
    """A register with a history, published once."""
    await write_history(app, pool, clock, university, verifier)
    publisher = Publisher(pool, log_keys, log_keys.origin, tmp_path / "log")
    await publisher.publish_once()
    return publisher


async def test_a_mirror_of_what_was_published_verifies(
    pool: asyncpg.Pool,
    publisher: Publisher,
    log_keys: LogKeys,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    directory = await mirror(pool, tmp_path / "mirror")
    assert run(str(directory), given(log_keys)) == 0
    out = capsys.readouterr().out
    assert "Incidents disclosed: 4, in releases: 4." in out
    # POSSIBLE counts as high only; one of four was retracted, and the corrected one has two victims.
    assert "INCIDENTS STRICT 0/0/3" in out
    assert "VICTIMISATIONS STRICT 0/0/4" in out
    assert "Openings that match their commitments: 0." not in out


async def flip(pool: asyncpg.Pool, table: str, column: str, where: str, byte: int) -> None:
    """One bit of one stored byte."""
    done = await pool.execute(
        f"UPDATE {table} SET {column} = set_byte({column}, $1, get_byte({column}, $1) # 1) WHERE {where}",
        byte,
    )
    assert done == "UPDATE 1"


async def test_a_leaf_that_was_changed_before_the_log_was_copied_is_named(
    pool: asyncpg.Pool,
    publisher: Publisher,
    log_keys: LogKeys,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await flip(pool, "events", "leaf", "position = 5", 60)
    directory = await mirror(pool, tmp_path / "mirror")
    assert run(str(directory), given(log_keys)) == 1
    assert "Leaf 5 was changed" in capsys.readouterr().err


@asynccontextmanager
async def serving(app: FastAPI, settings: Settings) -> AsyncIterator[str]:
    stopping = asyncio.Event()
    with reserve("127.0.0.1", 0) as listener:
        server = Server(app)
        running = asyncio.create_task(server.run_until(stopping, listener))
        await asyncio.wait_for(server.listening.wait(), 10)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        stopping.set()
        await running


@pytest.fixture
async def url(
    app: Application,
    pool: asyncpg.Pool,
    publisher: Publisher,
    log_keys: LogKeys,
    master: MasterKey,
    tmp_path: Path,
) -> AsyncIterator[str]:
    """The register over HTTP, its read models up to date."""
    await Runner(pool, [PublicCount(), Waiting()]).catch_up()
    settings = load_settings(data=tmp_path / "log", origin=log_keys.origin)
    services = Services(settings, pool, app, log_keys, Keys(pool, Tokens(master, "test")), Health())
    async with serving(create_app(services), settings) as address:
        yield address


async def test_a_running_register_verifies_and_agrees_with_its_leaves(
    url: str, log_keys: LogKeys, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await asyncio.to_thread(run, url, given(log_keys)) == 0
    assert "numbers agree" in capsys.readouterr().out


async def test_one_changed_byte_of_one_stored_leaf_is_named(
    url: str, pool: asyncpg.Pool, log_keys: LogKeys, capsys: pytest.CaptureFixture[str]
) -> None:
    size = await pool.fetchval("SELECT count(*) FROM events")
    for position, byte in ((0, 0), (5, 60), (5, 133), (size - 1, 1)):
        await flip(pool, "events", "leaf", f"position = {position}", byte)
        assert await asyncio.to_thread(run, url, given(log_keys)) == 1
        failed = capsys.readouterr().err
        assert f"Leaf {position} was changed: its hash is not the one in tile tile/0/000.p/{size}," in failed
        await flip(pool, "events", "leaf", f"position = {position}", byte)
    assert await asyncio.to_thread(run, url, given(log_keys)) == 0


async def test_one_changed_byte_of_one_stored_tile_is_named(
    url: str, pool: asyncpg.Pool, log_keys: LogKeys, capsys: pytest.CaptureFixture[str]
) -> None:
    size = await pool.fetchval("SELECT count(*) FROM events")
    for byte in (0, 32 * 5 + 31, 32 * size - 1):
        await flip(pool, "log_tiles", "data", "level = 0 AND index = 0", byte)
        assert await asyncio.to_thread(run, url, given(log_keys)) == 1
        failed = capsys.readouterr().err
        assert f"tile/0/000.p/{size} was changed: its hash {byte // 32}, that of leaf {byte // 32}," in failed
        await flip(pool, "log_tiles", "data", "level = 0 AND index = 0", byte)
    assert await asyncio.to_thread(run, url, given(log_keys)) == 0


async def test_a_count_that_was_changed_in_the_read_model_is_named(
    url: str, pool: asyncpg.Pool, log_keys: LogKeys, capsys: pytest.CaptureFixture[str]
) -> None:
    await pool.execute("UPDATE public_count.cells SET sums[3] = sums[3] - 1 WHERE sums[3] > 0")
    assert await asyncio.to_thread(run, url, given(log_keys)) == 1
    assert "the server says" in capsys.readouterr().err


async def test_the_next_checkpoint_extends_the_remembered_one_and_a_restored_backup_does_not(
    url: str,
    pool: asyncpg.Pool,
    publisher: Publisher,
    app: Application,
    university: Actor,
    verifier: Actor,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pinned = Options(state=tmp_path / "state.json", trust_on_first_use=True)
    assert await asyncio.to_thread(run, url, pinned) == 0
    await one_incident(app, university, verifier)
    await publisher.publish_once()
    await Runner(pool, [PublicCount(), Waiting()]).catch_up()
    assert await asyncio.to_thread(run, url, pinned) == 0
    assert "nothing was rewritten" in capsys.readouterr().out
    await pool.execute("DELETE FROM checkpoints WHERE size = (SELECT max(size) FROM checkpoints)")
    assert await asyncio.to_thread(run, url, pinned) == 1
    assert "The log was rolled back" in capsys.readouterr().err


async def test_a_stranger_with_another_key_is_not_convinced(
    url: str, log_keys: LogKeys, capsys: pytest.CaptureFixture[str]
) -> None:
    other: Callable[[], str] = Signer.generate(log_keys.origin).verifier.vkey
    assert await asyncio.to_thread(run, url, Options(vkeys=(other(),))) == 1
    assert "no valid signature" in capsys.readouterr().err
    assert await asyncio.to_thread(run, url, Options()) == 4
