"""Real volumes: published registers by their documented profiles, and a national cohort that is invented."""

import csv
import gzip
import io
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import xlsxwriter

from api.app import create_app
from api.auth.scopes import Scope
from api.imports.loading import check_fields, load_profile
from api.imports.preparing import prepare
from api.imports.records import Records
from api.imports.tables import UNKNOWN_LAYOUT
from api.services import Services
from registry.application.drafts import SiteDraft
from registry.application.execution.application import Application
from registry.application.execution.unit import OPERATOR, Actor, WriteOptions
from registry.application.places import sites
from tests.integration.conftest import institution_of
from tests.integration.importing import CSV, NDJSON, XLSX, Importer

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
COHORT, MOVED = 18_000, 2_000

pytestmark = pytest.mark.slow


@pytest.fixture
async def importer(services: Services, university: Actor) -> AsyncIterator[Importer]:
    services = replace(services, settings=services.settings.model_copy(update={"import_limit": 64 << 20}))
    scopes = [Scope.IMPORTS_WRITE, Scope.REPORTS_WRITE, Scope.ASSIGNMENTS_WRITE]
    issued = await services.api_keys.issue(institution_of(university), scopes, None)
    transport = httpx.ASGITransport(create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://register.test") as http:
        yield Importer(http, services, issued.key)


def published(file: Path) -> bytes:
    return gzip.decompress(file.read_bytes())


def rows_of(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(published(file).decode("utf-8-sig"), newline="")))


def mapped(file: Path, example: str) -> tuple[bytes, dict[int, Any]]:
    """The file's records as the command sends them, and what is wrong with its rows."""
    text = (EXAMPLES / example).read_text(encoding="utf-8")
    profile = load_profile(text)
    check_fields(profile, text)
    prepared = prepare(io.BytesIO(published(file)), Records.REPORTS, profile, layout=UNKNOWN_LAYOUT)
    lines: list[bytes] = []
    problems: dict[int, Any] = {}
    for row in prepared.rows:
        lines += [record.body for record in row.records]
        if row.problems:
            problems[row.row.number] = row.problems
    return b"\n".join(lines), problems


def counts(job: dict[str, Any]) -> tuple[int, ...]:
    return tuple(job[name] for name in ("created", "amended", "unchanged", "failed"))


def what_the_profile_reads(row: dict[str, str]) -> tuple[object, ...]:
    """Of an attack in either layout, told apart from the program's own reading."""
    day = row["Attack Date"].split()[0]
    form = "%m/%d/%y" if "/" in day else "%Y-%m-%d"
    texts = [
        " ".join(row[name].split()) for name in ("Attack Type", "Country / Territory", "Certainty Level")
    ]
    figures = [int(float(row[name])) for name in ("Total Death", "Total Injured")]
    return (datetime.strptime(day, form).date(), *texts, *figures)  # noqa: DTZ007 - a civil date


async def test_a_later_extract_adds_and_amends_what_comparing_the_files_gives(
    shared_data: Path, importer: Importer, app: Application
) -> None:
    first, second = (shared_data / "incidents" / f"who_ssa_2024-{day}.csv.gz" for day in ("02-08", "03-08"))
    before, after = (
        {row["Attack ID"]: what_the_profile_reads(row) for row in rows_of(file)} for file in (first, second)
    )
    added = after.keys() - before.keys()
    changed = {name for name in before.keys() & after.keys() if before[name] != after[name]}
    assert (len(before), len(after), len(added)) == (6_277, 6_425, 148)
    # One attack, of which the later extract gives two cells otherwise: its type, and its dead.
    cells = sum(
        one != other for name in changed for one, other in zip(before[name], after[name], strict=True)
    )
    assert (sorted(changed), cells) == (["oPt010315"], 2)

    old, wrong = mapped(first, "who-attacks.toml")
    assert not wrong
    job = await importer.finish(await importer.send(old, NDJSON, on_change="amend"))
    assert counts(job) == (len(before), 0, 0, 0)
    new, wrong = mapped(second, "who-attacks.toml")
    assert not wrong
    job = await importer.finish(await importer.send(new, NDJSON, on_change="amend"))
    assert counts(job) == (len(added), len(changed), len(before) - len(changed), 0)
    size = await app.store.size()
    job = await importer.finish(await importer.send(new, NDJSON, on_change="amend"))
    assert (counts(job), await app.store.size()) == ((0, 0, len(after), 0), size)


async def test_every_event_of_a_conflict_dataset_keeps_its_precision_and_its_bounds(
    shared_data: Path, importer: Importer, pool: asyncpg.Pool
) -> None:
    file = shared_data / "incidents" / "ucdp_ged_mexico.csv.gz"
    rows = rows_of(file)
    content, problems = mapped(file, "ucdp-ged.toml")
    contradictory = {
        number
        for number, row in enumerate(rows, start=1)
        if not int(row["low"]) <= int(row["best"]) <= int(row["high"])
    }
    assert (len(rows), set(problems)) == (18_957, contradictory)
    assert {one.field for found in problems.values() for one in found} == {"victims[0].count"}

    job = await importer.finish(await importer.send(content, NDJSON))
    assert counts(job) == (len(rows) - len(contradictory), 0, 0, 0)
    query = "SELECT convert_from(state, 'UTF8') AS state FROM events WHERE type = 'attack.reported'"
    stored = await pool.fetch(query)
    found: Counter[tuple[str, ...]] = Counter()
    for record in stored:
        when, where, count = (
            re.search(rf'"{name}":(\{{[^}}]*\}})', record["state"]) for name in ("when", "where", "count")
        )
        assert when
        assert where
        assert count
        found[
            (
                *re.findall(r'"precision":"(\w+)"', when[1] + where[1]),
                *re.findall(r'"(?:low|best|high)":(\d+)', count[1]),
            )
        ] += 1
    places = {"1": "LOCALITY", "2": "LOCALITY", "3": "STATE", "4": "STATE", "5": "STATE"}
    expected = Counter(
        (
            _date_precision(row),
            places.get(row["where_prec"], "COUNTRY") if row["adm_1"] else "COUNTRY",
            *(row[name] for name in ("best", "high", "low")),
        )
        for number, row in enumerate(rows, start=1)
        if number not in contradictory
    )
    assert found == expected


def _date_precision(row: dict[str, str]) -> str:
    codes = {"1": "DAY", "2": "INTERVAL", "3": "WEEK", "4": "MONTH", "5": "INTERVAL"}
    across = row["date_prec"] == "4" and row["date_start"][:7] != row["date_end"][:7]
    return "INTERVAL" if across else codes[row["date_prec"]]


async def test_a_national_cohort_from_a_spreadsheet_with_its_relocations(
    importer: Importer, app: Application
) -> None:
    for number in range(20):
        draft = SiteDraft(name=f"Clínica inventada {number}", cvegeo="16012")
        await app.execute(
            OPERATOR, sites.register(draft), WriteOptions(source_record_id=f"MSIMB0000{number:02}")
        )
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    sheet, day = book.add_worksheet("Datos"), book.add_format({"num_format": "dd/mm/yyyy"})
    headings = (
        "Folio",
        "Matrícula",
        "CLUES de la sede",
        "Promoción",
        "Tipo de plaza",
        "Inicio",
        "Término previsto",
    )
    sheet.write_row(0, 0, headings)
    for row in range(1, COHORT + 1):
        sheet.write_row(row, 0, (f"A-{row}", row, f"MSIMB0000{row % 20:02}", "2026-1", "ABC"[row % 3]))
        sheet.write_datetime(row, 5, datetime(2026, 2, 1), day)  # noqa: DTZ001 - a civil date
        sheet.write_datetime(row, 6, datetime(2027, 1, 31), day)  # noqa: DTZ001 - a civil date
    book.close()
    size = await app.store.size()
    job = await importer.finish(await importer.send(buffer.getvalue(), XLSX, records="assignments"))
    assert (counts(job), await app.store.size()) == ((COHORT, 0, 0, 0), size + COHORT)

    moves = "Folio,Folio de la asignación,CLUES de la sede nueva,A partir de,Motivo\n" + "".join(
        f"R-{row},A-{row},MSIMB0000{(row + 1) % 20:02},2026-03-01,THREAT\n" for row in range(1, MOVED + 1)
    )
    job = await importer.finish(await importer.send(moves, CSV, records="relocations"))
    assert (counts(job), await app.store.size()) == ((MOVED, 0, 0, 0), size + COHORT + MOVED)
    for content, headers, records, rows in (
        (buffer.getvalue(), XLSX, "assignments", COHORT),
        (moves, CSV, "relocations", MOVED),
    ):
        job = await importer.finish(await importer.send(content, headers, records=records))
        assert counts(job) == (0, 0, rows, 0)
