"""A register that lives one life, and the public that asks it everything: what attacks are tried on.

Two registers live the same life and differ only in what sealed facets hold. All that anyone can ask of them must be the
same, byte for byte. Two things are taken out of chance for that: random bytes come from a seed, and a commitment is
made from its key and name alone, as if it hid its value perfectly (that HMAC-SHA-256 does is what the commitments rest
on, and tried elsewhere). Whatever differs then has leaked.
"""

import hashlib
import itertools
import os
import random
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import asyncpg
import httpx
import msgspec
import orjson

from api.app import create_app
from api.auth.keys import Keys
from api.auth.scopes import Scope
from api.auth.token import Tokens
from api.counts.answer import Backing
from api.graphql.execution import Operation, Ready, follow, ready
from api.health import Health
from api.services import Services
from api.streams.streams import Streams
from projections.counting.definition import DEFINITION_ID, definition_sha256
from projections.mirror.export import export
from projections.models.public_count import PublicCount
from projections.models.restricted import RestrictedProjection
from projections.models.waiting import Waiting
from projections.releases import Releases
from projections.runner import Runner
from registry.application import incidents, register, reports
from registry.application.drafts import (
    CertaintyDraft,
    DisputeDraft,
    FindingDraft,
    IncidentCorrectionDraft,
    IncidentDraft,
    ReportDraft,
    RetractionDraft,
    VictimDraft,
    WhenDraft,
    WhereDraft,
)
from registry.application.execution.application import Application
from registry.application.execution.unit import OPERATOR, Actor, Decision, WriteOptions
from registry.application.incidents import revisions
from registry.database import connect_pool
from registry.disclosure import policy
from registry.domain.codes import (
    Certainty,
    CorrectionReason,
    DatePrecision,
    Directness,
    DisputeGround,
    IncidentClass,
    InstitutionKind,
    Nexus,
    Outcome,
    PlacePrecision,
    ReportClass,
    Sex,
    SourceType,
    VictimRole,
)
from registry.log.keys import LogKeys, Purpose
from registry.log.publisher import Publisher
from registry.privacy.master import MasterKey
from registry.privacy.sealing import commitment
from registry.settings import Settings
from tests.integration.conftest import Clock, new_institution

TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
"""When a checkpoint was published is the clock of the database."""
UNKNOWN = str(UUID(int=7, version=4))
WAITING = "the incident that waits"
NOT_OURS = {"date", "x-request-id"}
DIMENSIONS = ("CLASS", "KIND", "YEAR", "MONTH", "STATE", "MUNICIPALITY", "CERTAINTY")
NUMBERS = (
    "low best high disputed waiting excluded { reason incidents } certificate citation { text url } "
    "asOf { size root }"
)


FILTERS = [
    "",
    *(f'state: ["{code}"]' for code in ("09", "14", "16", "UNKNOWN")),
    *(f'municipality: ["{code}"]' for code in ("09012", "14039", "16012", "UNKNOWN")),
    *(f'kind: ["{code}"]' for code in ("ARMED_ATTACK", "ROBBERY", "SEXUAL_VIOLENCE")),
    *(f'period: {{from: "{month}", to: "{month}"}}' for month in ("2026-01", "2026-02")),
    'period: {from: "2026-01", to: "2026-12"}, state: ["14"]',
    'state: ["09", "16"], kind: ["ROBBERY"], nexus: BROAD',
]
ERRORS = [
    '{ incidents(after: "x") { totalCount } }',
    '{ count(filter: {municipality: ["14999", "99001"]}) { high } }',
    '{ count(filter: {kind: ["SEXUAL_VIOLENCE", "sexual_violence"]}) { high } }',
    '{ count(filter: {state: ["14"], period: {from: "2026-13", to: "2026-01"}}) { high } }',
    "{ changes(from: 2, to: 3) { pageInfo { hasNextPage } } }",
    "{ counts(groupBy: [SEX], unit: INCIDENTS) { total { high } } }",
    f'{{ incident(id: "{WAITING}") {{ narrative }} }}',
]
RESTRICTED = (
    "{ restricted { counts(unit: VICTIMISATIONS, groupBy: [KIND, MUNICIPALITY, MONTH, SEX, OUTCOME]) "
    "{ at rows { key { value label } low best high disputed } } } }"
)
"""All that is sealed, to those who may ask."""


WITHOUT_STATISTICS = """
DO $$ DECLARE owned regclass; BEGIN
    FOR owned IN SELECT oid FROM pg_class WHERE relkind = 'r' AND oid > 16384 LOOP
        EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', owned);
    END LOOP;
END $$
"""


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """What one incident seals."""

    cvegeo: str = "14039"
    kind: str = "ARMED_ATTACK"
    day: date = date(2026, 2, 5)
    sex: Sex = Sex.FEMALE
    outcome: Outcome = Outcome.SEVERE
    known: bool = False
    corrected: str = "EXTORTION"
    narrative: str = "Un relato de ejemplo."


class Act(StrEnum):
    """What may be done to an incident after its first release."""

    CORRECT = "CORRECT"
    DISPUTE = "DISPUTE"
    RETRACT = "RETRACT"
    RUMOUR = "RUMOUR"


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """Incidents that are adjudicated, the last of which is asked about most; what is done to them between two releases,
    each by its number; and one that waits for a release at the end."""

    incidents: tuple[Secret, ...]
    acts: tuple[tuple[Act, int], ...] = ()
    waiting: Secret


class Work(msgspec.Struct, frozen=True):
    """What one statement made the database do: rows that its steps read, and rows that it answered."""

    statement: str
    read: float
    answered: int


class Register:
    """A register that lives in one database, and the public that asks it everything."""

    def __init__(self, pool: asyncpg.Pool, master: MasterKey, keys: LogKeys, place: Path) -> None:
        self._pool, self._master, self._keys, self._place = pool, master, keys, place
        self._clock = Clock(datetime(2026, 3, 2, 12, tzinfo=UTC))
        self.target = self.waiting = ""
        self.restricted = b""
        self.work: dict[str, list[Work]] = {}

    async def live(self, life: Life, every: int = 1) -> dict[str, bytes]:
        """A life with two releases, each published; all answers by what was asked.

        :param every: of so many questions one is asked, without a mirror and streams.
        """
        publisher = Publisher(self._pool, self._keys, self._keys.origin, self._place / "log")
        await publisher.publish_once()
        async with Application(self._pool, self._master, self._keys, clock=self._clock) as app:
            shipped = policy.shipped()
            for decision in (
                register.adopt_definition(DEFINITION_ID, definition_sha256()),
                register.adopt_policy("disclosure-policy/1", shipped),
            ):
                await app.execute(OPERATOR, decision, WriteOptions())
            university = await new_institution(
                app, "Universidad de ejemplo", InstitutionKind.UNIVERSITY, {"reports:write"}
            )
            reviewers = [
                await new_institution(app, name, InstitutionKind.ASSOCIATION, {"incidents:verify"})
                for name in ("Observatorio A", "Observatorio B")
            ]
            known = [await self._adjudicate(app, university, reviewers, secret) for secret in life.incidents]
            self.target = str(known[-1])
            releases = Releases(app, self._pool)
            await releases.release_once()
            await publisher.publish_once()
            for act, number in life.acts:
                await self._act(app, university, reviewers[0], act, known[number], life.incidents[number])
            self._clock.advance(days=125)
            await releases.release_once()
            await publisher.publish_once()
            # Adjudicated, and waiting for a release.
            self.waiting = str(await self._adjudicate(app, university, reviewers, life.waiting))
            await publisher.publish_once()
            await Runner(self._pool, [PublicCount(), Waiting(), RestrictedProjection()]).catch_up()
            # An index leads its readers to replaced rows until somebody tidies up: that is a matter of moments.
            await self._pool.execute("VACUUM (INDEX_CLEANUP ON)")
            return await self._ask(app, every)

    async def _adjudicate(
        self, app: Application, university: Actor, reviewers: list[Actor], secret: Secret
    ) -> UUID:
        when = WhenDraft(earliest=secret.day, latest=secret.day, precision=DatePrecision.DAY)
        where = WhereDraft(cvegeo=secret.cvegeo, precision=PlacePrecision.MUNICIPALITY)
        victim = VictimDraft(
            role=VictimRole.PASANTE_MEDICINE,
            sex=secret.sex,
            outcome=secret.outcome,
            nexus=Nexus.ON_DUTY_AT_SITE,
        )
        report = ReportDraft(
            class_=ReportClass.ATTACK,
            source_type=SourceType.UNIVERSITY,
            directness=Directness.DIRECT,
            when=when,
            where=where,
            kind=secret.kind,
            narrative=secret.narrative,
            victims=[victim],
        )
        accepted = await app.execute(university, reports.submit(report), WriteOptions())
        draft = IncidentDraft(
            class_=IncidentClass.ATTACK,
            reports=[accepted.id],
            findings=[FindingDraft(when=when), FindingDraft(where=where), FindingDraft(kind=secret.kind)],
            victims=[victim],
            certainty=CertaintyDraft(level=Certainty.POSSIBLE),
        )
        incident = (await app.execute(reviewers[0], incidents.open_incident(draft), WriteOptions())).id
        for reviewer in reviewers:
            finding = FindingDraft(already_public=secret.known, sources=["https://diario.example/nota"])
            await app.execute(reviewer, incidents.record_finding(incident, finding), WriteOptions())
        return incident

    async def _act(
        self, app: Application, university: Actor, reviewer: Actor, act: Act, incident: UUID, secret: Secret
    ) -> None:
        reason = CorrectionReason.MISIDENTIFICATION
        decision: Decision
        match act:
            case Act.CORRECT:
                draft = IncidentCorrectionDraft(kind=secret.corrected, reason=reason)
                decision = revisions.correct(incident, draft)
            case Act.DISPUTE:
                decision = revisions.dispute(incident, DisputeDraft(ground=DisputeGround.KIND))
            case Act.RETRACT:
                decision = incidents.retract(incident, RetractionDraft(reason=reason))
            case _:
                decision = incidents.set_certainty(incident, CertaintyDraft(level=Certainty.RUMOUR))
        who = university if act is Act.DISPUTE else reviewer
        await app.execute(who, decision, WriteOptions())

    async def _ask(self, app: Application, every: int) -> dict[str, bytes]:
        keys = Keys(self._pool, Tokens(self._master, "test"))
        services = Services(
            settings=Settings(data=self._place),
            pool=self._pool,
            application=app,
            log_keys=self._keys,
            api_keys=keys,
            health=Health(),
        )
        stranger = await new_institution(app, "Otra universidad", InstitutionKind.UNIVERSITY, set())
        assert stranger.institution is not None
        key = await keys.issue(stranger.institution, (Scope.REPORTS_WRITE, Scope.EVENTS_READ), None)
        analyst = await keys.issue(stranger.institution, (Scope.RESTRICTED_READ,), None)
        transport = httpx.ASGITransport(create_app(services))
        answers: dict[str, bytes] = {}
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            for path in await self._paths():
                asked = path.replace(WAITING, self.waiting)
                answers[path] = _seen(await http.get(asked))
                answers[f"{path} with a key"] = _seen(
                    await http.get(asked, headers={"Authorization": f"Bearer {key.key}"})
                )
            told = await http.post(
                "/graphql", json={"query": RESTRICTED}, headers={"Authorization": f"Bearer {analyst.key}"}
            )
            self.restricted = told.content
            for query in [*self._queries(await self._sizes())][::every]:
                with recorded() as statements:
                    answer = await http.post("/graphql", json={"query": query.replace(WAITING, self.waiting)})
                assert "INTERNAL" not in answer.text, answer.text
                answers[query] = _seen(answer)
                self.work[query] = [await self._worked(*statement) for statement in statements]
            refused = await http.post(
                "/graphql", json={"query": RESTRICTED}, headers={"Authorization": f"Bearer {key.key}"}
            )
            anybody = await http.post("/graphql", json={"query": RESTRICTED})
            answers["restricted with a key"], answers["restricted"] = _seen(refused), _seen(anybody)
        if every > 1:
            return answers
        backing = Backing.of(
            self._pool, self._keys.signers(Purpose.COUNT), self._keys.origin, Streams(self._pool)
        )
        size = (await self._sizes())[-1]
        answers["stream of leaves"] = await _followed(
            backing, "{ events(after: 0) { position id type recorded leaf } }", size
        )
        for chosen in FILTERS:
            count = f"{{ count(unit: VICTIMISATIONS, filter: {{{chosen}}}) {{ {NUMBERS} }} }}"
            answers[f"stream of {count}"] = await _followed(backing, count, 1)
        served = {"policy": b"quorum none\n"}
        directory = self._place / "mirror"
        await export(self._pool, self._keys.origin, [self._keys.log.verifier], served, directory)
        for file in sorted(directory.rglob("*")):
            if file.is_file():
                answers[f"mirror {file.relative_to(directory)}"] = TIME.sub(b"", file.read_bytes())
        return answers

    async def _worked(self, statement: str, arguments: tuple[object, ...], answered: int) -> Work:
        """How many rows the steps of a statement read, by the database's own account."""
        explained = await self._pool.fetchval(
            f"EXPLAIN (ANALYZE, TIMING OFF, BUFFERS OFF, SUMMARY OFF, FORMAT JSON) {statement}", *arguments
        )
        return Work(statement, _rows(orjson.loads(explained)[0]["Plan"]), answered)

    async def _sizes(self) -> list[int]:
        return [row["size"] for row in await self._pool.fetch("SELECT size FROM checkpoints ORDER BY size")]

    async def _paths(self) -> list[str]:
        size = (await self._sizes())[-1]
        partial = f".p/{size % 256}"
        return [
            "/log/checkpoint", "/log/keys", "/log/policy", f"/log/tile/entries/000{partial}",
            f"/log/tile/0/000{partial}", *(f"/log/proof/{index}" for index in range(size)),
            "/v1/incidents", f"/v1/incidents/{self.target}", f"/v1/incidents/{UNKNOWN}", f"/v1/incidents/{WAITING}",
            f"/v1/incidents/{self.target}/history", "/v1/reports", "/v1/matches", "/health/ready", "/openapi.json",
        ]  # fmt: skip

    def _queries(self, sizes: list[int]) -> Iterator[str]:
        """Totals, cells and lists, by every filter that a sealed value could answer to, at every size."""
        groups = [*itertools.combinations(DIMENSIONS, 2), ("STATE", "KIND", "MONTH"), ("SEX",)]
        for size in sizes:
            for chosen in FILTERS:
                given = f"filter: {{{chosen}}}, asOf: {size}"
                yield f"{{ count(unit: VICTIMISATIONS, {given}) {{ {NUMBERS} }} }}"
                yield f"{{ incidents(first: 10, {given}) {{ totalCount edges {{ cursor node {{ id }} }} }} }}"
            for group in groups if size == sizes[-1] else groups[-2:]:
                unit = "DEATHS" if "SEX" in group else "INCIDENTS"
                rows = "rows { key { dimension state value label } low best high }"
                yield (
                    f"{{ counts(groupBy: [{', '.join(group)}], unit: {unit}, asOf: {size}) "
                    f"{{ {rows} total {{ {NUMBERS} }} certificate }} }}"
                )
            for id_ in (self.target, UNKNOWN, WAITING, "x"):
                yield (
                    f'{{ incident(id: "{id_}", asOf: {size}) {{ id class status certainty disputed '
                    "facets { name state value } history { position field old new reason } } }"
                )
        for first, last in itertools.pairwise([0, *sizes]):
            yield (
                f"{{ changes(from: {first}, to: {last}) {{ edges {{ cursor node {{ position recorded incident field "
                "old new reason effect { unit nexus low best high } } } pageInfo { hasNextPage } } }"
            )
        yield "{ count(asOf: 1) { low } }"
        yield from ERRORS
        yield "{ checkpoints { edges { node { size root } } } }"


async def _followed(backing: Backing, selection: str, results: int) -> bytes:
    """The first results of a subscription."""
    operation = ready(Operation(f"subscription {selection}", {}, None))
    assert isinstance(operation, Ready), operation
    told: list[bytes] = []
    async with aclosing(follow(operation, backing)) as stream:
        async for result in stream:
            told.append(result.encode())
            if len(told) == results:
                break
    return TIME.sub(b"", b"\n".join(told))


def _rows(plan: dict[str, Any]) -> float:
    """Rows of a plan's steps, those included that a step read and left out."""
    removed = sum(value for name, value in plan.items() if name.startswith("Rows Removed"))
    here = (plan["Actual Rows"] + removed) * plan["Actual Loops"]
    return float(here + sum(map(_rows, plan.get("Plans", ()))))


@contextmanager
def recorded() -> Iterator[list[tuple[str, tuple[object, ...], int]]]:
    """The statements that were asked meanwhile: their text, parameters and number of rows."""
    statements: list[tuple[str, tuple[object, ...], int]] = []
    connections: Any = asyncpg.Connection
    fetch = connections._execute

    async def recording(self: Any, query: str, arguments: Any, *rest: Any, **named: Any) -> Any:
        found = await fetch(self, query, arguments, *rest, **named)
        statements.append((query, tuple(arguments), len(found[0] if isinstance(found, tuple) else found)))
        return found

    with patch.object(connections, "_execute", recording):
        yield statements


def _seen(answer: httpx.Response) -> bytes:
    """Status, headers and body, without clocks."""
    headers = sorted(f"{name}: {value}" for name, value in answer.headers.items() if name not in NOT_OURS)
    body = re.sub(rb'"instance":"[^"]*"|"request_id":"[^"]*"', b"", answer.content)
    return TIME.sub(b"", f"{answer.status_code}\n{headers}\n".encode() + body)


@contextmanager
def without_chance() -> Iterator[None]:
    """Random bytes from a seed; commitments that hide their value perfectly."""
    numbers = itertools.count()

    def urandom(length: int) -> bytes:
        return hashlib.shake_256(b"%d" % next(numbers)).digest(length)

    def hiding(key: bytes, event_id: UUID, field: str, value: object) -> str:
        return commitment(key, event_id, field, "")

    def hiding_bytes(key: bytes, event_id: UUID, field: str, value: bytes) -> str:
        return commitment(key, event_id, field, "")

    with (
        patch.object(os, "urandom", urandom),
        patch.object(random, "_urandom", urandom),
        patch("registry.disclosure.disclosed.commitment", hiding),
        patch("registry.application.execution.sealing.commitment_to_bytes", hiding_bytes),
    ):
        yield


@asynccontextmanager
async def database(server: str, name: str) -> AsyncIterator[asyncpg.Pool]:
    administration = await asyncpg.connect(server)
    await administration.execute(f"CREATE DATABASE {name} TEMPLATE migrated STRATEGY FILE_COPY")
    pool = await connect_pool(server.replace("/constancia?", f"/{name}?"), min_size=1, max_size=10)
    # Plans follow from what was asked alone, and not from when somebody last gathered statistics.
    await pool.execute(WITHOUT_STATISTICS)
    try:
        yield pool
    finally:
        await pool.close()
        await administration.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await administration.close()


@asynccontextmanager
async def registers(server: str, master: MasterKey, keys: LogKeys, place: Path) -> AsyncIterator[Register]:
    """A register in a database of its own."""
    async with database(server, f"attacked_{uuid4().hex}") as pool:
        (place / "log").mkdir(parents=True)
        yield Register(pool, master, keys, place)
