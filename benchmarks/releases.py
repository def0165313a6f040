"""A release after a few incidents changed, against the same release when it reads and decides everything anew.

The incidents that change are made by the program, event by event. All others stand in the read model only, every facet
open, over all states and twenty years, so that both sides find the crowds of a large register.
"""

import tempfile
from datetime import UTC, date, datetime
from itertools import cycle
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import asyncpg
import msgspec

from benchmarks.harness import Bench, Comparison, Side, Timed, stopwatch
from projections.models import incidents as model
from projections.releases import Releases
from projections.runner import Runner
from registry.application import incidents, register, reports
from registry.application.drafts import (
    CertaintyDraft,
    FindingDraft,
    IncidentDraft,
    InstitutionDraft,
    ReportDraft,
    VictimDraft,
    WhenDraft,
    WhereDraft,
)
from registry.application.execution.application import Application
from registry.application.execution.unit import OPERATOR, Actor, WriteOptions
from registry.application.places import institutions
from registry.database import connect_pool
from registry.disclosure import policy
from registry.disclosure.facets import FACETS
from registry.domain.claims import Where
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
    SourceType,
    VictimRole,
)
from registry.domain.incident import Incident
from registry.log.canonical import JSON
from registry.log.keys import load_or_create
from registry.privacy.master import MasterKey

ONE_IN = 1_000
"""Of so many incidents one changes."""

_DAY = date(2026, 1, 5)
_WHEN = WhenDraft(earliest=_DAY, latest=_DAY, precision=DatePrecision.DAY)
_WHERE = WhereDraft(cvegeo="16012", precision=PlacePrecision.MUNICIPALITY)
_VICTIM = VictimDraft(role=VictimRole.PASANTE_MEDICINE, outcome=Outcome.KILLED, nexus=Nexus.ON_DUTY_AT_SITE)
_BATCH = 1_000


async def run(bench: Bench) -> list[Comparison]:
    """One figure. Each round changes the incidents, untimed, then times the release."""
    with tempfile.TemporaryDirectory(prefix="constancia-keys-") as keys:
        pool = await connect_pool(await bench.database("releases"))
        app = Application(
            pool,
            MasterKey(bytes(range(32))),
            load_or_create(Path(keys), "bench.example/log"),
            clock=lambda: datetime(2026, 3, 2, 12, tzinfo=UTC),
        )
        async with app:
            comparison = await _compare(bench, app, pool)
        await pool.close()
    return [comparison]


async def _compare(bench: Bench, app: Application, pool: asyncpg.Pool) -> Comparison:
    size = bench.size(50_000, 2_000)
    reviewer, changing = await _adjudicated(app, size // ONE_IN)
    releases = Releases(app, pool)
    await releases.release_once()
    await Runner(pool, [model.IncidentsProjection()]).catch_up()
    await _multiply(pool, changing[0], size)
    levels = cycle([Certainty.RUMOUR, Certainty.POSSIBLE])

    async def release(everything: bool) -> Timed:
        level = CertaintyDraft(level=next(levels))
        for incident in changing:
            await app.execute(reviewer, incidents.set_certainty(incident, level), WriteOptions())
        await Runner(pool, [model.IncidentsProjection()]).catch_up()
        if everything:
            await pool.execute("DELETE FROM incidents.decided")
        with stopwatch() as seconds:
            accepted = await releases.release_once()
            taken = seconds()
        if accepted is None or len(accepted.events) != len(changing) + 1:
            raise RuntimeError("the release did not show what had changed")
        return Timed(1, taken, [taken])

    return await bench.compare(
        f"release of {len(changing)} changes among {size:,} incidents",
        Side("a release", 1, lambda _: release(everything=False)),
        Side("all read and decided anew", 1, lambda _: release(everything=True)),
        unit="releases",
        reach=20,
    )


async def _adjudicated(app: Application, count: int) -> tuple[Actor, list[UUID]]:
    """So many killings found POSSIBLE, and who may change that."""
    document = cast("Any", policy.shipped())
    for tier in document["tiers"]:
        for rung in tier["rungs"]:
            rung["k"] = {"default": 1, "already_public": 1}
            rung["students"] = {"default": 0, "already_public": 0}
    opened = cast("dict[str, JSON]", document)
    await app.execute(OPERATOR, register.adopt_definition("national-count/1", "ab" * 32), WriteOptions())
    await app.execute(OPERATOR, register.adopt_policy("disclosure-policy/1", opened), WriteOptions())
    university, reviewer = [
        await _institution(app, kind, scope)
        for kind, scope in (
            (InstitutionKind.UNIVERSITY, "reports:write"),
            (InstitutionKind.ASSOCIATION, "incidents:verify"),
        )
    ]
    return reviewer, [await _one(app, university, reviewer) for _ in range(count)]


async def _institution(app: Application, kind: InstitutionKind, scope: str) -> Actor:
    draft = InstitutionDraft(name="Institución de ejemplo", kind=kind, state="09")
    accepted = await app.execute(OPERATOR, institutions.register(draft), WriteOptions())
    return Actor(accepted.id, uuid4(), frozenset({scope}))


async def _one(app: Application, university: Actor, reviewer: Actor) -> UUID:
    report = ReportDraft(
        class_=ReportClass.ATTACK,
        source_type=SourceType.UNIVERSITY,
        directness=Directness.DIRECT,
        when=_WHEN,
        where=_WHERE,
        kind="ARMED_ATTACK",
        victims=[_VICTIM],
    )
    accepted = await app.execute(university, reports.submit(report), WriteOptions())
    draft = IncidentDraft(
        class_=IncidentClass.ATTACK,
        reports=[accepted.id],
        findings=[FindingDraft(when=_WHEN), FindingDraft(where=_WHERE), FindingDraft(kind="ARMED_ATTACK")],
        victims=[_VICTIM],
        certainty=CertaintyDraft(level=Certainty.POSSIBLE),
    )
    return (await app.execute(reviewer, incidents.open_incident(draft), WriteOptions())).id


async def _multiply(pool: asyncpg.Pool, example: UUID, count: int) -> None:
    """So many more incidents like one, elsewhere and at other times, as the read model would hold them."""
    (incident,) = await model.these(pool, [example])
    async with pool.acquire() as connection:
        await connection.execute("SET search_path TO incidents")
        for first in range(0, count, _BATCH):
            made = [_like(incident, number) for number in range(first, min(first + _BATCH, count))]
            await model.keep(connection, made, {one.id: 0 for one in made})
        await connection.execute("RESET search_path")
        await connection.execute("ANALYZE incidents.folded, incidents.compared")


def _like(incident: Incident, number: int) -> Incident:
    day = date(2006 + number % 20, 1 + number // 20 % 12, 5)
    cvegeo = f"{1 + number // 240 % 32:02d}{1 + number // 7680 % 9:03d}"
    made = msgspec.structs.replace(
        incident,
        id=uuid4(),
        when=msgspec.structs.replace(_found(incident.when), earliest=day, latest=day),
        where=Where(cvegeo=cvegeo, precision=PlacePrecision.MUNICIPALITY),
        disclosed_in=uuid4(),
    )
    shown = model.facets(made)
    disclosure = {
        **(incident.disclosure or {}),
        "incident": str(made.id),
        "facets": {name: {"value": shown.value(name)} for name in FACETS},
    }
    return msgspec.structs.replace(made, disclosure=disclosure)


def _found(value: Any) -> Any:
    if value is None:
        raise RuntimeError("the example has no date")
    return value
