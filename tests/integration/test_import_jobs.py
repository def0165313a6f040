"""Imports too large to wait for: progress, cancelling, what is kept and for how long, and going on after a kill."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import asyncpg
import httpx
import pytest

import api.imports.worker
from api.app import create_app
from api.auth.scopes import Scope
from api.imports.annotating import annotate
from api.imports.answers import Outcome
from api.imports.jobs import Jobs
from api.imports.lines import Line
from api.imports.reading import open_table
from api.imports.running import Import
from api.services import Services
from registry.application.execution.application import Application
from registry.application.execution.unit import Actor
from tests.integration.conftest import institution_of
from tests.integration.importing import CSV, NDJSON, XLSX, Importer

ROWS = 1_200
HEADING = "class,source_type,kind,source_record_id,narrative\n"


def table(rows: int = ROWS, kind: str = "MESSAGE") -> str:
    return HEADING + "".join(
        f"THREAT,UNIVERSITY,{'NADA' if row % 100 == 0 else kind},r-{row},=cmd {row}\n"
        for row in range(1, rows + 1)
    )


@pytest.fixture
async def http(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://register.test") as client:
        yield client


@pytest.fixture
async def importer(services: Services, http: httpx.AsyncClient, university: Actor) -> Importer:
    scopes = [Scope.IMPORTS_WRITE, Scope.REPORTS_WRITE, Scope.ASSIGNMENTS_WRITE]
    issued = await services.api_keys.issue(institution_of(university), scopes, None)
    return Importer(http, services, issued.key)


@pytest.fixture
async def stranger(services: Services, http: httpx.AsyncClient, verifier: Actor) -> Importer:
    scopes = [Scope.IMPORTS_WRITE, Scope.REPORTS_WRITE]
    issued = await services.api_keys.issue(institution_of(verifier), scopes, None)
    return Importer(http, services, issued.key)


@pytest.fixture
def services(services: Services) -> Services:
    return replace(services, settings=services.settings.model_copy(update={"import_limit": 1 << 20}))


async def test_a_large_import_is_a_job_with_progress_and_the_senders_own_file_back(
    importer: Importer, stranger: Importer, app: Application, pool: asyncpg.Pool
) -> None:
    before = await app.store.size()
    started = await importer.send(table(), CSV)
    waiting = started.json()
    assert (started.status_code, waiting["status"], waiting["rows"], waiting["done"]) == (
        202,
        "WAITING",
        ROWS,
        0,
    )

    job = await importer.finish(started)
    assert (job["status"], job["done"], job["created"], job["failed"]) == ("FINISHED", ROWS, ROWS - 12, 12)
    assert await app.store.size() == before + ROWS - 12
    results = await importer.results(job)
    assert [one["row"] for one in results] == list(range(1, ROWS + 1))
    assert results[99]["errors"][0]["field"] == "kind"

    # Nobody else knows of it, and the database alone tells nothing of what was sent.
    assert (await stranger.call("GET", started.headers["location"])).status_code == 404
    assert (await stranger.call("GET", job["file"])).status_code == 404
    assert (await stranger.call("POST", f"{started.headers['location']}/cancellation")).status_code == 404
    assert (await stranger.call("DELETE", started.headers["location"])).status_code == 404
    for row in await pool.fetch("SELECT content, outcomes FROM import_batches"):
        assert b"cmd" not in row["content"]
        assert b"kind" not in row["outcomes"]

    file = await importer.call("GET", job["file"])
    lines = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert lines[0] == ["class", "source_type", "kind", "source_record_id", "narrative", "error"]
    assert lines[1] == ["THREAT", "UNIVERSITY", "MESSAGE", "r-1", "'=cmd 1", ""]
    assert "Accepted: " in lines[100][5]

    # Sent back as it is, but for the last column, it says what it said.
    again = "\n".join(",".join(line[:-1]) for line in lines[:51])
    same = (await importer.send(again, CSV)).json()
    assert (same["rows"], same["unchanged"]) == (50, 50)

    assert (await importer.call("DELETE", started.headers["location"])).status_code == 204
    assert (await importer.call("GET", started.headers["location"])).status_code == 404
    assert await pool.fetchval("SELECT count(*) FROM import_batches") == 0
    assert await pool.fetchval("SELECT count(*) FROM vault.data_keys WHERE subject LIKE 'import:%'") == 0


async def test_a_spreadsheet_comes_back_as_a_spreadsheet_of_texts(importer: Importer) -> None:
    source, buffer = open_table(io.BytesIO(table().encode())), io.BytesIO()
    # A column "error" at the end is one of ours: the copy may be mended and sent as it is.
    book = annotate(buffer, source.headings, None)
    for row in source.rows:
        book.add(row.cells, ())
    book.finish()
    job = await importer.finish(await importer.send(buffer.getvalue(), XLSX))
    assert (job["created"], job["failed"]) == (ROWS - 12, 12)

    file = await importer.call("GET", job["file"])
    returned = open_table(io.BytesIO(file.content))
    rows = list(returned.rows)
    assert returned.headings == (*source.headings, "error", "error_")
    assert (rows[0].cells["narrative"], rows[0].problems) == ("=cmd 1", ()), "a text, no formula"
    assert "Accepted: " in rows[99].cells["error_"]


async def test_a_cancelled_job_stores_nothing_more_and_says_how_far_it_came(
    importer: Importer, app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = await importer.send(table(), CSV)
    path = started.headers["location"]
    real = Import.run

    async def cancelled_after(self: Import, lines: Sequence[Line], *rest: Any) -> list[Outcome]:
        outcomes = await real(self, lines, *rest)
        await importer.call("POST", f"{path}/cancellation")
        return outcomes

    monkeypatch.setattr(Import, "run", cancelled_after)
    job = await importer.finish(started)
    assert (job["status"], job["done"]) == ("CANCELLED", 1_000)
    size = await app.store.size()
    assert not await importer.worker.work()
    assert await app.store.size() == size
    file = await importer.call("GET", job["file"])
    assert file.content.decode("utf-8-sig").splitlines()[-1].endswith("No outcome yet.")


@pytest.mark.parametrize("mode", ["partial", "atomic"])
async def test_a_job_ends_with_the_key_that_sent_it(
    importer: Importer, services: Services, app: Application, pool: asyncpg.Pool, mode: str
) -> None:
    before = await app.store.size()
    started = await importer.send(table().replace("NADA", "VERBAL"), CSV, mode=mode)
    await services.api_keys.revoke(await pool.fetchval("SELECT key FROM import_jobs"))
    await importer.worker.work()
    (job,) = await pool.fetch("SELECT status, ended FROM import_jobs")
    assert (started.status_code, job["status"], job["ended"] is None) == (202, "REVOKED", False)
    assert await app.store.size() == before
    assert (await importer.call("GET", started.headers["location"])).status_code == 401
    assert not await importer.worker.work()


@pytest.mark.parametrize("named", [True, False])
async def test_after_a_kill_a_job_goes_on_where_it_was(
    importer: Importer, app: Application, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    before = await app.store.size()
    rows = [{"class": "THREAT", "source_type": "UNIVERSITY"} for _ in range(ROWS)]
    if named:
        rows = [{**row, "source_record_id": f"r-{number}"} for number, row in enumerate(rows)]
    started = await importer.send("\n".join(map(json.dumps, rows)), NDJSON)
    note = Jobs.note

    async def killed(*_: Any) -> None:
        raise asyncio.CancelledError

    # Killed between storing rows and noting that they were stored, twice.
    for _ in range(2):
        monkeypatch.setattr(Jobs, "note", killed)
        with pytest.raises(asyncio.CancelledError):
            await importer.worker.work()
        monkeypatch.setattr(Jobs, "note", note)
    job = await importer.finish(started)
    assert (job["status"], job["created"], job["unchanged"]) == ("FINISHED", ROWS, 0)
    assert await app.store.size() == before + ROWS


async def test_an_atomic_job_stores_all_rows_or_none(importer: Importer, app: Application) -> None:
    before = await app.store.size()
    job = await importer.finish(await importer.send(table(), CSV, mode="atomic"))
    assert (job["created"], job["failed"], job["skipped"]) == (0, 12, ROWS - 12)
    assert await app.store.size() == before

    sound = table().replace("NADA", "VERBAL")
    job = await importer.finish(await importer.send(sound, CSV, mode="atomic"))
    assert (job["created"], await app.store.size()) == (ROWS, before + ROWS)


async def test_the_same_upload_under_its_key_is_one_job(importer: Importer) -> None:
    key = {"Idempotency-Key": "k-1"}
    first, second = await asyncio.gather(*(importer.send(table(), {**CSV, **key}) for _ in range(2)))
    assert first.headers["location"] == second.headers["location"]
    replays = [one.headers.get("idempotency-replayed") for one in (first, second)]
    assert sorted(replays, key=str) == [None, "true"]
    other = await importer.send(table(ROWS + 1), {**CSV, **key})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


async def test_two_jobs_with_the_same_file_store_each_row_once(
    importer: Importer, services: Services, app: Application
) -> None:
    before = await app.store.size()
    started = [await importer.send(table(), CSV) for _ in range(2)]
    other = api.imports.worker.Worker(services.pool, services.application, 60.0)
    await asyncio.gather(importer.worker.work(), other.work())
    jobs = [(await importer.call("GET", one.headers["location"])).json() for one in started]
    assert sum(job["created"] for job in jobs) == ROWS - 12
    assert sum(job["unchanged"] for job in jobs) == ROWS - 12
    assert await app.store.size() == before + ROWS - 12


async def test_a_file_that_breaks_off_leaves_nothing(importer: Importer, pool: asyncpg.Pool) -> None:
    broken = await importer.send(table() + 'THREAT,"', CSV)
    assert (broken.status_code, broken.json()["errors"][0]["field"]) == (422, "")
    assert await pool.fetchval("SELECT count(*) FROM import_jobs") == 0


async def test_two_gigabytes_are_refused_as_soon_as_they_are_known_to_be(importer: Importer) -> None:
    declared = await importer.send(b"", {**CSV, "Content-Length": str(2 << 30)})
    assert (declared.status_code, declared.json()["code"]) == (413, "body-too-large")
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 2 << 30:
            sent += 1 << 16
            yield b" " * (1 << 16)

    streamed = await importer.send(endless(), CSV)
    assert streamed.status_code == 413
    assert sent <= (1 << 20) + (2 << 16)


async def test_a_job_is_forgotten_when_its_time_is_over(importer: Importer, pool: asyncpg.Pool) -> None:
    job = await importer.finish(await importer.send(table(), CSV))
    jobs = Jobs(pool, importer.worker._application.vault)
    await jobs.forget(3600)
    assert (await importer.call("GET", f"/v1/imports/{job['id']}")).status_code == 200
    await pool.execute("UPDATE import_jobs SET ended = ended - interval '2 hours'")
    await jobs.forget(3600)
    assert (await importer.call("GET", f"/v1/imports/{job['id']}")).status_code == 404


async def test_a_changed_row_is_an_error_or_an_amendment_and_then_nothing(
    importer: Importer, app: Application
) -> None:
    await importer.finish(await importer.send(table(), CSV))
    changed = table(ROWS + 5).replace("MESSAGE,r-7,", "WRITTEN,r-7,").replace("=cmd 9\n", "=cmd nine\n")
    rejected = await importer.finish(await importer.send(changed, CSV))
    assert (rejected["created"], rejected["failed"]) == (5, 14)
    before = await app.store.size()
    for mode, amended, unchanged in (
        ("dry-run", 2, ROWS - 9),
        ("partial", 2, ROWS - 9),
        ("partial", 0, ROWS - 7),
    ):
        job = await importer.finish(await importer.send(changed, CSV, mode=mode, on_change="amend"))
        assert (job["amended"], job["created"], job["unchanged"]) == (amended, 0, unchanged), mode
    assert await app.store.size() == before + 2
    # Now the first file is the other one: it is said anew as well, and known under reject from then on.
    job = await importer.finish(await importer.send(table(), CSV, mode="atomic", on_change="amend"))
    assert (job["amended"], job["failed"]) == (0, 12)
    sound = table().replace("NADA", "VERBAL")
    job = await importer.finish(await importer.send(sound, CSV, mode="atomic", on_change="amend"))
    assert (job["amended"], job["created"], job["unchanged"]) == (2, 12, ROWS - 14)
    job = await importer.finish(await importer.send(sound, CSV))
    assert (job["failed"], job["unchanged"]) == (0, ROWS)


async def test_two_rows_of_one_file_do_not_amend_each_other(importer: Importer) -> None:
    twice = table() + "THREAT,UNIVERSITY,WRITTEN,r-1,other\n"
    for _ in range(2):
        job = await importer.finish(await importer.send(twice, CSV, on_change="amend"))
        last = (await importer.results(job))[-1]
        assert (last["status"], last["errors"][0]["field"]) == ("error", "source_record_id"), last
