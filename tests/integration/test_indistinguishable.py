"""Who reported what, and when, cannot be told from the log: threats look like assignments, a university like others.

The tests know which leaf is which and look for any trace of it in all that the public gets: bytes, lengths, order,
headers, the time of publication. What they compare is random, so that bounds are six standard deviations wide: they
fail by chance less than once in a million runs.
"""

import asyncio
import json
import random
import re
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date
from itertools import pairwise
from math import sqrt
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import asyncpg
import httpx
import pytest

from api.app import create_app
from api.auth.keys import Keys
from api.auth.token import Tokens
from api.health import Health
from api.services import Services
from registry.application import assignments, incidents, reports
from registry.application.drafts import (
    AssignmentDraft,
    CertaintyDraft,
    FindingDraft,
    IncidentDraft,
    ReportDraft,
    SiteDraft,
    Student,
    VictimDraft,
)
from registry.application.execution.application import Application
from registry.application.execution.unit import OPERATOR, Actor, WriteOptions
from registry.application.places import sites
from registry.domain.codes import (
    Certainty,
    Directness,
    IncidentClass,
    InstitutionKind,
    Nexus,
    Outcome,
    PlazaType,
    ReportClass,
    Sex,
    SourceType,
    VictimRole,
)
from registry.log.keys import LogKeys
from registry.log.leaf import EntryLeaf, parse_leaf
from registry.log.publisher import Publisher
from registry.log.tiles import bundle_path
from registry.privacy.master import MasterKey
from registry.settings import Settings
from tests.integration.conftest import new_institution

SUBMISSIONS = 1000
COMMANDS = 100
SIGMAS = 6.0

ID = re.compile(rb'(?<="id":")[0-9a-f-]{36}(?=")')
SEAL = re.compile(rb'(?<="content":")[A-Za-z0-9+/]{43}=(?=")')


class Secret(NamedTuple):
    """One leaf, and what nobody may learn of it."""

    position: int
    leaf: bytes
    kind: str
    sender: str

    @property
    def bits(self) -> list[int]:
        """All its random bits: those of the id that are not fixed by UUIDv4, those of the commitment."""
        parsed = parse_leaf(self.leaf)
        assert isinstance(parsed, EntryLeaf)
        number = parsed.event_id.int
        fixed = {*range(76, 80), 62, 63}  # version and variant (RFC 9562 section 5.4)
        return [number >> at & 1 for at in range(128) if at not in fixed] + [
            character >> at & 1 for character in b64decode(parsed.content) for at in range(8)
        ]


def attack(student: str) -> ReportDraft:
    return ReportDraft(
        class_=ReportClass.ATTACK,
        source_type=SourceType.UNIVERSITY,
        directness=Directness.DIRECT,
        kind="COERCED_CARE",
        narrative="Un relato largo. " * 200,
        victims=[
            VictimDraft(
                role=VictimRole.PASANTE_MEDICINE,
                sex=Sex.FEMALE,
                outcome=Outcome.SEVERE,
                nexus=Nexus.ON_DUTY_AT_SITE,
                student=Student(internal_id=student),
            )
        ],
    )


def threat() -> ReportDraft:
    return ReportDraft(class_=ReportClass.THREAT, source_type=SourceType.UNIVERSITY, kind="MESSAGE")


@pytest.fixture
async def secrets(app: Application) -> list[Secret]:
    """Leaves of three kinds by two universities, in a random order."""
    site = await app.execute(
        OPERATOR, sites.register(SiteDraft(name="Clínica del Lago", cvegeo="16012")), WriteOptions()
    )
    senders = [
        await new_institution(app, name, InstitutionKind.UNIVERSITY, {"reports:write", "assignments:write"})
        for name in ("Universidad A", "Universidad Autónoma de Nombre Muy Largo")
    ]

    async def submit(number: int, sender: Actor, kind: str) -> Secret:
        if kind == "assignment":
            draft = AssignmentDraft(
                student=Student(internal_id=f"EJEMPLO-{number}"),
                site=site.id,
                promotion="2026-1",
                plaza_type=PlazaType.C,
                starts=date(2026, 2, 1),
                planned_end=date(2027, 1, 31),
            )
            decision = assignments.register(draft)
        else:
            decision = reports.submit(threat() if kind == "threat" else attack(f"EJEMPLO-{number}"))
        accepted = await app.execute(sender, decision, WriteOptions())
        (event,) = accepted.events
        return Secret(event.position, event.leaf, kind, str(sender.institution))

    made = []
    plan = [
        (number, random.choice(senders), random.choice(["threat", "attack", "assignment"]))
        for number in range(SUBMISSIONS)
    ]
    for start in range(0, SUBMISSIONS, 50):
        made += await asyncio.gather(*(submit(*each) for each in plan[start : start + 50]))
    return sorted(made)


@pytest.fixture
async def publisher(pool: asyncpg.Pool, log_keys: LogKeys, tmp_path: Path) -> Publisher:
    """Ask for it first: it has published the empty log."""
    publisher = Publisher(pool, log_keys, log_keys.origin, tmp_path)
    await publisher.publish_once()
    return publisher


@pytest.fixture
async def public(
    pool: asyncpg.Pool, app: Application, log_keys: LogKeys, master: MasterKey, tmp_path: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """Anybody's client."""
    services = Services(
        settings=Settings(data=tmp_path),
        pool=pool,
        application=app,
        log_keys=log_keys,
        api_keys=Keys(pool, Tokens(master, "test")),
        health=Health(),
    )
    transport = httpx.ASGITransport(create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://register.example") as client:
        yield client


class Neighbours(NamedTuple):
    """Two leaves, one right after the other: what they have in common."""

    first: Secret
    second: Secret

    @property
    def bits(self) -> list[int]:
        """Where their random bits differ."""
        return [one ^ other for one, other in zip(self.first.bits, self.second.bits, strict=True)]


class HasBits(Protocol):
    @property
    def bits(self) -> list[int]: ...


Labels = Callable[[Secret], Any]

QUESTIONS: dict[str, Labels] = {
    "an assignment or a report": lambda secret: secret.kind == "assignment",
    "a threat or an attack": lambda secret: None if secret.kind == "assignment" else secret.kind == "threat",
    "who sent it": lambda secret: secret.sender,
}
"""What to tell apart; None where the question does not arise."""


def two_groups(secrets: list[Secret], label: Labels) -> tuple[list[Secret], list[Secret]]:
    labels = sorted({label(secret) for secret in secrets} - {None})
    first, second = ([secret for secret in secrets if label(secret) == each] for each in labels)
    return first, second


async def test_nothing_in_a_leaf_or_its_place_tells_what_it_is(secrets: list[Secret]) -> None:
    # But for two random values, every entry is the same text.
    assert {len(secret.leaf) for secret in secrets} == {134}
    skeletons = {SEAL.sub(b"?", ID.sub(b"?", secret.leaf)) for secret in secrets}
    assert skeletons == {b'{"id":"?","sealed":{"content":"?"},"type":"entry","v":1}'}
    assert {json.loads(secret.leaf)["id"][14] for secret in secrets} == {"4"}

    # Both are new each time, also where the same was sent again.
    for part in (ID, SEAL):
        found = [part.search(secret.leaf) for secret in secrets]
        assert len({each[0] for each in found if each}) == SUBMISSIONS

    # Ids do not count upwards, in time or otherwise.
    ids = [json.loads(secret.leaf)["id"] for secret in secrets]
    rising = sum(before < after for before, after in pairwise(ids))
    expected, deviation = (SUBMISSIONS - 1) / 2, sqrt((SUBMISSIONS + 1) / 12)
    assert abs(rising - expected) < SIGMAS * deviation

    for name, label in QUESTIONS.items():
        first, second = two_groups(secrets, label)
        no_bit_differs(first, second, name)
        no_bit_pattern_is_learned(first, second, name)


async def test_the_leaves_of_one_command_tell_neither_their_order_nor_that_they_belong_together(
    app: Application, university: Actor, verifier: Actor
) -> None:
    async def adjudicate() -> list[Secret]:
        accepted = await app.execute(university, reports.submit(attack("EJEMPLO-1")), WriteOptions())
        draft = IncidentDraft(
            class_=IncidentClass.ATTACK,
            reports=[accepted.id],
            findings=[FindingDraft(kind="COERCED_CARE")],
            certainty=CertaintyDraft(level=Certainty.POSSIBLE),
        )
        opened = await app.execute(verifier, incidents.open_incident(draft), WriteOptions())
        return [Secret(each.position, each.leaf, "", "") for each in opened.events]

    commands: list[list[Secret]] = []
    for _ in range(COMMANDS // 20):
        commands += await asyncio.gather(*(adjudicate() for _ in range(20)))
    assert all(len(leaves) > 2 for leaves in commands)
    assert all(after.position == leaf.position + 1 for leaves in commands for leaf, after in pairwise(leaves))

    # Which of its command a leaf is.
    for name, at in (("the first", 0), ("the last", -1)):
        others = [leaf for leaves in commands for leaf in leaves if leaf is not leaves[at]]
        no_bit_differs([leaves[at] for leaves in commands], others, name)
        no_bit_pattern_is_learned([leaves[at] for leaves in commands], others, name)

    # Whether two neighbours are of one command: ids do not rise within it, nothing recurs in the other.
    within = [Neighbours(*pair) for leaves in commands for pair in pairwise(leaves)]
    across = [Neighbours(leaves[-1], after[0]) for leaves, after in pairwise(commands)]
    rising = sum(json.loads(pair.first.leaf)["id"] < json.loads(pair.second.leaf)["id"] for pair in within)
    assert abs(rising / len(within) - 0.5) < SIGMAS * 0.5 / sqrt(len(within))
    no_bit_differs(within, across, "of one command")
    no_bit_pattern_is_learned(within, across, "of one command")


def no_bit_differs(first: Sequence[HasBits], second: Sequence[HasBits], name: str) -> None:
    """Each random bit is set as often in one group as in the other, and in half of either."""
    for group in (first, second):
        for at, share in enumerate(shares(group)):
            assert abs(share - 0.5) < SIGMAS * 0.5 / sqrt(len(group)), (name, at)
    both = sqrt(1 / len(first) + 1 / len(second)) / 2
    for at, (one, other) in enumerate(zip(shares(first), shares(second), strict=True)):
        assert abs(one - other) < SIGMAS * both, (name, at)


def no_bit_pattern_is_learned(first: Sequence[HasBits], second: Sequence[HasBits], name: str) -> None:
    """Who has seen half of the leaves with their labels guesses the other half no better than a coin."""
    half = min(len(first), len(second)) // 2
    weights = [one - other for one, other in zip(shares(first[:half]), shares(second[:half]), strict=True)]

    def guess(secret: HasBits) -> bool:
        return sum(weight * (bit - 0.5) for weight, bit in zip(weights, secret.bits, strict=True)) > 0

    tried = [guess(secret) for secret in first[half : 2 * half]]
    tried += [not guess(secret) for secret in second[half : 2 * half]]
    assert abs(sum(tried) / len(tried) - 0.5) < SIGMAS * 0.5 / sqrt(len(tried)), name


def shares(group: Sequence[HasBits]) -> list[float]:
    """How often each bit is set."""
    return [sum(column) / len(group) for column in zip(*(secret.bits for secret in group), strict=True)]


async def test_nothing_in_an_answer_tells_what_its_leaves_are(
    publisher: Publisher, secrets: list[Secret], public: httpx.AsyncClient
) -> None:
    size = (await publisher.publish_once()).size

    # Bundles of entries alone differ in random values and in nothing else.
    answers = [await public.get(f"/log/{bundle_path(number)}") for number in range(1, size // 256)]
    assert len(answers) > 1
    assert len({tuple(sorted(answer.headers.items())) for answer in answers}) == 1
    assert len({SEAL.sub(b"?", ID.sub(b"?", answer.content)) for answer in answers}) == 1

    # How long a proof is, its index and the tree's size decide.
    seen: dict[tuple[int, int], set[Any]] = {}
    for secret in random.sample(secrets, 200):
        answer = await public.get(f"/log/proof/{secret.position}")
        assert answer.status_code == 200
        hashes = answer.text.split("\n\n")[0].count("\n") - 1
        shape = (hashes, len(str(secret.position)))
        seen.setdefault(shape, set()).add(tuple(sorted(answer.headers.items())))
    assert all(len(headers) == 1 for headers in seen.values())


async def test_what_was_accepted_shows_nowhere_before_its_time(
    publisher: Publisher, app: Application, university: Actor, public: httpx.AsyncClient
) -> None:
    stopping = asyncio.Event()
    running = asyncio.create_task(publisher.run(1e9, stopping))

    async def look() -> list[tuple[int, list[tuple[str, str]], bytes]]:
        """All that anybody can ask the log."""
        size = int((await public.get("/log/checkpoint")).text.split("\n")[1])
        paths = ["checkpoint", "keys", "policy", "tile/0/001", "tile/entries/001"]
        paths += [f"proof/{index}" for index in range(size + 3)]
        paths += [f"tile/{kind}/000.p/{width}" for kind in ("0", "entries") for width in range(1, size + 3)]
        answers = [await public.get(f"/log/{path}") for path in paths]
        return [(answer.status_code, sorted(answer.headers.items()), answer.content) for answer in answers]

    before = await look()
    for draft in (threat(), attack("EJEMPLO-1")):
        await app.execute(university, reports.submit(draft), WriteOptions())
        await asyncio.sleep(0.1)
        assert await look() == before
    stopping.set()
    await running
