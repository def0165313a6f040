"""Every role at every endpoint, on the records of one institution: who is let in, who is turned away, and how.

One running register; each endpoint is asked by everybody in turn. ``in`` is whatever is decided behind the door (200,
201, or a rule that forbids the example just now); 401, 403 and 404 are the door itself. A stale If-Match goes with
every request: whoever may not see a record is told so whatever they send.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from api.auth.keys import Keys
from api.auth.scopes import REQUIRED, ROLES, Role, Scope
from api.rest import examples
from api.streams import event_stream
from projections.models.records import RecordsProjection
from projections.runner import Runner
from tests.integration.conftest import Clock
from tests.integration.rest import Institution

ROLES_ASKED = ("nobody", "admin", "submitter", "stranger", "verifier", "analyst")
"""``submitter`` is the institution whose records they are, ``stranger`` another one with the same role.

There is no import here, so whoever gets past the door finds none; whose they are is held in ``test_import_jobs``.
"""

EXPECTED = """
GET /v1/assignments                               401  in   in   in   in   in
GET /v1/assignments/{id}                          401  in   in   404  in   in
GET /v1/events                                    401  403  in   in   in   in
GET /v1/events/stream                             401  403  in   in   in   in
GET /v1/evidence/{id}                             401  in   in   404  in   403
GET /v1/evidence/{id}/file                        401  403  in   404  in   403
GET /v1/incidents                                 401  in   403  403  in   in
GET /v1/incidents/{id}                            401  in   403  403  in   in
GET /v1/incidents/{id}/warnings                   401  in   403  403  in   in
GET /v1/institutions                              401  in   in   in   in   in
GET /v1/institutions/{id}                         401  in   in   in   in   in
GET /v1/keys                                      401  in   403  403  403  403
GET /v1/keys/{id}                                 401  in   403  403  403  403
GET /v1/matches                                   401  403  403  403  in   403
GET /v1/nil-reports                               401  in   in   in   in   in
GET /v1/nil-reports/{id}                          401  in   in   404  in   in
GET /v1/places                                    401  in   in   in   in   in
GET /v1/private-reads                             401  in   in   in   403  403
GET /v1/receipts/{position}                       401  404  in   404  404  404
GET /v1/reports                                   401  in   in   in   in   in
GET /v1/reports/{id}                              401  in   in   404  in   in
GET /v1/sites                                     401  in   in   in   in   in
GET /v1/sites/{id}                                401  in   in   in   in   in
GET /v1/sites/{id}/history                        401  in   403  403  in   in
GET /v1/subject-requests                          401  in   in   in   403  403
GET /v1/subject-requests/{id}                     401  in   in   404  403  403
GET /v1/subject-requests/{id}/data                401  in   in   404  403  403
GET /v1/triage-queue                              401  403  403  403  in   403
POST /v1/assignments                              401  403  in   in   403  403
POST /v1/assignments/{id}/corrections             401  403  in   404  403  403
POST /v1/assignments/{id}/end                     401  403  in   404  403  403
POST /v1/assignments/{id}/relocation-decisions    401  403  in   404  403  403
POST /v1/assignments/{id}/relocation-requests     401  403  in   404  403  403
POST /v1/assignments/{id}/relocations             401  403  in   404  403  403
POST /v1/assignments/{id}/resumption              401  403  in   404  403  403
POST /v1/assignments/{id}/start                   401  403  in   404  403  403
POST /v1/assignments/{id}/suspension              401  403  in   404  403  403
POST /v1/imports                                  401  403  in   in   in   403
DELETE /v1/imports/{id}                           401  403  404  404  404  403
GET /v1/imports/{id}                              401  403  404  404  404  403
GET /v1/imports/{id}/file                         401  403  404  404  404  403
POST /v1/imports/{id}/cancellation                401  403  404  404  404  403
POST /v1/incidents                                401  403  403  403  in   403
POST /v1/incidents/{id}/certainty                 401  403  403  403  in   403
POST /v1/incidents/{id}/corrections               401  403  403  403  in   403
POST /v1/incidents/{id}/dispute                   401  403  in   404  in   in
POST /v1/incidents/{id}/dispute-resolution        401  403  403  403  in   403
POST /v1/incidents/{id}/findings                  401  403  403  403  in   403
POST /v1/incidents/{id}/merge                     401  403  403  403  in   403
POST /v1/incidents/{id}/outcomes                  401  403  403  403  in   403
POST /v1/incidents/{id}/reinstatement             401  403  403  403  in   403
POST /v1/incidents/{id}/reports                   401  403  403  403  in   403
POST /v1/incidents/{id}/retraction                401  403  403  403  in   403
POST /v1/incidents/{id}/split                     401  403  403  403  in   403
POST /v1/incidents/{id}/victims                   401  403  403  403  in   403
POST /v1/institutions                             401  in   403  403  403  403
POST /v1/institutions/{id}/names                  401  in   403  403  403  403
POST /v1/keys                                     401  in   403  403  403  403
POST /v1/nil-reports                              401  403  in   in   403  403
POST /v1/nil-reports/{id}/withdrawal              401  403  in   404  403  403
POST /v1/reports                                  401  403  in   in   403  403
POST /v1/reports/{id}/amendments                  401  403  in   404  403  403
POST /v1/reports/{id}/evidence                    401  403  in   404  403  403
POST /v1/reports/{id}/match-rejections            401  403  403  403  in   403
POST /v1/reports/{id}/triage                      401  403  403  403  in   403
POST /v1/reports/{id}/withdrawal                  401  403  in   404  403  403
POST /v1/sites                                    401  in   403  403  403  403
POST /v1/sites/{id}/codes                         401  in   403  403  403  403
POST /v1/sites/{id}/conditions                    401  in   403  403  403  403
POST /v1/sites/{id}/reopening                     401  in   403  403  403  403
POST /v1/sites/{id}/suspension                    401  in   403  403  403  403
POST /v1/subject-requests                         401  in   in   in   403  403
POST /v1/subject-requests/{id}/answer             401  in   in   404  403  403
POST /v1/subject-requests/{id}/completion         401  in   in   404  403  403
DELETE /v1/webhooks/{id}                          401  403  403  403  403  403
GET /v1/webhooks                                  401  403  403  403  403  403
GET /v1/webhooks/{id}                             401  403  403  403  403  403
GET /v1/webhooks/{id}/attempts                    401  403  403  403  403  403
POST /v1/webhooks                                 401  403  403  403  403  403
POST /v1/webhooks/{id}/replay                     401  403  403  403  403  403
POST /v1/webhooks/{id}/rotate                     401  403  403  403  403  403
POST /v1/webhooks/{id}/test                       401  403  403  403  403  403
"""

OWN_RECORDS = (
    "/v1/assignments",
    "/v1/reports",
    "/v1/nil-reports",
    "/v1/private-reads",
    "/v1/subject-requests",
)
"""Lists in which an institution finds what is its own."""

QUERIES: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "/v1/matches": lambda ids: {"report": ids["reports"]},
    "/v1/places": lambda _: {"name": "Ocosingo, Chiapas"},
}
"""What an address needs besides its path."""

NOTHING_PRIVATE = (
    "/v1/institutions",
    "/v1/sites",
    "/v1/keys",
    "/v1/receipts",
    "/v1/private-reads",
    "/v1/places",
)
"""What everybody may read, what the operator has made, and the audit itself."""

AFTER_THE_EXAMPLES = datetime(2027, 12, 1, tzinfo=UTC)
STALE = '"99"'


async def world(
    http: httpx.AsyncClient, join: Callable[..., Any], keys: Keys, pool: asyncpg.Pool
) -> tuple[dict[str, Institution], dict[str, str]]:
    """Who asks, and the ids that stand in the addresses and in the examples."""
    admin_key = await keys.issue(None, ROLES[Role.ADMIN], None)
    callers = {
        "nobody": Institution(http, ""),
        "admin": Institution(http, admin_key.key),
        "submitter": await join(*ROLES[Role.SUBMITTER]),
        "stranger": await join(*ROLES[Role.SUBMITTER]),
        "verifier": await join(*ROLES[Role.VERIFIER]),
        "analyst": await join(*ROLES[Role.ANALYST]),
    }
    submitter, verifier = callers["submitter"], await join(Scope.INCIDENTS_VERIFY)

    async def make(by: Institution, path: str, **ids: str) -> Any:
        body = json.dumps(examples.EXAMPLES[path])
        for known, new in ids.items():
            body = body.replace(getattr(examples, known), new)
        made = await by.post(path, {**json.loads(body), **_WITHOUT_NAMES.get(path, {})})
        assert made.status_code == 201, (path, made.text)
        return made.json()

    site = (await make(callers["admin"], "/v1/sites"))["id"]
    assignment = (await make(submitter, "/v1/assignments", SITE=site))["id"]
    report = (await make(submitter, "/v1/reports", SITE=site))["id"]
    nil_report = (await submitter.post("/v1/nil-reports", {"quarter": "2025-Q4"})).json()["id"]
    incident = (await verifier.post("/v1/incidents", {"class": "THREAT", "reports": [report]})).json()["id"]
    evidence = (await submitter.send(f"/v1/reports/{report}/evidence", b"file")).json()["evidence"]
    request = (await submitter.post("/v1/subject-requests", _REQUEST)).json()["id"]
    await Runner(pool, [RecordsProjection()]).catch_up()
    assert (await submitter.post(f"/v1/subject-requests/{request}/answer", {"outcome": "GRANTED"})).is_success
    position = (await make(submitter, "/v1/reports", SITE=site))["events"][0]["position"]
    institution = (await submitter.get(f"/v1/reports/{report}")).json()["institution"]
    return callers, {
        "SITE": site,
        "REPORT": report,
        "INCIDENT": incident,
        "INSTITUTION": institution,
        "institutions": institution,
        "keys": str(admin_key.id),
        "sites": site,
        "assignments": assignment,
        "reports": report,
        "nil-reports": nil_report,
        "incidents": incident,
        "evidence": evidence,
        "subject-requests": request,
        "receipts": str(position),
    }


_REQUEST = {"type": "ACCESS", "person": {"internal_id": "EJEMPLO-2026-0417"}, "received_on": "2026-03-02"}
_WITHOUT_NAMES = {"/v1/reports": {"source_record_id": None}}


def outcome(status: int) -> str:
    """The door's answer, or ``in``."""
    return str(status) if status in (401, 403, 404) else "in"


async def test_every_role_at_every_endpoint(
    http: httpx.AsyncClient,
    join: Callable[..., Any],
    keys: Keys,
    pool: asyncpg.Pool,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(event_stream, "LIFETIME_SECONDS", 0)
    clock.now = AFTER_THE_EXAMPLES
    callers, ids = await world(http, join, keys, pool)
    found = {}
    for method, path in sorted(REQUIRED, key=lambda one: (one[0], one[1])):
        address = path.replace("{id}", ids.get(path.split("/")[2], str(uuid4())))
        address = address.replace("{position}", ids["receipts"])
        body = json.dumps(examples.EXAMPLES.get(path, {}))
        for name in ("SITE", "REPORT", "INCIDENT", "INSTITUTION"):
            body = body.replace(getattr(examples, name), ids[name])
        outcomes = []
        for caller in ROLES_ASKED:
            if method == "GET":
                before = await noted(pool)
                answer = await callers[caller].get(
                    address, "AUDIT", **(QUERIES[path](ids) if path in QUERIES else {})
                )
                if shows_private(path, answer):
                    assert await noted(pool) > before, (path, caller)
            elif method == "DELETE":
                answer = await callers[caller].delete(address)
            else:
                answer = await callers[caller].post(address, json.loads(body), If_Match=STALE)
            outcomes.append(outcome(answer.status_code))
        found[f"{method} {path}"] = outcomes
    table = {" ".join(line.split()[:2]): line.split()[2:] for line in EXPECTED.strip().splitlines()}
    assert found == table, "\n".join(f"{name} {' '.join(row)}" for name, row in found.items())
    await Runner(pool, [RecordsProjection()]).catch_up()
    for path in OWN_RECORDS:
        listed = {name: await records(callers[name], path) for name in ("submitter", "stranger")}
        assert listed["submitter"] & set(ids.values()), path
        assert listed["stranger"], path
        assert not listed["stranger"] & listed["submitter"], path


async def noted(pool: asyncpg.Pool) -> int:
    """How many private reads the audit holds."""
    count: int = await pool.fetchval("SELECT count(*) FROM private_reads")
    return count


def shows_private(path: str, answer: httpx.Response) -> bool:
    """Whether an answer tells something of a record that not everybody may read."""
    if answer.status_code != 200 or path.startswith(NOTHING_PRIVATE):
        return False
    if path.startswith("/v1/events"):  # every key is shown what is open, too
        return '"event":{' in answer.text
    if answer.headers["content-type"] != "application/json":
        return True
    return bool(answer.json().get("items", True))


async def records(caller: Institution, path: str) -> set[str]:
    """The records that a list names."""
    return {item.get("record", item["id"]) for item in (await caller.get(path, limit=200)).json()["items"]}
