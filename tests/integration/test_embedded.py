"""The embedded server is there for every process that uses it, and for no longer."""

import asyncio
import errno
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from registry.embedded import EmbeddedServer
from registry.errors import StartRefused

where_processes_need_not_interrupt = pytest.mark.skipif(
    not hasattr(os, "SCHED_BATCH") or os.sched_getscheduler(0) != os.SCHED_OTHER,
    reason="only Linux has this way of sharing processors, and nobody must have chosen another",
)

# Uses the server until a line comes in, or until Ctrl-C; then asks it once more before leaving.
USER = """
import asyncio, sys
from pathlib import Path
import asyncpg
from registry.embedded import EmbeddedServer

async def main():
    async with EmbeddedServer(Path(sys.argv[1])) as address:
        print(address, flush=True)
        try:
            await asyncio.to_thread(sys.stdin.readline) if sys.argv[2:] else await asyncio.sleep(60)
        finally:
            connection = await asyncpg.connect(address)
            print("answers", await connection.fetchval("SELECT 42"), flush=True)
            await connection.close()

asyncio.run(main())
"""


@pytest.fixture
def data(data_directory: Path) -> Path:
    return data_directory


def processes(data: Path) -> list[psutil.Process]:
    found = psutil.process_iter(["name", "cwd"])
    return [p for p in found if p.info["name"] == "postgres" and p.info["cwd"] == str(data / "postgres")]


def postmaster(data: Path) -> psutil.Process:
    return psutil.Process(int((data / "postgres" / "postmaster.pid").read_text().splitlines()[0]))


def start_user(data: Path, *until_a_line: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", USER, str(data), *until_a_line],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def first_line(user: subprocess.Popen[str]) -> str:
    assert user.stdout is not None
    return user.stdout.readline().strip()


async def ask(address: str, query: str) -> object:
    connection = await asyncpg.connect(address)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def until_it_answers(address: str) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                await ask(address, "SELECT 1")
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.1)
            else:
                return


async def test_it_stops_when_the_last_user_leaves(data: Path) -> None:
    async with EmbeddedServer(data) as first:
        async with EmbeddedServer(data) as second:
            assert first == second
        assert await ask(first, "SELECT 1") == 1
    assert processes(data) == []


async def test_acknowledged_means_on_the_disk(data: Path) -> None:
    async with EmbeddedServer(data) as address:
        for parameter in ("fsync", "synchronous_commit", "full_page_writes"):
            assert await ask(address, f"SHOW {parameter}") == "on"


@where_processes_need_not_interrupt
async def test_its_processes_do_not_interrupt_one_another_and_ours_are_as_before(data: Path) -> None:
    def threads_of_ours() -> set[int]:
        return {os.sched_getscheduler(int(thread.name)) for thread in Path("/proc/self/task").iterdir()}

    before = threads_of_ours()
    async with EmbeddedServer(data) as address:
        assert await ask(address, "SELECT 1") == 1
        assert {os.sched_getscheduler(process.pid) for process in processes(data)} == {os.SCHED_BATCH}
    assert threads_of_ours() == before


@where_processes_need_not_interrupt
async def test_where_a_sandbox_refuses_that_it_is_said_and_the_server_runs_all_the_same(
    data: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    with caplog.at_level(logging.INFO, "registry.postgres"):
        async with EmbeddedServer(data) as address:
            assert await ask(address, "SELECT 1") == 1
    assert "PostgreSQL runs without SCHED_BATCH: [Errno 1] Operation not permitted" in caplog.text


async def test_a_killed_server_is_started_again_with_everything_acknowledged(data: Path) -> None:
    async with EmbeddedServer(data) as address:
        connection = await asyncpg.connect(address)
        await connection.execute("CREATE TABLE kept (n int)")
        await connection.execute("INSERT INTO kept VALUES (7)")
        postmaster(data).kill()
        async with EmbeddedServer(data) as again:
            assert await ask(again, "SELECT n FROM kept") == 7
        connection.terminate()
    assert processes(data) == []


async def test_a_server_that_is_killed_under_its_user_comes_back_at_the_same_address(data: Path) -> None:
    async with EmbeddedServer(data) as address:
        await ask(address, "SELECT 1")
        postmaster(data).kill()
        await until_it_answers(address)
    assert processes(data) == []


async def test_a_server_that_is_killed_while_its_user_looks_after_it_comes_back_too(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = asyncpg.connect
    killed = asyncio.Event()

    async def connect_before_the_end(*args: Any, **options: Any) -> asyncpg.Connection:
        connection: asyncpg.Connection = await connect(*args, **options)
        monkeypatch.undo()
        for process in processes(data):
            process.kill()
        killed.set()
        return connection

    async with EmbeddedServer(data) as address:
        monkeypatch.setattr(asyncpg, "connect", connect_before_the_end)
        await asyncio.wait_for(killed.wait(), 60)
        await until_it_answers(address)
    assert processes(data) == []


async def test_a_dead_servers_number_that_another_process_has_now_does_not_mislead(data: Path) -> None:
    async with EmbeddedServer(data):
        left_behind = (data / "postgres" / "postmaster.pid").read_text()
    lines = left_behind.splitlines()
    lines[0] = str(os.getppid())
    (data / "postgres" / "postmaster.pid").write_text("\n".join(lines) + "\n")
    async with EmbeddedServer(data) as address:
        assert await ask(address, "SELECT 1") == 1


async def test_a_server_whose_user_was_killed_is_taken_over_and_stopped_in_the_end(data: Path) -> None:
    user = start_user(data)
    address = await asyncio.to_thread(first_line, user)
    server = postmaster(data)
    user.kill()
    user.communicate()
    assert server.is_running()
    async with EmbeddedServer(data) as taken_over:
        assert taken_over == address
        assert postmaster(data) == server
    assert processes(data) == []


async def test_ctrl_c_reaches_the_server_only_when_its_user_has_finished(data: Path) -> None:
    user = start_user(data)
    await asyncio.to_thread(first_line, user)
    os.killpg(user.pid, signal.SIGINT)
    said, _ = await asyncio.to_thread(user.communicate)
    assert said == "answers 42\n"
    assert processes(data) == []


@pytest.mark.slow
async def test_processes_that_start_and_leave_together_share_one_server(data: Path) -> None:
    users = [start_user(data, "until a line") for _ in range(5)]
    addresses = {await asyncio.to_thread(first_line, user) for user in users}
    assert len(addresses) == 1
    said = await asyncio.gather(*(asyncio.to_thread(user.communicate, "\n") for user in users))
    assert [output for output, _ in said] == ["answers 42\n"] * 5
    assert [user.returncode for user in users] == [0] * 5
    assert processes(data) == []


async def test_a_kill_while_the_cluster_is_made_leaves_nothing_in_the_way(data: Path) -> None:
    (data / "postgres.unfinished").mkdir()
    (data / "postgres.unfinished" / "PG_VERSION").write_text("18\n")
    async with EmbeddedServer(data) as address:
        assert await ask(address, "SELECT 1") == 1


async def test_a_cancelled_start_leaves_no_server_behind(data: Path) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05), EmbeddedServer(data):
            pass
    assert processes(data) == []


async def test_a_socket_directory_that_others_may_enter_is_refused(data: Path) -> None:
    async with EmbeddedServer(data) as address:
        sockets = Path(address.partition("host=")[2].partition("&")[0])
        assert sockets.is_dir()
    assert not sockets.exists()
    sockets.mkdir(mode=0o777)
    sockets.chmod(0o777)
    with pytest.raises(StartRefused, match="alone"):
        await EmbeddedServer(data).__aenter__()
    sockets.rmdir()


async def test_data_of_another_postgresql_are_refused(data: Path) -> None:
    (data / "postgres").mkdir()
    (data / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(StartRefused, match="are of PostgreSQL 16; this program brings 18"):
        await EmbeddedServer(data).__aenter__()


async def test_a_server_that_cannot_start_says_why(data: Path) -> None:
    with pytest.raises(StartRefused, match=r"unrecognized configuration parameter .no_such_thing."):
        await EmbeddedServer(data, {"no_such_thing": "1"}).__aenter__()


async def test_the_database_never_runs_as_root(data: Path) -> None:
    async with EmbeddedServer(data):
        assert postmaster(data).uids().real != 0
