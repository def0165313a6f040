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
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

import registry.application.drafts as drafts
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
from registry.application.drafts import Draft
from registry.application.execution.application import Application
from registry.application.execution.sealing import unseal
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
from tests.integration.planting import PLANTED, PLANTED_SIZE, PLANTED_URL, World, plant, plant_webhook
from tests.integration.searching import Found, columns, hits

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
            case msgspec.inspect.Metadata(type=described):
                return holds_text(described)
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
    assert hits(secrets, [*public, *logged, *stored, *streamed]) == []
    assert world.pseudonyms
    pseudonyms = {f"pseudonym {number}": one for number, one in enumerate(sorted(world.pseudonyms))}
    assert hits(pseudonyms, [*public, *logged]) == []
    assert [
        (code, one.where) for code in UNDISCLOSED for one in _data(public) if code.encode() in one.data
    ] == []


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
        assert hits({field: value}, [Found("here", b"something " + written)]) == [(field, "here")]


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
