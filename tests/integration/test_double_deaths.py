"""Nobody is killed twice, whoever says so at the same time, or in the same file."""

import asyncio

import pytest

from registry.application import incidents, reports
from registry.application.drafts import CertaintyDraft, IncidentDraft, ReportDraft, Student, VictimDraft
from registry.application.execution.application import Application
from registry.application.execution.unit import Actor, WriteOptions
from registry.application.imports.rows import RowRejected, check, execute_all
from registry.domain.codes import (
    Certainty,
    IncidentClass,
    Nexus,
    Outcome,
    ReportClass,
    SourceType,
    VictimRole,
)
from registry.errors import RuleViolated


async def test_of_two_that_say_at_once_that_the_same_person_was_killed_one_wins(
    app: Application, second: Application, university: Actor, verifier: Actor
) -> None:
    opened = []
    for _ in range(6):
        said = await app.execute(university, reports.submit(_attack()), WriteOptions())
        draft = IncidentDraft(class_=IncidentClass.ATTACK, reports=[said.id])
        opened.append((await app.execute(verifier, incidents.open_incident(draft), WriteOptions())).id)
    outcomes = await asyncio.gather(
        *(
            one.execute(verifier, incidents.record_victim(incident, _killed()), WriteOptions())
            for incident, one in zip(opened, [app, second] * 3, strict=True)
        ),
        return_exceptions=True,
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, RuleViolated)]
    assert [error.rule for error in refused] == ["double-death"] * 5


async def test_the_rows_of_one_file_kill_nobody_twice(
    app: Application, university: Actor, verifier: Actor
) -> None:
    sent = [await app.execute(university, reports.submit(_attack()), WriteOptions()) for _ in range(2)]
    rows = [
        (
            incidents.open_incident(
                IncidentDraft(class_=IncidentClass.ATTACK, reports=[said.id], victims=[_killed()])
            ),
            WriteOptions(source_record_id=f"case-{number}", content=b"x"),
        )
        for number, said in enumerate(sent)
    ]
    unfounded = IncidentDraft(
        class_=IncidentClass.ATTACK,
        reports=[sent[0].id],
        victims=[_killed()],
        certainty=CertaintyDraft(level=Certainty.CONFIRMED),
    )
    refused = (
        incidents.open_incident(unfounded),
        WriteOptions(source_record_id="case-x", content=b"x"),
    )
    unlike, first, second = [one.verdict for one in await check(app, verifier, [refused, *rows])]
    assert isinstance(unlike, RuleViolated)
    assert first == "created", "what was refused has linked no report and killed nobody"
    assert isinstance(second, RuleViolated)
    assert second.rule == "double-death"
    with pytest.raises(RowRejected):
        await execute_all(app, verifier, rows)
    assert (await execute_all(app, verifier, rows[:1]))[0].created


def _attack() -> ReportDraft:
    return ReportDraft(class_=ReportClass.ATTACK, source_type=SourceType.UNIVERSITY)


def _killed() -> VictimDraft:
    return VictimDraft(
        role=VictimRole.PASANTE_MEDICINE,
        outcome=Outcome.KILLED,
        nexus=Nexus.COMMUTE,
        student=Student(curp="XEXX010101HDFRRN09"),
    )
