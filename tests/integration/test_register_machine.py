"""Random commands of several institutions, against the database and against a small model of the rules.

What the model accepts the register accepts, what it refuses the register refuses by one of the same rules; and after
every step what is stored keeps what the register promises, whatever led there.
"""

import asyncio
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from projections.counting.count import count as counted
from projections.counting.query import ask
from registry.application import drafts as d
from registry.application.execution.application import Application
from registry.application.places import sites
from registry.database import connect_pool
from registry.domain.codes import Certainty
from registry.log.keys import LogKeys
from registry.privacy.master import MasterKey
from tests.integration.machine.reviewing import Reviewing
from tests.integration.machine.serving import Serving
from tests.integration.machine.stepping import CLASSES
from tests.integration.machine.world import NOW, World
from tests.register_model import Decided, Said


class RegisterMachine(Reviewing, Serving):
    """All of it together, from a common beginning to a last release."""

    @initialize(
        class_=st.sampled_from(CLASSES), confirmed=st.booleans(), dead=st.booleans(), ended=st.booleans()
    )
    def begin(self, class_: Any, confirmed: bool, dead: bool, ended: bool) -> None:
        """Three institutions have reported the same; of two reports there is an incident, and an assignment runs.

        Of something else there is another incident, and two reports wait. Maybe two reviewers have confirmed the first
        one, somebody died of it, and the assignment has ended.
        """
        for _ in range(2):
            draft = d.SiteDraft(name="Clínica", cvegeo="16012")
            self.ids["site"].append(self.run(self.world.execute(None, sites.register(draft))))
        for who, said in (
            ("university", Said(class_)),
            ("ministry", Said(class_)),
            ("both", Said(class_)),
            ("university", Said(class_, days=(5, 5))),
            ("ministry", Said(class_, days=(5, 5), direct=False)),
        ):
            self.submit(who, said)
        self.open(1, class_, [0, 4])
        self.open(6, class_, [12])
        if confirmed:
            for number in (1, 11):
                self.set_certainty(number, 0, Certainty.CONFIRMED, documented=True)
        self.assign("university", 0)
        self.serve(0, None, "start", None)
        if dead:
            self.record_victim(1, 0, 0, 1, killed=True, in_scope=True)
        if ended:
            self.serve(0, None, "end", None)

    @rule()
    def release(self) -> None:
        self.run(self.world.release())
        for number, expected in enumerate(self.model.incidents):
            incident = str(self.ids["incident"][number])
            disclosed = self.world.public.disclosures.get(incident)
            assert (disclosed is not None) == expected.shown
            if disclosed is None:
                continue
            assert tuple(counted([disclosed], ask("INCIDENTS")).bounds) == expected.count()
            assert tuple(counted([disclosed], ask("DEATHS")).bounds) == expected.count(deaths=True)
            assert disclosed.disputed == expected.disputed
            assert disclosed.incident_class == expected.kind
            merged = None if expected.merged_into is None else str(self.ids["incident"][expected.merged_into])
            assert disclosed.merged_into == merged

    def teardown(self) -> None:
        """Each redirect leads to an incident that is none; and the last word is a release."""
        for incident in self.model.incidents:
            met: list[Decided] = []
            while incident.merged_into is not None:
                assert incident not in met
                met.append(incident)
                incident = self.model.incidents[incident.merged_into]
        self.release()


def drive(database_url: str, master: MasterKey, log_keys: LogKeys, *, examples: int, steps: int) -> None:
    """One loop and one register for all examples: a database per example would take minutes."""
    with asyncio.Runner() as runner:

        async def begin() -> tuple[asyncpg.Pool, World]:
            pool = await connect_pool(database_url, min_size=1, max_size=3)
            world = World(Application(pool, master, log_keys, clock=lambda: NOW), pool)
            await world.begin()
            await world.follow()
            return pool, world

        async def end() -> None:
            await world.app.close()
            await pool.close()

        pool, world = runner.run(begin())

        class Example(RegisterMachine):
            def __init__(self) -> None:
                super().__init__(world, runner.run)

        try:
            run_state_machine_as_test(
                Example,
                settings=settings(
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                    max_examples=examples,
                    stateful_step_count=steps,
                ),
            )
        finally:
            runner.run(end())


def test_random_commands_never_break_a_rule(database_url: str, master: MasterKey, log_keys: LogKeys) -> None:
    drive(database_url, master, log_keys, examples=100, steps=40)


@pytest.mark.slow
def test_very_many_random_commands_never_break_a_rule(
    database_url: str, master: MasterKey, log_keys: LogKeys
) -> None:
    drive(database_url, master, log_keys, examples=200, steps=60)
