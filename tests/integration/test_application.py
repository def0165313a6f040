"""Use cases against a real database: what is accepted, replayed, refused, and readable again."""

import asyncio
from base64 import b64decode
from datetime import date
from uuid import uuid4

import asyncpg
import pytest

from registry.application import incidents, register, reports
from registry.application.drafts import (
    CertaintyDraft,
    IncidentDraft,
    RecordReference,
    ReportDraft,
    RetractionDraft,
    SiteDraft,
    Student,
    VictimDraft,
    WhenDraft,
    WhereDraft,
)
from registry.application.execution.application import Application
from registry.application.execution.sealing import unseal
from registry.application.execution.unit import OPERATOR, Actor, WriteOptions
from registry.application.imports.rows import RowRejected, check, execute_all
from registry.application.places import sites
from registry.domain.codes import (
    Certainty,
    CorrectionReason,
    DatePrecision,
    Directness,
    IncidentClass,
    InstitutionKind,
    Nexus,
    Outcome,
    PlacePrecision,
    ReportClass,
    SourceType,
    VictimRole,
)
from registry.domain.incident import Incident
from registry.domain.register import SubjectKind
from registry.domain.report import Report
from registry.errors import (
    IdempotencyKeyReused,
    InvalidInput,
    NotAllowed,
    NotFound,
    RuleViolated,
    SourceRecordDiffers,
    VersionConflict,
)
from registry.log.keys import LogKeys
from registry.log.leaf import EntryLeaf, parse_leaf
from registry.log.receipt import Receipt
from registry.privacy.master import MasterKey
from registry.privacy.sealing import verify_opening
from tests.integration.conftest import Clock, new_institution


def attack(**changes: object) -> ReportDraft:
    fields: dict[str, object] = {
        "class_": ReportClass.ATTACK,
        "source_type": SourceType.UNIVERSITY,
        "directness": Directness.DIRECT,
        "when": WhenDraft(
            earliest=date(2026, 1, 5),
            latest=date(2026, 1, 5),
            precision=DatePrecision.DAY,
            wording="el lunes",
        ),
        "where": WhereDraft(cvegeo="16012", precision=PlacePrecision.MUNICIPALITY),
        "kind": "COERCED_CARE",
        "victims": [
            VictimDraft(
                role=VictimRole.PASANTE_MEDICINE,
                outcome=Outcome.PSYCHOLOGICAL,
                nexus=Nexus.ON_DUTY_AT_SITE,
                student=Student(internal_id="A-17"),
            )
        ],
        "narrative": "Relato con acento e\u0301 descompuesto",
    }
    return ReportDraft(**(fields | changes))  # type: ignore[arg-type]


async def test_the_sender_can_check_the_commitment_and_the_receipt(
    app: Application, university: Actor
) -> None:
    accepted = await app.execute(university, reports.submit(attack()), WriteOptions())

    (event,) = accepted.events
    leaf = parse_leaf(event.leaf)
    assert isinstance(leaf, EntryLeaf)
    opening = event.openings["content"]
    key, value = opening["key"], opening["value"]
    assert isinstance(key, str)
    verify_opening(leaf.content, b64decode(key), event.event_id, "content", value)
    assert isinstance(value, dict)
    assert value["type"] == "attack.reported"
    assert "Relato con acento é" in str(value["private"])
    receipt = Receipt.open(event.receipt, app.keys.receipt.verifier)
    assert receipt.index == event.position


async def test_no_private_value_is_stored_readable(app: Application, university: Actor) -> None:
    await app.execute(university, reports.submit(attack()), WriteOptions())

    stored = b"".join(one.state + one.leaf for one in await app.store.read(0, 100))
    for secret in ("Relato", "A-17", "el lunes"):
        assert secret.encode() not in stored


async def test_the_same_idempotency_key_gets_the_first_answer(app: Application, university: Actor) -> None:
    options = WriteOptions(idempotency_key="k1", body=b"{}")
    first = await app.execute(university, reports.submit(attack()), options)
    again = await app.execute(university, reports.submit(attack()), options)

    assert again.replayed
    assert (again.id, again.version, again.events) == (first.id, first.version, first.events)
    with pytest.raises(IdempotencyKeyReused):
        await app.execute(
            university, reports.submit(attack()), WriteOptions(idempotency_key="k1", body=b"[]")
        )


async def test_concurrent_duplicates_make_one_report(app: Application, university: Actor) -> None:
    options = WriteOptions(idempotency_key="k1", body=b"{}")
    before = await app.store.size()
    answers = await asyncio.gather(
        *(app.execute(university, reports.submit(attack()), options) for _ in range(16))
    )

    assert len({answer.id for answer in answers}) == 1
    assert [answer.replayed for answer in answers].count(False) == 1
    assert await app.store.size() == before + 1


async def test_writers_who_meet_a_new_person_at_once_seal_under_one_key_and_a_repetition_makes_none(
    app: Application, pool: asyncpg.Pool, master: MasterKey, log_keys: LogKeys, university: Actor
) -> None:
    async with (
        Application(pool, master, log_keys) as second,
        Application(pool, master, log_keys, vault_pool=pool) as apart,
    ):
        accepted = await asyncio.gather(
            *(
                one.execute(
                    university, reports.submit(attack()), WriteOptions(idempotency_key=f"{n}", body=b"{}")
                )
                for n in range(4)
                for one in (app, second)
            )
        )
        accepted.append(await apart.execute(university, reports.submit(attack()), WriteOptions()))
    events = await app.store.events([one.events[0].event_id for one in accepted])
    for unsealed, one in zip(await unseal(app.store, app.vault, events), accepted, strict=True):
        assert unsealed.openings() == one.events[0].openings
    keys = "SELECT subject FROM vault.data_keys WHERE subject LIKE 'person:%' OR subject LIKE 'report:%'"
    stored = {row["subject"] for row in await pool.fetch(keys)}
    assert len(stored) == 1 + len({one.id for one in accepted})
    again = await app.execute(
        university, reports.submit(attack()), WriteOptions(idempotency_key="0", body=b"{}")
    )
    assert again.replayed
    assert {row["subject"] for row in await pool.fetch(keys)} == stored


async def test_a_key_that_is_there_before_its_stream_is_the_one_that_it_is_sealed_under(
    app: Application, pool: asyncpg.Pool, university: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    report_id = uuid4()
    monkeypatch.setattr("registry.application.reports.decisions.uuid4", lambda: report_id)
    (key,) = (await app.vault.keys_for_writing({f"report:{report_id}"})).values()
    accepted = await app.execute(university, reports.submit(attack()), WriteOptions())

    (unsealed,) = await unseal(app.store, app.vault, await app.store.events([accepted.events[0].event_id]))
    assert unsealed.openings() == accepted.events[0].openings
    assert (await app.vault.keys_for_reading({f"report:{report_id}"})).popitem()[1] == key


async def test_a_source_record_is_recorded_once_and_never_overwritten(
    app: Application, university: Actor
) -> None:
    options = WriteOptions(source_record_id="2026/1", content=b"a")
    first = await app.execute(university, reports.submit(attack()), options)
    again = await app.execute(university, reports.submit(attack()), options)

    assert not again.created
    assert again.events == first.events
    with pytest.raises(SourceRecordDiffers) as caught:
        await app.execute(
            university, reports.submit(attack()), WriteOptions(source_record_id="2026/1", content=b"b")
        )
    assert caught.value.stream_id == first.id


async def test_a_person_is_the_same_pseudonym_in_every_institution(
    app: Application, university: Actor, second_verifier: Actor
) -> None:
    curp = Student(curp="XEXX010101HDFRRN09")
    victim = VictimDraft(role=VictimRole.PASANTE_MEDICINE, student=curp)
    people = []
    for actor in (university, second_verifier):
        accepted = await app.execute(actor, reports.submit(attack(victims=[victim])), WriteOptions())
        value = accepted.events[0].openings["content"]["value"]
        assert isinstance(value, dict)
        data = value["data"]
        assert isinstance(data, dict)
        victims = data["victims"]
        assert isinstance(victims, list | tuple)
        assert isinstance(victims[0], dict)
        people.append(victims[0]["person"])
    assert people[0] == people[1]


async def _open(
    app: Application, verifier: Actor, *report_ids: object, certainty: Certainty | None = Certainty.POSSIBLE
) -> object:
    draft = IncidentDraft(
        class_=IncidentClass.ATTACK,
        reports=list(report_ids),  # type: ignore[arg-type]
        certainty=CertaintyDraft(level=certainty) if certainty else None,
    )
    return (await app.execute(verifier, incidents.open_incident(draft), WriteOptions())).id


async def test_whoever_reported_cannot_adjudicate(app: Application, university: Actor) -> None:
    report = await app.execute(university, reports.submit(attack()), WriteOptions())
    with pytest.raises(RuleViolated) as caught:
        await _open(app, university, report.id)
    assert caught.value.rule == "submitter-is-not-verifier"


async def test_certainty_cannot_be_raised_without_its_criteria(
    app: Application, university: Actor, verifier: Actor
) -> None:
    report = await app.execute(university, reports.submit(attack()), WriteOptions())
    incident = await _open(app, verifier, report.id)
    with pytest.raises(RuleViolated) as caught:
        await app.execute(
            verifier,
            incidents.set_certainty(incident, CertaintyDraft(level=Certainty.PROBABLE)),  # type: ignore[arg-type]
            WriteOptions(),
        )
    assert "TWO_INDEPENDENT_SOURCES_AGREE" in caught.value.text.en


async def test_if_match_loses_to_whoever_came_first(
    app: Application, university: Actor, verifier: Actor, second_verifier: Actor
) -> None:
    report = await app.execute(university, reports.submit(attack()), WriteOptions())
    incident = await _open(app, verifier, report.id)
    retraction = RetractionDraft(reason=CorrectionReason.DUPLICATE)
    outcomes = await asyncio.gather(
        *(
            app.execute(actor, incidents.retract(incident, retraction), WriteOptions(expected_version=2))  # type: ignore[arg-type]
            for actor in (verifier, second_verifier)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, VersionConflict) for outcome in outcomes) == 1


async def test_new_facts_of_two_reviewers_at_once_are_both_kept(
    app: Application, university: Actor, verifier: Actor, second_verifier: Actor
) -> None:
    report = await app.execute(university, reports.submit(attack()), WriteOptions())
    incident = await _open(app, verifier, report.id)
    victim = VictimDraft(role=VictimRole.STAFF)
    await asyncio.gather(
        *(
            app.execute(actor, incidents.record_victim(incident, victim), WriteOptions())  # type: ignore[arg-type]
            for actor in (verifier, second_verifier)
        )
    )
    loaded = await app.load(Incident, incident)  # type: ignore[arg-type]
    assert loaded is not None
    assert len(loaded.victims) == 2


async def test_all_rows_are_stored_together_or_none(app: Application, university: Actor) -> None:
    before = await app.store.size()
    good = (reports.submit(attack()), WriteOptions(source_record_id="r1", content=b"1"))
    bad = (reports.submit(attack(kind="VERBAL")), WriteOptions(source_record_id="r2", content=b"2"))
    with pytest.raises(RowRejected) as caught:
        await execute_all(app, university, [good, bad])
    assert caught.value.row == 1
    assert await app.store.size() == before

    more = (reports.submit(attack()), WriteOptions(source_record_id="r2", content=b"2"))
    first = await execute_all(app, university, [good, more, good])
    assert [one.created for one in first] == [True, True, False]
    assert first[2].id == first[0].id
    again = await execute_all(app, university, [good, more])
    assert [one.created for one in again] == [False, False]
    assert [one.id for one in again] == [one.id for one in first[:2]]
    assert await app.store.size() == before + 2


async def test_a_dry_run_stores_nothing(app: Application, university: Actor) -> None:
    before = await app.store.size()
    verdicts = await check(
        app,
        university,
        [
            (reports.submit(attack()), WriteOptions()),
            (reports.submit(attack(kind="VERBAL")), WriteOptions()),
        ],
    )
    assert verdicts[0].verdict == "created"
    assert isinstance(verdicts[1].verdict, InvalidInput)
    assert await app.store.size() == before


async def test_the_operator_states_no_facts(app: Application) -> None:
    with pytest.raises(NotAllowed):
        await app.execute(Actor(None, None, frozenset({"admin"})), reports.submit(attack()), WriteOptions())


async def test_an_unknown_incident_is_not_found(app: Application, verifier: Actor) -> None:
    with pytest.raises(NotFound):
        await app.execute(
            verifier,
            incidents.retract(uuid4(), RetractionDraft(reason=CorrectionReason.DUPLICATE)),
            WriteOptions(),
        )


async def test_sites_are_registered_by_the_operator_or_a_ministry_of_health(
    app: Application, university: Actor
) -> None:
    site = SiteDraft(name="Clínica del Lago", cvegeo="16012")
    ministry = await new_institution(
        app, "Secretaría", InstitutionKind.MINISTRY_HEALTH, {"assignments:write"}
    )
    for actor in (OPERATOR, ministry):
        assert (await app.execute(actor, sites.register(site), WriteOptions())).created
    with pytest.raises(NotAllowed):
        await app.execute(university, sites.register(site), WriteOptions())


async def test_another_institutions_record_is_not_found_by_its_name(
    app: Application, university: Actor, verifier: Actor
) -> None:
    sent = WriteOptions(source_record_id="A-1", content=b"a")
    original = await app.execute(university, reports.submit(attack()), sent)
    named = attack(derived_from=RecordReference(source_record_id="A-1"))
    other = await new_institution(app, "Universidad del Monte", InstitutionKind.UNIVERSITY, {"reports:write"})
    with pytest.raises(InvalidInput):
        await app.execute(other, reports.submit(named), WriteOptions())

    own = await app.execute(university, reports.submit(named), WriteOptions())
    report = await app.load(Report, own.id)
    assert report is not None
    assert report.report is not None
    assert report.report.derived_from == original.id
    draft = IncidentDraft(
        class_=IncidentClass.ATTACK, reports=[RecordReference(source_record_id="A-1", institution=uuid4())]
    )
    with pytest.raises(InvalidInput):
        await app.execute(verifier, incidents.open_incident(draft), WriteOptions())


async def test_a_row_may_name_an_earlier_row_of_the_same_file(app: Application, university: Actor) -> None:
    named = attack(derived_from=RecordReference(source_record_id="one"))
    rows = [
        (reports.submit(attack()), WriteOptions(source_record_id="one", content=b"1")),
        (reports.submit(named), WriteOptions(source_record_id="two", content=b"2")),
    ]
    assert [one.verdict for one in await check(app, university, rows)] == ["created", "created"]
    first, second = await execute_all(app, university, rows)
    report = await app.load(Report, second.id)
    assert report is not None
    assert report.report is not None
    assert report.report.derived_from == first.id


async def test_two_who_store_the_same_event_get_receipts_for_the_leaf_that_is_stored(
    app: Application, pool: asyncpg.Pool, master: MasterKey, log_keys: LogKeys, clock: Clock
) -> None:
    later = Clock(clock.now)
    later.advance(days=3)
    decision = register.record_erasure(uuid4(), SubjectKind.PERSON, "0" * 32, CorrectionReason.NEW_EVIDENCE)
    async with Application(pool, master, log_keys, clock=later) as other:
        answers = await asyncio.gather(
            *(one.execute(OPERATOR, decision, WriteOptions()) for one in (app, other))
        )
    (stored,) = await app.store.read(0, 10)
    for answer in answers:
        (event,) = answer.events
        assert (event.position, event.leaf, event.receipt) == (0, stored.leaf, app.answers.receipt(stored))
