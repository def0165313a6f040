"""The audit of private reads: nothing private is shown that it does not tell of, and it tells no value."""

from collections.abc import Callable
from typing import Any

import asyncpg
import httpx
import pytest

from api.auth.keys import Keys
from api.auth.scopes import ROLES, Role, Scope
from projections.models.records import RecordsProjection
from projections.runner import Runner
from tests.integration.rest import Institution

ALL = "/v1/private-reads"
REPORT = {
    "class": "ATTACK",
    "source_type": "UNIVERSITY",
    "kind": "ROBBERY",
    "narrative": "PLANTED narrative",
    "victims": [{"role": "PASANTE_MEDICINE", "student": {"internal_id": "PLANTED-ID"}}],
}


@pytest.fixture
async def admin(http: httpx.AsyncClient, keys: Keys) -> Institution:
    return Institution(http, (await keys.issue(None, ROLES[Role.ADMIN], None)).key)


async def reads(caller: Institution, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await caller.get(ALL, **query)).json()["items"]
    return found


async def test_a_read_is_noted_with_who_which_fields_when_and_why(
    join: Callable[..., Any], admin: Institution
) -> None:
    university, verifier = await join(*ROLES[Role.SUBMITTER]), await join(*ROLES[Role.VERIFIER])
    sent = await university.post("/v1/reports", REPORT)
    path, report = sent.headers["location"], sent.json()["id"]
    await university.get(path)
    await verifier.get(path, "ADJUDICATION")
    await university.get(path, "STUDENT_SUPPORT")
    own, verifying, identified = await reads(admin, record=report)
    assert (own["owner"], own["institution"], own["purpose"]) == (own["institution"], own["owner"], None)
    assert verifying["institution"] != own["owner"]
    assert (verifying["purpose"], identified["purpose"]) == ("ADJUDICATION", "STUDENT_SUPPORT")
    narrative, number = "private.report.narrative", "private.person.internal_id"
    for read, shown in ((own, False), (verifying, False), (identified, True)):
        assert {"kind", "victims", narrative} <= set(read["fields"])
        assert (number in read["fields"]) is shown
        assert read["people"] == own["people"]
        assert read["key"]
        assert read["at"]
    assert len(own["people"]) == 1
    assert "PLANTED" not in str([own, verifying, identified])


async def test_each_asks_about_what_is_its_own_page_by_page(
    join: Callable[..., Any], admin: Institution
) -> None:
    one, other = await join(*ROLES[Role.SUBMITTER]), await join(*ROLES[Role.SUBMITTER])
    paths = {
        caller: (await caller.post("/v1/reports", REPORT)).headers["location"] for caller in (one, other)
    }
    for _ in range(3):
        for caller in paths:
            await caller.get(paths[caller])
    assert len(await reads(admin)) == 6
    mine = await reads(one)
    assert len(mine) == 3
    assert {read["record"] for read in mine} == {paths[one].rpartition("/")[2]}
    assert await reads(one, record=paths[other].rpartition("/")[2]) == []
    person = mine[0]["people"][0]
    assert len(await reads(admin, person=person)) == 3
    assert await reads(other, person=person) == []
    first = (await admin.get(ALL, limit=4)).json()
    rest = (await admin.get(ALL, limit=4, after=first["next"])).json()
    assert [len(first["items"]), len(rest["items"]), rest["next"]] == [4, 2, None]
    for wrong in ({"person": "PLANTED"}, {"record": "PLANTED"}, {"limit": 0}):
        assert (await admin.get(ALL, **wrong)).status_code == 422


async def test_a_list_is_noted_record_by_record_and_what_is_open_to_all_is_not(
    join: Callable[..., Any], admin: Institution, pool: asyncpg.Pool
) -> None:
    university = await join(*ROLES[Role.SUBMITTER])
    for _ in range(3):
        await university.post("/v1/reports", REPORT)
    await Runner(pool, [RecordsProjection()]).catch_up()
    assert len((await university.get("/v1/reports")).json()["items"]) == 3
    await university.get("/v1/reports", source_record_id="none")
    await university.get("/v1/institutions")
    await university.get("/v1/sites")
    noted = await reads(admin)
    assert len({read["record"] for read in noted}) == len(noted) == 3


async def test_what_cannot_be_noted_is_not_shown(join: Callable[..., Any], pool: asyncpg.Pool) -> None:
    university = await join(*ROLES[Role.SUBMITTER])
    path = (await university.post("/v1/reports", REPORT)).headers["location"]
    await pool.execute("ALTER TABLE private_reads RENAME TO elsewhere")
    answer = await university.get(path, "STUDENT_SUPPORT")
    assert answer.status_code == 500
    assert "PLANTED" not in answer.text


async def test_a_purpose_is_one_of_the_codes(join: Callable[..., Any]) -> None:
    university = await join(*ROLES[Role.SUBMITTER])
    path = (await university.post("/v1/reports", REPORT)).headers["location"]
    for purpose in ("PLANTED curiosity", "audit", " "):
        answer = await university.get(path, purpose)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "header.Purpose")
        assert "PLANTED" not in answer.text


async def test_a_key_is_issued_for_a_role_or_for_scopes(join: Callable[..., Any], admin: Institution) -> None:
    university = await join(Scope.REPORTS_WRITE)
    institution = (await university.post("/v1/reports", REPORT)).json()["id"]
    institution = (await university.get(f"/v1/reports/{institution}")).json()["institution"]
    wanted = {"institution": institution, "expires_on": "2099-12-31"}
    for role in (Role.SUBMITTER, Role.VERIFIER, Role.ANALYST):
        issued = await admin.post("/v1/keys", {**wanted, "role": role})
        known = (await admin.get(issued.headers["location"])).json()
        assert known["scopes"] == sorted(ROLES[role])
    for refused in (
        {"role": "public"},
        {"role": "submitter", "scopes": ["admin"]},
        {"role": "minister"},
        {},
    ):
        assert (await admin.post("/v1/keys", {**wanted, **refused})).status_code == 422, refused
    operator = await admin.post("/v1/keys", {**wanted, "institution": None, "role": "submitter"})
    assert operator.json()["errors"][0]["field"] == "institution"
