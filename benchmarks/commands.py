"""Whole commands, from the draft to the signed receipt, against the library's load and save of the same aggregates."""

import itertools
import tempfile
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from benchmarks import library
from benchmarks.harness import (
    LIBRARY_THREADS,
    Bench,
    Comparison,
    Side,
    Timed,
    in_tasks,
    in_threads,
)
from projections.counting.definition import DEFINITION_ID, definition_sha256
from registry.application import assignments, reports
from registry.application.drafts import (
    AssignmentDraft,
    InstitutionDraft,
    RelocationDraft,
    ReportDraft,
    SiteDraft,
    Student,
    VictimDraft,
    WhenDraft,
    WhereDraft,
)
from registry.application.execution.application import Application
from registry.application.execution.unit import Actor, Decision, WriteOptions
from registry.application.places import institutions, sites
from registry.application.register import adopt_definition
from registry.database import connect_pool
from registry.domain.codes import (
    DatePrecision,
    Directness,
    InstitutionKind,
    Nexus,
    Outcome,
    PlacePrecision,
    PlazaType,
    RelocationReason,
    ReportClass,
    SourceType,
    VictimRole,
)
from registry.log.keys import load_or_create
from registry.privacy.master import MasterKey

SUBMITTERS = (64, 256)
ASSIGNMENTS = 512
"""Relocated in turns: more than there are submitters, so that no two meet at one."""

_OPERATOR = Actor(None, None, frozenset({"admin"}))
_NARRATIVE = "Relato inventado: nadie lo vivió. " * 10


async def run(bench: Bench) -> list[Comparison]:
    """A command that makes an aggregate with several subjects, and one that loads what it changes."""
    pool = await connect_pool(await bench.database("commands"))
    with tempfile.TemporaryDirectory() as directory:
        keys = load_or_create(Path(directory) / "log", "bench.example/log")
    async with Application(pool, MasterKey(bytes(range(32))), keys) as app:
        # Like every register in use: what is decided reads its stream, which a register without one lacks.
        await _execute(app, _OPERATOR, adopt_definition(DEFINITION_ID, definition_sha256()))
        with library.Register(library.environment(await bench.database("commands_library"))) as register:
            results = [await _reports(bench, app, register, submitters) for submitters in SUBMITTERS]
            results += [await _relocations(bench, app, register, submitters) for submitters in SUBMITTERS]
    await pool.close()
    return results


async def _reports(bench: Bench, app: Application, register: library.Register, submitters: int) -> Comparison:
    """A report with a victim: two subjects, each part encrypted under a data key of its own. Nothing is loaded.

    For information: the design asks for a command that loads what it changes, which is the relocation.
    """
    university = await _university(app)

    async def submit(count: int) -> Timed:
        async def one(sent: tuple[ReportDraft, WriteOptions]) -> None:
            draft, options = sent
            await app.execute(university, reports.submit(draft), options)

        return await in_tasks(submitters, [(_attack(), _options()) for _ in range(count)], one)

    async def save(count: int) -> Timed:
        def make(account: dict[str, Any]) -> None:
            register.save(library.Report(institution=UUID(int=1, version=4), account=account))

        return await in_threads(LIBRARY_THREADS, [_account() for _ in range(count)], make)

    return await bench.compare(
        f"whole commands: submit a report, {submitters} submitters",
        Side("Application.execute", bench.size(2_000, 100), submit),
        Side("Application.save, 16 threads", bench.size(400, 50), save),
        unit="commands",
        reach=None,
    )


async def _relocations(
    bench: Bench, app: Application, register: library.Register, submitters: int
) -> Comparison:
    """A relocation: the assignment and the site are loaded first."""
    university = await _university(app)
    places = [await _execute(app, _OPERATOR, sites.register(_site(number))) for number in range(2)]
    registered = await _register_assignments(app, university, places[0], bench.size(ASSIGNMENTS, 64))
    where = dict.fromkeys(registered, 0)
    turns = itertools.cycle(registered)
    theirs = [library.assignment(0) for _ in range(bench.size(ASSIGNMENTS, 64))]
    for aggregate in theirs:
        register.save(aggregate)
    their_turns = itertools.cycle([aggregate.id for aggregate in theirs])

    async def relocate(sent: tuple[UUID, WriteOptions]) -> None:
        assignment, options = sent
        where[assignment] = 1 - where[assignment]
        draft = RelocationDraft(
            to=places[where[assignment]], effective=date(2026, 3, 2), reason=RelocationReason.THREAT
        )
        await app.execute(university, assignments.relocate(assignment, draft), options)

    def relocate_library(assignment: UUID) -> None:
        aggregate: library.Assignment = register.repository.get(assignment)
        library.relocate(aggregate, UUID(int=2 + aggregate.version % 2, version=4))
        register.save(aggregate)

    async def ours(count: int) -> Timed:
        sent = [(assignment, _options()) for assignment in itertools.islice(turns, count)]
        return await in_tasks(submitters, sent, relocate)

    async def save(count: int) -> Timed:
        return await in_threads(LIBRARY_THREADS, list(itertools.islice(their_turns, count)), relocate_library)

    return await bench.compare(
        f"whole commands: relocate an assignment, {submitters} submitters",
        Side("Application.execute", bench.size(2_000, 100), ours),
        Side("repository.get, Application.save, 16 threads", bench.size(400, 50), save),
        unit="commands",
        reach=5,
    )


async def _execute(app: Application, actor: Actor, decision: Decision) -> UUID:
    return (await app.execute(actor, decision, _options())).id


def _options() -> WriteOptions:
    """What a client sends beside its draft: a key of its own for each."""
    return WriteOptions(idempotency_key=str(uuid4()), body=b"{}")


async def _university(app: Application) -> Actor:
    draft = InstitutionDraft(name="Universidad inventada", kind=InstitutionKind.UNIVERSITY, state="09")
    institution = await _execute(app, _OPERATOR, institutions.register(draft))
    return Actor(institution, uuid4(), frozenset({"reports:write", "assignments:write"}))


async def _register_assignments(app: Application, university: Actor, site: UUID, count: int) -> list[UUID]:
    ids: list[UUID] = []

    async def register(number: int) -> None:
        draft = AssignmentDraft(
            student=Student(internal_id=f"A-{number}"),
            site=site,
            promotion="2026-1",
            plaza_type=PlazaType.A,
            starts=date(2026, 2, 1),
            planned_end=date(2027, 1, 31),
        )
        ids.append(await _execute(app, university, assignments.register(draft)))

    await in_tasks(SUBMITTERS[0], range(count), register)
    return ids


def _site(number: int) -> SiteDraft:
    return SiteDraft(name=f"Clínica inventada {number}", cvegeo="16012")


def _attack() -> ReportDraft:
    return ReportDraft(
        class_=ReportClass.ATTACK,
        source_type=SourceType.UNIVERSITY,
        directness=Directness.DIRECT,
        when=WhenDraft(
            earliest=date(2026, 1, 5),
            latest=date(2026, 1, 5),
            precision=DatePrecision.DAY,
            wording="el lunes",
        ),
        where=WhereDraft(cvegeo="16012", precision=PlacePrecision.MUNICIPALITY),
        kind="COERCED_CARE",
        victims=[
            VictimDraft(
                role=VictimRole.PASANTE_MEDICINE,
                outcome=Outcome.PSYCHOLOGICAL,
                nexus=Nexus.ON_DUTY_AT_SITE,
                student=Student(internal_id=str(uuid4())),
            )
        ],
        narrative=_NARRATIVE,
    )


def _account() -> dict[str, Any]:
    """The same statements, for the library to store as they are."""
    return {
        "source_type": "UNIVERSITY",
        "directness": "DIRECT",
        "when": {"earliest": "2026-01-05", "latest": "2026-01-05", "precision": "DAY", "wording": "el lunes"},
        "where": {"cvegeo": "16012", "precision": "MUNICIPALITY"},
        "kind": "COERCED_CARE",
        "victims": [
            {
                "role": "PASANTE_MEDICINE",
                "outcome": "PSYCHOLOGICAL",
                "nexus": "ON_DUTY_AT_SITE",
                "student": {"internal_id": str(uuid4())},
            }
        ],
        "narrative": _NARRATIVE,
    }
