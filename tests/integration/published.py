"""A register with a history, and what it publishes, as files that can be verified."""

from datetime import date
from pathlib import Path
from uuid import UUID

import asyncpg

from projections.counting.definition import DEFINITION_ID, definition_sha256
from projections.releases import Releases
from projections.verification.verifier import Options
from registry.application import incidents, register, reports
from registry.application.drafts import (
    CertaintyDraft,
    FindingDraft,
    IncidentDraft,
    ReportDraft,
    RetractionDraft,
    VictimDraft,
    WhenDraft,
    WhereDraft,
)
from registry.application.execution.application import Application
from registry.application.execution.unit import OPERATOR, Actor, WriteOptions
from registry.disclosure import policy
from registry.domain.codes import (
    Certainty,
    CorrectionReason,
    DatePrecision,
    Directness,
    IncidentClass,
    Nexus,
    Outcome,
    PlacePrecision,
    ReportClass,
    Sex,
    SourceType,
    VictimRole,
)
from registry.log import reader
from registry.log.keys import LogKeys
from registry.log.tiles import bundle_path, tile_path, tiles_of
from tests.integration.conftest import Clock

WHEN = WhenDraft(earliest=date(2026, 1, 5), latest=date(2026, 1, 5), precision=DatePrecision.DAY)
WHERE = WhereDraft(cvegeo="16012", precision=PlacePrecision.MUNICIPALITY)
VICTIM = VictimDraft(
    role=VictimRole.PASANTE_MEDICINE,
    sex=Sex.FEMALE,
    outcome=Outcome.PSYCHOLOGICAL,
    nexus=Nexus.ON_DUTY_AT_SITE,
)


async def one_incident(app: Application, university: Actor, verifier: Actor) -> UUID:
    report = ReportDraft(
        class_=ReportClass.ATTACK,
        source_type=SourceType.UNIVERSITY,
        directness=Directness.DIRECT,
        when=WHEN,
        where=WHERE,
        kind="COERCED_CARE",
        victims=[VICTIM],
    )
    accepted = await app.execute(university, reports.submit(report), WriteOptions())
    draft = IncidentDraft(
        class_=IncidentClass.ATTACK,
        reports=[accepted.id],
        findings=[FindingDraft(when=WHEN), FindingDraft(where=WHERE), FindingDraft(kind="COERCED_CARE")],
        victims=[VICTIM],
        certainty=CertaintyDraft(level=Certainty.POSSIBLE),
    )
    return (await app.execute(verifier, incidents.open_incident(draft), WriteOptions())).id


async def write_history(
    app: Application, pool: asyncpg.Pool, clock: Clock, university: Actor, verifier: Actor
) -> None:
    """Four releases: sealed at first, opened together, one corrected, one retracted."""
    shipped = policy.shipped()
    for decision in (
        register.adopt_definition(DEFINITION_ID, definition_sha256()),
        register.adopt_policy(str(shipped["id"]), shipped),
    ):
        await app.execute(OPERATOR, decision, WriteOptions())
    releases = Releases(app, pool)
    first, _, third, _ = [await one_incident(app, university, verifier) for _ in range(4)]
    await releases.release_once()
    clock.advance(days=125)
    await releases.release_once()
    await app.execute(verifier, incidents.record_victim(first, VICTIM), WriteOptions())
    await releases.release_once()
    retraction = RetractionDraft(reason=CorrectionReason.DUPLICATE)
    await app.execute(verifier, incidents.retract(third, retraction), WriteOptions())
    await releases.release_once()


def given(keys: LogKeys) -> Options:
    return Options(vkeys=(keys.log.verifier.vkey(), keys.count.verifier.vkey()))


async def mirror(pool: asyncpg.Pool, directory: Path) -> Path:
    """Everything that the log serves, as files."""
    note = await reader.checkpoint_note(pool)
    assert note is not None
    found: dict[str, bytes | None] = {"checkpoint": note.encode()}
    for tile in tiles_of(int(note.split("\n")[1])):
        paths = [tile_path(tile.level, tile.index, tile.width)]
        paths += [bundle_path(tile.index, tile.width)] if tile.level == 0 else []
        found |= {path: await reader.tile(pool, path) for path in paths}
    for path, content in found.items():
        assert content is not None
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(content)
    return directory
