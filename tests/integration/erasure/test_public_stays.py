"""Erasing a subject: nothing that was published changes by a byte, and nothing that was sealed opens."""

from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from api.app import create_app
from api.cli.verify import run as verify
from api.services import Services
from api.start import adopt
from projections.models import PROJECTIONS
from projections.releases import Releases
from projections.runner import Runner
from registry.application import incidents, reading
from registry.application.drafts import CertaintyDraft
from registry.application.execution.application import Application
from registry.application.execution.unit import Actor, WriteOptions
from registry.application.people.erasure import Erasure, Subject
from registry.domain.codes import Certainty, CorrectionReason
from registry.domain.mapper import decode_event
from registry.domain.register import SubjectKind
from registry.log.keys import LogKeys
from registry.log.leaf import OpenLeaf, parse_leaf
from registry.log.publisher import Publisher
from tests.integration.conftest import Clock, institution_of
from tests.integration.erasure.telling import REASON, Told, everything
from tests.integration.published import given, mirror, one_incident


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
