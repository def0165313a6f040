"""Nothing public depends on a facet that is not open: no byte, no length, no order, nor the work of an answer."""

import asyncio
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.domain.codes import Outcome, Sex
from registry.log.keys import LogKeys
from registry.privacy.master import MasterKey
from tests.integration.attacked import (
    UNKNOWN,
    WAITING,
    Act,
    Life,
    Register,
    Secret,
    registers,
    without_chance,
)

ORDINARY = (Secret(cvegeo="16012"),) * 3
BASE = Secret()
OTHERS = {
    "everything": Secret(
        cvegeo="09012",
        kind="ROBBERY",
        day=date(2026, 1, 30),
        sex=Sex.MALE,
        outcome=Outcome.MISSING,
        narrative="Otro relato: distinto.",
    ),
    # What opens of it is another tier's, and not yet; that it is already public moves nothing there.
    "sexual violence, already public": Secret(kind="SEXUAL_VIOLENCE", known=True),
}
BY_CHANCE = re.compile(r"\.parquet$|datapackage")
"""Files whose compression, and so their length, follows from random ids."""


def life(secret: Secret, acts: Sequence[tuple[Act, int]] = ()) -> Life:
    return Life(incidents=(*ORDINARY, secret), acts=tuple(acts), waiting=secret)


async def test_nothing_that_anyone_can_ask_depends_on_a_sealed_facet(
    server: str, master: MasterKey, log_keys: LogKeys, tmp_path: Path
) -> None:
    async def lived(secret: Secret, name: str, every: int = 1) -> tuple[dict[str, bytes], Register]:
        async with registers(server, master, log_keys, tmp_path / name) as register:
            with without_chance():
                return await register.live(life(secret), every), register

    base, ours = await lived(BASE, "base")
    # What waits for a release is answered as what does not exist: with the same status, length and words.
    compared = [asked for asked in base if WAITING in asked]
    assert compared
    for asked in compared:
        unknown = asked.replace(WAITING, UNKNOWN)
        if unknown in base:
            assert base[asked] == base[unknown], asked
    for refused in (base["restricted"], base["restricted with a key"]):
        assert b'"code":"FORBIDDEN"' in refused
        assert refused.endswith(b'"data":null}')
    for name, other in OTHERS.items():
        seen, theirs = await lived(other, name.partition(" ")[0])
        assert seen.keys() == base.keys()
        assert [asked for asked in base if seen[asked] != base[asked]] == []
        # No clock can tell them apart either: the same statements read as many rows, answer for answer.
        assert [asked for asked in ours.work if theirs.work[asked] != ours.work[asked]] == []
        assert sum(len(work) for work in ours.work.values()) > len(ours.work) / 2
        # Those who may ask for what is sealed see the difference, and are given nothing that anyone could publish.
        assert ours.restricted != theirs.restricted
        assert b"BEGIN" not in theirs.restricted
        assert b"certificate" not in theirs.restricted

    # The model can tell two registers apart: what is open differs in it.
    opened, theirs = await lived(Secret(cvegeo="16012"), "open", every=10)
    assert [asked for asked in opened.keys() & base.keys() if opened[asked] != base[asked]]
    assert [
        asked for asked in theirs.work.keys() & ours.work.keys() if theirs.work[asked] != ours.work[asked]
    ]


async def test_answers_are_of_one_length_whatever_is_sealed(
    server: str, master: MasterKey, log_keys: LogKeys, tmp_path: Path
) -> None:
    """With ids, keys and commitments as they are in earnest."""
    lengths: list[dict[str, int]] = []
    for secret in (BASE, OTHERS["everything"]):
        async with registers(server, master, log_keys, tmp_path / uuid4().hex) as register:
            answers = await register.live(life(secret, [(Act.CORRECT, 3)]), every=5)
            lengths.append(
                {asked.replace(register.target, "the target"): len(answers[asked]) for asked in answers}
            )
    assert lengths[0] == lengths[1]


private = st.builds(
    Secret,
    cvegeo=st.sampled_from(["09012", "14039", "20067"]),
    kind=st.sampled_from(["ARMED_ATTACK", "ROBBERY", "SEXUAL_VIOLENCE", "HARASSMENT"]),
    corrected=st.sampled_from(["EXTORTION", "ABDUCTION"]),
    day=st.dates(date(2026, 1, 2), date(2026, 2, 20)),
    sex=st.sampled_from(Sex),
    outcome=st.sampled_from([Outcome.NONE, Outcome.MINOR, Outcome.SEVERE, Outcome.MISSING]),
    narrative=st.sampled_from(["Un relato.", "Otro relato, mucho más largo que el primero."]),
)
"""In states of their own, and fewer than any crowd: nothing but class, tally and year of these ever opens."""

public = st.builds(
    Secret,
    cvegeo=st.sampled_from(["16012", "16053"]),
    kind=st.sampled_from(["ROBBERY", "EXTORTION"]),
    corrected=st.just("ABDUCTION"),  # a correction says something else
)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Life, Life]:
    """Two lives that differ in nothing but what one or two incidents, and the one that waits, keep sealed."""
    known = draw(st.lists(public, max_size=4))
    sealed = draw(st.lists(st.tuples(private, private), min_size=1, max_size=2))
    waiting = draw(st.tuples(private, private))
    numbers = st.integers(0, len(known) + len(sealed) - 1)
    acts = tuple(
        draw(st.lists(st.tuples(st.sampled_from(Act), numbers), max_size=3, unique_by=lambda act: act[1]))
    )
    one, other = (
        Life(incidents=(*known, *(pair[side] for pair in sealed)), acts=acts, waiting=waiting[side])
        for side in (0, 1)
    )
    return one, other


def test_no_history_tells_what_it_keeps_sealed(
    server: str, master: MasterKey, log_keys: LogKeys, tmp_path: Path
) -> None:
    async def lived(one: Life) -> tuple[dict[str, bytes], Register]:
        async with registers(server, master, log_keys, tmp_path / uuid4().hex) as register:
            with without_chance():
                return await register.live(one, every=11), register

    @settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(pairs())
    def indistinguishable(lives: tuple[Life, Life]) -> None:
        (one, ours), (other, theirs) = (asyncio.run(lived(each)) for each in lives)
        assert one.keys() == other.keys()
        assert [asked for asked in one if other[asked] != one[asked]] == []
        assert ours.work == theirs.work

    indistinguishable()
