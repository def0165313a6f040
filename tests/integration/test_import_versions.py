"""Two versions of a register that goes on, nine years apart: other columns, headings, dates and spellings of ids."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.auth.scopes import Scope
from api.imports.loading import check_fields, load_profile
from api.imports.preparing import prepare
from api.imports.records import Records
from api.imports.tables import UNKNOWN_LAYOUT
from api.services import Services
from registry.application.execution.application import Application
from registry.application.execution.unit import Actor
from tests.integration.conftest import institution_of
from tests.integration.importing import NDJSON, Importer

pytestmark = pytest.mark.slow

CHANGED, GONE, SAME, ADDED = 1_295, 105, 300, 148

FIELDS = """
[record.fields]
class = "ATTACK"
source_type = "OTHER_AUTHORITY"
when = {{ column = "{date}", date = "day" }}
kind = {{ column = "{kind}", table = "kind" }}
source_record_id = {{ column = "{id}", capture = '0*([0-9]+)$', required = true }}
narrative = {{ column = "{text}" }}
"where.precision" = "COUNTRY"
[[record.items]]
into = "victims"
only_if = [{{ column = "{killed}", matches = '^0(\\.0)?$', not = true }}]
[record.items.fields]
role = "STAFF"
outcome = "KILLED"
"count.low" = {{ column = "{killed}", number = true }}
"count.best" = {{ column = "{killed}", number = true }}
"count.high" = {{ column = "{killed}", number = true }}
"""

OLD = (
    'records = "reports"\n[file]\nencoding = "cp1252"\ndelimiter = ";"\n[[record]]'
    + FIELDS.format(date="Date", kind="Type of attack", id="Incident No.", text="Summary", killed="Dead")
    + '[dates.day]\nformats = ["M/D/YYYY"]\n[tables.kind.exact]\n"Robbery" = "ROBBERY"\n"Shooting" = "ARMED_ATTACK"\n'
)
NEW = (
    'records = "reports"\n[[record]]'
    + FIELDS.format(date="Fecha", kind="Tipo", id="Folio", text="Resumen", killed="Fallecidos")
    + '[dates.day]\nformats = ["DD/MM/YYYY"]\n[tables.kind.exact]\n"ROBO" = "ROBBERY"\n'
    '"AGRESIÓN ARMADA" = "ARMED_ATTACK"\n'
)
KINDS = {"Robbery": "ROBO", "Shooting": "Agresión armada"}

Case = tuple[int, date, str, int, str]


def cases() -> tuple[list[Case], list[Case]]:
    """The cases of each version: number, day, kind, dead, what happened."""
    first = date(2006, 1, 1)
    old = [
        (n, first + timedelta(days=n), ("Robbery", "Shooting")[n % 2], n % 3, f"Relato inventado {n}: «año»")
        for n in range(1, CHANGED + GONE + SAME + 1)
    ]
    new: list[Case] = list(old[CHANGED + GONE :])
    for n, day, kind, dead, text in old[:CHANGED]:
        new.append(
            [
                (n, day + timedelta(days=1), kind, dead, text),
                (n, day, "Robbery" if kind == "Shooting" else "Shooting", dead, text),
                (n, day, kind, dead + 1, text),
                (n, day, kind, dead, text + ", corregido"),
            ][n % 4]
        )
    last = old[-1][0]
    new += [(last + n, date(2024, 1, 1), "Robbery", 0, f"Otro {n}") for n in range(1, ADDED + 1)]
    return old, new


def mapped(table: list[list[str]], delimiter: str, encoding: str, text: str) -> bytes:
    """The records of a file by a profile, as the command sends them."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter).writerows(table)
    profile = load_profile(text)
    check_fields(profile, text)
    file = io.BytesIO(buffer.getvalue().encode(encoding))
    rows = list(prepare(file, Records.REPORTS, profile, layout=UNKNOWN_LAYOUT).rows)
    assert not [row.problems for row in rows if row.problems]
    return b"\n".join(record.body for row in rows for record in row.records)


@pytest.fixture
async def importer(services: Services, university: Actor) -> AsyncIterator[Importer]:
    scopes = [Scope.IMPORTS_WRITE, Scope.REPORTS_WRITE]
    issued = await services.api_keys.issue(institution_of(university), scopes, None)
    transport = httpx.ASGITransport(create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://register.test") as http:
        yield Importer(http, services, issued.key)


def counts(job: dict[str, Any]) -> tuple[int, ...]:
    return tuple(job[name] for name in ("created", "amended", "unchanged", "failed"))


async def test_a_version_nine_years_later_adds_and_amends_exactly_what_changed(
    importer: Importer, app: Application
) -> None:
    old, new = cases()
    before = mapped(
        [
            ["Incident No.", "Date", "Type of attack", "Dead", "Region", "Summary"],
            *(
                [f"AH-{n:05}", f"{day.month}/{day.day}/{day.year}", kind, f"{dead}.0", "Sur", text]
                for n, day, kind, dead, text in old
            ),
        ],
        ";",
        "cp1252",
        OLD,
    )
    after = mapped(
        [
            ["Folio", "Revisado", "Resumen", "Tipo", "Fallecidos", "Heridos", "Fecha", "Latitud"],
            *(
                [str(n), "sí", f" {text} ", KINDS[kind], str(dead), "", day.strftime("%d/%m/%Y"), "19.4"]
                for n, day, kind, dead, text in reversed(new)
            ),
        ],
        ",",
        "utf-8-sig",
        NEW,
    )
    job = await importer.finish(await importer.send(before, NDJSON, on_change="amend"))
    assert counts(job) == (CHANGED + GONE + SAME, 0, 0, 0)
    # What is gone from the later version is not withdrawn: its absence says nothing.
    job = await importer.finish(await importer.send(after, NDJSON, on_change="amend"))
    assert counts(job) == (ADDED, CHANGED, SAME, 0)
    size = await app.store.size()
    job = await importer.finish(await importer.send(after, NDJSON, on_change="amend"))
    assert (counts(job), await app.store.size()) == ((0, 0, CHANGED + SAME + ADDED, 0), size)
