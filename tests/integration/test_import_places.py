"""Rows that name their municipality, or their clinic by its CLUES: found, or refused with the choices; no guesses."""

import io
import json
from collections.abc import AsyncIterator
from datetime import date
from typing import Any
from uuid import UUID

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
from registry.application.execution.application import Application
from registry.application.execution.unit import Actor
from registry.application.places.site_catalog import take_sites
from registry.catalogs.clues import check_digit
from registry.catalogs.establishments import Establishment
from registry.catalogs.municipalities import Municipality
from registry.catalogs.reading import Row
from registry.domain.assignment import Assignment
from registry.domain.report import Report
from registry.domain.report_events import ThreatReported
from tests.integration.conftest import institution_of
from tests.integration.importing import CSV, NDJSON, XLSX, Importer, adopt_municipalities

HEADING = (
    "class,source_type,kind,when.earliest,when.latest,when.precision,where.state,where.place,where.precision,"
)
HEADING += "source_record_id\n"


@pytest.fixture
async def importer(services: Services, university: Actor) -> AsyncIterator[Importer]:
    scopes = [Scope.IMPORTS_WRITE, Scope.REPORTS_WRITE, Scope.ASSIGNMENTS_WRITE]
    issued = await services.api_keys.issue(institution_of(university), scopes, None)
    transport = httpx.ASGITransport(create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://register.test") as http:
        yield Importer(http, services, issued.key)


@pytest.fixture
async def catalog(app: Application) -> None:
    old = [
        Municipality("10023", "Pueblo Nuevo"),
        Municipality("11024", "Pueblo Nuevo"),
        Municipality("16012", "Ario"),
    ]
    await adopt_municipalities(app, "2020", *old)
    await adopt_municipalities(app, "2025", *old, Municipality("02007", "San Felipe"))


def row(number: int, place: str, state: str = "", day: str = "2026-01-05") -> str:
    return f'THREAT,UNIVERSITY,VERBAL,{day},{day},DAY,{state},"{place}",MUNICIPALITY,r-{number}\n'


async def cvegeo_of(app: Application, report: str) -> str | None:
    found = await app.load(Report, UUID(report))
    assert found is not None
    assert found.report is not None
    assert isinstance(found.report, ThreatReported)
    return found.report.where.cvegeo if found.report.where else None


async def test_a_municipality_is_found_by_its_name_or_comes_back_as_choices(
    importer: Importer, app: Application, catalog: None
) -> None:
    table = HEADING + "".join(
        (
            row(1, "Pueblo Nuevo, Durango"),
            row(2, "Pueblo Nuevo", state="11"),
            row(3, "Pueblo Nuevo"),
            row(4, "Peublo Nuevo, Dgo."),
            row(5, "San Felipe, Baja California", day="2015-03-01"),
            row(6, "Xyzzy"),
        )
    )
    before = await app.store.size()
    answer: dict[str, Any] = {}
    for mode in ("dry-run", "atomic", "partial"):
        answer = (await importer.send(table, CSV, mode=mode)).json()
        assert (answer["failed"], await app.store.size() - before) == (4, 2 if mode == "partial" else 0)
    results = answer["results"]
    assert [await cvegeo_of(app, one["id"]) for one in results[:2]] == ["10023", "11024"]
    errors = [one["errors"][0] for one in results[2:]]
    assert {(one["field"], one["code"]) for one in errors} == {("where.place", "invalid-input")}
    shared, misspelt, later, unknown = (one["detail"] for one in errors)
    assert "10023 Pueblo Nuevo (Durango); 11024 Pueblo Nuevo (Guanajuato)" in shared
    assert "It may be: 10023 Pueblo Nuevo (Durango)." in misspelt
    assert "02007" not in later
    assert "No municipality has that name" in unknown
    assert "Xyzzy" not in unknown

    # The same row is the same record, whatever its name would resolve to later.
    await adopt_municipalities(app, "2026", Municipality("10099", "Pueblo Nuevo"))
    again = (await importer.send(table, CSV)).json()
    assert [one["status"] for one in again["results"][:2]] == ["unchanged", "unchanged"]


async def test_a_changed_name_is_an_amendment_and_a_second_code_beside_it_an_error(
    importer: Importer, app: Application, catalog: None
) -> None:
    first = (await importer.send(HEADING + row(1, "Pueblo Nuevo, Durango"), CSV)).json()
    record = first["results"][0]["id"]
    amended = (await importer.send(HEADING + row(1, "Pueblo Nuevo, Gto."), CSV, on_change="amend")).json()
    assert (amended["amended"], await cvegeo_of(app, record)) == (1, "11024")
    refused = (
        await importer.send(HEADING + row(1, "Pueblo Nuevo"), CSV, on_change="amend", mode="atomic")
    ).json()
    assert refused["results"][0]["errors"][0]["field"] == "where.place"

    both = {
        "class": "THREAT",
        "source_type": "UNIVERSITY",
        "kind": "VERBAL",
        "where": {"place": "Ario", "cvegeo": "16012", "precision": "MUNICIPALITY"},
    }
    moved = {
        "class": "RELOCATION",
        "source_type": "UNIVERSITY",
        "action": "RELOCATED",
        "where": [
            {"place": "Ario, Mich.", "precision": "MUNICIPALITY"},
            {"place": "?", "precision": "STATE"},
        ],
    }
    answer = (await importer.send(json.dumps(both) + "\n" + json.dumps(moved), NDJSON)).json()
    assert [one["errors"][0]["field"] for one in answer["results"]] == ["where.place", "where[1].place"]


async def test_without_a_catalogue_a_name_is_refused_with_what_to_do(importer: Importer) -> None:
    answer = (await importer.send(HEADING + row(1, "Ario, Michoacán"), CSV)).json()
    assert "no catalogue of municipalities" in answer["results"][0]["errors"][0]["detail"]


def test_a_profile_fills_the_name_of_a_place_from_its_columns() -> None:
    text = (
        'records = "reports"\n[[record]]\n[record.fields]\nclass = "ATTACK"\nsource_type = "UNIVERSITY"\n'
        '"where.precision" = "MUNICIPALITY"\n"where.place" = { template = "{mun}, {edo}" }\n'
    )
    profile = load_profile(text)
    check_fields(profile, text)
    file = io.BytesIO(b"mun,edo\nPueblo Nuevo,Durango\n")
    (prepared,) = prepare(file, Records.REPORTS, profile, layout=UNKNOWN_LAYOUT).rows
    assert json.loads(prepared.records[0].body)["where"]["place"] == "Pueblo Nuevo, Durango"


async def test_a_clinic_is_found_by_any_code_that_it_has_had_with_a_warning_for_one_of_another_time(
    importer: Importer, app: Application, catalog: None
) -> None:
    old, new = (f"{code}{check_digit(code)}" for code in ("MNSSA00012", "MNIMB00012"))
    entry = Establishment(
        clues=new,
        former_clues=old,
        name="Clínica inventada",
        cvegeo="16012",
        valid_from=date(2024, 1, 1),
    )
    await take_sites(app, [Row(1, entry)], date(2026, 1, 1))

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    sheet = book.add_worksheet("Datos")
    sheet.write_row(
        0,
        0,
        (
            "Folio",
            "Matrícula",
            "CLUES de la sede",
            "Promoción",
            "Tipo de plaza",
            "Inicio",
            "Término previsto",
            "Lugar de elección",
        ),
    )
    for number, code in enumerate((new, old, "MNSSA999999"), start=1):
        sheet.write_row(
            number,
            0,
            (f"A-{number}", str(number), code, "2026-1", "C", "2026-02-01", "2027-01-31", str(number)),
        )
    book.close()
    answer: dict[str, Any] = {}
    for mode in ("dry-run", "partial"):
        answer = (await importer.send(buffer.getvalue(), XLSX, records="assignments", mode=mode)).json()
        assert [one["status"] for one in answer["results"]] == ["created", "created", "error"]
        assert [one["warnings"][0]["field"] for one in answer["results"] if "warnings" in one] == ["site"]
        assert new in answer["results"][1]["warnings"][0]["detail"]
        assert answer["results"][2]["errors"][0]["field"] == "site"
    made = [await app.load(Assignment, UUID(one["id"])) for one in answer["results"][:2]]
    assert len({one.service.last_site() for one in made if one}) == 1
    assert [one.service.selection_rank for one in made if one] == [1, 2]
    again = (await importer.send(buffer.getvalue(), XLSX, records="assignments")).json()
    assert (again["unchanged"], "warnings" in again["results"][1]) == (2, False)

    # In an atomic import of reports, too, whose rows name the clinic.
    rows: list[dict[str, Any]] = [
        {
            "class": "THREAT",
            "source_type": "UNIVERSITY",
            "kind": "VERBAL",
            "when": {"earliest": "2026-01-05", "latest": "2026-01-05", "precision": "DAY"},
            "where": {"site": {"source_record_id": code}, "precision": "SITE"},
            "source_record_id": f"r-{code}",
        }
        for code in (new, old)
    ]
    answer = (await importer.send("\n".join(map(json.dumps, rows)), NDJSON, mode="atomic")).json()
    assert [len(one.get("warnings", [])) for one in answer["results"]] == [0, 1], answer
    assert answer["results"][1]["warnings"][0]["field"] == "where.site"
