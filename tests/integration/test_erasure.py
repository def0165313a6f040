"""Erasing a subject: nothing private of it is left anywhere, and nothing that was published changes by a byte."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from typer.testing import CliRunner, Result

from api.app import create_app
from api.auth.keys import Keys
from api.auth.scopes import Scope
from api.auth.token import Tokens
from api.cli import app as commands
from api.cli.verify import run as verify
from api.health import Health
from api.services import Services
from api.start import adopt
from projections.models import PROJECTIONS
from projections.releases import Releases
from projections.runner import Runner
from registry.application import assignments, incidents, reading, reports
from registry.application.drafts import (
    AssignmentDraft,
    CertaintyDraft,
    Contact,
    EvidenceDraft,
    FindingDraft,
    IncidentDraft,
    ReportDraft,
    SiteDraft,
    Student,
    VictimDraft,
    WhenDraft,
    WhereDraft,
)
from registry.application.execution.application import Application
from registry.application.execution.sealing import Unsealed, unseal
from registry.application.execution.unit import OPERATOR, Actor, WriteOptions
from registry.application.people.erasure import Erasure, Subject, parse_subject
from registry.application.places import sites
from registry.domain.codes import (
    Certainty,
    CorrectionReason,
    DatePrecision,
    Directness,
    IncidentClass,
    Nexus,
    Outcome,
    PlacePrecision,
    PlazaType,
    ReportClass,
    Sex,
    SourceType,
    VictimRole,
)
from registry.domain.mapper import decode_event
from registry.domain.register import REGISTER_ID, SubjectErased, SubjectKind
from registry.errors import Erased, InvalidInput, NotFound
from registry.log.keys import LogKeys
from registry.log.leaf import OpenLeaf, parse_leaf
from registry.log.publisher import Publisher
from registry.privacy.master import MasterKey
from registry.privacy.pseudonyms import Pseudonyms
from registry.privacy.vault import key_id
from registry.settings import load_settings
from registry.store import Answer, Command
from tests.integration.conftest import Clock, institution_of
from tests.integration.test_no_private_byte import columns, spellings
from tests.integration.test_verify import given, mirror, one_incident

CURP = "XEXX991231MNEPLN07"
OTHER_CURP = "XEXX010101HDFRRN09"
NARRATIVE = "Relato que solo habla de ella."
REASON = CorrectionReason.DATA_SUBJECT_REQUEST
KEYED = WriteOptions(
    idempotency_key="assignment-1", body=b"{}", source_record_id="A-2026-1", content=b"content"
)

WHEN = WhenDraft(
    earliest=date(2026, 1, 5), latest=date(2026, 1, 5), precision=DatePrecision.DAY, wording="el lunes"
)
WHERE = WhereDraft(cvegeo="16012", precision=PlacePrecision.MUNICIPALITY)


class Told(NamedTuple):
    """A register in which two people are known; the reports name one, the other, and both."""

    person: Subject
    other: Subject
    assignment: AssignmentDraft
    first: UUID
    reports: tuple[UUID, UUID, UUID]
    incident: UUID


def victim(curp: str) -> VictimDraft:
    return VictimDraft(
        role=VictimRole.PASANTE_MEDICINE,
        sex=Sex.FEMALE,
        outcome=Outcome.SEVERE,
        nexus=Nexus.ON_DUTY_AT_SITE,
        student=Student(curp=curp),
    )


def attack(*curps: str) -> ReportDraft:
    return ReportDraft(
        class_=ReportClass.ATTACK,
        source_type=SourceType.UNIVERSITY,
        directness=Directness.DIRECT,
        when=WHEN,
        where=WHERE,
        kind="COERCED_CARE",
        victims=[victim(curp) for curp in curps],
        narrative=NARRATIVE,
        evidence=[EvidenceDraft(source_url="https://prensa.example/nota")],
    )


@pytest.fixture
async def told(app: Application, university: Actor, verifier: Actor, master: MasterKey) -> Told:
    await adopt(app)
    contact = Contact(name="Responsable", phone="000")
    site = await app.execute(
        OPERATOR, sites.register(SiteDraft(name="Clínica", cvegeo="16012", contact=contact)), WriteOptions()
    )
    draft = AssignmentDraft(
        student=Student(curp=CURP),
        site=site.id,
        promotion="2025-2",
        plaza_type=PlazaType.C,
        starts=date(2025, 8, 1),
        planned_end=date(2026, 7, 31),
    )
    assignment = await app.execute(university, assignments.register(draft), KEYED)
    said = [
        (await app.execute(university, reports.submit(attack(*curps)), WriteOptions())).id
        for curps in ((CURP,), (OTHER_CURP,), (CURP, OTHER_CURP))
    ]
    incident = IncidentDraft(
        class_=IncidentClass.ATTACK,
        reports=list(said),
        findings=[FindingDraft(when=WHEN), FindingDraft(where=WHERE), FindingDraft(kind="COERCED_CARE")],
        victims=[victim(CURP), victim(OTHER_CURP)],
        certainty=CertaintyDraft(level=Certainty.POSSIBLE),
    )
    opened = await app.execute(verifier, incidents.open_incident(incident), WriteOptions())
    pseudonyms = Pseudonyms(master)
    return Told(
        Subject(SubjectKind.PERSON, pseudonyms.person_by_curp(CURP)),
        Subject(SubjectKind.PERSON, pseudonyms.person_by_curp(OTHER_CURP)),
        draft,
        assignment.id,
        (said[0], said[1], said[2]),
        opened.id,
    )


@pytest.fixture
def erasure(app: Application, pool: asyncpg.Pool) -> Erasure:
    return Erasure(app, pool)


@pytest.fixture
def services(
    app: Application, pool: asyncpg.Pool, log_keys: LogKeys, master: MasterKey, tmp_path: Path
) -> Services:
    settings = load_settings(data=tmp_path / "log", origin=log_keys.origin)
    return Services(
        settings=settings,
        pool=pool,
        application=app,
        log_keys=log_keys,
        api_keys=Keys(pool, Tokens(master, "test")),
        health=Health(),
    )


async def everything(app: Application) -> list[Unsealed]:
    return await unseal(app.store, app.vault, await app.store.read(0, 1000))


async def said_erased(app: Application) -> list[SubjectErased]:
    events = [decode_event(one.type, one.state) for one in await app.store.read_stream(REGISTER_ID)]
    return [event for event in events if isinstance(event, SubjectErased)]


async def test_nothing_private_of_an_erased_person_is_left(
    app: Application, erasure: Erasure, pool: asyncpg.Pool, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await Releases(app, pool).release_once()
    await Runner(pool, PROJECTIONS).catch_up()
    gone = [str(told.person), f"report:{told.reports[0]}", f"report:{told.reports[2]}"]
    keys = await app.vault.keys_for_reading(gone)
    assert len(keys) == 3

    await erasure.erase(told.person, REASON)
    await Runner(pool, PROJECTIONS).catch_up()

    assert await app.vault.keys_for_reading(gone) == {}
    stored = await columns(pool)
    # Which records mention whom is folded from coded fields, which keep the pseudonym.
    mentions = {"mentions.records.subject", "mentions.records.as text"}
    for subject in gone:
        assert {one.where for one in stored if subject.encode() in one.data} <= mentions
    for key in keys.values():
        # Not one ciphertext under the lost keys: all of them begin with the id of their key.
        found = {
            one.where for one in stored if key_id(key) in one.data or key_id(key).hex().encode() in one.data
        }
        assert found <= {"public.erased_keys.id", "public.erased_keys.as text"}
    kept = str([one.private for one in await everything(app)])
    assert CURP not in kept
    assert kept.count(NARRATIVE) == 1
    assert OTHER_CURP in kept
    secrets = [spelled for value in (CURP, NARRATIVE) for spelled in spellings(value)]
    assert [one.where for one in stored if any(secret in one.data for secret in secrets)] == []
    logged = " ".join(f"{record.getMessage()} {record.exc_text or ''}" for record in caplog.records)
    assert not [value for value in (CURP, NARRATIVE, told.person.name) if value in logged]


async def test_the_pseudonym_stays_where_it_keeps_records_of_one_person_together_and_nowhere_else(
    app: Application, erasure: Erasure, pool: asyncpg.Pool, told: Told
) -> None:
    await Releases(app, pool).release_once()
    await erasure.erase(told.person, REASON)
    await Runner(pool, PROJECTIONS).catch_up()

    stored = await columns(pool)
    where = {one.where.rpartition(".")[0] for one in stored if told.person.name.encode() in one.data}
    assert where == {
        "public.events",
        "incidents.compared",
        "incidents.folded",
        "matching.records",
        "mentions.records",
        "placements.assignments",
        "placements.stays",
        "restricted.assignments",
        "restricted.incidents",
        "restricted.victimisations",
    }
    (event,) = await said_erased(app)
    assert (event.kind, event.reason) == (SubjectKind.PERSON, REASON)
    assert told.person.name not in str(event)
    register = await app.store.read_stream(REGISTER_ID)
    assert not any(told.person.name.encode() in one.state for one in register)


async def test_leaves_proofs_counts_and_receipts_are_the_same_before_and_after(
    app: Application,
    erasure: Erasure,
    pool: asyncpg.Pool,
    told: Told,
    clock: Clock,
    university: Actor,
    services: Services,
    log_keys: LogKeys,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    releases = Releases(app, pool)
    await releases.release_once()
    publisher = Publisher(pool, log_keys, log_keys.origin, tmp_path / "log")
    first = await publisher.publish_once()
    await Runner(pool, PROJECTIONS).catch_up()
    before = await app.store.read(0, 1000)
    receipts = [
        await reading.receipt(app, university, position) for position in positions(before, university)
    ]
    answered = await counts(services, first.size)

    await erasure.erase(told.person, REASON)
    await releases.release_once()
    second = await publisher.publish_once()
    await Runner(pool, PROJECTIONS).catch_up()

    assert (await app.store.read(0, 1000))[: len(before)] == before
    assert second.size == first.size + 1
    assert await counts(services, first.size) == answered
    assert [await reading.receipt(app, university, one) for one in positions(before, university)] == receipts
    directory = await mirror(pool, tmp_path / "mirror")
    assert verify(str(directory), given(log_keys)) == 0
    assert "INCIDENTS STRICT 0/0/1" in capsys.readouterr().out


def positions(events: list[Any], actor: Actor) -> list[int]:
    """Where the institution's own events lie."""
    return [
        one.position
        for one in events
        if decode_event(one.type, one.state).by.institution == institution_of(actor)
    ]


async def counts(services: Services, as_of: int) -> Any:
    """Every figure as of a size, with its certificate."""
    query = (
        "{{ counts(asOf: {0}, groupBy: [CLASS, KIND, YEAR, STATE], unit: {1}, filter: {{nexus: {2}}}) "
        "{{ certificate rows {{ key {{ state value }} low best high }} total {{ low best high waiting }} }} }}"
    )
    answers = []
    transport = httpx.ASGITransport(create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://register.example") as client:
        for unit in ("INCIDENTS", "VICTIMISATIONS", "DEATHS"):
            for nexus in ("STRICT", "BROAD"):
                asked = {"query": query.format(as_of, unit, nexus)}
                answer = await client.post("/graphql", json=asked)
                assert "errors" not in answer.json(), answer.text
                answers.append(answer.content)
    return answers


async def test_an_incident_keeps_its_facets_when_its_victim_is_erased(
    app: Application, erasure: Erasure, pool: asyncpg.Pool, told: Told
) -> None:
    await Releases(app, pool).release_once()
    incident = f"incident:{told.incident}"

    async def of_the_incident() -> list[Any]:
        return [(one.event.TOPIC, one.private.get(incident)) for one in await everything(app)]

    before = await of_the_incident()
    sealed = {one.recorded.event_id: one.commitment_keys for one in await everything(app) if one.event.OPEN}
    await erasure.erase(told.person, REASON)
    assert (await of_the_incident())[: len(before)] == before
    after = {one.recorded.event_id: one.commitment_keys for one in await everything(app) if one.event.OPEN}
    assert after == sealed
    assert any(sealed.values())


async def test_a_repeated_write_is_answered_as_erased_and_never_stored_again(
    app: Application, erasure: Erasure, university: Actor, told: Told
) -> None:
    await erasure.erase(told.person, REASON)
    size = await app.store.size()
    for options in (
        KEYED,
        WriteOptions(source_record_id=KEYED.source_record_id, content=KEYED.content),
    ):
        with pytest.raises(Erased):
            await app.execute(university, assignments.register(told.assignment), options)
    assert await app.store.size() == size


async def test_the_answer_over_http_is_410(
    app: Application, erasure: Erasure, services: Services, university: Actor, told: Told
) -> None:
    issued = await services.api_keys.issue(university.institution, [Scope.REPORTS_WRITE], None)
    body = {
        "class": "THREAT",
        "source_type": "UNIVERSITY",
        "kind": "VERBAL",
        "victims": [{"role": "PASANTE_MEDICINE", "student": {"curp": CURP}}],
    }
    headers = {"Authorization": f"Bearer {issued.key}", "Idempotency-Key": "k-1"}
    transport = httpx.ASGITransport(create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://register.example") as client:
        sent = await client.post("/v1/reports", json=body, headers=headers)
        assert sent.status_code == 201
        position = sent.json()["events"][0]["position"]
        receipt = await client.get(f"/v1/receipts/{position}", headers=headers)
        await erasure.erase(told.person, REASON)
        repeated = await client.post("/v1/reports", json=body, headers=headers)
        assert repeated.status_code == 410
        assert CURP not in repeated.text
        assert (await client.get(f"/v1/receipts/{position}", headers=headers)).text == receipt.text
        read = await client.get(f"/v1/reports/{sent.json()['id']}", headers=headers)
        assert read.status_code == 200
        assert CURP not in read.text


async def test_who_is_written_about_again_gets_a_new_key_and_can_be_erased_again(
    app: Application, erasure: Erasure, university: Actor, told: Told
) -> None:
    first = await erasure.erase(told.person, REASON)
    again = await app.execute(university, reports.submit(attack(CURP)), WriteOptions())
    preview = await erasure.preview(told.person)
    assert preview is not None
    assert preview.events == {"attack.reported": 1}
    assert preview.fields == {"curp": 1, "narrative": 1, "evidence": 1, "when_wording": 1}
    (event,) = await app.store.events([again.events[0].event_id])
    assert CURP in str((await unseal(app.store, app.vault, [event]))[0].private)

    second = await erasure.erase(told.person, REASON)
    assert second.position > first.position
    assert CURP not in str([one.private for one in await everything(app)])
    assert len({event.subject for event in await said_erased(app)}) == 1


async def test_erasing_twice_says_so_once(app: Application, erasure: Erasure, told: Told) -> None:
    said = await asyncio.gather(*(erasure.erase(told.person, REASON) for _ in range(4)))
    assert len(set(said)) == 1
    assert await erasure.erase(told.person, CorrectionReason.LEGAL_ORDER) == said[0]
    assert await erasure.preview(told.person) is None
    assert len(await said_erased(app)) == 1


class Killed(BaseException):
    """As if the process had ended here."""


def killed_at(
    monkeypatch: pytest.MonkeyPatch, owner: object, method: str, number: int, *, after: bool
) -> None:
    """The call of this number does not return; or, not ``after``, does not begin."""
    real: Callable[..., Awaitable[Any]] = getattr(owner, method)
    calls = 0

    async def dying(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number and not after:
            raise Killed
        answer = await real(*arguments)
        if calls == number:
            raise Killed
        return answer

    monkeypatch.setattr(owner, method, dying)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("part", "method", "number"),
    [
        ("erasures", "begin", 1),
        ("vault", "erase", 1),
        ("erasures", "delete", 1),
        ("vault", "erase", 2),
        ("erasures", "delete", 2),
        ("erasures", "delete", 3),
        ("app", "execute", 1),
        ("erasures", "finish", 1),
    ],
)
async def test_a_crash_at_any_step_is_finished_by_the_next_run_and_never_claims_too_much(
    app: Application,
    pool: asyncpg.Pool,
    told: Told,
    part: str,
    method: str,
    number: int,
    after: bool,
) -> None:
    erasure = Erasure(app, pool)
    owner = {"erasures": erasure._erasures, "vault": app.vault, "app": app}[part]
    with pytest.MonkeyPatch.context() as monkeypatch:
        killed_at(monkeypatch, owner, method, number, after=after)
        with pytest.raises(Killed):
            await erasure.erase(told.person, REASON)
    left = CURP in str([one.private for one in await everything(app)])
    if await said_erased(app):
        assert not left
        assert (
            await pool.fetchval("SELECT count(*) FROM private_parts WHERE subject = $1", str(told.person))
            == 0
        )

    await Erasure(app, pool).erase(told.person, REASON)
    await everything_is_gone(app, pool, told)


async def everything_is_gone(app: Application, pool: asyncpg.Pool, told: Told) -> None:
    assert len(await said_erased(app)) == 1
    assert await pool.fetchval("SELECT count(*) FROM erasures") == 0
    for subject in (str(told.person), *(f"report:{told.reports[one]}" for one in (0, 2))):
        assert await pool.fetchval("SELECT count(*) FROM vault.data_keys WHERE subject = $1", subject) == 0
        assert await pool.fetchval("SELECT count(*) FROM private_parts WHERE subject = $1", subject) == 0
        assert (
            await pool.fetchval("SELECT count(*) FROM commitment_keys WHERE $1 = ANY (subjects)", subject)
            == 0
        )


async def test_a_write_under_way_is_sealed_anew_when_its_data_key_is_erased(
    app: Application,
    erasure: Erasure,
    pool: asyncpg.Pool,
    university: Actor,
    told: Told,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sealed before the erasure, appended after it."""
    real, attempts = app.store.append, 0

    async def append(command: Command) -> Answer:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            monkeypatch.setattr(app.store, "append", real)
            await erasure.erase(told.person, REASON)
            monkeypatch.setattr(app.store, "append", append)
        return await real(command)

    monkeypatch.setattr(app.store, "append", append)
    accepted = await app.execute(university, reports.submit(attack(CURP)), WriteOptions())
    assert attempts == 2
    (event,) = await app.store.events([accepted.events[0].event_id])
    (unsealed,) = await unseal(app.store, app.vault, [event])
    assert CURP in str(unsealed.private)
    assert unsealed.openings() == accepted.events[0].openings
    assert await pool.fetchval("SELECT count(*) FROM private_parts WHERE subject = $1", str(told.person)) == 1


async def test_whatever_is_written_while_a_person_is_erased_is_whole_or_gone(
    app: Application, erasure: Erasure, pool: asyncpg.Pool, university: Actor, told: Told
) -> None:
    async def write() -> None:
        for _ in range(12):
            await app.execute(university, reports.submit(attack(CURP)), WriteOptions())

    async def erase() -> None:
        for _ in range(6):
            await erasure.erase(told.person, REASON)
            await asyncio.sleep(0.01)

    await asyncio.gather(write(), write(), erase())
    parts = await pool.fetch(
        "SELECT event_id, ciphertext FROM private_parts WHERE subject = $1", str(told.person)
    )
    current = {key_id(key) for key in (await app.vault.keys_for_reading([str(told.person)])).values()}
    assert {row["ciphertext"][:8] for row in parts} <= current
    readable = [one for one in await everything(app) if str(told.person) in one.private]
    assert len(readable) == len(parts)
    assert all(one.openings() for one in readable)
    assert await pool.fetchval("SELECT count(*) FROM erasures") == 0


async def test_what_a_restored_backup_brings_back_can_be_swept_away(
    app: Application, erasure: Erasure, pool: asyncpg.Pool, told: Told
) -> None:
    """The store was restored from before the erasure, the vault was not: noise without a key."""
    rows = await pool.fetch("SELECT * FROM private_parts WHERE subject = $1", str(told.person))
    await erasure.erase(told.person, REASON)
    await pool.execute("DELETE FROM erased_keys")
    await pool.executemany("INSERT INTO private_parts VALUES ($1, $2, $3)", [tuple(row) for row in rows])
    assert CURP not in str([one.private for one in await everything(app)])
    await erasure.erase(told.person, REASON)
    assert await pool.fetchval("SELECT count(*) FROM private_parts WHERE subject = $1", str(told.person)) == 0


async def last_disclosed(app: Application) -> dict[UUID, dict[str, Any]]:
    """What the last leaf about each incident says."""
    leaves = [parse_leaf(one.leaf) for one in await app.store.read(0, 1000)]
    public = [
        leaf.public for leaf in leaves if isinstance(leaf, OpenLeaf) and leaf.type == "incident.disclosed"
    ]
    return {UUID(str(one["incident"])): dict(one) for one in public}


async def test_facets_whose_keys_are_gone_are_repeated_and_never_opened(
    app: Application,
    erasure: Erasure,
    pool: asyncpg.Pool,
    clock: Clock,
    verifier: Actor,
    university: Actor,
    log_keys: LogKeys,
    tmp_path: Path,
) -> None:
    await adopt(app)
    alike = [await one_incident(app, university, verifier) for _ in range(4)]
    releases = Releases(app, pool)
    await releases.release_once()
    first = await last_disclosed(app)
    assert all("sealed" in first[one]["facets"]["state"] for one in alike)

    lost, *others = alike
    await erasure.erase(Subject(SubjectKind.INCIDENT, str(lost)), CorrectionReason.LEGAL_ORDER)
    clock.advance(days=125)
    await releases.release_once()
    second = await last_disclosed(app)
    assert all("key" in second[one]["facets"]["state"] for one in others)
    assert second[lost] == first[lost]

    # A new heading: the leaf repeats the commitments that nobody can open.
    rumour = CertaintyDraft(level=Certainty.RUMOUR)
    await app.execute(verifier, incidents.set_certainty(lost, rumour), WriteOptions())
    await releases.release_once()
    third = (await last_disclosed(app))[lost]
    assert third["certainty"] == "RUMOUR"
    for name, facet in first[lost]["facets"].items():
        assert third["facets"][name].get("sealed") == facet.get("sealed")
    publisher = Publisher(pool, log_keys, log_keys.origin, tmp_path / "log")
    await publisher.publish_once()
    assert verify(str(await mirror(pool, tmp_path / "mirror")), given(log_keys)) == 0


async def test_a_report_and_a_sites_contact_go_without_the_people_they_name(
    app: Application, erasure: Erasure, told: Told
) -> None:
    await erasure.erase(Subject(SubjectKind.REPORT, str(told.reports[0])), CorrectionReason.SOURCE_WITHDRAWN)
    kept = [one.private for one in await everything(app)]
    assert str(kept).count(NARRATIVE) == 2
    assert CURP in str(kept)
    await erasure.erase(Subject(SubjectKind.SITE, str(told.assignment.site)), REASON)
    assert "Responsable" not in str([one.private for one in await everything(app)])
    assert [event.kind for event in await said_erased(app)] == [SubjectKind.REPORT, SubjectKind.SITE]


async def test_nobody_is_not_found(erasure: Erasure, told: Told) -> None:
    for act in (erasure.preview, lambda subject: erasure.erase(subject, REASON)):
        with pytest.raises(NotFound):
            await act(Subject(SubjectKind.REPORT, str(uuid4())))


def test_subjects_are_written_in_one_way() -> None:
    number = uuid4()
    assert str(parse_subject(f"report:{number}")) == f"report:{number}"
    assert str(parse_subject("person:" + "0a" * 16)) == "person:" + "0a" * 16
    for wrong in ("", "person:", f"person:{CURP}", "report:1", f"assignment:{number}", str(number)):
        with pytest.raises(InvalidInput) as refused:
            parse_subject(wrong)
        assert CURP not in str(refused.value)


@pytest.fixture
def command(
    database_url: str, log_keys: LogKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Awaitable[Result]]:
    """``constancia erase`` beside the running application."""
    (tmp_path / "log" / "master.key").write_bytes(bytes(range(32)))
    monkeypatch.setenv("CONSTANCIA_DATABASE_URL", database_url)

    async def run(*arguments: str, typed: str = "") -> Result:
        given = ["erase", *arguments, "--data", str(tmp_path / "log")]
        return await asyncio.to_thread(CliRunner().invoke, commands, given, input=typed)

    return run


async def test_the_command_shows_what_goes_asks_and_erases(
    command: Callable[..., Awaitable[Result]], app: Application, told: Told
) -> None:
    refused = await command("--curp", typed=f"{CURP}\nn\n")
    assert refused.exit_code == 1
    assert "Nothing was erased" in refused.output
    assert (
        "events: 4 (assignment.registered 1, attack.reported 2, incident.victim_recorded 1)" in refused.output
    )
    assert "curp 4, evidence 2, narrative 2, when_wording 2" in refused.output
    assert "the words of 2 reports" in refused.output
    assert await said_erased(app) == []

    done = await command("--curp", "--reason", "LEGAL_ORDER", typed=f"{CURP.lower()}\ny\n")
    assert done.exit_code == 0, done.output
    (event,) = await said_erased(app)
    assert event.reason is CorrectionReason.LEGAL_ORDER
    for told_about in (refused, done):
        assert not [value for value in (CURP, NARRATIVE, "el lunes") if value in told_about.output]
    again = await command(str(told.person), "--yes")
    assert again.exit_code == 0
    assert "Nothing is left" in again.output


async def test_the_command_finishes_what_was_cut_short_without_asking_again(
    command: Callable[..., Awaitable[Result]], app: Application, pool: asyncpg.Pool, told: Told
) -> None:
    erasure = Erasure(app, pool)
    with pytest.MonkeyPatch.context() as monkeypatch:
        killed_at(monkeypatch, erasure._erasures, "delete", 1, after=False)
        with pytest.raises(Killed):
            await erasure.erase(told.person, REASON)
    done = await command(str(told.person))
    assert done.exit_code == 0, done.output
    assert "cut short" in done.output
    await everything_is_gone(app, pool, told)


@pytest.mark.parametrize("arguments", [(), ("--curp", "person:" + "0" * 32)])
async def test_the_command_takes_one_name(
    command: Callable[..., Awaitable[Result]], arguments: tuple[str, ...]
) -> None:
    assert (await command(*arguments)).exit_code == 2
