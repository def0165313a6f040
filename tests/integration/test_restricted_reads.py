"""Restricted counts over HTTP: who may ask, what is noted of it, and that no cache keeps it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import pytest

from api.auth.keys import Keys
from api.auth.scopes import ROLES, Role
from projections.models.restricted import RestrictedProjection
from projections.runner import Runner
from tests.integration.conftest import Clock
from tests.integration.rest import Institution

ASKED = """
query ($unit: RestrictedUnit!, $groupBy: [RestrictedDimension!]!, $filters: [RestrictedFilter!]) {
  restricted {
    counts(unit: $unit, groupBy: $groupBy, filters: $filters) {
      at
      rows { key { dimension value label(lang: EN) } low best high disputed }
    }
  }
}
"""
WHEN = {"earliest": "2026-02-20", "latest": "2026-03-01", "precision": "INTERVAL"}
WHERE = {"cvegeo": "16012", "precision": "MUNICIPALITY"}


async def ask(caller: Institution, unit: str, *group_by: str, **filters: list[str]) -> Any:
    variables = {
        "unit": unit,
        "groupBy": group_by,
        "filters": [{"dimension": name, "in": values} for name, values in filters.items()],
    }
    answer = await caller.post("/graphql", {"query": ASKED, "variables": variables}, Purpose="STATISTICS")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["vary"] == "accept, authorization"
    return answer.json()


async def table(caller: Institution, unit: str, *group_by: str, **filters: list[str]) -> dict[Any, Any]:
    answer = await ask(caller, unit, *group_by, **filters)
    assert "errors" not in answer, answer
    rows = answer["data"]["restricted"]["counts"]["rows"]
    return {tuple(cell["value"] for cell in row["key"]): row["high"] for row in rows}


async def code(answer: Any) -> tuple[str, Any]:
    (error,) = answer["errors"]
    return error["extensions"]["code"], answer["data"]


@pytest.fixture
async def callers(
    http: httpx.AsyncClient, join: Callable[..., Any], keys: Keys, clock: Clock
) -> dict[str, Institution]:
    clock.now = datetime(2027, 12, 1, tzinfo=UTC)
    admin = await keys.issue(None, ROLES[Role.ADMIN], None)
    return {
        "nobody": Institution(http, ""),
        "mistyped": Institution(http, "cst_test_nothing"),
        "admin": Institution(http, admin.key),
        "submitter": await join(*ROLES[Role.SUBMITTER]),
        "verifier": await join(*ROLES[Role.VERIFIER]),
        "analyst": await join(*ROLES[Role.ANALYST]),
    }


async def made(caller: Institution, path: str, body: Any, **headers: str) -> Any:
    answer = await caller.post(path, body, **headers)
    assert answer.is_success, (path, answer.text)
    return answer.json()


async def happened(callers: dict[str, Institution], kind: str, person: str, assignment: str | None) -> None:
    victim = {
        "role": "PASANTE_MEDICINE",
        "sex": "FEMALE",
        "outcome": "MINOR",
        "nexus": "ON_DUTY_AT_SITE",
    }
    named = {**victim, "student": {"internal_id": person}}
    claims = {"when": WHEN, "where": WHERE, "kind": kind, "victims": [named]}
    report = await made(
        callers["submitter"],
        "/v1/reports",
        {"class": "ATTACK", "source_type": "UNIVERSITY", "directness": "DIRECT", **claims},
    )
    told = (await callers["verifier"].get(f"/v1/reports/{report['id']}")).json()
    pseudonym = told["victims"][0]["person"]
    await made(
        callers["verifier"],
        "/v1/incidents",
        {
            "class": "ATTACK",
            "reports": [report["id"]],
            "findings": [{name: claims[name]} for name in ("when", "where", "kind")],
            "victims": [{**victim, "person": pseudonym, "assignment": assignment}],
            "certainty": {"level": "POSSIBLE"},
        },
    )


async def test_persons_are_found_again_and_what_their_assignments_say_is_counted(
    callers: dict[str, Institution], pool: asyncpg.Pool
) -> None:
    site = (await made(callers["admin"], "/v1/sites", {"name": "Centro de salud", "cvegeo": "16012"}))["id"]
    registered = await made(
        callers["submitter"],
        "/v1/assignments",
        {
            "student": {"internal_id": "A"},
            "site": site,
            "promotion": "2026-1",
            "plaza_type": "C",
            "starts": "2026-02-01",
            "planned_end": "2027-01-31",
        },
    )
    for person in "ABAC":
        await happened(callers, "OBSTRUCTION", person, registered["id"] if person == "A" else None)
    for person in "DEB":
        await happened(callers, "ARMED_ATTACK", person, None)
    analyst = callers["analyst"]
    assert await code(await ask(analyst, "INCIDENTS")) == ("CATCHING_UP", None)
    models = Runner(pool, [RestrictedProjection()])
    await models.catch_up()
    by_kind = {
        unit: await table(analyst, unit, "KIND") for unit in ("INCIDENTS", "VICTIMISATIONS", "PERSONS")
    }
    assert by_kind["INCIDENTS"] == by_kind["VICTIMISATIONS"] == {("ARMED_ATTACK",): 3, ("OBSTRUCTION",): 4}
    assert by_kind["PERSONS"] == {("ARMED_ATTACK",): 3, ("OBSTRUCTION",): 3}
    assert await table(analyst, "PERSONS") == {(): 5}
    assert await table(analyst, "INCIDENTS", "QUARTER", "MONTH") == {("2026-Q1", "UNKNOWN"): 7}
    assert await table(analyst, "INCIDENTS", "SITE", "PLAZA_TYPE") == {
        (site, "C"): 2,
        ("UNKNOWN", "UNKNOWN"): 5,
    }
    named = (await ask(analyst, "INCIDENTS", "SITE", "INSTITUTION"))["data"]["restricted"]["counts"]["rows"]
    assert [[cell["label"] for cell in row["key"]] for row in named] == [
        ["Centro de salud", "Universidad de Ejemplo"],
        ["Unknown", "Unknown"],
    ]
    whole = (await ask(analyst, "DEATHS"))["data"]["restricted"]["counts"]
    assert whole["rows"] == [{"key": [], "low": 0, "best": 0, "high": 0, "disputed": 0}]
    assert whole["at"] == await pool.fetchval("SELECT size FROM head")
    (row,) = (await ask(analyst, "PERSONS", "OUTCOME"))["data"]["restricted"]["counts"]["rows"]
    assert row["key"] == [{"dimension": "OUTCOME", "value": "MINOR", "label": "Minor injuries"}]
    # What corrects an assignment moves what is counted of it.
    await made(
        callers["submitter"],
        f"/v1/assignments/{registered['id']}/corrections",
        {"event": 1, "field": "plaza_type", "new": "B", "reason": "DATA_ENTRY"},
        If_Match='"1"',
    )
    await models.catch_up()
    assert await table(analyst, "INCIDENTS", "PLAZA_TYPE") == {("B",): 2, ("UNKNOWN",): 5}


async def noted(pool: asyncpg.Pool) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await pool.fetch("SELECT * FROM private_reads ORDER BY id")
    return rows


async def test_only_the_scope_opens_them_and_every_answer_is_noted_first(
    callers: dict[str, Institution], pool: asyncpg.Pool, http: httpx.AsyncClient
) -> None:
    await Runner(pool, [RestrictedProjection()]).catch_up()
    for name in callers.keys() - {"analyst"}:
        assert await code(await ask(callers[name], "INCIDENTS")) == ("FORBIDDEN", None), name
    streamed = await callers["analyst"].post(
        "/graphql", {"query": "{ restricted { __typename } }"}, Accept="text/event-stream"
    )
    assert "FORBIDDEN" in streamed.text
    assert await noted(pool) == []

    await table(callers["analyst"], "PERSONS", "STATE", SEX=["FEMALE"])
    (read,) = await noted(pool)
    assert read["fields"] == ["counts.PERSONS", "group_by.STATE", "filters.SEX"]
    assert (read["noun"], read["purpose"], read["people"]) == ("register", "STATISTICS", [])
    assert read["institution"]
    assert read["key"]

    asked = {"query": "{ r: restricted { counts(groupBy: []) { at } } }"}
    again = await callers["analyst"].get("/graphql", **asked)
    assert again.json()["data"]["r"]["counts"]["at"] > 0
    assert (again.headers["cache-control"], again.headers.get("etag")) == ("no-store", None)
    assert (await callers["analyst"].get("/graphql", "curiosity", **asked)).json()["errors"][0][
        "extensions"
    ] == {
        "code": "INVALID_QUERY",
        "field": "header.Purpose",
    }
    assert await code(await ask(callers["analyst"], "INCIDENTS", SITE=["PLANTED"])) == ("INVALID_QUERY", None)
    assert len(await noted(pool)) == 2

    await pool.execute("ALTER TABLE private_reads RENAME TO elsewhere")
    assert await code(await ask(callers["analyst"], "INCIDENTS")) == ("INTERNAL_ERROR", None)


async def test_a_question_that_takes_too_long_is_given_up_and_says_what_to_ask_instead(
    callers: dict[str, Institution], pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await Runner(pool, [RestrictedProjection()]).catch_up()
    monkeypatch.setattr("projections.models.restricted.MAX_SECONDS", 1)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE restricted.victimisations IN ACCESS EXCLUSIVE MODE")
        answer = await ask(callers["analyst"], "INCIDENTS")
    assert await code(answer) == ("TOOK_TOO_LONG", None)
    assert "filter it by YEAR" in answer["errors"][0]["message"]
    assert "errors" not in await ask(callers["analyst"], "INCIDENTS")


async def test_a_table_costs_as_much_as_it_takes(callers: dict[str, Institution]) -> None:
    tables = " ".join(f"t{number}: counts(groupBy: [STATE]) {{ rows {{ low }} }}" for number in range(30))
    answer = await callers["analyst"].post("/graphql", {"query": f"{{ restricted {{ {tables} }} }}"})
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "TOO_EXPENSIVE"
