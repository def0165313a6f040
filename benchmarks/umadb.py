"""Durable appends against UmaDB, an event store of its own (opt-in: ``pip install umadb`` first)."""

import asyncio
import importlib
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from benchmarks.appends import OPERATIONS
from benchmarks.harness import Bench, Comparison, Side, Timed, in_tasks, in_threads, open_store
from benchmarks.synthetic import commands

SUBMITTERS = (64, 256)


async def run(bench: Bench) -> list[Comparison]:
    """The same states by as many submitters, each append with the condition that its stream is new, as ours has."""
    uma = _client_library()
    async with open_store(await bench.database("umadb")) as (_, store), _server() as address:
        client = uma.Client(address)

        async def append(submitters: int, count: int) -> Timed:
            return await in_tasks(submitters, commands(count), store.append)

        async def append_umadb(threads: int, count: int) -> Timed:
            appends = [_append(uma, command.events[0]) for command in commands(count)]
            return await in_threads(threads, appends, lambda one: client.append(*one))

        return [
            await bench.compare(
                f"durable appends, {submitters} submitters",
                Side("EventStore.append", bench.size(OPERATIONS, 300), partial(append, submitters)),
                Side(
                    f"UmaDB, {submitters} threads", bench.size(6_000, 100), partial(append_umadb, submitters)
                ),
                reach=3,
            )
            for submitters in SUBMITTERS
        ]


def _append(uma: Any, event: Any) -> tuple[Any, ...]:
    stream = [str(event.stream_id)]
    return (
        [uma.Event(event_type=event.type, data=event.state, tags=stream)],
        uma.AppendCondition(uma.Query([uma.QueryItem(tags=stream)])),
    )


def _client_library() -> Any:
    try:
        # Not in any lock: its wheels fit few systems, and only this comparison needs it.
        return importlib.import_module("umadb")
    except ModuleNotFoundError:
        raise SystemExit("This comparison needs UmaDB: .venv/bin/pip install umadb (0.7 was used)") from None


@asynccontextmanager
async def _server() -> AsyncIterator[str]:
    """UmaDB's server, on a real disk like ours, on a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="constancia-bench-") as directory:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "from umadb.umadb_server_cli import main; main()",
            f"--listen=127.0.0.1:{port}",
            f"--db-path={directory}/uma.db",
            stdout=asyncio.subprocess.DEVNULL,
        )
        try:
            await _until_it_listens(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            await process.wait()


async def _until_it_listens(port: int) -> None:
    for _ in range(100):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise SystemExit("UmaDB's server did not start")
