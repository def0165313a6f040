"""The invented register over a real database: what there is to see, and that it is made once."""

import asyncio
import logging
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import uuid4

import asyncpg
import pytest

from api.demo import is_invented, seed
from api.start import adopt
from projections.counting.contribution import Reason
from projections.counting.count import CellState
from projections.counting.fold import Fold, fold
from projections.counting.query import Dimension, Unit, ask
from registry.application.execution.application import Application
from registry.database import connect_pool
from registry.domain.codes import Certainty, InstitutionKind
from registry.log.keys import load_or_create
from registry.privacy.master import MasterKey
from registry.store import Recorded
from tests.conftest import TEMPLATE
from tests.integration.conftest import Clock, new_institution

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
"""The three years end with September 2026."""

CUT_OFF_AT = (50, 700, 2300, 3900)
"""Sizes of the log at which a start is cut off: among the sites, the assignments, the cases, the releases."""


class Seeded(NamedTuple):
    """The register, seeded by several starts of which all but the last were cut off, and once more."""

    events: list[Recorded]
    fold: Fold
    size_after_another_start: int


@pytest.fixture(scope="module")
def seeded(server: str, tmp_path_factory: pytest.TempPathFactory) -> Seeded:
    keys = load_or_create(tmp_path_factory.mktemp("keys"), "log.example/demo")
    name = f"test_{uuid4().hex}"

    async def run() -> Seeded:
        administrator = await asyncpg.connect(server)
        await administrator.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
        pool = await connect_pool(server.replace("/constancia?", f"/{name}?"), min_size=1, max_size=10)
        async with Application(pool, MasterKey(bytes(range(32))), keys, clock=lambda: NOW) as app:
            await adopt(app)
            for size in CUT_OFF_AT:
                start = asyncio.create_task(seed(app, pool))
                while await app.store.size() < size:
                    assert not start.done()
                    await asyncio.sleep(0.02)
                start.cancel()
                with suppress(asyncio.CancelledError):
                    await start
            await seed(app, pool)
            events = await app.store.read(0, 100_000)
            await seed(app, pool)
            assert await is_invented(app, asked=False)
            size = await app.store.size()
        await pool.close()
        await administrator.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await administrator.close()
        return Seeded(events, fold(event.leaf for event in events), size)

    return asyncio.run(run())


def open_facets(seeded: Seeded) -> set[tuple[str, ...]]:
    """Which combinations of facets above the first rung are open, over all incidents."""
    names = ("state", "kind", "sex", "municipality", "month")
    return {
        tuple(name for name in names if getattr(one, name) is not None)
        for one in seeded.fold.disclosures.values()
    }


def test_a_start_that_was_cut_off_is_completed_without_doubling_anything(seeded: Seeded) -> None:
    assert seeded.size_after_another_start == len(seeded.events)
    assert Counter(event.type for event in seeded.events) == {
        "definition.adopted": 1,
        "policy.adopted": 1,
        "institution.registered": 13,
        "site.registered": 72,
        "assignment.registered": 1408,
        "assignment.relocated": 53,
        "assignment.ended": 1062,
        "threat.reported": 129,
        "attack.reported": 287,
        "relocation.reported": 13,
        "nil.reported": 6,
        "report.triaged": 407,
        "incident.opened": 249,
        "incident.finding_recorded": 753,
        "incident.victim_recorded": 251,
        "incident.certainty_set": 309,
        "incident.retracted": 2,
        "incident.disclosed": 313,
        "release.published": 12,
    }


def test_every_rung_of_every_ladder_is_reached_by_some_incident(seeded: Seeded) -> None:
    assert open_facets(seeded) >= {
        # attacks and threats, up to the month
        (),
        ("state",),
        ("state", "kind"),
        ("state", "kind", "municipality"),
        ("state", "kind", "municipality", "month"),
        # killings: the sex of the dead with the kind, all of it where the press had it, a state without its kind
        ("state", "kind", "sex"),
        ("state", "kind", "sex", "municipality", "month"),
        # sexual violence, nationwide
        ("kind",),
    }


def test_ten_of_a_kind_open_nationwide_and_four_do_not(seeded: Seeded) -> None:
    kinds = [one.kind for one in seeded.fold.disclosures.values() if one.state is None]
    assert kinds.count("SEXUAL_VIOLENCE") == 12
    assert "HARASSMENT" not in kinds


@pytest.mark.parametrize("dimension", ["STATE", "KIND"])
def test_a_view_shows_what_is_known_unknown_and_undisclosed(seeded: Seeded, dimension: str) -> None:
    rows = seeded.fold.count(ask(group_by=[dimension])).rows
    assert {row.key[0].state for row in rows} == set(CellState)


def test_the_counts_by_class_and_year_are_those_of_this_seed(seeded: Seeded) -> None:
    found = {
        (row.key[0].value, row.key[1].value or row.key[1].state): tuple(row.bounds)
        for row in seeded.fold.count(ask(group_by=[Dimension.CLASS, Dimension.YEAR])).rows
    }
    assert found == {
        ("ATTACK", "2023"): (5, 9, 14),  # October to December
        ("ATTACK", "2024"): (19, 45, 70),  # the year of the arranged cases
        ("ATTACK", "2025"): (8, 19, 32),
        ("ATTACK", "2026"): (6, 12, 18),  # January to July; what came later is not judged yet
        ("ATTACK", "UNKNOWN"): (0, 0, 2),  # around New Year
        ("THREAT", "2024"): (10, 19, 29),
        ("THREAT", "2025"): (4, 12, 21),
        ("THREAT", "2026"): (1, 3, 6),
    }


@pytest.mark.parametrize("nexus", ["STRICT", "BROAD"])
@pytest.mark.parametrize("unit", list(Unit))
def test_every_unit_has_a_low_a_best_and_a_high(seeded: Seeded, unit: Unit, nexus: str) -> None:
    assert {unit.value: min(seeded.fold.count(ask(unit, nexus=nexus)).bounds) > 0} == {unit.value: True}


def test_incidents_are_left_out_for_every_reason_that_there_can_be(seeded: Seeded) -> None:
    excluded = {item.reason for item in seeded.fold.count(ask()).excluded}
    assert excluded == {Reason.NO_IN_SCOPE_VICTIM, Reason.REFUTED, Reason.RETRACTED, Reason.RUMOUR}
    filtered = seeded.fold.count(ask(states=["08"], kinds=["MESSAGE", "EXTORTION"])).excluded
    assert {Reason.UNDISCLOSED, Reason.UNKNOWN} <= {item.reason for item in filtered}


def test_incidents_of_every_certainty_are_shown(seeded: Seeded) -> None:
    assert {one.certainty for one in seeded.fold.disclosures.values()} == set(Certainty)


async def test_invented_people_are_never_mixed_with_real_records(
    app: Application, pool: asyncpg.Pool, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    await adopt(app)
    assert await is_invented(app, asked=True)
    await new_institution(app, "Universidad de Verdad", InstitutionKind.UNIVERSITY, set())
    with caplog.at_level(logging.WARNING):
        await seed(app, pool)
    assert await app.store.size() == 3
    assert not await is_invented(app, asked=True)
    assert "holds records of its own" in caplog.text


async def test_it_ends_soon_when_the_program_is_stopping(app: Application, pool: asyncpg.Pool) -> None:
    await adopt(app)
    stopping = asyncio.Event()
    stopping.set()
    await seed(app, pool, stopping)
    assert await app.store.size() == 2
