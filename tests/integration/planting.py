"""A value planted in every private field, through the API, by everybody who sends such fields."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx

from api.app import create_app
from api.auth.scopes import Scope
from api.services import Services
from registry.application.drafts import InstitutionDraft
from registry.application.execution.application import Application
from registry.application.execution.unit import OPERATOR, WriteOptions
from registry.application.places import institutions
from registry.domain.codes import InstitutionKind
from tests.integration.searching import Found

PLANTED = {
    "Student.curp": "XEXX991231HNEPLN07",
    "Student.internal_id": "PLANTED-INTERNAL-ID-41",
    "Contact.name": "Planted Contact Name",
    "Contact.phone": "+52 000 PLANTED 1234567",
    "Contact.email": "planted.contact@private.example",
    "WhenDraft.wording": "planted wording of when, ñandú",
    "WhereDraft.wording": "planted wording of where, la casa azul",
    "ReportDraft.narrative": "Planted narrative: él vio «todo» y lo contó.",
    "ReportDraft.source_name": "Planted Source Gazette",
    "EvidenceDraft.algorithm": "PLANTED-ALGORITHM",
    "EvidenceDraft.digest": "c0ffee00plantedc0ffee00digest",
    "EvidenceDraft.media_type": "application/x-planted",
    "EvidenceDraft.source_url": "https://planted.example/evidence?id=9",
    "EvidenceDraft.acquired_at": "planted time of acquisition",
    "FileDraft.source_url": "https://planted.example/file-source",
    "SubjectRequestDraft.relation": "Planted relation: la hermana",
    "FindingDraft.sources": "https://planted.example/finding-source",
    "DisputeDraft.statement": "Planted statement: la comunidad lo vio irse antes.",
    "DisputeResolutionDraft.resolution": "Planted resolution: se oyó a las dos partes.",
    "IncidentCorrectionDraft.authority": "PLANTED-RULING-77/2026",
}
"""Every private text field of every draft, with the value that is planted there."""

PLANTED_URL = "https://planted.example/hook?token=PLANTED-TOKEN"
"""``WebhookDraft.url``: addresses hold passwords."""

PLANTED_SIZE = 73_162_944_171
"""``EvidenceDraft.size``: private too."""

WHEN = {
    "earliest": "2026-01-05",
    "latest": "2026-01-05",
    "precision": "DAY",
    "wording": PLANTED["WhenDraft.wording"],
}
WHERE = {"cvegeo": "20334", "precision": "MUNICIPALITY", "wording": PLANTED["WhereDraft.wording"]}
VICTIM = {
    "role": "PASANTE_MEDICINE",
    "sex": "FEMALE",
    "outcome": "SEVERE",
    "nexus": "ON_DUTY_TRANSFER",
}
BY_CURP = {**VICTIM, "student": {"curp": PLANTED["Student.curp"]}}
BY_INTERNAL_ID = {**VICTIM, "student": {"internal_id": PLANTED["Student.internal_id"]}}
EVIDENCE = {
    **{
        name: PLANTED[f"EvidenceDraft.{name}"]
        for name in ("algorithm", "digest", "media_type", "source_url", "acquired_at")
    },
    "size": PLANTED_SIZE,
}
REPORT = {
    "class": "ATTACK",
    "source_type": "PRESS",
    "directness": "DIRECT",
    "source_name": PLANTED["ReportDraft.source_name"],
    "when": WHEN,
    "where": WHERE,
    "kind": "COERCED_CARE",
    "means": ["STRANGULATION"],
    "perpetrator": {"group": "COWORKER_OR_SUPERVISOR", "basis": "CONVICTED"},
    "victims": [BY_CURP, BY_INTERNAL_ID],
    "narrative": PLANTED["ReportDraft.narrative"],
    "evidence": [EVIDENCE],
}


class World:
    """The register over HTTP, with a university, a ministry and a reviewer, and all that was said to anybody."""

    def __init__(self, services: Services, app: Application) -> None:
        self._services, self._app = services, app
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(services)), base_url="http://register.example"
        )
        self.answers: list[Found] = []
        self.shown: list[str] = []
        self.pseudonyms: set[str] = set()

    async def join(self, kind: InstitutionKind, *scopes: Scope) -> dict[str, str]:
        """Headers of a new institution's key."""
        draft = InstitutionDraft(name="Institución de Ejemplo", kind=kind, state="20")
        accepted = await self._app.execute(OPERATOR, institutions.register(draft), WriteOptions())
        return await self.headers(accepted.id, *scopes)

    async def headers(self, institution: UUID | None, *scopes: Scope) -> dict[str, str]:
        issued = await self._services.api_keys.issue(institution, scopes, None)
        return {"Authorization": f"Bearer {issued.key}"}

    async def send(self, path: str, body: Any, headers: dict[str, str]) -> str:
        """The id of what was accepted. The answer belongs to the sender, and is not searched."""
        response = await self.http.post(path, json=body, headers=headers)
        assert response.status_code == 201, response.text
        for event in response.json()["events"]:
            for opening in event["openings"].values():
                self.pseudonyms |= set(_pseudonyms(opening["value"]))
        return str(response.json()["id"])

    async def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Asks as anybody, or in vain; keeps the answer."""
        response = await self.http.request(method, path, **request)
        headers = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
        self.answers.append(Found(f"{method} {path}", headers.encode() + b"\n\n" + response.content))
        return response


def _pseudonyms(value: Any) -> Iterator[str]:
    """All of one opened event: of students, victims, sources, documents."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name in ("student", "person", "source") and isinstance(item, str):
                yield item
            elif name in ("digests", "urls"):
                yield from item
            else:
                yield from _pseudonyms(item)
    elif isinstance(value, list):
        for item in value:
            yield from _pseudonyms(item)


async def plant(world: World) -> str:
    """Sends every private field through the API; the id of a report that others must not see."""
    admin = await world.headers(None, Scope.ADMIN)
    university = await world.join(
        InstitutionKind.UNIVERSITY, Scope.REPORTS_WRITE, Scope.ASSIGNMENTS_WRITE, Scope.IMPORTS_WRITE
    )
    reviewer = await world.join(InstitutionKind.ASSOCIATION, Scope.INCIDENTS_VERIFY)
    contact = {name: PLANTED[f"Contact.{name}"] for name in ("name", "phone", "email")}
    sites = [
        await world.send("/v1/sites", {"name": name, "cvegeo": "20002", "contact": contact}, admin)
        for name in ("Clínica Uno", "Clínica Dos")
    ]
    assignment = {
        "promotion": "2025-2",
        "plaza_type": "C",
        "starts": "2025-08-01",
        "planned_end": "2026-07-31",
    }
    by_curp = {**assignment, "student": {"curp": PLANTED["Student.curp"]}, "site": sites[0]}
    by_internal_id = {
        **assignment,
        "student": {"internal_id": PLANTED["Student.internal_id"]},
        "site": sites[0],
    }
    await world.send("/v1/assignments", by_curp, university)
    made = await world.send("/v1/assignments", by_internal_id, university)
    conditions = {"connectivity": "RADIO", "staff_alone": "YES", "on": "2026-02-01"}
    await world.send(f"/v1/sites/{sites[0]}/conditions", conditions, admin)
    await world.send(f"/v1/sites/{sites[0]}/suspension", {"reason": "THREAT", "on": "2026-03-01"}, admin)
    code = {"clues": "OCIMB000123", "valid_from": "2026-03-01"}
    await world.send(f"/v1/sites/{sites[1]}/codes", code, admin)
    request = {"by": "FAMILY", "reason": "THREAT", "on": "2026-01-20"}
    await world.send(f"/v1/assignments/{made}/relocation-requests", request, university)
    decision = {"request": 2, "decision": "DENIED", "on": "2026-01-25"}
    await world.send(f"/v1/assignments/{made}/relocation-decisions", decision, university)
    relocation = {"to": sites[1], "effective": "2026-02-01", "reason": "PERSONAL"}
    await world.send(f"/v1/assignments/{made}/relocations", relocation, university)
    await world.send(f"/v1/assignments/{made}/end", {"reason": "RESIGNED", "on": "2026-02-20"}, university)

    report = await world.send("/v1/reports", REPORT, university)
    many = {
        name: REPORT[name] for name in ("source_type", "source_name", "narrative", "evidence", "when")
    } | {"class": "RELOCATION", "action": "REQUESTED", "where": [WHERE, WHERE]}
    await world.send("/v1/reports", many, university)
    await world.send("/v1/nil-reports", {"quarter": "2025-Q4"}, university)
    await plant_apart(world, report, university, admin, reviewer)
    imported = await world.http.post(
        "/v1/imports?records=reports&mode=partial",
        content=json.dumps({**REPORT, "source_record_id": "row-1"}).encode()
        + b"\n"
        + json.dumps({**REPORT, "source_record_id": "row-2", "kind": "NOT_A_KIND"}).encode(),
        headers={**university, "Content-Type": "application/x-ndjson"},
    )
    assert imported.status_code == 200, imported.text

    sources = [PLANTED["FindingDraft.sources"]]
    incident = {
        "class": "ATTACK",
        "reports": [report],
        "findings": [
            {"when": WHEN, "sources": sources},
            {"where": WHERE, "sources": sources},
            {"kind": "COERCED_CARE", "sources": sources},
            {"already_public": True, "sources": sources},
        ],
        "victims": [BY_CURP],
        "certainty": {"level": "POSSIBLE", "basis": ["OFFICIAL_DOCUMENT"]},
    }
    opened = await world.send("/v1/incidents", incident, reviewer)
    await world.send(f"/v1/incidents/{opened}/victims", BY_INTERNAL_ID, reviewer)
    await world.send(f"/v1/incidents/{opened}/findings", {"when": WHEN, "sources": sources}, reviewer)
    contested = {"ground": "WHEN", "statement": PLANTED["DisputeDraft.statement"]}
    await world.send(f"/v1/incidents/{opened}/dispute", contested, university)
    resolved = {"decision": "UPHELD", "resolution": PLANTED["DisputeResolutionDraft.resolution"]}
    await world.send(f"/v1/incidents/{opened}/dispute-resolution", resolved, reviewer)
    version = (await world.http.get(f"/v1/incidents/{opened}", headers=reviewer)).headers["etag"]
    correction = {
        "when": {**WHEN, "latest": "2026-01-06", "precision": "INTERVAL"},
        "victim": {"number": 2, "sex": "MALE"},
        "reason": "DATA_ENTRY",
        "authority": PLANTED["IncidentCorrectionDraft.authority"],
    }
    await world.send(f"/v1/incidents/{opened}/corrections", correction, {**reviewer, "If-Match": version})

    version = (await world.http.get(f"/v1/reports/{report}", headers=university)).headers["etag"]
    amended = {**REPORT, "kind": "ABDUCTION", "reason": "NEW_EVIDENCE"}
    await world.send(f"/v1/reports/{report}/amendments", amended, {**university, "If-Match": version})

    # Refused: by whom it is not theirs to see, for what is wrong with it. None of them may quote what was sent.
    stranger = await world.join(InstitutionKind.UNIVERSITY, Scope.REPORTS_WRITE)
    wrong: list[tuple[str, Any]] = [
        ("/v1/reports", {**REPORT, "kind": PLANTED["ReportDraft.narrative"]}),
        ("/v1/reports", {**REPORT, PLANTED["Contact.email"]: 1}),
        (
            "/v1/reports",
            {**REPORT, "victims": [{**VICTIM, "student": {"curp": PLANTED["Student.curp"] + "9"}}]},
        ),
        ("/v1/reports", PLANTED["ReportDraft.narrative"]),
        ("/v1/assignments", by_curp),
        (f"/v1/incidents/{opened}/victims", BY_CURP),
    ]
    for path, body in wrong:
        refused = await world.ask("POST", path, json=body, headers=stranger)
        assert refused.status_code in (403, 404, 422), refused.text
    assert (await world.ask("POST", "/v1/reports", json=REPORT)).status_code == 401
    assert (await world.ask("POST", "/v1/reports", content=json.dumps(REPORT)[:-9])).status_code in (401, 415)
    for path in (f"/v1/reports/{report}", f"/v1/assignments/{made}", f"/v1/incidents/{opened}"):
        assert (await world.ask("GET", path, headers=stranger)).status_code in (403, 404)
        assert (await world.ask("GET", path)).status_code == 401
    return report


async def plant_webhook(world: World) -> str:
    """The secret of an endpoint that has been tried and rotated."""
    integrator = await world.join(InstitutionKind.OTHER, Scope.WEBHOOKS_MANAGE)
    made = await world.http.post("/v1/webhooks", json={"url": PLANTED_URL}, headers=integrator)
    assert made.status_code == 201, made.text
    for action in ("test", "rotate"):
        path = f"/v1/webhooks/{made.json()['id']}/{action}"
        assert (await world.http.post(path, headers=integrator)).status_code == 201
    return str(made.json()["secret"])


async def plant_apart(world: World, report: str, *keys: dict[str, str]) -> None:
    """What is no event: a file, what somebody asks about their own data, and that it was all read."""
    university, admin, reviewer = keys
    described = {**university, "Evidence-Source-URL": PLANTED["FileDraft.source_url"]}
    file = PLANTED["ReportDraft.narrative"].encode()
    attached = await world.http.post(f"/v1/reports/{report}/evidence", content=file, headers=described)
    assert attached.status_code == 201, attached.text
    asked = {
        "type": "ACCESS",
        "person": {"curp": PLANTED["Student.curp"]},
        "received_on": "2026-03-02",
        "relation": PLANTED["SubjectRequestDraft.relation"],
        "contact": {name: PLANTED[f"Contact.{name}"] for name in ("name", "phone", "email")},
    }
    request = (await world.http.post("/v1/subject-requests", json=asked, headers=admin)).json()["id"]
    await world.http.post(
        f"/v1/subject-requests/{request}/answer", json={"outcome": "GRANTED"}, headers=admin
    )
    evidence = attached.headers["location"]
    for path, headers in (
        (f"/v1/reports/{report}", university),
        (f"/v1/reports/{report}", reviewer),
        (evidence, reviewer),
        (f"{evidence}/file", reviewer),
        (f"/v1/subject-requests/{request}", admin),
        (f"/v1/subject-requests/{request}/data", admin),
    ):
        read = await world.http.get(path, headers={**headers, "Purpose": "DATA_SUBJECT_REQUEST"})
        assert read.status_code == 200, read.text
        world.shown.append(read.text)
    stranger = await world.join(InstitutionKind.UNIVERSITY, Scope.REPORTS_WRITE, Scope.ASSIGNMENTS_WRITE)
    for method, path, content in (
        ("GET", evidence, None),
        ("GET", f"{evidence}/file", None),
        ("GET", f"/v1/subject-requests/{request}/data", None),
        ("GET", "/v1/private-reads", None),
        ("POST", "/v1/subject-requests", json.dumps(asked)),
        ("POST", f"/v1/reports/{report}/evidence", file),
    ):
        await world.ask(method, path, content=content, headers=stranger)
