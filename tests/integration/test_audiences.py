"""What each reader sees of a register in use: held against the log itself, event by event."""

import asyncio
import json
from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import httpx
import pytest

from api.auth.keys import Keys
from api.auth.scopes import ROLES, Role, Scope
from api.rest import examples
from api.streams import event_stream, ownership
from api.streams.audience import PUBLIC, Audience, audience_of
from api.streams.envelope import OPEN_TYPES
from api.streams.following import Following, StreamPage
from api.streams.streams import Streams
from api.streams.wanted import ALL, Wanted
from projections.models.records import RecordsProjection
from projections.releases import Releases
from projections.runner import Runner
from registry.application import register, reports
from registry.application.drafts import NilReportDraft
from registry.application.execution.application import Application
from registry.application.execution.unit import OPERATOR, Actor, WriteOptions
from registry.application.people.erasure import Erasure, Subject
from registry.disclosure import policy
from registry.domain.codes import CorrectionReason
from registry.domain.mapper import decode_event
from registry.domain.register import SubjectKind
from registry.privacy.sealing import verify_opening
from registry.store.records import Recorded
from tests.integration.conftest import Clock
from tests.integration.rest import Institution
from tests.integration.test_following import ORIGIN, positions, publish

PLANTED = ("EJEMPLO-2026-0417", "le ordenaron dejar", "encargada de la", "555-0000", "finales de septiembre")
"""Of every kind of private value, something that the institutions have sent."""


class Register(NamedTuple):
    """In use by two universities and a reviewer; ``ids`` are those of the records of the first, and of an incident."""

    following: Following
    audiences: dict[str, Audience]
    ids: dict[str, UUID]
    log: list[Recorded]

    def owner(self, one: Recorded) -> UUID | None:
        """Whose the stream is, by its first event."""
        first = next(other for other in self.log if other.stream_id == one.stream_id)
        if first.type.partition(".")[0] in (
            "institution",
            "site",
            "incident",
            "definition",
            "policy",
            "subject",
        ):
            return None
        return decode_event(first.type, first.state).by.institution

    def visible(self, reader: str) -> list[int]:
        """The positions that a reader should be shown."""
        audience = self.audiences[reader]
        return [
            one.position
            for one in self.log
            if audience.everything or one.type in OPEN_TYPES or self.owner(one) == audience.institution
        ]

    async def read(self, reader: str, limit: int = 500, wanted: Wanted = ALL) -> dict[int, Any]:
        """All that a reader is shown, by position."""
        found: dict[int, Any] = {}
        after = 0
        while True:
            page = await self.following.page(self.audiences[reader], after, limit, wanted)
            assert all(after <= position < page.next for position in positions(page))
            if page.next == after:
                return found
            found |= {event.position: json.loads(event.body) for event in page.events}
            after = page.next


@pytest.fixture
async def used(
    http: httpx.AsyncClient,
    join: Callable[..., Any],
    keys: Keys,
    app: Application,
    pool: asyncpg.Pool,
    clock: Clock,
) -> AsyncIterator[Register]:
    clock.now = datetime(2027, 12, 1, tzinfo=UTC)
    for decision in (
        register.adopt_definition("national-count/1", "ab" * 32),
        register.adopt_policy("disclosure-policy/1", policy.shipped()),
    ):
        await app.execute(OPERATOR, decision, WriteOptions())
    admin = Institution(http, (await keys.issue(None, ROLES[Role.ADMIN], None)).key)
    one, other = await join(*ROLES[Role.SUBMITTER]), await join(*ROLES[Role.SUBMITTER])
    verifier = await join(*ROLES[Role.VERIFIER])

    async def post(by: Institution, path: str, body: Any, **headers: str) -> Any:
        made = await by.post(path, body, **headers)
        assert made.status_code in (200, 201), (path, made.text)
        return made.json()

    def example(path: str, site: str, **changes: Any) -> Any:
        body = json.loads(json.dumps(examples.EXAMPLES[path]).replace(examples.SITE, site))
        return {name: value for name, value in {**body, **changes}.items() if value is not None}

    site = (await post(admin, "/v1/sites", example("/v1/sites", "")))["id"]
    ids: dict[str, str] = {}
    for name, by in (("own", one), ("others", other)):
        made = await post(by, "/v1/assignments", example("/v1/assignments", site))
        ids[f"{name} assignment"] = made["id"]
        await post(by, f"/v1/assignments/{made['id']}/start", {"on": "2026-08-03"})
        made = await post(by, "/v1/reports", example("/v1/reports", site))
        ids[f"{name} report"] = made["id"]
        ids[f"{name} nil"] = (await post(by, "/v1/nil-reports", {"quarter": "2025-Q4"}))["id"]
    report = f"/v1/reports/{ids['own report']}"
    amendment = example("/v1/reports/{id}/amendments", site)
    await post(one, report + "/amendments", amendment, If_Match='"1"')
    opened: dict[str, Any] = {"class": "THREAT", "reports": [ids["others report"]]}
    ids["unreleased"] = (await post(verifier, "/v1/incidents", opened))["id"]
    await post(verifier, report + "/match-rejections", {"incident": ids["unreleased"]})
    opened = {**opened, "reports": [ids["own report"]], "certainty": {"level": "POSSIBLE"}}
    ids["incident"] = (await post(verifier, "/v1/incidents", opened))["id"]
    await post(verifier, report + "/triage", {"decision": "PENDING_INFO", "reason": "MISIDENTIFICATION"})
    await post(verifier, report + "/triage", {"decision": "LINK", "incident": ids["incident"]})
    await post(admin, f"/v1/sites/{site}/suspension", {"reason": "INSECURITY", "on": "2026-10-05"})
    await Releases(app, pool).release_once()
    await post(one, f"/v1/nil-reports/{ids['own nil']}/withdrawal", {"reason": "DATA_ENTRY"}, If_Match='"1"')
    await post(other, "/v1/nil-reports", {"quarter": "2025-Q3"})

    log = await app.store.read(0, 1_000)
    institutions = {
        name: decode_event(log_entry.type, log_entry.state).by.institution
        for name, log_entry in (
            (name, next(entry for entry in log if str(entry.stream_id) == ids[f"{name} report"]))
            for name in ("own", "others")
        )
    }
    audiences = {
        name: audience_of(Actor(institution, None, ROLES[Role.SUBMITTER]))
        for name, institution in institutions.items()
    }
    audiences["verifier"] = audience_of(Actor(UUID(int=7), UUID(int=8), ROLES[Role.VERIFIER]))
    audiences["analyst"] = audience_of(Actor(UUID(int=7), None, ROLES[Role.ANALYST]))
    streams = Streams(pool)
    yield Register(
        Following(streams, ORIGIN, app), audiences, {name: UUID(value) for name, value in ids.items()}, log
    )
    await streams.close()


async def test_each_reader_is_shown_all_that_is_theirs_and_nothing_else(
    used: Register, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, dict[int, Any]] = {}
    for looked_through, scanned, known in (
        (1_000, 10_000, 0),
        (3, 4, 0),
        (3, 100, 17),
        (3, 1, len(used.log)),
    ):
        # Wherever the read model stands, and however the log is cut: the same.
        monkeypatch.setattr(ownership, "LOOKED_THROUGH", looked_through)
        monkeypatch.setattr(ownership, "SCANNED_POSITIONS", scanned)
        await Runner(pool, [RecordsProjection()], batch=1).catch_up() if known else None
        if known:
            await pool.execute("UPDATE projections.positions SET position = $1 WHERE name = 'records'", known)
            await pool.execute("DELETE FROM records.visible WHERE position >= $1", known)
        for reader in used.audiences:
            for limit in (1, 4, 500):
                found = await used.read(reader, limit)
                assert list(found) == used.visible(reader), (reader, limit)
                assert told.setdefault(reader, found) == found
        await pool.execute("DELETE FROM records.visible; DELETE FROM records.streams")
        await pool.execute("DELETE FROM projections.positions WHERE name = 'records'")
    everything = json.dumps(told)
    assert all(value not in everything for value in PLANTED)
    assert set(used.visible("own")) & set(used.visible("others")) == {
        one.position for one in used.log if one.type in OPEN_TYPES
    }
    hidden = json.dumps(told["own"])
    for name in ("others report", "others assignment", "unreleased"):
        assert str(used.ids[name]) not in hidden
    assert str(used.ids["incident"]) in hidden  # where it was released, in the open
    private = {event["type"] for event in told["own"].values()} - OPEN_TYPES
    assert not any(name.startswith(("incident.", "site.", "subject.")) for name in private)


async def test_what_others_did_to_a_report_is_told_as_far_as_reading_it_tells(used: Register) -> None:
    report = f"report/{used.ids['own report']}"
    about = Wanted(subjects=frozenset({report}))
    found = list((await used.read("own", wanted=about)).values())
    # The rejection named an incident: only that something came is told.
    assert [event["type"] for event in found] == [
        "threat.reported",
        "report.amended",
        "entry",
        "report.triaged",
        "report.triaged",
        "report.triaged",
    ]
    for event in found[2:]:
        assert event["subject"] == report
        assert set(event["data"]) == {"leaf"}
        assert "time" not in event
    assert all("event" in event["data"] and event["time"] for event in found[:2])
    whole = list((await used.read("verifier", wanted=about)).values())
    assert [event["type"] for event in whole][2:4] == ["report.match_rejected", "report.triaged"]
    assert whole[2]["data"]["event"]["data"] == {"incident": str(used.ids["unreleased"])}
    rejections = Wanted(types=frozenset({"report.match_rejected"}))
    assert await used.read("own", wanted=rejections) == {}
    assert len(await used.read("analyst", wanted=rejections)) == 1


@pytest.mark.parametrize("reader", ["own", "others", "verifier", "analyst"])
async def test_filters_choose_among_what_is_shown(used: Register, reader: str) -> None:
    shown = await used.read(reader)
    types = {event["type"] for event in shown.values()}
    subjects = {event["subject"] for event in shown.values()}
    for wanted in (
        *(Wanted(types=frozenset({name})) for name in types),
        *(Wanted(subjects=frozenset({subject})) for subject in subjects),
        Wanted(frozenset({"threat.reported", "incident.disclosed"}), frozenset(subjects)),
        Wanted(
            subjects=frozenset({f"incident/{used.ids['own report']}", f"report/{used.ids['others nil']}"})
        ),
    ):
        chosen = {
            position: event
            for position, event in shown.items()
            if (wanted.types is None or event["type"] in wanted.types)
            and (wanted.subjects is None or event["subject"] in wanted.subjects)
        }
        for limit in (2, 500):
            assert await used.read(reader, limit, wanted) == chosen


async def test_what_can_be_opened_opens_the_leaf_until_it_is_erased(
    used: Register, app: Application, pool: asyncpg.Pool
) -> None:
    before = await used.read("own")
    opened = 0
    for event in before.values():
        for field, opening in event["data"].get("openings", {}).items():
            sealed = event["data"]["leaf"]["sealed"][field]
            verify_opening(sealed, b64decode(opening["key"]), UUID(event["id"]), field, opening["value"])
            assert opening["value"] == {**event["data"]["event"], "private": {}}
            opened += 1
    assert opened
    started = next(event for event in before.values() if event["type"] == "assignment.started")
    person = next(
        event["data"]["event"]["data"]["student"]
        for event in before.values()
        if event["type"] == "assignment.registered"
    )
    assert "openings" in started["data"]
    await Erasure(app, pool).erase(Subject(SubjectKind.PERSON, person), CorrectionReason.DATA_SUBJECT_REQUEST)
    after = await used.read("own")
    assert set(after) == set(before)
    erased = after[started["position"]]
    assert "openings" not in erased["data"]
    assert erased["data"]["event"] == started["data"]["event"]
    everybodys = await used.read("verifier")
    assert [event["type"] for event in everybodys.values()][-1] == "subject.erased"


async def test_who_was_shown_what_is_noted_before_it_is_shown(used: Register, app: Application) -> None:
    async def noted() -> list[tuple[UUID, UUID | None]]:
        reads, _ = await app.reads.page(owner=None, limit=200)
        return [(read.record, read.owner) for read in reads if read.key == UUID(int=8)]

    assert await noted() == []
    report = used.ids["own report"]
    await used.read("verifier", wanted=Wanted(subjects=frozenset({f"report/{report}"})))
    assert await noted() == [(report, used.audiences["own"].institution)]
    await used.read("verifier", wanted=Wanted(types=OPEN_TYPES))
    assert len(await noted()) == 1
    assignment = used.ids["own assignment"]
    shown = await used.read("verifier", wanted=Wanted(subjects=frozenset({f"assignment/{assignment}"})))
    (person,) = {event["data"]["event"]["data"].get("student") for event in shown.values()} - {None}
    # Also by events that do not name the person whom they are about.
    reads, _ = await app.reads.page(owner=None, person=person, limit=200)
    assert {"student", "on"} <= {name for read in reads if read.record == assignment for name in read.fields}


async def test_a_database_that_is_away_before_a_read_is_noted_ends_no_stream(
    used: Register, app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    note, away = app.reads.note, [asyncpg.ConnectionDoesNotExistError("gone"), OSError("refused")]

    async def noting(*arguments: Any) -> None:
        if away:
            raise away.pop()
        await note(*arguments)

    monkeypatch.setattr(app.reads, "note", noting)
    async with asyncio.timeout(30), aclosing(used.following.pages(used.audiences["own"], 0)) as pages:
        assert positions(await anext(pages)) == used.visible("own")
    assert not away


async def test_no_reader_keeps_its_turn_while_all_of_the_log_is_looked_through(
    used: Register, app: Application, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ownership, "LOOKED_THROUGH", 2)
    monkeypatch.setattr(ownership, "SCANNED_POSITIONS", 5)
    found = await ownership.Ownership(pool).positions(UUID(int=9), 0, len(used.log), 500)
    assert found.reached == 5
    stranger = audience_of(Actor(UUID(int=9), None, ROLES[Role.SUBMITTER]))
    page = await used.following.page(stranger, 0, 1)
    assert positions(page) == [one.position for one in used.log if one.type in OPEN_TYPES][:1]
    quiet = max(one.position for one in used.log if one.type in OPEN_TYPES) + 1
    assert await used.following.page(stranger, quiet) == StreamPage((), quiet)


async def test_a_reader_learns_of_what_is_not_theirs_neither_by_waiting_nor_by_where_to_go_on(
    used: Register, http: httpx.AsyncClient, pool: asyncpg.Pool, app: Application
) -> None:
    last = used.visible("own")[-1]
    assert used.visible("others")[-1] > last
    own, following = used.audiences["own"], used.following
    assert await following.size(own) == last + 1
    assert await following.page(own, last + 1) == StreamPage((), last + 1)
    assert await following.awaited(own, last + 1, 10, ALL, 0.2) == StreamPage((), last + 1)
    assert await following.size(used.audiences["verifier"]) == len(used.log)
    assert await following.page(PUBLIC, 0) == StreamPage((), 0)
    size = await publish(pool)
    found = (await following.page(PUBLIC, 0)).events
    assert len(found) == size
    assert {event.type for event in found} == {"entry"} | {
        one.type for one in used.log if one.type in OPEN_TYPES
    }


async def test_what_is_one_s_own_comes_at_once_and_what_is_not_wakes_nobody(
    used: Register, app: Application
) -> None:
    async def answer(reader: str, quarter: str) -> None:
        actor = Actor(used.audiences[reader].institution, None, frozenset({"reports:write"}))
        await app.execute(actor, reports.nil(NilReportDraft(quarter=quarter)), WriteOptions())

    following, own, everything = used.following, used.audiences["own"], used.audiences["verifier"]
    size = len(used.log)
    async with (
        asyncio.timeout(30),
        aclosing(following.pages(own, await following.size(own))) as mine,
        aclosing(following.pages(everything, size)) as all_of_it,
    ):
        waiting = asyncio.ensure_future(anext(mine))
        await answer("others", "2024-Q1")
        assert positions(await anext(all_of_it)) == [size]
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await answer("own", "2024-Q1")
        page = await waiting
        assert (positions(page), page.next) == ([size + 1], size + 2)
        assert positions(await anext(all_of_it)) == [size + 1]


async def test_a_stream_ends_where_its_key_was_revoked(
    used: Register, app: Application, keys: Keys, http: httpx.AsyncClient
) -> None:
    institution = used.audiences["own"].institution
    key = (await keys.issue(institution, ROLES[Role.SUBMITTER], None)).key
    actor = await keys.authenticate(key)
    assert actor.key is not None
    sent: list[bytes] = []
    gone = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))

    last = used.visible("own")[-1]
    scope = {
        "type": "http",
        "method": "GET",
        "path": event_stream.PATH,
        "query_string": f"after={last}".encode(),
        "headers": [(b"authorization", f"Bearer {key}".encode())],
    }
    transport = http._transport
    assert isinstance(transport, httpx.ASGITransport)
    async with asyncio.timeout(30):
        streaming = asyncio.ensure_future(transport.app({**scope}, receive, send))
        while f"id: {last + 1}" not in b"".join(sent).decode():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        await keys.revoke(actor.key)
        answer = reports.nil(NilReportDraft(quarter="2024-Q2"))
        await app.execute(Actor(institution, None, frozenset({"reports:write"})), answer, WriteOptions())
        await streaming
    gone.set()
    events = [json.loads(line[6:]) for line in b"".join(sent).split(b"\n") if line.startswith(b"data: ")]
    assert [event["position"] for event in events] == [last]


async def test_a_key_needs_its_scope_and_only_its_own_answers_are_private(
    used: Register, http: httpx.AsyncClient, join: Callable[..., Any]
) -> None:
    reader = await join(Scope.EVENTS_READ)
    answer = await reader.get("/v1/events", limit=1)
    assert answer.headers["cache-control"] == "private, no-store"
    assert "etag" not in answer.headers
    assert (await (await join(Scope.INCIDENTS_VERIFY)).get("/v1/events")).status_code == 403
