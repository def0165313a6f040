"""Reports over HTTP: said anew, taken back, triaged, matched; and what that does to the incident that rests on them."""

from collections.abc import Callable
from typing import Any

import asyncpg
import httpx
import pytest

from api.auth.scopes import Scope
from projections.models import answers
from projections.models.matching import MatchingProjection
from projections.models.waiting import Waiting
from projections.runner import Runner
from registry.application.execution.application import Application
from tests.integration.conftest import Clock
from tests.integration.rest import Institution

REPORT: dict[str, Any] = {
    "class": "ATTACK",
    "source_type": "UNIVERSITY",
    "directness": "DIRECT",
    "kind": "ROBBERY",
    "when": {"earliest": "2026-01-05", "latest": "2026-01-05", "precision": "DAY"},
    "where": {"cvegeo": "16012", "precision": "MUNICIPALITY"},
    "victims": [{"role": "PASANTE_MEDICINE", "outcome": "SEVERE"}],
    "narrative": "Le quitaron el teléfono.",
}


class Register:
    """Two universities that report and two institutions that review."""

    def __init__(self, *institutions: Institution) -> None:
        self.university, self.other, self.verifier, self.second = institutions

    async def report(self, by: Institution, **changes: Any) -> str:
        answer = await by.post("/v1/reports", REPORT | changes)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def incident(self, *reports: str, level: str) -> str:
        body = {"class": "ATTACK", "reports": list(reports), "certainty": {"level": level}}
        answer = await self.verifier.post("/v1/incidents", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def shown(self, path: str, by: Institution | None = None, **query: Any) -> dict[str, Any]:
        answer = await (by or self.verifier).get(path, **query)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


@pytest.fixture
async def register(join: Callable[..., Any]) -> Register:
    reporting = [await join(Scope.REPORTS_WRITE) for _ in range(2)]
    return Register(*reporting, *[await join(Scope.INCIDENTS_VERIFY) for _ in range(2)])


def refused(answer: httpx.Response, rule: str) -> None:
    assert (answer.status_code, answer.json().get("rule")) == (409, rule), answer.text


async def test_an_amendment_lowers_what_no_longer_holds_in_the_same_write(
    register: Register, app: Application
) -> None:
    one, other = await register.report(register.university), await register.report(register.other)
    incident = await register.incident(one, other, level="PROBABLE")
    amended = REPORT | {"reason": "DATA_ENTRY", "where": {"cvegeo": "16053", "precision": "MUNICIPALITY"}}
    del amended["narrative"]
    path = f"/v1/reports/{one}/amendments"

    version = (await register.shown(f"/v1/reports/{one}"))["version"]
    assert (await register.university.post(path, amended)).status_code == 428
    assert (await register.university.post(path, amended, If_Match='"99"')).status_code == 412
    assert (await register.other.post(path, amended, If_Match='"99"')).status_code == 404
    kept = {"If_Match": f'"{version}"'}
    refused(
        await register.university.post(path, amended | {"class": "THREAT"}, **kept), "amendment-keeps-class"
    )
    before = await app.store.size()
    again = {**kept, "Idempotency_Key": "k-1"}
    answer = await register.university.post(path, amended, **again)
    assert answer.status_code == 201, answer.text
    stored = [event.type for event in await app.store.read(before, 10)]
    assert stored == ["report.amended", "incident.report_linked", "incident.certainty_set"]
    # What followed for the incident is not the sender's to see, the first time or again.
    (event,) = answer.json()["events"]
    assert event["openings"]["content"]["value"]["type"] == "report.amended"
    assert (await register.university.post(path, amended, **again)).text == answer.text

    shown = await register.shown(f"/v1/reports/{one}", register.university)
    assert shown["where"]["cvegeo"] == "16053"
    (amendment,) = shown["amendments"]
    assert amendment["old"]["where"]["cvegeo"] == "16012"
    assert amendment["reason"] == "DATA_ENTRY"
    assert shown["private"][f"report:{one}"]["narrative"] is None
    assert (await register.shown(f"/v1/incidents/{incident}"))["certainty"] == "POSSIBLE"


async def test_a_withdrawn_report_no_longer_carries_its_incident(register: Register) -> None:
    one, other = await register.report(register.university), await register.report(register.other)
    incident = await register.incident(one, other, level="PROBABLE")
    path, version = f"/v1/reports/{one}/withdrawal", (await register.shown(f"/v1/reports/{one}"))["version"]
    body, kept = {"reason": "SOURCE_WITHDRAWN"}, {"If_Match": f'"{version}"'}
    assert (await register.verifier.post(path, body, **kept)).status_code == 403
    assert (await register.university.post(path, body, **kept)).status_code == 201
    shown = await register.shown(f"/v1/incidents/{incident}")
    assert shown["certainty"] == "POSSIBLE"
    assert [report["report"] for report in shown["reports"]] == [other]
    again = await register.shown(f"/v1/reports/{one}")
    assert (again["withdrawn"], again["incidents"], again["waiting"]) == ("SOURCE_WITHDRAWN", [], False)
    left = {"If_Match": f'"{(await register.shown(f"/v1/reports/{other}"))["version"]}"'}
    await register.other.post(f"/v1/reports/{other}/withdrawal", body, **left)
    shown = await register.shown(f"/v1/incidents/{incident}")
    assert (shown["certainty"], shown["reports"]) == ("RUMOUR", [])
    newer = {"If_Match": f'"{again["version"]}"'}
    refused(await register.university.post(path, body, **newer), "report-withdrawn")
    linking = await register.verifier.post(
        f"/v1/reports/{one}/triage", {"decision": "LINK", "incident": incident}
    )
    refused(linking, "report-withdrawn")


async def test_triage_links_and_unlinks_both_sides_and_respects_not_the_same(register: Register) -> None:
    one, other = await register.report(register.university), await register.report(register.other)
    incident = await register.incident(other, level="POSSIBLE")
    triage, rejection = f"/v1/reports/{one}/triage", f"/v1/reports/{one}/match-rejections"
    link = {"decision": "LINK", "incident": incident}

    rejected = await register.verifier.post(rejection, {"incident": incident})
    assert rejected.status_code == 201
    refused(await register.second.post(triage, link), "match-rejected")
    again = {"decision": "PENDING_INFO", "incident": incident}
    refused(await register.verifier.post(triage, again), "match-rejected-by-yourself")
    assert (await register.second.post(triage, again)).status_code == 201
    assert (await register.verifier.post(triage, link)).status_code == 201
    assert (await register.verifier.post(triage, {"decision": "LINK"})).status_code == 422

    shown = await register.shown(f"/v1/reports/{one}")
    assert (shown["triage"], shown["incidents"], shown["rejected"]) == ("LINK", [incident], [])
    linked = (await register.shown(f"/v1/incidents/{incident}"))["reports"]
    assert {report["report"] for report in linked} == {one, other}
    # Its institution learns what was decided about its own report, and of incidents what a release has shown.
    own = await register.shown(f"/v1/reports/{one}", register.university)
    assert (own["triage"], own["incidents"]) == ("LINK", [])

    assert (await register.verifier.post(triage, {"decision": "OUT_OF_SCOPE"})).status_code == 422
    out = {"decision": "OUT_OF_SCOPE", "reason": "MISIDENTIFICATION"}
    assert (await register.verifier.post(triage, out)).status_code == 201
    shown = await register.shown(f"/v1/reports/{one}")
    assert (shown["triage"], shown["incidents"], shown["waiting"]) == ("OUT_OF_SCOPE", [], False)
    linked = (await register.shown(f"/v1/incidents/{incident}"))["reports"]
    assert [report["report"] for report in linked] == [other]
    refused(await register.verifier.post(triage, link), "report-out-of-scope")


async def test_a_report_waits_until_triaged_and_is_proposed_until_decided(
    register: Register, pool: asyncpg.Pool
) -> None:
    one, other = await register.report(register.university), await register.report(register.other)
    far = await register.report(register.other, where={"state": "14", "precision": "STATE"})
    incident = await register.incident(other, level="POSSIBLE")
    runner = Runner(pool, [Waiting(), MatchingProjection()])

    async def queue() -> list[str]:
        await runner.catch_up()
        page = await register.shown("/v1/triage-queue")
        assert page["count"] == len(page["items"])
        return [item["id"] for item in page["items"]]

    async def proposed() -> dict[str, Any]:
        await runner.catch_up()
        page = await register.shown("/v1/matches", report=one)
        assert page["algorithm"] == "match/1"
        return {item["id"]: item for item in page["items"]}

    assert await queue() == [one, far]
    candidates = await proposed()
    assert candidates.keys() == {incident, other}
    assert candidates[other]["incident"] == incident
    assert candidates[other]["score"] > 0.9
    assert "SAME_MUNICIPALITY" in candidates[incident]["rules"]
    assert candidates[incident]["features"]["sex"] is None
    first = await register.shown("/v1/triage-queue", limit=1)
    assert (first["count"], [item["id"] for item in first["items"]]) == (2, [one])
    rest = await register.shown("/v1/triage-queue", limit=1, after=first["next"])
    assert ([item["id"] for item in rest["items"]], rest["next"]) == ([far], None)

    await register.verifier.post(f"/v1/reports/{one}/match-rejections", {"incident": incident})
    assert await proposed() == {}
    assert await queue() == [one, far]
    again = {"decision": "PENDING_INFO", "incident": incident}
    await register.second.post(f"/v1/reports/{one}/triage", again)
    assert (await proposed()).keys() == {incident, other}
    await register.verifier.post(f"/v1/reports/{one}/triage", {"decision": "LINK", "incident": incident})
    assert await proposed() == {}
    assert await queue() == [far]
    assert (await register.university.get("/v1/matches", report=one)).status_code == 403
    assert (await register.verifier.get("/v1/matches", report=incident)).status_code == 404


async def test_a_quarter_is_answered_once_and_a_withdrawn_answer_answers_no_more(
    register: Register, pool: asyncpg.Pool, clock: Clock
) -> None:
    clock.advance(days=60)
    accepted = await register.university.post("/v1/nil-reports", {"quarter": "2026-Q1"})
    nil = accepted.json()["id"]
    path, first = f"/v1/nil-reports/{nil}/withdrawal", {"If_Match": '"1"'}
    body = {"reason": "NEW_EVIDENCE"}

    async def answered() -> int:
        await Runner(pool, [answers.AnswersProjection()]).catch_up()
        said = await answers.answers(pool, clock().date())
        return sum(one["answer"] == "ANSWERED" for one in said)

    assert await answered() == 1
    refused(
        await register.university.post("/v1/nil-reports", {"quarter": "2026-Q1"}), "quarter-answered-once"
    )
    assert (await register.other.post("/v1/nil-reports", {"quarter": "2025-Q4"})).status_code == 201
    assert (await register.university.post(f"/v1/reports/{nil}/withdrawal", body, **first)).status_code == 404
    assert (await register.other.post(path, body, **first)).status_code == 404
    assert (await register.university.post(path, body, **first)).status_code == 201
    assert (await register.shown(f"/v1/nil-reports/{nil}"))["withdrawn"] == "NEW_EVIDENCE"
    assert await answered() == 0
    assert (await register.university.post("/v1/nil-reports", {"quarter": "2026-Q1"})).status_code == 201
    assert await answered() == 1


async def test_a_report_repeats_no_report_that_repeats_it(register: Register) -> None:
    one = await register.report(register.university)
    two = await register.report(register.university, derived_from=one)
    amended = REPORT | {"reason": "NEW_EVIDENCE", "derived_from": two}
    for original in (two, one):
        answer = await register.university.post(
            f"/v1/reports/{one}/amendments", amended | {"derived_from": original}, If_Match='"1"'
        )
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "derived_from"
