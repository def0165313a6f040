"""REST over a real database: keys, concurrent duplicates, who sees what, and how endings are told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from api.auth.keys import Keys
from api.auth.scopes import Scope
from api.auth.token import Tokens
from api.problems import Problem
from api.services import Services
from api.start import ADMIN_KEY_FILE, adopt, open_services, write_admin_key
from projections.models.records import RecordsProjection
from projections.runner import Runner
from registry.application.execution.application import Application
from registry.domain.register import REGISTER_ID, Register
from registry.errors import InvalidInput, NotFound
from registry.privacy.master import MasterKey
from registry.settings import load_settings
from tests.integration.rest import LIMIT

REPORT = {
    "class": "ATTACK",
    "source_type": "UNIVERSITY",
    "kind": "ROBBERY",
    "narrative": "Le quitaron el teléfono.",
    "victims": [{"role": "PASANTE_MEDICINE", "student": {"internal_id": "EJEMPLO-9"}}],
}


class TestKeys:
    async def test_of_a_key_only_a_digest_is_stored(self, keys: Keys, pool: asyncpg.Pool) -> None:
        issued = await keys.issue(None, [Scope.ADMIN], None)
        assert (await keys.authenticate(issued.key)).key == issued.id
        stored = await pool.fetchval("SELECT api_keys::text FROM api_keys")
        assert issued.key.removeprefix("cst_test_")[:8] not in stored

    async def test_a_revoked_key_opens_nothing_from_now_on(self, keys: Keys) -> None:
        issued = await keys.issue(None, [Scope.ADMIN], None)
        await keys.revoke(issued.id)
        with pytest.raises(Problem, match="unauthenticated"):
            await keys.authenticate(issued.key)
        with pytest.raises(NotFound):
            await keys.revoke(issued.id)

    async def test_a_key_works_through_its_last_day(self, keys: Keys, pool: asyncpg.Pool) -> None:
        today = datetime.now(UTC).date()
        issued = await keys.issue(None, [Scope.ADMIN], today)
        await keys.authenticate(issued.key)
        await pool.execute("UPDATE api_keys SET expires_on = $1", today - timedelta(days=1))
        with pytest.raises(Problem, match="unauthenticated"):
            await keys.authenticate(issued.key)

    async def test_a_key_of_another_register_is_unknown_although_well_formed(self, keys: Keys) -> None:
        with pytest.raises(Problem, match="unauthenticated"):
            await keys.authenticate(Tokens(MasterKey(bytes(32)), "test").make(uuid4()))

    async def test_of_concurrent_requests_with_one_idempotency_key_all_get_the_same_key(
        self, keys: Keys, pool: asyncpg.Pool
    ) -> None:
        asking = await keys.issue(None, [Scope.ADMIN], None)
        issued = await asyncio.gather(
            *(
                keys.issue(None, [Scope.ADMIN], None, requested_by=asking.id, idempotency_key="k", body=b"b")
                for _ in range(8)
            )
        )
        assert len({one.key for one in issued}) == 1
        assert sorted(one.replayed for one in issued) == [False] + [True] * 7
        assert await pool.fetchval("SELECT count(*) FROM api_keys") == 2

    async def test_a_refused_request_does_not_use_up_its_idempotency_key(self, keys: Keys) -> None:
        asking = await keys.issue(None, [Scope.ADMIN], None)
        with pytest.raises(InvalidInput):
            await keys.issue(None, [], None, requested_by=asking.id, idempotency_key="k", body=b"b")
        again = await keys.issue(
            None, [Scope.ADMIN], None, requested_by=asking.id, idempotency_key="k", body=b"b"
        )
        assert not again.replayed

    async def test_the_first_key_is_made_once_by_whichever_process_comes_first(
        self, services: Services
    ) -> None:
        made = await asyncio.gather(*(write_admin_key(services) for _ in range(4)))
        path = services.settings.data / ADMIN_KEY_FILE
        assert sorted(made, key=str) == [None, None, None, path] or sum(one is not None for one in made) == 1
        admin = await services.api_keys.authenticate(path.read_text(encoding="utf-8").strip())
        assert admin.institution is None
        assert admin.scopes == {"admin"}

    async def test_a_first_key_that_could_not_be_written_down_is_no_key(self, keys: Keys) -> None:
        def full(_: str) -> None:
            raise OSError("disk full")

        with pytest.raises(OSError, match="disk full"):
            await keys.issue_first(full)
        kept: list[str] = []
        assert await keys.issue_first(kept.append)
        assert (await keys.authenticate(kept[0])).institution is None

    async def test_keys_are_listed_page_by_page_without_their_text(self, keys: Keys) -> None:
        issued = [await keys.issue(None, [Scope.ADMIN], None) for _ in range(5)]
        found, after = await keys.list_(limit=3)
        rest, end = await keys.list_(after=after, limit=3)
        assert {key.id for key in found + rest} == {key.id for key in issued}
        assert end is None


class TestWriting:
    async def test_concurrent_duplicates_are_stored_once_and_answered_alike(
        self, join: Callable[..., Any], app: Application
    ) -> None:
        university = await join(Scope.REPORTS_WRITE)
        before = await app.store.size()
        answers = await asyncio.gather(
            *(university.post("/v1/reports", REPORT, Idempotency_Key="k-1") for _ in range(8))
        )
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.text for answer in answers}) == 1
        assert sum("idempotency-replayed" in answer.headers for answer in answers) == 7
        assert await app.store.size() == before + 1

    async def test_one_institution_s_idempotency_key_is_not_another_s(self, join: Callable[..., Any]) -> None:
        one, other = await join(Scope.REPORTS_WRITE), await join(Scope.REPORTS_WRITE)
        first = await one.post("/v1/reports", REPORT, Idempotency_Key="k-1")
        second = await other.post("/v1/reports", REPORT, Idempotency_Key="k-1")
        assert second.status_code == 201
        assert second.json()["id"] != first.json()["id"]

    async def test_a_body_of_the_limit_is_read_and_one_byte_more_is_not(
        self, join: Callable[..., Any]
    ) -> None:
        university = await join(Scope.REPORTS_WRITE)
        room = LIMIT - len(httpx.Request("POST", "http://test", json={**REPORT, "narrative": ""}).content)
        assert (await university.post("/v1/reports", {**REPORT, "narrative": "x" * room})).status_code == 201
        refused = await university.post("/v1/reports", {**REPORT, "narrative": "x" * (room + 1)})
        assert (refused.status_code, refused.json()["code"]) == (413, "body-too-large")

    async def test_a_body_of_unknown_length_is_read_no_further_than_the_limit(
        self, http: httpx.AsyncClient, keys: Keys
    ) -> None:
        issued = await keys.issue(uuid4(), [Scope.REPORTS_WRITE], None)
        sent = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal sent
            while sent < 100 * LIMIT:
                sent += 1000
                yield b" " * 1000

        headers = {"Authorization": f"Bearer {issued.key}", "Content-Type": "application/json"}
        response = await http.post("/v1/reports", content=endless(), headers=headers)
        assert response.status_code == 413

    async def test_numbers_beyond_what_the_log_can_write_are_refused(self, join: Callable[..., Any]) -> None:
        university = await join(Scope.REPORTS_WRITE)
        for number in (-1, 2**53, 2**80):
            count = {"low": number, "best": number, "high": number}
            body = {**REPORT, "victims": [{"role": "STAFF", "count": count}]}
            assert (await university.post("/v1/reports", body)).status_code == 422, number
        statement = {"class": "RELOCATION", "source_type": "PRESS", "action": "CLOSED", "low": 1, "best": 2}
        for number in (1_000_001, 2**53, 2**80):
            answer = await university.post("/v1/reports", {**statement, "high": number})
            assert answer.status_code == 422, number
            assert answer.json()["errors"][0]["field"] == "high"
        for size in (2**53, 2**80):
            body = {**REPORT, "evidence": [{"digest": "ab", "size": size}]}
            assert (await university.post("/v1/reports", body)).status_code == 422, size

    async def test_a_record_that_differs_is_linked_where_it_can_be_read(
        self, join: Callable[..., Any]
    ) -> None:
        university = await join(Scope.REPORTS_WRITE)
        sent = await university.post("/v1/reports", {**REPORT, "source_record_id": "A-1"})
        answer = await university.post("/v1/nil-reports", {"quarter": "2025-Q4", "source_record_id": "A-1"})
        assert answer.status_code == 409
        assert answer.json()["existing"] == sent.headers["location"]

    async def test_every_fact_may_carry_the_senders_own_id(self, join: Callable[..., Any]) -> None:
        university, verifier = await join(Scope.REPORTS_WRITE), await join(Scope.INCIDENTS_VERIFY)
        reports = [(await university.post("/v1/reports", REPORT)).json()["id"] for _ in range(2)]
        incidents = [
            (await verifier.post("/v1/incidents", {"class": "ATTACK", "reports": [report]})).headers[
                "location"
            ]
            for report in reports
        ]
        victim = {"role": "STAFF", "source_record_id": "V-1"}
        first = await verifier.post(f"{incidents[0]}/victims", victim)
        again = await verifier.post(f"{incidents[0]}/victims", victim)
        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json() == first.json()
        elsewhere = await verifier.post(f"{incidents[1]}/victims", victim)
        assert elsewhere.json()["code"] == "source-record-differs"
        assert elsewhere.json()["existing"] == incidents[0]

    async def test_a_contradiction_within_an_object_is_explained(self, join: Callable[..., Any]) -> None:
        university = await join(Scope.REPORTS_WRITE)
        victims = [{"role": "STAFF", "count": {"low": 3, "best": 2, "high": 4}}]
        answer = await university.post("/v1/reports", {**REPORT, "victims": victims})
        (error,) = answer.json()["errors"]
        assert error["field"] == "victims[0].count"
        assert "low ≤ best ≤ high" in error["detail"]

    async def test_a_source_record_id_is_one_line_of_text(self, join: Callable[..., Any]) -> None:
        university = await join(Scope.REPORTS_WRITE)
        for name, status in (("a\0b", 400), ("a\nb", 422), ("", 422)):
            answer = await university.post("/v1/reports", {**REPORT, "source_record_id": name})
            assert answer.status_code == status, name

    async def test_the_operator_records_no_facts(self, http: httpx.AsyncClient, services: Services) -> None:
        await write_admin_key(services)
        key = (services.settings.data / ADMIN_KEY_FILE).read_text(encoding="utf-8").strip()
        response = await http.post("/v1/reports", json=REPORT, headers={"Authorization": f"Bearer {key}"})
        assert response.status_code == 403


class TestReading:
    async def test_each_sees_what_its_role_allows(self, join: Callable[..., Any]) -> None:
        university = await join(Scope.REPORTS_WRITE)
        path = (await university.post("/v1/reports", REPORT)).headers["location"]
        own = (await university.get(path, "STUDENT_SUPPORT")).text
        assert "teléfono" in own
        assert "EJEMPLO-9" in own
        without_reason = await university.get(path)
        assert "EJEMPLO-9" not in without_reason.text
        assert without_reason.json()["withheld"] == [
            "private.person.institution",
            "private.person.internal_id",
        ]
        verifying = (await (await join(Scope.INCIDENTS_VERIFY)).get(path)).text
        assert "teléfono" in verifying
        assert "EJEMPLO-9" not in verifying
        assert "withheld" not in verifying
        analyst = (await (await join(Scope.RESTRICTED_READ)).get(path)).text
        assert "ROBBERY" in analyst
        assert "teléfono" not in analyst
        assert (await (await join(Scope.REPORTS_WRITE)).get(path)).status_code == 404

    async def test_a_record_is_read_under_the_names_in_which_it_was_sent(
        self, join: Callable[..., Any]
    ) -> None:
        university, verifier = await join(Scope.REPORTS_WRITE), await join(Scope.INCIDENTS_VERIFY)
        path = (await university.post("/v1/reports", {**REPORT, "source_record_id": "A-1"})).headers[
            "location"
        ]
        assert (await university.get(path)).json()["source_record_id"] == "A-1"
        opening = {"class": "ATTACK", "reports": [path.rpartition("/")[2]], "source_record_id": "C-1"}
        incident = (await verifier.post("/v1/incidents", opening)).headers["location"]
        read = (await verifier.get(incident)).json()
        assert (read["class"], read["status"], read["certainty"]) == ("ATTACK", "UNDER_REVIEW", None)
        assert read["source_record_id"] == "C-1"
        assert not {"ever_possible", "correction", "disclosure", "incident_class"} & read.keys()

    async def test_a_record_of_another_kind_is_not_found_under_this_one(
        self, join: Callable[..., Any]
    ) -> None:
        university = await join(Scope.REPORTS_WRITE, Scope.ASSIGNMENTS_WRITE)
        report = (await university.post("/v1/reports", REPORT)).json()["id"]
        for collection in ("sites", "assignments", "nil-reports", "institutions"):
            assert (await university.get(f"/v1/{collection}/{report}")).status_code == 404, collection

    async def test_lists_go_page_by_page_through_the_own_records_only(
        self, join: Callable[..., Any], pool: asyncpg.Pool
    ) -> None:
        university, other = await join(Scope.REPORTS_WRITE), await join(Scope.REPORTS_WRITE)
        mine = [(await university.post("/v1/reports", REPORT)).json()["id"] for _ in range(5)]
        await other.post("/v1/reports", REPORT)
        await Runner(pool, [RecordsProjection()]).catch_up()
        seen: list[str] = []
        after: int | None = 0
        while after is not None:
            page = (await university.get("/v1/reports", limit=2, after=after)).json()
            assert len(page["items"]) <= 2
            seen += [item["id"] for item in page["items"]]
            after = page["next"]
        assert seen == mine
        everybody = await join(Scope.INCIDENTS_VERIFY)
        assert len((await everybody.get("/v1/reports")).json()["items"]) == 6
        assert len((await university.get("/v1/institutions")).json()["items"]) == 2

    @pytest.mark.parametrize(
        "query",
        [
            {"limit": 0},
            {"limit": 201},
            {"after": -1},
            {"after": 2**60},
            {"updated_after": "yesterday"},
            {"updated_after": "0001-01-01T00:00:00+23:59"},
            {"updated_after": "9999-12-31T23:59:59-23:59"},
            {"source_record_id": "\0"},
        ],
        ids=str,
    )
    async def test_a_question_that_makes_no_sense_is_told_so(
        self, join: Callable[..., Any], query: dict[str, Any]
    ) -> None:
        response = await (await join(Scope.REPORTS_WRITE)).get("/v1/reports", **query)
        assert response.status_code == 422
        assert response.json()["errors"][0]["field"] == f"query.{next(iter(query))}"


class TestOperation:
    async def test_public_reads_go_to_the_replica_where_there_is_one(
        self, services: Services, empty_database_url: str, database_url: str
    ) -> None:
        address = {"database_url": database_url, "read_database_url": empty_database_url}
        settings = load_settings(data=services.settings.data, **address)
        async with open_services(settings) as both:
            assert await both.pool.fetchval("SELECT to_regclass('events') IS NOT NULL")
            assert await both.reading.fetchval("SELECT to_regclass('events') IS NULL")
            assert (await both.health.states())["replica"] == "running"

    async def test_the_definition_and_the_policy_are_adopted_once(self, app: Application) -> None:
        await adopt(app)
        size = await app.store.size()
        register = await app.load(Register, REGISTER_ID)
        assert register is not None
        assert register.policy is not None
        await adopt(app)
        assert await app.store.size() == size == 2

    async def test_a_stopped_projection_is_seen(self, http: httpx.AsyncClient, pool: asyncpg.Pool) -> None:
        assert (await http.get("/readyz")).json()["parts"] == {
            "database": "running",
            "projections": "running",
        }
        await Runner(pool, [RecordsProjection()]).catch_up()
        await pool.execute("UPDATE projections.positions SET failed = 'PLANTED-REASON'")
        response = await http.get("/readyz")
        assert response.status_code == 503
        assert response.json()["parts"]["projections"] == "stopped"
        assert "PLANTED" not in response.text

    async def test_an_absent_database_is_seen_and_the_process_lives(
        self, http: httpx.AsyncClient, pool: asyncpg.Pool
    ) -> None:
        await pool.close()
        assert (await http.get("/readyz")).status_code == 503
        assert (await http.get("/healthz")).status_code == 200
        response = await http.get("/log/checkpoint")
        assert (response.status_code, response.json()["code"]) == (503, "unavailable")
        assert response.headers["retry-after"]

    async def test_figures_are_exposed_for_prometheus(self, http: httpx.AsyncClient) -> None:
        await http.get("/healthz")
        figures = (await http.get("/metrics")).text
        assert 'constancia_part_running{part="database"} 1.0' in figures
