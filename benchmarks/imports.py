"""Files of reports, end to end over HTTP, against posting them one by one, a bare COPY, and a bare insert.

Both sides of each figure take the same bodies, on one durable server each through a running uvicorn of its own, so that
neither shares the interpreter with who asks. Memory is that of the serving process, at its peak.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import psutil

from api.imports.records import Records, read_record
from benchmarks.harness import Bench, Comparison, Side, Timed, in_tasks
from registry.application.drafts import ReportDraft

ROWS = 100_000
ONE_BY_ONE = 400
POSTS = 2_000
SUBMITTERS = 32
_POLL = 0.02
_CHUNK = 1_000

_BARE = """
CREATE TABLE bare (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    source_record_id text UNIQUE,
    class text NOT NULL,
    body jsonb NOT NULL
)
"""


async def run(bench: Bench) -> list[Comparison]:
    """Four figures."""
    address = await bench.database("imports")
    bare = await bench.database("imports_bare")
    connection = await asyncpg.connect(bare)
    await connection.execute(_BARE)
    async with (
        _serving("benchmarks.imports_server", address) as (register, ready, _),
        _serving("benchmarks.imports_bare", bare) as (plain, _, _),
    ):
        register.headers["Authorization"] = f"Bearer {ready}"
        await _warm(register, plain)
        file = Side(
            "POST /v1/imports, partial", bench.size(ROWS, 1_500), lambda count: _import(register, count)
        )
        results = [
            await bench.compare(
                "import of a file of reports, end to end",
                file,
                Side(
                    "POST /v1/reports, one by one",
                    bench.size(ONE_BY_ONE, 20),
                    lambda count: _posted(register, count, 1),
                ),
                unit="reports",
                reach=10,
            ),
            await bench.compare(
                "import of a file of reports, end to end",
                file,
                Side("validated COPY into one table", file.operations, lambda n: _copied(connection, n)),
                unit="reports",
                reach=0.1,
            ),
            await bench.compare(
                f"submitting reports over HTTP, {SUBMITTERS} submitters",
                Side(
                    "POST /v1/reports",
                    bench.size(POSTS, 50),
                    lambda count: _posted(register, count, SUBMITTERS),
                ),
                Side(
                    "FastAPI and asyncpg, one INSERT",
                    bench.size(POSTS, 50),
                    lambda count: _posted(plain, count, SUBMITTERS),
                ),
                unit="reports",
                reach=0.4,
            ),
        ]
    await connection.close()
    return [*results, await _memory(bench)]


async def _memory(bench: Bench) -> Comparison:
    """Peak resident memory of the serving process over an import, large to small."""
    large, small = bench.size(1_000_000, 3_000), bench.size(10_000, 1_500)
    peaks = []
    for rows in (large, small):
        async with _serving("benchmarks.imports_server", await bench.database(f"imports_{rows}")) as (
            client,
            key,
            process,
        ):
            client.headers["Authorization"] = f"Bearer {key}"
            await _import(client, 2_000)
            peak = asyncio.create_task(_peak(process))
            await _import(client, rows)
            peak.cancel()
            peaks.append(await peak)
    sides = [Timed(value, 1, [0.0]) for value in peaks]
    return Comparison(
        "peak memory of the server over an import: large to small file",
        "MiB",
        None,
        (f"{large:,} rows", f"{small:,} rows"),
        [(sides[0], sides[1])],
        per="",
    )


async def _peak(process: psutil.Process) -> int:
    """MiB, looked at often, until it is cancelled."""
    highest = 0
    try:
        while True:
            highest = max(highest, process.memory_info().rss)
            await asyncio.sleep(_POLL)
    except asyncio.CancelledError:
        return highest >> 20


async def _import(client: httpx.AsyncClient, count: int) -> Timed:
    """A file sent, and waited for until the last of its rows is stored."""
    first = time.time_ns()

    async def content() -> AsyncIterator[bytes]:
        for start in range(0, count, _CHUNK):
            yield b"".join(_line(f"{first}/{n}") for n in range(start, min(start + _CHUNK, count)))

    started = time.perf_counter()
    answer = await client.post(
        "/v1/imports",
        params={"records": "reports", "mode": "partial"},
        content=content(),
        headers={"Content-Type": "application/x-ndjson"},
    )
    done: dict[str, Any] = answer.json()
    if answer.status_code == 202:
        while done["status"] != "FINISHED":
            await asyncio.sleep(_POLL)
            done = (await client.get(answer.headers["location"])).json()
    if done["created"] != count:
        raise RuntimeError(f"{done['created']} of {count} rows were stored")
    seconds = time.perf_counter() - started
    return Timed(count, seconds, [seconds])


async def _posted(client: httpx.AsyncClient, count: int, submitters: int) -> Timed:
    first = time.time_ns()
    bodies = [_line(f"{first}/{n}") for n in range(count)]

    async def post(body: bytes) -> None:
        answer = await client.post("/v1/reports", content=body, headers={"Content-Type": "application/json"})
        if answer.status_code != 201:
            raise RuntimeError(answer.text)

    return await in_tasks(submitters, bodies, post)


async def _copied(connection: asyncpg.Connection, count: int) -> Timed:
    """The same lines, each checked as the register checks it, all in one COPY."""
    first = time.time_ns()
    lines = [_line(f"{first}/{n}") for n in range(count)]
    started = time.perf_counter()
    records = []
    for line in lines:
        draft = read_record(Records.REPORTS, line.strip())
        if not isinstance(draft, ReportDraft):
            raise TypeError("not a report")
        records.append((draft.source_record_id, draft.class_.value, line.decode()))
    await connection.copy_records_to_table(
        "bare", records=records, columns=["source_record_id", "class", "body"]
    )
    seconds = time.perf_counter() - started
    return Timed(count, seconds, [seconds])


async def _warm(*clients: httpx.AsyncClient) -> None:
    for client in clients:
        await _posted(client, 50, 4)


def _line(name: str) -> bytes:
    body = {
        "class": "ATTACK",
        "source_type": "UNIVERSITY",
        "directness": "DIRECT",
        "when": {"earliest": "2026-01-05", "latest": "2026-01-05", "precision": "DAY"},
        "where": {"cvegeo": "16012", "precision": "MUNICIPALITY"},
        "kind": "COERCED_CARE",
        "victims": [
            {"role": "PASANTE_MEDICINE", "outcome": "PSYCHOLOGICAL", "nexus": "ON_DUTY_AT_SITE"},
        ],
        "narrative": "Relato inventado: nadie lo vivió.",
        "source_record_id": name,
    }
    return json.dumps(body).encode() + b"\n"


@asynccontextmanager
async def _serving(module: str, address: str) -> AsyncIterator[tuple[httpx.AsyncClient, str, psutil.Process]]:
    """A server in a process of its own; it says its address and whatever else is needed to talk to it."""
    with (
        tempfile.TemporaryDirectory() as directory,
        subprocess.Popen(  # noqa: ASYNC220 - nothing else runs meanwhile
            [sys.executable, "-m", module, address, directory], stdout=subprocess.PIPE, text=True
        ) as process,
    ):
        try:
            said = await asyncio.to_thread(_first_line, process)
            url, _, key = said.partition(" ")
            async with httpx.AsyncClient(base_url=url, timeout=600) as client:
                yield client, key, psutil.Process(process.pid)
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait)


def _first_line(process: subprocess.Popen[str]) -> str:
    lines: Iterator[str] = iter(process.stdout or ())
    return next(lines).strip()
