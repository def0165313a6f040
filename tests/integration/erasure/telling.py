"""A register in which two people are known, and what is left of what was said of them."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import pytest

from registry.application.drafts import (
    AssignmentDraft,
    EvidenceDraft,
    ReportDraft,
    Student,
    VictimDraft,
    WhenDraft,
    WhereDraft,
)
from registry.application.execution.application import Application
from registry.application.execution.sealing import Unsealed, unseal
from registry.application.execution.unit import WriteOptions
from registry.application.people.erasure import Subject
from registry.domain.codes import (
    CorrectionReason,
    DatePrecision,
    Directness,
    Nexus,
    Outcome,
    PlacePrecision,
    ReportClass,
    Sex,
    SourceType,
    VictimRole,
)
from registry.domain.mapper import decode_event
from registry.domain.register import REGISTER_ID, SubjectErased

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


async def everything(app: Application) -> list[Unsealed]:
    return await unseal(app.store, app.vault, await app.store.read(0, 1000))


async def said_erased(app: Application) -> list[SubjectErased]:
    events = [decode_event(one.type, one.state) for one in await app.store.read_stream(REGISTER_ID)]
    return [event for event in events if isinstance(event, SubjectErased)]


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
