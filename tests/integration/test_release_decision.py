"""A release reads only what can change, and decides as if it had read everything; its leaves hold to the policy."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import date
from random import Random
from typing import Any, cast
from uuid import UUID, uuid4

import asyncpg
import pytest

from projections.counting.definition import DEFINITION_ID, definition_sha256
from projections.models import incidents as model
from projections.models.incidents import IncidentsProjection
from projections.models.placements import PlacementsProjection
from projections.release_decision import Decider
from projections.releases import Releases
from projections.runner import Runner
from projections.verification.recount import Recount
from registry.application import assignments, incidents, register, reports
from registry.application.drafts import (
    AssignmentDraft,
    CertaintyDraft,
    DisputeDraft,
    FindingDraft,
    IncidentCorrectionDraft,
    IncidentDraft,
    ReportDraft,
    RetractionDraft,
    SiteDraft,
    Student,
    VictimDraft,
    WhenDraft,
    WhereDraft,
)
from registry.application.execution.application import Application
from registry.application.execution.unit import OPERATOR, Actor, WriteOptions
from registry.application.incidents import revisions
from registry.application.places import sites
from registry.disclosure import disclosed, policy
from registry.domain.codes import (
    Certainty,
    CorrectionReason,
    DatePrecision,
    Directness,
    DisputeGround,
    IncidentClass,
    Nexus,
    Outcome,
    PlacePrecision,
    PlazaType,
    ReportClass,
    SourceType,
    VictimRole,
)
from registry.domain.register import REGISTER_ID, Register
from registry.errors import InvalidInput, RuleViolated
from registry.log.canonical import JSON
from registry.log.leaf import OpenLeaf, parse_leaf
from tests.integration.conftest import Clock

Decision = Callable[[], Awaitable[Any]]


def eager(students: int) -> dict[str, JSON]:
    """The shipped policy with smaller crowds, and nothing that waits: something opens in every release."""
    document = cast("Any", policy.shipped())
    for tier in document["tiers"]:
        for rung in tier["rungs"]:
            rung["k"]["default"] = min(rung["k"]["default"], 3)
            rung["wait"] = {
                "days_after_report": 0,
                "first_release_of_quarter": False,
                "after_promotion": False,
            }
            if rung["students"]["default"]:
                rung["students"]["default"] = students
    return cast("dict[str, JSON]", document)


class Life:
    """Random decisions about a few places, months and kinds, so that crowds form, break and form again."""

    def __init__(self, app: Application, parties: list[Actor], seed: int) -> None:
        self._app, self._draw = app, Random(seed)
        self._university, self._one, self._other = parties
        self._incidents: list[UUID] = []
        self._sites: dict[str, UUID] = {}

    async def step(self) -> None:
        choices: Sequence[Decision] = [self._open] * 6 + [
            self._known, self._agrees, self._correct, self._correct, self._retract, self._dispute, self._certainty,
            self._victim, self._assign,
        ]  # fmt: skip
        with suppress(RuleViolated, InvalidInput):
            await (self._draw.choice(choices) if self._incidents else self._open)()

    async def _open(self) -> None:
        await self.open(self._when(), self._where(), self._kind(), self._new_victim())

    async def open(self, when: WhenDraft, where: WhereDraft, kind: str, victim: VictimDraft) -> UUID:
        """An attack, reported and found POSSIBLE."""
        victims = [victim]
        report = await self._execute(
            self._university,
            reports.submit(
                ReportDraft(
                    class_=ReportClass.ATTACK,
                    source_type=SourceType.UNIVERSITY,
                    directness=Directness.DIRECT,
                    when=when,
                    where=where,
                    kind=kind,
                    victims=[*victims],
                )
            ),
        )
        draft = IncidentDraft(
            class_=IncidentClass.ATTACK,
            reports=[report],
            findings=[FindingDraft(when=when), FindingDraft(where=where), FindingDraft(kind=kind)],
            victims=victims,
            certainty=CertaintyDraft(level=Certainty.POSSIBLE),
        )
        incident = await self._execute(self._one, incidents.open_incident(draft))
        self._incidents.append(incident)
        return incident

    async def _known(self) -> None:
        incident = self._some()
        for reviewer in (self._one, self._other):
            finding = FindingDraft(already_public=True, sources=["https://diario.example/nota"])
            await self._execute(reviewer, incidents.record_finding(incident, finding))

    async def _agrees(self) -> None:
        await self._execute(
            self._one,
            incidents.record_finding(self._some(), FindingDraft(family_agrees=self._draw.random() < 0.7)),
        )

    async def _correct(self) -> None:
        change: dict[str, Any] = self._draw.choice(
            [{"when": self._when()}, {"where": self._where()}, {"kind": self._kind()}]
        )
        draft = IncidentCorrectionDraft(**change, reason=CorrectionReason.MISIDENTIFICATION)
        await self._execute(self._one, revisions.correct(self._some(), draft))

    async def _retract(self) -> None:
        draft = RetractionDraft(reason=CorrectionReason.DUPLICATE)
        await self._execute(self._one, incidents.retract(self._some(), draft))

    async def _dispute(self) -> None:
        await self._execute(
            self._university, revisions.dispute(self._some(), DisputeDraft(ground=DisputeGround.CERTAINTY))
        )

    async def _certainty(self) -> None:
        level = self._draw.choice([Certainty.RUMOUR, Certainty.POSSIBLE])
        await self._execute(self._one, incidents.set_certainty(self._some(), CertaintyDraft(level=level)))

    async def _victim(self) -> None:
        await self._execute(self._one, incidents.record_victim(self._some(), self._new_victim()))

    async def _assign(self) -> None:
        await self.assign(self._draw.choice(["16012", "14039"]))

    async def assign(self, cvegeo: str) -> None:
        """One more student there."""
        if cvegeo not in self._sites:
            self._sites[cvegeo] = await self._execute(
                OPERATOR, sites.register(SiteDraft(name="Centro de salud de ejemplo", cvegeo=cvegeo))
            )
        draft = AssignmentDraft(
            student=Student(internal_id=str(uuid4())),
            site=self._sites[cvegeo],
            promotion="2026-1",
            plaza_type=PlazaType.A,
            starts=date(2026, 2, 1),
            planned_end=date(2027, 1, 31),
        )
        await self._execute(self._university, assignments.register(draft))

    def _some(self) -> UUID:
        return self._draw.choice(self._incidents)

    def _when(self) -> WhenDraft:
        day = self._draw.choice([date(2026, 2, 5), date(2026, 2, 6), date(2026, 2, 20)])
        return WhenDraft(earliest=day, latest=day, precision=DatePrecision.DAY)

    def _where(self) -> WhereDraft:
        cvegeo = self._draw.choice(["16012", "16012", "14039"])
        return WhereDraft(cvegeo=cvegeo, precision=PlacePrecision.MUNICIPALITY)

    def _kind(self) -> str:
        return self._draw.choice(["ARMED_ATTACK", "ARMED_ATTACK", "ROBBERY", "HARASSMENT"])

    def _new_victim(self) -> VictimDraft:
        person = self._draw.choice([None, None, "EJEMPLO-1", "EJEMPLO-2"])
        return VictimDraft(
            role=VictimRole.PASANTE_MEDICINE,
            outcome=self._draw.choice([Outcome.SEVERE, Outcome.SEVERE, Outcome.KILLED, Outcome.MISSING]),
            nexus=Nexus.ON_DUTY_AT_SITE,
            student=None if person is None else Student(internal_id=person),
        )

    async def _execute(self, actor: Actor, decision: Any) -> UUID:
        return (await self._app.execute(actor, decision, WriteOptions())).id


@pytest.mark.parametrize(("seed", "students"), [(1, 0), (2, 2), (3, 0)])
async def test_what_is_decided_about_few_is_what_would_be_decided_about_all(
    app: Application,
    pool: asyncpg.Pool,
    clock: Clock,
    university: Actor,
    verifier: Actor,
    second_verifier: Actor,
    seed: int,
    students: int,
) -> None:
    document = eager(students)
    await app.execute(OPERATOR, register.adopt_definition(DEFINITION_ID, definition_sha256()), WriteOptions())
    await app.execute(OPERATOR, register.adopt_policy("disclosure-policy/1", document), WriteOptions())
    models = Runner(pool, [IncidentsProjection(), PlacementsProjection()])
    releases, life = Releases(app, pool), Life(app, [university, verifier, second_verifier], seed)
    read, all_read = 0, 0
    for _ in range(8):
        for _ in range(7):
            await life.step()
        clock.advance(days=3)  # all within one quarter
        await models.catch_up()
        rules, sha256 = policy.parse(document), policy.sha256(document)
        last = await app.load(Register, REGISTER_ID)
        assert last is not None

        def decider() -> Decider:
            return Decider(app, pool, rules, on=clock().date(), previous_release=last.released)  # noqa: B023

        everything = await decider().decide(None, sha256)
        some = await decider().decide(await model.decided(pool), sha256)
        due = {case.incident.id: how for case, how in everything if disclosed.changed(how, case.previous)}
        found = {case.incident.id: how for case, how in some if disclosed.changed(how, case.previous)}
        assert found == due
        read, all_read = read + len(some), all_read + len(everything)
        await releases.release_once()
    assert read < all_read

    recount = Recount()
    for index, one in enumerate(await app.store.read(0, 10_000)):
        recount.add(index, one.leaf)
    assert recount.crowds.opened > 20


async def shown(app: Application) -> dict[str, set[str]]:
    """The open facets above the first rung, by incident."""
    leaves = [parse_leaf(one.leaf) for one in await app.store.read(0, 10_000)]
    return {
        str(leaf.public["incident"]): {
            name
            for name, facet in cast("dict[str, Any]", leaf.public["facets"]).items()
            if "value" in facet and name not in ("tally", "year")
        }
        for leaf in leaves
        if isinstance(leaf, OpenLeaf) and leaf.type == "incident.disclosed"
    }


DAY = WhenDraft(earliest=date(2026, 2, 5), latest=date(2026, 2, 5), precision=DatePrecision.DAY)
PLACE = WhereDraft(cvegeo="16012", precision=PlacePrecision.MUNICIPALITY)


async def test_what_others_do_lets_an_incident_open_that_nothing_happened_to(
    app: Application, pool: asyncpg.Pool, clock: Clock, university: Actor, verifier: Actor
) -> None:
    await app.execute(OPERATOR, register.adopt_definition(DEFINITION_ID, definition_sha256()), WriteOptions())
    await app.execute(OPERATOR, register.adopt_policy("disclosure-policy/1", eager(2)), WriteOptions())
    life, releases = Life(app, [university, verifier, verifier], 5), Releases(app, pool)
    survived = VictimDraft(
        role=VictimRole.PASANTE_MEDICINE, outcome=Outcome.SEVERE, nexus=Nexus.ON_DUTY_AT_SITE
    )
    first, _ = [await life.open(DAY, PLACE, "ROBBERY", survived) for _ in range(2)]
    await releases.release_once()
    assert set(map(frozenset, (await shown(app)).values())) == {frozenset()}

    # A third completes the crowd; what was corrected behind its seal is sealed anew, and opens one release later.
    await life.open(DAY, PLACE, "ARMED_ATTACK", survived)
    to = IncidentCorrectionDraft(kind="ARMED_ATTACK", reason=CorrectionReason.MISIDENTIFICATION)
    await app.execute(verifier, revisions.correct(first, to), WriteOptions())
    await life.open(DAY, PLACE, "ARMED_ATTACK", survived)
    clock.advance(days=1)
    await releases.release_once()
    assert sorted(map(sorted, (await shown(app)).values())) == [["state"]] * 4
    clock.advance(days=1)
    await releases.release_once()
    assert sorted(map(sorted, (await shown(app)).values())) == [["kind", "state"]] * 3 + [["state"]]

    # They wait for students, of whom no event of theirs tells.
    for _ in range(2):
        await life.assign("16012")
    clock.advance(days=1)
    await releases.release_once()
    assert (await shown(app))[str(first)] == {"state", "kind", "municipality", "month"}


async def test_another_policy_and_another_quarter_are_decided_for_all(
    app: Application, pool: asyncpg.Pool, clock: Clock, university: Actor, verifier: Actor
) -> None:
    await app.execute(OPERATOR, register.adopt_definition(DEFINITION_ID, definition_sha256()), WriteOptions())
    await app.execute(
        OPERATOR, register.adopt_policy("disclosure-policy/1", policy.shipped()), WriteOptions()
    )
    life, releases = Life(app, [university, verifier, verifier], 4), Releases(app, pool)
    survived = VictimDraft(role=VictimRole.PASANTE_MEDICINE, outcome=Outcome.SEVERE, nexus=Nexus.COMMUTE)
    for _ in range(4):
        await life.open(DAY, PLACE, "ROBBERY", survived)
    await releases.release_once()
    assert await releases.release_once() is None
    clock.advance(days=125)
    assert await releases.release_once() is not None
    await app.execute(OPERATOR, register.adopt_policy("disclosure-policy/2", eager(0)), WriteOptions())
    assert await releases.release_once() is not None
