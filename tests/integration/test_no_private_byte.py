"""No private byte in public: plants values in every private field, releases and publishes, then searches everything.

Searched are the log (leaves, tiles, bundles, checkpoints, proofs), every answer that anybody can get, refusals that
answer private values, notifications, what the process logged, and every column of every table: none may hold a
planted value, in any spelling in which it could be recognised or confirmed (a plain hash can be enumerated).
"""

import base64
import hashlib
import hmac
import io
import json
import logging
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest

import registry.application.drafts as drafts
from api.app import create_app
from api.auth.keys import Keys
from api.auth.scopes import Scope
from api.auth.token import Tokens
from api.health import Health
from api.services import Services
from api.start import adopt
from projections.models.public_count import PublicCount
from projections.models.records import RecordsProjection
from projections.models.waiting import Waiting
from projections.releases import Releases
from projections.runner import Runner
from registry.application.drafts import Draft, InstitutionDraft
from registry.application.execution.application import Application
from registry.application.execution.sealing import unseal
from registry.application.execution.unit import OPERATOR, WriteOptions
from registry.application.places import institutions
from registry.disclosure.facets import FACETS
from registry.domain.codes import STATES, InstitutionKind
from registry.log.canonical import encode
from registry.log.keys import LogKeys
from registry.log.leaf import EntryLeaf, OpenLeaf, parse_leaf
from registry.log.publisher import Publisher
from registry.log.tiles import bundle_path, tile_path
from registry.privacy.master import MasterKey
from registry.settings import Settings
from registry.store.store import NOTIFICATION_CHANNEL
from tests.integration.conftest import Clock

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

NOT_PRIVATE = {
    # readable by all: names and codes of institutions and sites
    "InstitutionDraft.name",
    "InstitutionDraft.state",
    "SiteDraft.name",
    "SiteDraft.cvegeo",
    "SiteDraft.clues",
    # the sender's own name for the record, kept to find it again; codes, which roles may read in the database
    "SiteCodeDraft.clues",
    "SiteCodeDraft.source_record_id",
    "ConditionsDraft.source_record_id",
    "SiteSuspensionDraft.source_record_id",
    "ReopeningDraft.source_record_id",
    "InstitutionNameDraft.name",
    "InstitutionNameDraft.source_record_id",
    # a correction of an assignment: the name of a field, and a code, a date or an id, nothing else is accepted
    "AssignmentCorrectionDraft.field",
    "AssignmentCorrectionDraft.new",
    "StartDraft.source_record_id",
    "SuspensionDraft.source_record_id",
    "ResumptionDraft.source_record_id",
    "RelocationRequestDraft.source_record_id",
    "RelocationDecisionDraft.source_record_id",
    "AssignmentDraft.promotion",
    "AssignmentDraft.source_record_id",
    "FileDraft.media_type",
    "FileDraft.source_record_id",
    "MatchRejectionDraft.source_record_id",
    "TriageDraft.source_record_id",
    "ReportDraft.kind",
    "ReportDraft.source_record_id",
    "RecordReference.source_record_id",
    "VictimDraft.person",
    "VictimCorrectionDraft.person",
    "NilReportDraft.quarter",
    "NilReportDraft.source_record_id",
    "FindingDraft.kind",
    "IncidentCorrectionDraft.kind",
    "LinkDraft.source_record_id",
    "OutcomeDraft.source_record_id",
    "DisputeDraft.source_record_id",
    "IncidentDraft.source_record_id",
    "FindingRecordDraft.source_record_id",
    "VictimRecordDraft.source_record_id",
    "EndDraft.source_record_id",
    "RelocationDraft.source_record_id",
    "SiteDraft.source_record_id",
    "InstitutionDraft.source_record_id",
    "WhereDraft.state",
    "WhereDraft.cvegeo",
}
"""Text fields that hold nothing to plant in."""

UNDISCLOSED = [
    '"20334"',  # the municipality of an incident that opened its first rung only
    '"COERCED_CARE"',
    '"2026-01"',
    '"STRANGULATION"',
    '"COWORKER_OR_SUPERVISOR"',
    '"CONVICTED"',
    '"OFFICIAL_DOCUMENT"',
    '"ON_DUTY_TRANSFER"',
    '"PERSONAL"',
    '"DENIED"',
    '"RADIO"',
]
"""Codes that stay private until they are disclosed, or for ever; stored readable, never in public bytes."""


class Found(NamedTuple):
    """Bytes that could hold something, and where they come from."""

    where: str
    data: bytes


def spellings(value: str) -> Iterator[bytes]:
    """How a value could be recognised: as text, escaped, encoded, or as a plain hash."""
    raw = value.encode()
    yield raw
    yield json.dumps(value)[1:-1].encode()
    yield raw.hex().encode()
    for offset in range(3):
        # Base64 of a text within another, wherever it starts: without the characters that its neighbours share.
        yield base64.b64encode(b"\0" * offset + raw)[4 : len(raw) // 3 * 4]
    for algorithm in ("sha256", "sha1", "md5"):
        digest = hashlib.new(algorithm, raw, usedforsecurity=False).digest()
        yield digest
        yield digest.hex().encode()
        yield base64.b64encode(digest)


def text_fields() -> set[str]:
    """``Draft.field`` for all fields of all drafts that hold free text, alone, or in a list."""

    def holds_text(kind: msgspec.inspect.Type) -> bool:
        match kind:
            case msgspec.inspect.StrType():
                return True
            case msgspec.inspect.UnionType(types=types):
                return any(holds_text(one) for one in types)
            case msgspec.inspect.ListType(item_type=item):
                return holds_text(item)
        return False

    found = set()
    for draft in vars(drafts).values():
        if isinstance(draft, type) and issubclass(draft, Draft) and draft is not Draft:
            described = msgspec.inspect.type_info(draft)
            assert isinstance(described, msgspec.inspect.StructType)
            own = draft.__annotations__  # what a draft inherits is planted where it is declared
            found |= {
                f"{draft.__name__}.{one.name}"
                for one in described.fields
                if holds_text(one.type) and (one.name in own or draft.__base__ is Draft)
            }
    return found


def test_every_text_field_of_every_draft_is_planted_or_known_to_be_public() -> None:
    assert text_fields() == PLANTED.keys() | NOT_PRIVATE


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


@pytest.fixture
async def world(
    pool: asyncpg.Pool, app: Application, log_keys: LogKeys, master: MasterKey, tmp_path: Path
) -> World:
    services = Services(
        settings=Settings(data=tmp_path),
        pool=pool,
        application=app,
        log_keys=log_keys,
        api_keys=Keys(pool, Tokens(master, "test")),
        health=Health(),
    )
    await adopt(app)
    return World(services, app)


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


async def read_everything_public(world: World, pool: asyncpg.Pool) -> None:
    """Every answer that anybody can get."""
    size = await pool.fetchval("SELECT size FROM head")
    paths = ["checkpoint", "keys", bundle_path(0, size), tile_path(0, 0, size)]
    paths += [f"proof/{index}" for index in range(size)]
    for path in paths:
        answer = await world.ask("GET", f"/log/{path}")
        assert answer.status_code == 200, path
    for path in (
        "/healthz",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/asyncapi.json",
        "/v1/events?limit=500",
        "/v1/events?types=attack.reported",
        "/v1/reports",
        "/v1/incidents",
        "/nowhere",
        "/datos/counts.json?by=STATE&by=KIND&unit=VICTIMISATIONS&nexus=BROAD",
        "/datos/incidents.json?nexus=BROAD",
        "/en/data/incidents.csv?nexus=BROAD",
        "/datos/incidents-metadata.json",
    ):
        await world.ask("GET", path)
    packed = await world.ask("GET", "/datos/todo.zip")
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        world.answers += [Found(name, archive.read(name)) for name in archive.namelist()]
    dimensions = ["CLASS", "KIND", "YEAR", "MONTH", "STATE", "MUNICIPALITY", "CERTAINTY"]
    queries = ["{ checkpoints { edges { node { size root note } } } }"]
    queries += [
        f"{{ counts(groupBy: [{dimension}], unit: {unit}, filter: {{nexus: BROAD}}) {{ certificate citation {{ text }} "
        "rows { key { state value label } low best high } total { high waiting excluded { reason incidents } } } }"
        for dimension in dimensions
        for unit in ("INCIDENTS", "VICTIMISATIONS", "DEATHS")
    ]
    for query in queries:
        answer = await world.ask("POST", "/graphql", json={"query": query})
        assert "errors" not in answer.json(), answer.text


async def stream_everything(world: World) -> list[Found]:
    """All events in full, as those who may see them follow them: in codes, and without a private value all the same."""
    everything = await world.join(InstitutionKind.ASSOCIATION, Scope.INCIDENTS_VERIFY, Scope.EVENTS_READ)
    answer = await world.http.get("/v1/events?limit=500", headers=everything)
    assert {"attack.reported", "assignment.registered", "incident.finding_recorded"} <= {
        event["type"] for event in answer.json()["items"]
    }
    return [Found("GET /v1/events", answer.content)]


async def columns(pool: asyncpg.Pool) -> list[Found]:
    """Every value of every column of every table, as the database shows it and as bytes."""
    tables = await pool.fetch(
        "SELECT table_schema AS schema, table_name AS name FROM information_schema.tables "
        "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_type = 'BASE TABLE'"
    )
    assert {("public", "events"), ("vault", "data_keys"), ("incidents", "folded")} <= {
        (table["schema"], table["name"]) for table in tables
    }
    found = []
    for table in tables:
        for row in await pool.fetch(
            f'SELECT t.*, t::text AS "as text" FROM "{table["schema"]}"."{table["name"]}" t'
        ):
            for column, value in row.items():
                where = f"{table['schema']}.{table['name']}.{column}"
                found.append(Found(where, value if isinstance(value, bytes) else str(value).encode()))
    return found


@pytest.fixture
async def notifications(pool: asyncpg.Pool) -> Any:
    heard: list[Found] = []

    def notified(_connection: object, _pid: int, channel: str, payload: object) -> None:
        heard.append(Found(f"NOTIFY {channel}", str(payload).encode()))

    async with pool.acquire() as connection:
        await connection.add_listener(NOTIFICATION_CHANNEL, notified)
        yield heard
        await connection.remove_listener(NOTIFICATION_CHANNEL, notified)


async def test_no_private_value_is_in_any_public_byte_log_line_or_readable_column(
    world: World,
    app: Application,
    pool: asyncpg.Pool,
    clock: Clock,
    log_keys: LogKeys,
    tmp_path: Path,
    notifications: list[Found],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    await plant(world)
    webhook_secret = await plant_webhook(world)
    releases = Releases(app, pool)
    assert await releases.release_once() is not None
    clock.advance(days=120)
    await releases.release_once()
    publisher = Publisher(pool, log_keys, log_keys.origin, tmp_path / "log")
    await publisher.publish_once()
    await Runner(pool, [PublicCount(), Waiting(), RecordsProjection()]).catch_up()
    await read_everything_public(world, pool)

    events = await app.store.read(0, 1000)
    leaves = [Found(f"leaf {event.position}", event.leaf) for event in events]
    logged = [
        Found("log", f"{record.getMessage()} {record.exc_text or ''}".encode()) for record in caplog.records
    ]
    kept = json.dumps([one.private for one in await unseal(app.store, app.vault, events)], ensure_ascii=False)
    kept += "".join(world.shown)
    assert [field for field, value in PLANTED.items() if value not in kept] == []
    public = [*leaves, *world.answers, *notifications]
    stored = await columns(pool)
    assert notifications
    assert logged
    assert len(stored) > 500

    streamed = await stream_everything(world)
    secrets = {**PLANTED, "EvidenceDraft.size": str(PLANTED_SIZE)}
    secrets |= {"WebhookDraft.url": PLANTED_URL, "secret of a webhook": webhook_secret}
    assert _hits(secrets, [*public, *logged, *stored, *streamed]) == []
    assert world.pseudonyms
    pseudonyms = {f"pseudonym {number}": one for number, one in enumerate(sorted(world.pseudonyms))}
    assert _hits(pseudonyms, [*public, *logged]) == []
    assert [
        (code, one.where) for code in UNDISCLOSED for one in _data(public) if code.encode() in one.data
    ] == []


def _hits(secrets: dict[str, str], searched: list[Found]) -> list[tuple[str, str]]:
    needles = {name: [one for one in spellings(value) if len(one) >= 8] for name, value in secrets.items()}
    return [
        (name, found.where)
        for found in searched
        for name, spelled in needles.items()
        if any(needle in found.data for needle in spelled)
    ]


@pytest.mark.parametrize("field", PLANTED)
def test_the_search_finds_a_value_however_it_is_written(field: str) -> None:
    value = PLANTED[field]
    raw = value.encode()
    for written in (
        raw,
        json.dumps({"a": value}).encode(),
        raw.hex().encode(),
        base64.b64encode(b"before " + raw + b" after"),
        base64.b64encode(b"before" + raw + b" after"),
        base64.b64encode(b"befor" + raw + b" after"),
        hashlib.sha256(raw).digest(),
        hashlib.sha256(raw).hexdigest().encode(),
    ):
        assert _hits({field: value}, [Found("here", b"something " + written)]) == [(field, "here")]


def _data(public: list[Found]) -> list[Found]:
    """Without the documents that explain what codes there are."""
    return [one for one in public if "api.json" not in one.where and "POST /v1" not in one.where]


async def test_sealed_facets_are_commitments_that_cannot_be_guessed(
    world: World, app: Application, pool: asyncpg.Pool
) -> None:
    await plant(world)
    await Releases(app, pool).release_once()
    leaves = [parse_leaf(event.leaf) for event in await app.store.read(0, 1000)]
    (disclosed,) = [one for one in leaves if isinstance(one, OpenLeaf) and one.type == "incident.disclosed"]
    public: Any = disclosed.public
    facets = public["facets"]

    assert set(facets) == set(FACETS)
    sealed = {name: facet for name, facet in facets.items() if name not in ("tally", "year")}
    assert all(set(facet) == {"sealed"} for facet in sealed.values())
    assert len({facet["sealed"] for facet in sealed.values()}) == len(sealed)
    # Whoever knows all values that there can be still cannot tell which one it is: not without the key.
    guesses = [b"", b"\0" * 32, disclosed.event_id.bytes, str(disclosed.event_id).encode()]
    for state in STATES:
        message = f"constancia/commit/v1\n{disclosed.event_id}\nstate\n".encode() + encode(state)
        made = {base64.b64encode(hmac.digest(key, message, "sha256")).decode() for key in guesses}
        made |= {base64.b64encode(hashlib.sha256(one).digest()).decode() for one in (message, encode(state))}
        assert facets["state"]["sealed"] not in made


async def test_an_entry_leaf_says_nothing_not_even_by_its_length(world: World, app: Application) -> None:
    await plant(world)
    events = await app.store.read(0, 1000)
    entries = [event for event in events if isinstance(parse_leaf(event.leaf), EntryLeaf)]
    assert {event.type for event in entries} >= {
        "attack.reported",
        "nil.reported",
        "incident.victim_recorded",
    }
    assert {len(event.leaf) for event in entries} == {len(entries[0].leaf)}
    assert all(set(json.loads(event.leaf)) == {"id", "sealed", "type", "v"} for event in entries)
    opened = {event.type for event in events} - {event.type for event in entries}
    assert opened == {
        "institution.registered",
        "site.registered",
        "site.recoded",
        "definition.adopted",
        "policy.adopted",
    }
