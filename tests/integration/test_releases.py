"""Releases over a real database: what they disclose, once, all or nothing."""

import asyncio
from base64 import b64decode
from datetime import date
from typing import Any, cast
from uuid import UUID

import asyncpg
import pytest

from projections.models import incidents as folded
from projections.release_decision import Decider
from projections.releases import Releases
from projections.runner import Runner
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
from registry.errors import RuleViolated
from registry.log.leaf import OpenLeaf, parse_leaf
from registry.privacy.sealing import verify_opening
from tests.integration.conftest import Clock

WHEN = WhenDraft(earliest=date(2026, 1, 5), latest=date(2026, 1, 5), precision=DatePrecision.DAY)
WHERE = WhereDraft(cvegeo="16012", precision=PlacePrecision.MUNICIPALITY)


@pytest.fixture
async def releases(app: Application, pool: asyncpg.Pool) -> Releases:
    await app.execute(OPERATOR, register.adopt_definition("national-count/1", "ab" * 32), WriteOptions())
    await app.execute(
        OPERATOR, register.adopt_policy("disclosure-policy/1", policy.shipped()), WriteOptions()
    )
    return Releases(app, pool)


async def adjudicate(app: Application, university: Actor, verifier: Actor, outcome: Outcome) -> UUID:
    """An attack, reported and found POSSIBLE."""
    victim = VictimDraft(
        role=VictimRole.PASANTE_MEDICINE, sex=Sex.MALE, outcome=outcome, nexus=Nexus.ON_DUTY_AT_SITE
    )
    report = await app.execute(
        university,
        reports.submit(
            ReportDraft(
                class_=ReportClass.ATTACK,
                source_type=SourceType.UNIVERSITY,
                directness=Directness.DIRECT,
                when=WHEN,
                where=WHERE,
                kind="ARMED_ATTACK",
                victims=[victim],
            )
        ),
        WriteOptions(),
    )
    draft = IncidentDraft(
        class_=IncidentClass.ATTACK,
        reports=[report.id],
        findings=[FindingDraft(when=WHEN), FindingDraft(where=WHERE), FindingDraft(kind="ARMED_ATTACK")],
        victims=[victim],
        certainty=CertaintyDraft(level=Certainty.POSSIBLE),
    )
    return (await app.execute(verifier, incidents.open_incident(draft), WriteOptions())).id


async def disclosures(app: Application) -> list[tuple[UUID, dict[str, Any]]]:
    """(event id, public) of every incident.disclosed leaf, in order."""
    leaves = [parse_leaf(one.leaf) for one in await app.store.read(0, 1000)]
    return [
        (leaf.event_id, cast("dict[str, Any]", leaf.public))
        for leaf in leaves
        if isinstance(leaf, OpenLeaf) and leaf.type == "incident.disclosed"
    ]


async def test_nothing_is_released_before_a_policy_is_adopted(app: Application, pool: asyncpg.Pool) -> None:
    with pytest.raises(RuleViolated):
        await Releases(app, pool).release_once()


async def test_an_attack_opens_its_first_rung_and_seals_the_rest(
    app: Application, releases: Releases, university: Actor, verifier: Actor
) -> None:
    incident = await adjudicate(app, university, verifier, Outcome.SEVERE)
    assert await releases.release_once() is not None

    ((_, public),) = await disclosures(app)
    assert public["incident"] == str(incident)
    assert {name for name, facet in public["facets"].items() if "value" in facet} == {"tally", "year"}
    assert all(
        "sealed" in public["facets"][name] for name in ("state", "kind", "municipality", "month", "sex")
    )


async def test_a_killing_opens_up_to_its_kind_at_once(
    app: Application, releases: Releases, university: Actor, verifier: Actor
) -> None:
    await adjudicate(app, university, verifier, Outcome.KILLED)
    await releases.release_once()

    ((_, public),) = await disclosures(app)
    facets = public["facets"]
    assert facets["state"] == {"value": "16"}
    assert facets["kind"] == {"value": "ARMED_ATTACK"}
    assert facets["sex"] == {"value": {"strict": {"MALE": [1, 1, 1]}, "broad": {"MALE": [1, 1, 1]}}}
    assert "sealed" in facets["municipality"]


async def test_a_facet_that_opens_later_matches_what_was_sealed(
    app: Application, releases: Releases, university: Actor, verifier: Actor, clock: Clock
) -> None:
    for _ in range(3):
        await adjudicate(app, university, verifier, Outcome.SEVERE)
    await releases.release_once()
    sealed = {public["incident"]: (event_id, public) for event_id, public in await disclosures(app)}
    clock.advance(days=120)
    await releases.release_once()

    later = (await disclosures(app))[3:]
    assert len(later) == 3
    for _, public in later:
        event_id, before = sealed[public["incident"]]
        opening = public["facets"]["state"]
        assert opening["sealed_in"] == str(event_id)
        verify_opening(
            before["facets"]["state"]["sealed"],
            b64decode(opening["key"]),
            event_id,
            "state",
            opening["value"],
        )
        assert public["facets"]["month"]["sealed"] == before["facets"]["month"]["sealed"]


async def test_a_release_without_changes_writes_nothing(
    app: Application, releases: Releases, university: Actor, verifier: Actor
) -> None:
    await adjudicate(app, university, verifier, Outcome.SEVERE)
    assert await releases.release_once() is not None
    assert await releases.release_once() is None


async def test_two_releases_at_once_disclose_each_incident_once(
    app: Application, releases: Releases, university: Actor, verifier: Actor
) -> None:
    for _ in range(4):
        await adjudicate(app, university, verifier, Outcome.SEVERE)
    await asyncio.gather(releases.release_once(), releases.release_once())
    assert len(await disclosures(app)) == 4


async def test_a_release_that_is_cut_short_anywhere_is_made_whole_by_the_next(
    app: Application,
    pool: asyncpg.Pool,
    releases: Releases,
    university: Actor,
    verifier: Actor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = [
        (Runner, "catch_up"),
        (Decider, "decide"),
        (type(app.store), "append"),
        (folded, "remember"),
    ]
    lives = 0
    for owner, name in steps:
        original = getattr(owner, name)
        for after in (False, True):
            recorded = name == "remember" or (name == "append" and after)

            async def cut(*arguments: Any, original: Any = original, after: bool = after) -> None:
                if after:
                    await original(*arguments)
                raise KilledError

            await adjudicate(app, university, verifier, Outcome.SEVERE)
            with monkeypatch.context() as patched:
                patched.setattr(owner, name, cut)
                with pytest.raises(KilledError):
                    await releases.release_once()
            assert len(await disclosures(app)) == lives + recorded

            # Another process, which knows nothing of this one.
            accepted = await Releases(app, pool).release_once()
            assert (accepted is None) == recorded
            lives += 1
            assert len({public["incident"] for _, public in await disclosures(app)}) == lives
    assert len(await disclosures(app)) == lives
    assert await releases.release_once() is None


class KilledError(BaseException):
    """As if the process ended here."""


async def test_releases_follow_their_cadence_until_they_are_stopped(
    app: Application, releases: Releases, university: Actor, verifier: Actor
) -> None:
    stopping = asyncio.Event()
    running = asyncio.create_task(releases.run(0.01, stopping))
    for count in (1, 2):
        await adjudicate(app, university, verifier, Outcome.SEVERE)
        while len(await disclosures(app)) < count:  # noqa: ASYNC110 - what others store gives no signal here
            await asyncio.sleep(0.01)
    stopping.set()
    await running
    assert len(await disclosures(app)) == 2


async def test_a_retraction_is_released_as_a_tombstone_with_its_reason(
    app: Application, releases: Releases, university: Actor, verifier: Actor
) -> None:
    incident = await adjudicate(app, university, verifier, Outcome.SEVERE)
    await releases.release_once()
    retraction = RetractionDraft(reason=CorrectionReason.SOURCE_WITHDRAWN)
    await app.execute(verifier, incidents.retract(incident, retraction), WriteOptions())
    await releases.release_once()

    _, public = (await disclosures(app))[-1]
    assert (public["status"], public["reason"]) == ("RETRACTED", "PROTECTED")


async def test_what_was_possible_once_is_shown_as_the_rumour_it_became(
    app: Application, releases: Releases, university: Actor, verifier: Actor
) -> None:
    incident = await adjudicate(app, university, verifier, Outcome.SEVERE)
    await app.execute(
        verifier, incidents.set_certainty(incident, CertaintyDraft(level=Certainty.RUMOUR)), WriteOptions()
    )
    await releases.release_once()
    # It was POSSIBLE once, so it is shown as what it is now.
    ((_, public),) = await disclosures(app)
    assert public["certainty"] == "RUMOUR"
