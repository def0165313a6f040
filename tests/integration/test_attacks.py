"""Nothing public depends on a facet that is not open.

Two registers live the same life and differ only in what one incident's sealed facets hold. All that anyone can ask of
them must be the same, byte for byte. Two things are taken out of chance for that: random bytes come from a seed, and
a commitment is made from its key and name alone, as if it hid its value perfectly (that HMAC-SHA-256 does is what the
commitments rest on, and tried elsewhere). Whatever differs then has leaked.
"""

import hashlib
import itertools
import os
import random
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from unittest.mock import patch
from uuid import UUID, uuid4

import asyncpg
import httpx
import msgspec

from api.app import create_app
from api.auth.keys import Keys
from api.auth.scopes import Scope
from api.auth.token import Tokens
from api.health import Health
from api.services import Services
from projections.counting.definition import DEFINITION_ID, definition_sha256
from projections.mirror.export import export
from projections.models.public_count import PublicCount
from projections.models.waiting import Waiting
from projections.releases import Releases
from projections.runner import Runner
from registry.application import incidents, register, reports
from registry.application.application import Application
from registry.application.drafts import (
    CertaintyDraft,
    FindingDraft,
    IncidentDraft,
    ReportDraft,
    VictimDraft,
    WhenDraft,
    WhereDraft,
)
from registry.application.unit import OPERATOR, Actor, WriteOptions
from registry.database import connect_pool
from registry.disclosure import policy
from registry.domain.codes import (
    Certainty,
    DatePrecision,
    Directness,
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
from registry.log.keys import LogKeys
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


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """What one incident seals."""

    cvegeo: str = "14039"
    kind: str = "ARMED_ATTACK"
    day: date = date(2026, 2, 5)
    sex: Sex = Sex.FEMALE
    outcome: Outcome = Outcome.SEVERE
    known: bool = False
    narrative: str = "Un relato de ejemplo."


BASE = Secret()
OTHERS = {
    "everything": Secret(
        cvegeo="09012",
        kind="ROBBERY",
        day=date(2026, 1, 30),
        sex=Sex.MALE,
        outcome=Outcome.MISSING,
        narrative="Otro relato: distinto.",
    ),
    # What opens of it is another tier's, and not yet; that it is already public moves nothing there.
    "sexual violence, already public": Secret(kind="SEXUAL_VIOLENCE", known=True),
}


class Register:
    """A register that lives in one database, and the public that asks it everything."""

    def __init__(self, pool: asyncpg.Pool, master: MasterKey, keys: LogKeys, place: Path) -> None:
        self._pool, self._master, self._keys, self._place = pool, master, keys, place
        self._clock = Clock(datetime(2026, 3, 2, 12, tzinfo=UTC))
        self.target = self.waiting = ""

    async def live(self, secret: Secret) -> dict[str, bytes]:
        """A life with two releases, each published; all answers by what was asked."""
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
            for ordinary in (Secret(cvegeo="16012"),) * 3:
                await self._adjudicate(app, university, reviewers, ordinary)
            self.target = str(await self._adjudicate(app, university, reviewers, secret))
            releases = Releases(app, self._pool)
            await releases.release_once()
            await publisher.publish_once()
            self._clock.advance(days=125)
            await releases.release_once()
            await publisher.publish_once()
            # Adjudicated, and waiting for a release.
            self.waiting = str(await self._adjudicate(app, university, reviewers, secret))
            await publisher.publish_once()
            await Runner(self._pool, [PublicCount(), Waiting()]).catch_up()
            return await self._ask(app)

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

    async def _ask(self, app: Application) -> dict[str, bytes]:
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
        transport = httpx.ASGITransport(create_app(services))
        answers: dict[str, bytes] = {}
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            for path in await self._paths():
                asked = path.replace(WAITING, self.waiting)
                answers[path] = _seen(await http.get(asked))
                answers[f"{path} with a key"] = _seen(
                    await http.get(asked, headers={"Authorization": f"Bearer {key.key}"})
                )
            for query in self._queries(await self._sizes()):
                answer = await http.post("/graphql", json={"query": query.replace(WAITING, self.waiting)})
                assert "INTERNAL" not in answer.text, answer.text
                answers[query] = _seen(answer)
        served = {"policy": b"quorum none\n"}
        directory = self._place / "mirror"
        await export(self._pool, self._keys.origin, [self._keys.log.verifier], served, directory)
        for file in sorted(directory.rglob("*")):
            if file.is_file():
                answers[f"mirror {file.relative_to(directory)}"] = TIME.sub(b"", file.read_bytes())
        return answers

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
        filters = [
            "",
            *(f'state: ["{code}"]' for code in ("09", "14", "16", "UNKNOWN")),
            *(f'municipality: ["{code}"]' for code in ("09012", "14039", "16012", "UNKNOWN")),
            *(f'kind: ["{code}"]' for code in ("ARMED_ATTACK", "ROBBERY", "SEXUAL_VIOLENCE")),
            *(f'period: {{from: "{month}", to: "{month}"}}' for month in ("2026-01", "2026-02")),
            'period: {from: "2026-01", to: "2026-12"}, state: ["14"]',
            'state: ["09", "16"], kind: ["ROBBERY"], nexus: BROAD',
        ]
        groups = [*itertools.combinations(DIMENSIONS, 2), ("STATE", "KIND", "MONTH"), ("SEX",)]
        for size in sizes:
            for chosen in filters:
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
        yield "{ checkpoints { edges { node { size root } } } }"


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
        patch("registry.application.sealing.commitment_to_bytes", hiding_bytes),
    ):
        yield


@asynccontextmanager
async def database(server: str, name: str) -> AsyncIterator[asyncpg.Pool]:
    administration = await asyncpg.connect(server)
    await administration.execute(f"CREATE DATABASE {name} TEMPLATE migrated STRATEGY FILE_COPY")
    pool = await connect_pool(server.replace("/constancia?", f"/{name}?"), min_size=1, max_size=10)
    try:
        yield pool
    finally:
        await pool.close()
        await administration.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await administration.close()


async def lived(
    server: str, secret: Secret, master: MasterKey, keys: LogKeys, place: Path
) -> dict[str, bytes]:
    async with database(server, f"attacked_{uuid4().hex}") as pool:
        with without_chance():
            (place / "log").mkdir(parents=True)
            return await Register(pool, master, keys, place).live(secret)


async def test_nothing_that_anyone_can_ask_depends_on_a_sealed_facet(
    server: str, master: MasterKey, log_keys: LogKeys, tmp_path: Path
) -> None:
    base = await lived(server, BASE, master, log_keys, tmp_path / "base")
    # What waits for a release is answered as what does not exist: with the same status, length and words.
    compared = [asked for asked in base if WAITING in asked]
    assert compared
    for asked in compared:
        unknown = asked.replace(WAITING, UNKNOWN)
        assert base[asked] == base[unknown], asked
    for name, other in OTHERS.items():
        seen = await lived(server, other, master, log_keys, tmp_path / name.partition(" ")[0])
        assert seen.keys() == base.keys()
        assert [asked for asked in base if seen[asked] != base[asked]] == []

    # The model can tell two registers apart: what is open differs in it.
    opened = await lived(server, Secret(cvegeo="16012"), master, log_keys, tmp_path / "open")
    assert opened != base
