"""Erasing a subject: nothing private of it is left anywhere, and what it was sent with is answered as erased."""

import asyncio
import logging
from uuid import uuid4

import asyncpg
import httpx
import pytest

from api.app import create_app
from api.auth.scopes import Scope
from api.services import Services
from projections.models import PROJECTIONS
from projections.releases import Releases
from projections.runner import Runner
from registry.application import assignments, reports
from registry.application.execution.application import Application
from registry.application.execution.sealing import unseal
from registry.application.execution.unit import Actor, WriteOptions
from registry.application.people.erasure import Erasure, Subject, parse_subject
from registry.domain.codes import CorrectionReason
from registry.domain.register import REGISTER_ID, SubjectKind
from registry.errors import Erased, InvalidInput, NotFound
from registry.privacy.vault import key_id
from tests.integration.erasure.telling import (
    CURP,
    KEYED,
    NARRATIVE,
    OTHER_CURP,
    REASON,
    Told,
    attack,
    everything,
    said_erased,
)
from tests.integration.searching import columns, spellings


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
