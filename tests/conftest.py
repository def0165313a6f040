"""What every test may ask for: a PostgreSQL, a database of its own, a pool, the shared data."""

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from pathlib import Path

import asyncpg
import hypothesis
import psutil
import pytest
import uvloop

from registry.database import connect_pool, migrate
from registry.embedded import EmbeddedServer

ROOT = Path(__file__).parent.parent
TEMPLATE = "migrated"

# The tests' own server forgets everything anyway; tests of faults start a server that does not cheat. It gathers no
# statistics behind a test's back: whether two histories cost the same work must not depend on when that happened.
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "200",
}


# On a busy machine an example may take any time; slowness is measured elsewhere.
hypothesis.settings.register_profile("constancia", deadline=None)
hypothesis.settings.load_profile("constancia")


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests run on the event loop of the programs, because loops differ in how connections are lost."""
    return {"uvloop": uvloop.new_event_loop}


MEMORY = Path("/dev/shm")
MEMORY_BYTES = 2 * 1024**3
"""Free in memory, for a database of each test that is under way and the write-ahead log of all."""


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a PostgreSQL whose database ``migrated`` has the current schema and nothing else."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES
    directory = Path(tempfile.mkdtemp(prefix="constancia-tests-", dir=MEMORY if roomy else None))
    embedded = EmbeddedServer(directory, FAST)

    async def start() -> str:
        address = await embedded.__aenter__()
        await _administer(address, f"CREATE DATABASE {TEMPLATE}")
        await migrate(_with_database(address, TEMPLATE))
        return address

    async def stop() -> None:
        await embedded.__aexit__(None, None, None)

    yield uvloop.run(start())
    uvloop.run(stop())
    shutil.rmtree(directory)


@pytest.fixture
def data_directory() -> Iterator[Path]:
    """A data directory for an embedded server of this test's own.

    Not `tmp_path`: each run of pytest closes the directory above that to other users, also under a server that
    another run by root has just started as the database's user.
    """
    directory = Path(tempfile.mkdtemp(prefix="constancia-tests-"))
    yield directory
    for process in psutil.process_iter(["name", "cwd"]):
        if process.info["name"] == "postgres" and process.info["cwd"] == str(directory / "postgres"):
            process.kill()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
async def database_url(server: str) -> AsyncIterator[str]:
    """A database for this test alone, with the current schema."""
    name = f"test_{uuid.uuid4().hex}"
    await _administer(server, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
    yield _with_database(server, name)
    await _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def empty_database_url(server: str) -> AsyncIterator[str]:
    """A database for this test alone, without any schema."""
    name = f"test_{uuid.uuid4().hex}"
    await _administer(server, f"CREATE DATABASE {name}")
    yield _with_database(server, name)
    await _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    """Connections to this test's database."""
    pool = await connect_pool(database_url, min_size=1, max_size=10)
    yield pool
    async with asyncio.timeout(10):  # a connection that a test has kept is an error, not a standstill
        await pool.close()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The published data that lies beside the project where it is developed."""
    path = ROOT.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip("shared data: ../shared/data is absent")
    return path


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where every test must run, a skipped test has failed."""
    report = yield
    if not hasattr(report, "wasxfail"):
        _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Where every test must run, a skipped module has failed."""
    report = yield
    _fail_if_skipped(report)
    return report


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Only the shared data, which the project does not own, may be absent."""
    if not report.skipped or os.environ.get("CONSTANCIA_REQUIRE_ALL_TESTS") != "1":
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if not reason.removeprefix("Skipped: ").startswith("shared data"):
        report.outcome = "failed"
        report.longrepr = f"{reason}\nCONSTANCIA_REQUIRE_ALL_TESTS=1: install what this test needs."


async def _administer(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _with_database(address: str, name: str) -> str:
    return address.replace("/constancia?", f"/{name}?")
