"""What people ask about their own data: who may register it, by when it is due, what comes of it."""

from collections.abc import Callable
from typing import Any

import asyncpg
import httpx
import pytest

from api.auth.keys import Keys
from api.auth.scopes import Scope
from projections.releases import Releases
from registry.application import register
from registry.application.execution.application import Application
from registry.application.execution.unit import OPERATOR, WriteOptions
from registry.disclosure import policy
from tests.integration.conftest import Clock
from tests.integration.rest import Institution

CURP = "XEXX991231HNEPLN07"
PERSON = {"curp": CURP}
ALL = "/v1/subject-requests"
VICTIM = {"role": "PASANTE_MEDICINE", "sex": "FEMALE", "outcome": "MISSING", "nexus": "ON_DUTY_AT_SITE"}


@pytest.fixture
async def admin(http: httpx.AsyncClient, keys: Keys) -> Institution:
    return Institution(http, (await keys.issue(None, [Scope.ADMIN], None)).key)


@pytest.fixture
async def university(join: Callable[..., Any], admin: Institution) -> Institution:
    """Has one student, assigned to a site, and has reported that she is missing."""
    found: Institution = await join(Scope.REPORTS_WRITE, Scope.ASSIGNMENTS_WRITE)
    site = await admin.post("/v1/sites", {"name": "Clínica de Ejemplo", "cvegeo": "16012"})
    assignment = {
        "student": PERSON,
        "site": site.json()["id"],
        "promotion": "2026-1",
        "plaza_type": "A",
        "starts": "2026-02-01",
        "planned_end": "2027-01-31",
    }
    assert (await found.post("/v1/assignments", assignment)).status_code == 201
    return found


async def reported(university: Institution) -> str:
    other = {**VICTIM, "student": {"internal_id": "ANOTHER-STUDENT"}, "outcome": "MINOR"}
    report = {
        "class": "ATTACK",
        "source_type": "UNIVERSITY",
        "kind": "DISAPPEARANCE",
        "narrative": "PLANTED narrative about both.",
        "where": {"cvegeo": "16012", "precision": "MUNICIPALITY"},
        "victims": [{**VICTIM, "student": PERSON}, other],
    }
    answer = await university.post("/v1/reports", report)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def ask(institution: Institution, kind: str, **more: Any) -> Any:
    body = {"type": kind, "person": PERSON, "received_on": "2026-03-02", **more}
    answer = await institution.post(ALL, body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def grant(institution: Institution, request: str) -> None:
    answer = await institution.post(f"{ALL}/{request}/answer", {"outcome": "GRANTED"})
    assert (answer.status_code, answer.json()["state"]) == (201, "ANSWERED"), answer.text


async def carry_out(institution: Institution, request: str, **body: Any) -> httpx.Response:
    return await institution.post(f"{ALL}/{request}/completion", body)


async def test_a_request_is_kept_with_its_deadlines_and_found_when_it_is_late(
    university: Institution, clock: Clock
) -> None:
    request = await ask(university, "RECTIFICATION", relation="La persona", contact={"phone": "+52 PLANTED"})
    assert (request["state"], request["answer_due"], request["overdue"]) == ("RECEIVED", "2026-03-30", False)
    assert request["private"] == {}
    path = f"{ALL}/{request['id']}"
    private = (await university.get(path, "DATA_SUBJECT_REQUEST")).json()["private"]
    assert private == {"relation": "La persona", "contact": {"phone": "+52 PLANTED"}}

    async def late() -> list[str]:
        page = (await university.get(ALL, overdue=True)).json()
        return [item["id"] for item in page["items"]]

    assert await late() == []
    clock.advance(days=29)
    assert await late() == [request["id"]]
    answered = await university.post(f"{path}/answer", {"outcome": "GRANTED", "on": "2026-03-30"})
    assert answered.json()["carry_out_due"] == "2026-04-20"
    assert await late() == []
    clock.advance(days=25)
    assert await late() == [request["id"]]
    for positions, field in (([], "positions"), ([2, 1], "positions[1]"), ([99], "positions[0]")):
        refused = await carry_out(university, request["id"], positions=positions)
        assert refused.json()["errors"][0]["field"] == field
    done = await carry_out(university, request["id"], positions=[2])
    assert (done.json()["state"], done.json()["positions"]) == ("CARRIED_OUT", [2])
    assert await late() == []


async def test_steps_cannot_be_taken_twice_or_out_of_order_but_may_be_repeated(
    university: Institution, clock: Clock
) -> None:
    request = (await ask(university, "OBJECTION"))["id"]
    assert (await carry_out(university, request)).json()["rule"] == "request-not-granted"
    path = f"{ALL}/{request}/answer"
    for body in ({"outcome": "REFUSED"}, {"outcome": "GRANTED", "reason": "NO_DATA"}):
        assert (await university.post(path, body)).json()["errors"][0]["field"] == "reason"
    for day in ("2026-03-01", "2026-03-03"):
        answer = await university.post(path, {"outcome": "GRANTED", "on": day})
        assert answer.json()["errors"][0]["field"] == "on"
    refusal = {"outcome": "REFUSED", "reason": "IDENTITY_NOT_PROVEN"}
    first, again = [await university.post(path, refusal) for _ in range(2)]
    assert again.json() == first.json()
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    other = await university.post(path, {"outcome": "GRANTED"})
    assert other.json()["rule"] == "request-answered"
    assert (await carry_out(university, request)).json()["rule"] == "request-not-granted"


async def test_a_request_sent_again_is_registered_once(university: Institution, pool: asyncpg.Pool) -> None:
    body = {"type": "ACCESS", "person": PERSON, "received_on": "2026-03-02", "relation": "La persona"}
    first, again = [await university.post(ALL, body, Idempotency_Key="k-1") for _ in range(2)]
    assert first.json()["id"] == again.json()["id"]
    assert again.headers["idempotency-replayed"] == "true"
    other = await university.post(ALL, {**body, "type": "ERASURE"}, Idempotency_Key="k-1")
    assert other.json()["code"] == "idempotency-key-reused"
    assert await pool.fetchval("SELECT count(*) FROM subject_requests") == 1
    assert await pool.fetchval("SELECT count(*) FROM vault.data_keys WHERE subject LIKE 'request:%'") == 1


async def test_only_the_administrator_and_the_institution_of_the_assignment_may(
    university: Institution, admin: Institution, join: Callable[..., Any]
) -> None:
    request = (await ask(university, "ACCESS"))["id"]
    stranger = await join(Scope.ASSIGNMENTS_WRITE)
    body = {"type": "ACCESS", "person": PERSON, "received_on": "2026-03-02"}
    assert (await stranger.post(ALL, body)).json()["errors"][0]["field"] == "person"
    for path in (f"{ALL}/{request}", f"{ALL}/{request}/data"):
        assert (await stranger.get(path)).status_code == 404
    assert (await stranger.post(f"{ALL}/{request}/answer", {"outcome": "GRANTED"})).status_code == 404
    assert (await stranger.get(ALL)).json()["items"] == []
    assert [item["id"] for item in (await admin.get(ALL)).json()["items"]] == [request]
    of_the_operator = await ask(admin, "ACCESS")
    assert of_the_operator["institution"] is None
    assert (await university.get(f"{ALL}/{of_the_operator['id']}")).status_code == 404
    number = {"internal_id": "NUMBER-OF-NOBODY"}
    assert (await admin.post(ALL, {**body, "person": number})).json()["errors"][0]["field"] == "person"
    institution = (await university.get(f"{ALL}/{request}")).json()["institution"]
    unknown = {**number, "institution": institution}
    assert (await admin.post(ALL, {**body, "person": unknown})).status_code == 201
    assert (await university.post(ALL, {**body, "received_on": "2026-03-03"})).status_code == 422


async def test_the_person_gets_what_is_held_what_proves_it_and_who_has_read_it(
    university: Institution, admin: Institution, join: Callable[..., Any]
) -> None:
    report = await reported(university)
    await university.send(f"/v1/reports/{report}/evidence", b"file", Content_Type="text/plain")
    verifier = await join(Scope.INCIDENTS_VERIFY)
    await verifier.get(f"/v1/reports/{report}", "ADJUDICATION")
    request = (await ask(admin, "ACCESS"))["id"]
    data = f"{ALL}/{request}/data"
    assert (await admin.get(data)).json()["rule"] == "access-not-granted"
    await grant(admin, request)
    without_reason = (await admin.get(data)).json()
    assert all(one["private"] == {} for one in without_reason["records"])
    held = (await admin.get(data, "DATA_SUBJECT_REQUEST")).json()
    assert [one["type"] for one in held["records"]] == ["assignment.registered", "attack.reported"]
    assert held["records"][0]["fields"]["promotion"] == "2026-1"
    assert all(one["private"] == {"curp": CURP} for one in held["records"])
    (victim,) = held["records"][1]["fields"]["victims"]
    assert victim["person"] == held["person"]
    assert held["records"][1]["fields"]["kind"] == "DISAPPEARANCE"
    (file,) = held["evidence"]
    assert (file["report"], file["size"]) == (report, 4)
    (read,) = [read for read in held["reads"] if read["record"] == report]
    assert (read["purpose"], read["noun"]) == ("ADJUDICATION", "report")
    assert "private.report.narrative" in read["fields"]
    assert "PLANTED" not in str(held)
    assert "ANOTHER-STUDENT" not in str(held)
    again = (await admin.get(data)).json()["reads"]
    assert [read["fields"] for read in again[-2:]] == [
        ["records", "evidence", "reads"],
        ["records", "evidence", "reads", "private.person"],
    ]


async def test_an_institution_answers_with_what_it_sent_itself(
    university: Institution, join: Callable[..., Any]
) -> None:
    other = await join(Scope.REPORTS_WRITE, Scope.ASSIGNMENTS_WRITE)
    await reported(other)
    request = (await ask(university, "ACCESS"))["id"]
    await grant(university, request)
    held = (await university.get(f"{ALL}/{request}/data")).json()
    assert [one["type"] for one in held["records"]] == ["assignment.registered"]


async def test_an_erasure_is_carried_out_by_the_administrator(
    university: Institution, admin: Institution, pool: asyncpg.Pool
) -> None:
    report = await reported(university)
    request = (await ask(university, "ERASURE", contact={"name": "PLANTED"}))["id"]
    await grant(university, request)
    assert (await carry_out(university, request)).json()["code"] == "not-allowed"
    done = (await carry_out(admin, request)).json()
    assert done["state"] == "CARRIED_OUT"
    assert len(done["positions"]) == 1
    assert (await carry_out(admin, request)).json()["positions"] == done["positions"]
    left = await university.get(f"/v1/reports/{report}", "RECORD_KEEPING")
    assert CURP not in left.text
    assert "PLANTED" not in left.text
    found = await admin.get(f"{ALL}/{request}", "DATA_SUBJECT_REQUEST")
    assert found.json()["private"] == {}
    assert await pool.fetchval("SELECT count(*) FROM vault.data_keys WHERE subject LIKE 'request:%'") == 0


async def test_what_a_family_objects_to_stays_closed_in_every_incident_now_and_later(
    university: Institution,
    admin: Institution,
    join: Callable[..., Any],
    app: Application,
    pool: asyncpg.Pool,
) -> None:
    verifier = await join(Scope.INCIDENTS_VERIFY)

    async def missing(*, named: bool) -> str:
        opening = {
            "class": "ATTACK",
            "reports": [await reported(university)],
            "findings": [{"family_agrees": True}],
            "victims": [{**VICTIM, "student": PERSON}] if named else [],
            "certainty": {"level": "POSSIBLE", "basis": ["LINKED_REPORTS"]},
        }
        answer = await verifier.post("/v1/incidents", opening)
        assert answer.status_code == 201, answer.text
        return str(answer.headers["location"])

    now = await missing(named=True)
    assert (await verifier.get(now)).json()["family_agrees"]
    request = (await ask(university, "FAMILY_OBJECTION", relation="Su madre"))["id"]
    await grant(university, request)
    done = (await carry_out(university, request)).json()
    assert len(done["positions"]) == 1
    assert not (await verifier.get(now)).json()["family_agrees"]
    refused = await verifier.post(f"{now}/findings", {"family_agrees": True})
    assert refused.json()["rule"] == "family-objects"

    # By the report alone, which names her: no reviewer has said yet who the victim is.
    later = await missing(named=False)
    assert (await verifier.get(later)).json()["family_agrees"]
    await app.execute(OPERATOR, register.adopt_definition("national-count/1", "0" * 64), WriteOptions())
    document = policy.shipped()
    await app.execute(OPERATOR, register.adopt_policy(str(document["id"]), document), WriteOptions())
    await Releases(app, pool).release_once()
    assert not (await verifier.get(later)).json()["family_agrees"]
