"""Imports over HTTP against a real database: what each mode stores, answers, and refuses."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from api.app import create_app
from api.auth.keys import Keys
from api.auth.scopes import Scope
from api.auth.token import Tokens
from api.health import Health
from api.imports.loading import load_profile
from api.imports.preparing import PreparedRow, prepare
from api.imports.records import Records
from api.imports.tables import UNKNOWN_LAYOUT
from api.services import Services
from registry.application.execution.application import Application
from registry.application.execution.unit import Actor
from registry.log.keys import LogKeys
from registry.privacy.master import MasterKey
from registry.settings import Settings
from tests.integration.conftest import institution_of

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
IMPORT_LIMIT = 200_000
CSV = {"Content-Type": "text/csv"}
NDJSON = {"Content-Type": "application/x-ndjson"}


class Client:
    """One institution's key on the app."""

    def __init__(self, http: httpx.AsyncClient, key: str) -> None:
        self._http = http
        self._key = key

    async def post(
        self, content: str | bytes, headers: dict[str, str] = NDJSON, **query: str
    ) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self._key}", "Accept-Language": "en", **headers}
        response = await self._http.post("/v1/imports", params=query, content=content, headers=headers)
        return response.status_code, response.json()

    async def reports(
        self, *rows: dict[str, Any], mode: str = "partial", **headers: str
    ) -> tuple[int, dict[str, Any]]:
        content = "\n".join(json.dumps(row) for row in rows)
        return await self.post(content, {**NDJSON, **headers}, records="reports", mode=mode)


@pytest.fixture
async def services(
    pool: asyncpg.Pool, master: MasterKey, log_keys: LogKeys, app: Application, tmp_path: Path
) -> Services:
    settings = Settings(data=tmp_path, import_limit=IMPORT_LIMIT)
    return Services(settings, pool, app, log_keys, Keys(pool, Tokens(master, "test")), Health())


@pytest.fixture
async def http(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://register.test") as client:
        yield client


@pytest.fixture
async def sender(services: Services, http: httpx.AsyncClient, university: Actor) -> Client:
    scopes = [Scope.IMPORTS_WRITE, Scope.REPORTS_WRITE]
    issued = await services.api_keys.issue(institution_of(university), scopes, None)
    return Client(http, issued.key)


@pytest.fixture
async def adjudicator(services: Services, http: httpx.AsyncClient, verifier: Actor) -> Client:
    scopes = [Scope.IMPORTS_WRITE, Scope.INCIDENTS_VERIFY]
    issued = await services.api_keys.issue(institution_of(verifier), scopes, None)
    return Client(http, issued.key)


def report(number: int, **changes: Any) -> dict[str, Any]:
    row = {
        "class": "THREAT",
        "source_type": "UNIVERSITY",
        "kind": "MESSAGE",
        "source_record_id": f"2026/{number}",
    }
    return {name: value for name, value in {**row, **changes}.items() if value is not None}


def statuses(answer: dict[str, Any]) -> list[str]:
    return [result["status"] for result in answer["results"]]


async def test_a_dry_run_says_what_would_happen_and_stores_nothing(sender: Client, app: Application) -> None:
    before = await app.store.size()
    status, answer = await sender.reports(report(1), report(2, kind="COERCED_CARE"), mode="dry-run")

    assert status == 200
    assert (answer["mode"], answer["records"], answer["rows"]) == ("dry-run", "reports", 2)
    assert (answer["created"], answer["unchanged"], answer["failed"]) == (1, 0, 1)
    assert answer["results"][1]["errors"][0]["field"] == "kind"
    assert await app.store.size() == before


async def test_the_mode_is_dry_run_unless_said_otherwise(sender: Client, app: Application) -> None:
    before = await app.store.size()
    status, answer = await sender.post(json.dumps(report(1)), records="reports")
    assert (status, answer["mode"], await app.store.size()) == (200, "dry-run", before)


async def test_partial_stores_the_sound_rows_and_explains_the_others(
    sender: Client, app: Application
) -> None:
    before = await app.store.size()
    status, answer = await sender.reports(
        report(1),
        report(2, **{"class": "ASALTO"}),
        report(3, when={"earliest": "2026-02-30", "latest": "2026-03-01", "precision": "DAY"}),
        report(4),
    )

    assert status == 200
    assert statuses(answer) == ["created", "error", "error", "created"]
    assert (answer["created"], answer["failed"]) == (2, 2)
    wrong_class, wrong_date = answer["results"][1]["errors"][0], answer["results"][2]["errors"][0]
    assert wrong_class["field"] == "class"
    assert "THREAT, ATTACK, RELOCATION" in wrong_class["detail"]
    assert wrong_date["field"] == "when.earliest"
    assert "ASALTO" not in json.dumps(answer)
    assert "2026-02-30" not in json.dumps(answer)
    assert await app.store.size() == before + 2


async def test_a_second_import_adds_nothing_and_names_the_same_records(
    sender: Client, app: Application
) -> None:
    _, first = await sender.reports(report(1), report(2))
    size = await app.store.size()
    _, again = await sender.reports(report(2), report(1))

    assert statuses(again) == ["unchanged", "unchanged"]
    assert [one["id"] for one in again["results"]] == [one["id"] for one in reversed(first["results"])]
    assert [one["positions"] for one in first["results"]] == [[size - 2], [size - 1]]
    assert await app.store.size() == size


async def test_a_known_source_record_with_other_content_is_refused_with_what_stands(sender: Client) -> None:
    _, first = await sender.reports(report(1))
    _, again = await sender.reports(report(1, kind="VERBAL"))

    (result,) = again["results"]
    assert result["status"] == "error"
    assert result["errors"][0]["code"] == "source-record-differs"
    assert result["id"] == first["results"][0]["id"]


async def test_a_source_record_that_the_file_repeats_counts_once(sender: Client, app: Application) -> None:
    before = await app.store.size()
    _, answer = await sender.reports(report(1), report(1), report(1, kind="VERBAL"))

    assert statuses(answer) == ["created", "unchanged", "error"]
    assert "Row 1" in answer["results"][2]["errors"][0]["detail"]
    assert await app.store.size() == before + 1


@pytest.mark.parametrize("mode", ["dry-run", "partial", "atomic"])
async def test_a_row_may_name_an_earlier_row_of_the_same_file(sender: Client, mode: str) -> None:
    rows = [report(1)]
    rows += [report(n, derived_from={"source_record_id": f"2026/{n - 1}"}) for n in range(2, 60)]
    _, answer = await sender.reports(*rows, mode=mode)
    assert statuses(answer) == ["created"] * 59


async def test_rows_without_a_record_id_are_recognised_by_the_idempotency_key(
    sender: Client, app: Application
) -> None:
    rows = [report(1, source_record_id=None), report(1, source_record_id=None)]
    key = {"Idempotency-Key": "k" * 255}
    _, first = await sender.reports(*rows, **key)
    size = await app.store.size()
    _, again = await sender.reports(*rows, **key)

    assert statuses(first) == ["created", "created"]
    assert statuses(again) == ["unchanged", "unchanged"]
    assert await app.store.size() == size


async def test_atomic_stores_all_rows_or_none(sender: Client, app: Application) -> None:
    before = await app.store.size()
    _, refused = await sender.reports(report(1), report(2, kind="COERCED_CARE"), report(3), mode="atomic")
    assert statuses(refused) == ["skipped", "error", "skipped"]
    _, malformed = await sender.reports(report(1), report(2, kind=7), mode="atomic")
    assert statuses(malformed) == ["skipped", "error"]
    assert await app.store.size() == before

    _, taken = await sender.reports(report(1), report(2), report(3), mode="atomic")
    assert statuses(taken) == ["created"] * 3
    _, again = await sender.reports(report(1), report(2), report(3), report(4), mode="atomic")
    assert statuses(again) == ["unchanged"] * 3 + ["created"]
    assert await app.store.size() == before + 4


async def test_atomic_needs_a_record_id_in_each_row(sender: Client, app: Application) -> None:
    before = await app.store.size()
    _, answer = await sender.reports(report(1), report(2, source_record_id=None), mode="atomic")
    assert statuses(answer) == ["skipped", "error"]
    assert answer["results"][1]["errors"][0]["code"] == "missing-source-record-id"
    assert await app.store.size() == before


async def test_csv_headings_are_fields_and_cells_are_read_as_what_they_are(
    sender: Client, app: Application
) -> None:
    content = (
        "class,source_type,kind,when.earliest,when.latest,when.precision,where.state,where.precision,"
        "victims[0].role,victims[0].count.low,victims[0].count.best,victims[0].count.high,source_record_id\n"
        "THREAT,UNIVERSITY,MESSAGE,2026-01-05,2026-01-05,DAY,16,STATE,PASANTE_MEDICINE,1,2,2,a\n"
        "THREAT,UNIVERSITY,,,,,,,,,,,b\n"
        "THREAT,UNIVERSITY,VERBAL,2026-01-05,2026-01-05,DAY,16,STATE,PASANTE_MEDICINE,dos,2,2,c\n"
    )
    _, answer = await sender.post(content.replace(",", ";"), CSV, records="reports", mode="partial")

    assert statuses(answer) == ["created", "created", "error"]
    assert answer["results"][2]["errors"][0]["field"] == "victims[0].count.low"
    assert "dos" not in json.dumps(answer)


async def test_the_same_record_as_csv_and_as_ndjson_is_the_same(sender: Client) -> None:
    content = "class,source_type,kind,source_record_id\nTHREAT,UNIVERSITY,MESSAGE,2026/1\n"
    await sender.post(content.encode("utf-8-sig"), CSV, records="reports", mode="partial")
    _, answer = await sender.reports(report(1))
    assert statuses(answer) == ["unchanged"]


async def test_a_declared_windows_code_page_is_read(sender: Client) -> None:
    content = "class,source_type,narrative,source_record_id\nTHREAT,UNIVERSITY,Ocurrió,1\n".encode("cp1252")
    headers = {"Content-Type": "text/csv; charset=windows-1252"}
    _, answer = await sender.post(content, headers, records="reports", mode="partial")
    assert statuses(answer) == ["created"]


@pytest.mark.parametrize(
    ("content", "field", "private"),
    [
        ("class,nombre de la víctima\nTHREAT,Juana\n", "columns[2]", "nombre"),
        ("class,class\nTHREAT,THREAT\n", "columns[2]", "THREAT"),
        (b"class,narrative\nTHREAT,Jos" + b"\xe9 \xc3\xb1\n", "rows[1]", "Jos"),
        ('class,narrative\nTHREAT,"sin cerrar\n', "", "sin cerrar"),
        ("class,narrative\nTHREAT,\x00Juana\n", "", "Juana"),
        ("", "", "¬"),
        ("reports[0],reports[0].source_record_id,class\n,,ATTACK\n", "columns[1]", "¬"),
    ],
)
async def test_a_file_that_is_no_table_is_refused_without_repeating_it(
    sender: Client, content: str | bytes, field: str, private: str
) -> None:
    status, problem = await sender.post(content, CSV, records="reports")
    assert status == 422
    assert [error["field"] for error in problem["errors"]] == [field]
    assert private not in json.dumps(problem)


async def test_one_field_cannot_come_from_two_columns(adjudicator: Client) -> None:
    content = "class,reports[0],reports[0].source_record_id\nATTACK,,1\n"
    status, problem = await adjudicator.post(content, CSV, records="incidents")
    assert (status, problem["errors"][0]["field"]) == (422, "columns")


async def test_an_empty_ndjson_is_refused(sender: Client) -> None:
    status, _ = await sender.post("\n\n", records="reports")
    assert status == 422


@pytest.mark.parametrize("line", ["{", "[]", '"x"', '{"class":"THREAT","class":"ATTACK"}', "\x00"])
async def test_a_line_that_is_no_object_is_that_lines_error(sender: Client, line: str) -> None:
    _, answer = await sender.post(json.dumps(report(1)) + "\n" + line, records="reports", mode="partial")
    assert statuses(answer) == ["created", "error"]


async def test_too_large_a_body_is_refused(sender: Client) -> None:
    status, problem = await sender.post(b" " * (IMPORT_LIMIT + 1), records="reports")
    assert (status, problem["code"]) == (413, "body-too-large")


async def test_too_many_rows_are_refused(sender: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.imports.intake.ATOMIC_ROWS", 1)
    status, problem = await sender.reports(report(1), report(2), mode="atomic")
    assert (status, problem["code"]) == (413, "body-too-large")
    status, _ = await sender.reports(report(1), report(2))
    assert status == 200


@pytest.mark.parametrize("content_type", ["application/json", "text/csv; charset=utf-16", ""])
async def test_other_kinds_of_body_are_refused(sender: Client, content_type: str) -> None:
    status, _ = await sender.post("{}", {"Content-Type": content_type}, records="reports")
    assert status == 415


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({}, "records"),
        ({"records": "persons"}, "records"),
        ({"records": "reports", "mode": "all"}, "mode"),
        ({"records": "reports", "on_change": "overwrite"}, "on_change"),
        ({"records": "assignments", "on_change": "amend"}, "on_change"),
    ],
)
async def test_a_parameter_that_is_none_is_named_with_what_is_accepted(
    sender: Client, query: dict[str, str], parameter: str
) -> None:
    status, problem = await sender.post("{}", NDJSON, **query)
    assert status == 400
    assert problem["errors"][0]["field"] == f"query.{parameter}"


async def test_the_records_need_their_own_scope(sender: Client, adjudicator: Client) -> None:
    for client, records in ((sender, "incidents"), (sender, "assignments"), (adjudicator, "reports")):
        status, problem = await client.post("{}", NDJSON, records=records)
        assert (status, problem["code"]) == (403, "missing-scope")


async def test_statements_about_relocations_are_no_threats(sender: Client) -> None:
    rows = [
        report(1),
        report(2, **{"class": "RELOCATION"}, kind=None, action="RELOCATED", low=6, best=6, high=6),
    ]
    content = "\n".join(json.dumps(row) for row in rows)
    _, answer = await sender.post(content, records="relocations", mode="partial")
    assert statuses(answer) == ["error", "created"]
    assert answer["results"][0]["errors"][0]["field"] == "class"


async def test_two_imports_at_once_store_each_record_once(sender: Client, app: Application) -> None:
    before = await app.store.size()
    rows = [report(number) for number in range(40)]
    answers = await asyncio.gather(*(sender.reports(*rows) for _ in range(4)))

    assert all(answer["failed"] == 0 for _, answer in answers)
    assert sum(answer["created"] for _, answer in answers) == 40
    assert await app.store.size() == before + 40


@pytest.fixture
def claims(shared_data: Path) -> bytes:
    profile = load_profile((EXAMPLES / "claims.toml").read_text(encoding="utf-8"))
    with (shared_data / "social_service" / "news_claims.csv").open("rb") as file:
        prepared = prepare(file, Records.REPORTS, profile, layout=UNKNOWN_LAYOUT)
        return b"\n".join(record.body for row in prepared.rows for record in row.records)


async def test_published_claims_become_reports_and_the_cases_that_they_support(
    sender: Client, adjudicator: Client, claims: bytes, app: Application
) -> None:
    _, reports = await sender.post(claims, records="reports", mode="partial")
    assert (reports["rows"], reports["created"]) == (41, 41), reports["results"]

    cases = (EXAMPLES / "cases.ndjson").read_bytes()
    _, checked = await adjudicator.post(cases, records="incidents", mode="dry-run")
    _, opened = await adjudicator.post(cases, records="incidents", mode="atomic")
    assert (checked["created"], opened["created"], opened["failed"]) == (14, 14, 0), opened["results"]

    size = await app.store.size()
    for client, content, records in ((sender, claims, "reports"), (adjudicator, cases, "incidents")):
        _, again = await client.post(content, records=records, mode="partial")
        assert again["unchanged"] == again["rows"]
    assert await app.store.size() == size


async def test_the_cases_claim_no_more_certainty_than_their_sources_allow(
    sender: Client, adjudicator: Client, claims: bytes
) -> None:
    await sender.post(claims, records="reports", mode="partial")
    cases = [
        json.loads(line) for line in (EXAMPLES / "cases.ndjson").read_text(encoding="utf-8").splitlines()
    ]
    above = {"RUMOUR": "POSSIBLE", "POSSIBLE": "PROBABLE", "PROBABLE": "CONFIRMED"}
    for case in cases:
        case["certainty"]["level"] = above[case["certainty"]["level"]]
    content = "\n".join(json.dumps(case) for case in cases)
    _, answer = await adjudicator.post(content, records="incidents", mode="dry-run")

    assert {result["errors"][0]["code"] for result in answer["results"]} == {"rule-violated"}


async def test_the_cases_hold_codes_only(shared_data: Path) -> None:
    with (EXAMPLES / "cases.ndjson").open("rb") as file:
        prepared = prepare(file, Records.INCIDENTS, None, ndjson=True, layout=UNKNOWN_LAYOUT)
        rows: list[PreparedRow] = list(prepared.rows)
    assert (len(rows), [row.problems for row in rows if row.problems]) == (14, [])
    for row in rows:
        case = json.loads(row.records[0].body)
        assert not {"narrative", "wording", "student", "sources"} & _names(case)


def _names(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*(_names(one) for one in value.values()))
    return set().union(*(_names(one) for one in value)) if isinstance(value, list) else set()
