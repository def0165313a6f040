"""What is wrong with a file is said at its row and field, nothing of it is repeated, and nothing half-written."""

import io
from collections.abc import AsyncIterator

import httpx
import pytest
import xlsxwriter
import xlwt

from api.app import create_app
from api.auth.scopes import Scope
from api.imports.loading import load_profile
from api.imports.preparing import prepare
from api.imports.records import Records
from api.imports.tables import UNKNOWN_LAYOUT
from api.services import Services
from registry.application.drafts import SiteDraft
from registry.application.execution.application import Application
from registry.application.execution.unit import OPERATOR, Actor, WriteOptions
from registry.application.places import sites
from tests.integration.conftest import institution_of
from tests.integration.importing import CSV, XLS, XLSX, Importer

GOOD = {
    "class": "ATTACK",
    "source_type": "UNIVERSITY",
    "when.earliest": "2026-01-05",
    "when.latest": "2026-01-05",
    "when.precision": "DAY",
    "where.state": "16",
    "where.cvegeo": "16012",
    "where.site": "",
    "where.precision": "MUNICIPALITY",
    "kind": "ROBBERY",
    "victims[0].role": "STAFF",
    "victims[0].count.low": "1",
    "victims[0].count.best": "1",
    "victims[0].count.high": "1",
    "source_record_id": "s-1",
}


@pytest.fixture
async def importer(services: Services, university: Actor) -> AsyncIterator[Importer]:
    scopes = [Scope.IMPORTS_WRITE, Scope.REPORTS_WRITE]
    issued = await services.api_keys.issue(institution_of(university), scopes, None)
    transport = httpx.ASGITransport(create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://register.test") as http:
        yield Importer(http, services, issued.key)


def table(*rows: dict[str, str]) -> bytes:
    lines = [",".join(GOOD), *(",".join({**GOOD, **row}.values()) for row in rows)]
    return "\n".join(lines).encode()


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"kind": "ROBO"}, "kind", "ROBBERY"),
        ({"class": "ASALTO"}, "class", "THREAT, ATTACK"),
        ({"victims[0].role": "DOCTOR"}, "victims[0].role", "PASANTE_MEDICINE"),
        ({"where.cvegeo": "1001"}, "where.cvegeo", "leading zero"),
        ({"where.state": "1"}, "where.state", "leading zero"),
        ({"where.cvegeo": "01001"}, "where.cvegeo", "not in that state"),
        ({"when.earliest": "2026-02-30"}, "when.earliest", "no such day"),
        ({"when.earliest": "2023-02-29"}, "when.earliest", "no such day"),
        ({"when.earliest": "29/02/2023"}, "when.earliest", "no such day"),
        ({"when.earliest": "45000"}, "when.earliest", "format the column as a date"),
        ({"when.earliest": "05/01/2026"}, "when.earliest", "Which is the day"),
        ({"when.earliest": "13/01/2026"}, "when.earliest", "another order"),
        ({"when.earliest": "2026-05-01"}, "when.latest", "not swapped"),
        ({"victims[0].count.best": "dos"}, "victims[0].count.best", "integer"),
        ({"victims[0].count.best": "1.5"}, "victims[0].count.best", "integer"),
        ({"victims[0].count.low": "3"}, "victims[0].count", "low ≤ best"),
    ],
)
async def test_a_wrong_cell_is_its_rows_error_and_stops_an_atomic_import(
    importer: Importer, app: Application, change: dict[str, str], field: str, says: str
) -> None:
    before = await app.store.size()
    wrong = {**change, "source_record_id": "s-2"}
    answer = (await importer.send(table({}, wrong), CSV, mode="atomic")).json()
    assert (answer["created"], answer["failed"], await app.store.size()) == (0, 1, before)
    (error,) = answer["results"][1]["errors"][:1]
    assert (answer["results"][1]["row"], error["field"]) == (2, field), answer
    assert says in error["detail"]
    sent = next(iter(change.values()))
    assert len(sent) == 1 or sent not in error["detail"]

    answer = (await importer.send(table({}, wrong), CSV)).json()
    assert (answer["created"], answer["failed"], await app.store.size()) == (1, 1, before + 1)


async def test_a_clinic_in_another_state_than_its_municipality_is_refused(
    importer: Importer, app: Application
) -> None:
    site = await app.execute(
        OPERATOR, sites.register(SiteDraft(name="Clínica inventada", cvegeo="07059")), WriteOptions()
    )
    row = {"where.site": str(site.id), "where.precision": "SITE"}
    answer = (await importer.send(table(row), CSV)).json()
    assert answer["results"][0]["errors"][0]["field"] == "where.cvegeo"
    answer = (await importer.send(table({**row, "where.cvegeo": "", "where.state": ""}), CSV)).json()
    assert answer["created"] == 1


async def test_duplicate_rows_are_one_record_or_an_error(importer: Importer, app: Application) -> None:
    before = await app.store.size()
    rows = [{}, {}, {"kind": "EXTORTION"}]
    answer = (await importer.send(table(*rows), CSV)).json()
    assert [one["status"] for one in answer["results"]] == ["created", "unchanged", "error"]
    assert await app.store.size() == before + 1


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (table({}) + b"\xf1\n", "rows[1]"),
        ("class,kind,narrative\nATTACK,ROBBERY,año\nATTACK,ROBBERY,a".encode() + b"\xf1o\n", "rows[2]"),
        (table({}).replace(b"ROBBERY", b"ROB\x00BERY"), ""),
        (table({}).replace(b"kind,", b"class,"), "columns[10]"),
        (table({}).replace(b"kind,", b"tipo,"), "columns[10]"),
        (b"\n\n", ""),
        (table({}) + b'\n"unclosed', ""),
    ],
)
async def test_a_file_that_cannot_be_read_in_one_way_is_refused_whole(
    importer: Importer, app: Application, content: bytes, field: str
) -> None:
    before = await app.store.size()
    content = content.replace(
        b"s-1\xf1", b"s-\xc3\xb1\xf1"
    )  # mixed: a letter of UTF-8 beside one of Windows-1252
    answer = await importer.send(content, CSV)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert await app.store.size() == before


async def test_a_missing_column_is_each_rows_error(importer: Importer) -> None:
    answer = (await importer.send(b"kind,source_record_id\nROBBERY,a\n", CSV)).json()
    assert {error["field"] for error in answer["results"][0]["errors"]} == {"class", "source_type"}


async def test_a_workbook_that_is_none_is_refused(importer: Importer) -> None:
    answer = await importer.send(b"PK\x03\x04 no zip at all", XLSX)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")


async def test_a_cell_that_is_more_than_its_value_is_an_error_at_its_row_and_field(
    importer: Importer, app: Application
) -> None:
    before, buffer = await app.store.size(), io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False})
    sheet = book.add_worksheet()
    headings = ("Folio", "Clase", "Tipo de fuente", "Relato", "Víctimas, mínimo", "Víctima")
    sheet.write_row(0, 0, headings)
    for row in range(1, 8):
        sheet.write_row(row, 0, (f"s-{row}", "THREAT", "UNIVERSITY", "", "", "STAFF"))
    sheet.write_formula(1, 3, '="a"&"b"', None, "ab")
    sheet.write_formula(2, 3, "=1/0", None, "#DIV/0!")
    sheet.merge_range(3, 3, 4, 3, "combinada")
    sheet.write_number(5, 0, 12345678901234567890)
    sheet.write_string(6, 4, "dos")
    sheet.write_number(7, 0, 7)
    book.close()
    answer = (await importer.send(buffer.getvalue(), XLSX, mode="atomic")).json()
    found = {
        one["row"]: (one["errors"][0]["field"], one["errors"][0]["code"])
        for one in answer["results"]
        if one["status"] == "error"
    }
    assert found == {
        1: ("narrative", "formula"),
        2: ("narrative", "cell-error"),
        3: ("narrative", "merged-cells"),
        4: ("narrative", "merged-cells"),
        5: ("source_record_id", "inexact-number"),
        6: ("victims[0].count.low", "invalid-input"),
    }
    old, saved = xlwt.Workbook(), io.BytesIO()
    sheet = old.add_sheet("Hoja1")
    for column, heading in enumerate(headings):
        sheet.write(0, column, heading)
        sheet.write(1, column, "x")
    sheet.write(2, 3, xlwt.Formula('"a"&"b"'))
    old.save(saved)
    answer = (await importer.send(saved.getvalue(), XLS, mode="atomic")).json()
    (error,) = answer["results"][1]["errors"]
    assert (answer["results"][1]["row"], error["field"], error["code"]) == (2, "narrative", "formula")
    assert await app.store.size() == before
    for content in (buffer.getvalue()[:-200], table({})[:-40]):
        cut = await importer.send(content, XLSX if content.startswith(b"PK") else CSV, mode="atomic")
        assert cut.status_code == 422 or cut.json()["results"][0]["errors"][0]["code"] == "ragged-row"
    assert await app.store.size() == before


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("45000", "formato de fecha"),
        ("30/02/2026", "no existe"),
        ("13/25/2026", "no existe"),
        ("02/13/2026", "otro orden"),
    ],
)
def test_a_profile_says_the_same_at_the_cell(cell: str, says: str) -> None:
    profile = load_profile(
        'records = "reports"\n[[record]]\n[record.fields]\nclass = "ATTACK"\nsource_type = "UNIVERSITY"\n'
        '"when.latest" = { column = "día", day = "d" }\n[dates.d]\nformats = ["DD/MM/YYYY"]\n'
    )
    file = io.BytesIO(f"día\n{cell}\n".encode())
    (row,) = prepare(file, Records.REPORTS, profile, layout=UNKNOWN_LAYOUT).rows
    (problem,) = row.problems
    assert (problem.columns, problem.value) == (("día",), cell)
    assert says in problem.detail.es
