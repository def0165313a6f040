"""Releases: the one process that folds, then commands.

It brings the models that it decides on up to date, lets the ladder decide (``release_decision``), and appends one
``incident.disclosed`` for each incident that changed, in the order of their random ids, and one ``release.published``
at the end. All of it is one command: no checkpoint ever shows half a release, a crash leaves nothing behind, and of
two releases at once the second decides anew on what the first has left.
"""

import asyncio
from contextlib import suppress
from uuid import uuid4

import asyncpg

from projections.models import answers, incidents, placements
from projections.models.incidents import Decided
from projections.release_decision import MODELS, Case, Decider
from projections.runner import Runner
from registry.application.execution.answers import Accepted
from registry.application.execution.application import Application
from registry.application.execution.unit import OPERATOR, Unit, WriteOptions
from registry.application.people.objections import Objections
from registry.disclosure import disclosed, policy
from registry.disclosure.facets import FACETS
from registry.domain.register import REGISTER_ID, Register


class Releases:
    """Publishes releases. Several processes may hold one; the register's stream lets one win at a time."""

    def __init__(self, app: Application, pool: asyncpg.Pool) -> None:
        self._app = app
        self._pool = pool
        self._objections = Objections(app, pool)
        self._models = Runner(
            pool,
            [incidents.IncidentsProjection(), placements.PlacementsProjection(), answers.AnswersProjection()],
        )

    async def run(self, every: float, stopping: asyncio.Event) -> None:
        """A release every so many seconds until ``stopping`` is set. Raises what ``release_once`` raises."""
        while not stopping.is_set():
            await self.release_once()
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), every)

    async def release_once(self) -> Accepted | None:
        """One release; None when nothing has changed since the last. Durable when this returns.

        Raises RuleViolated before a definition and a policy are adopted, ProjectionStopped when a model that it
        decides on has stopped, StoreUnavailable when decisions came faster than it could follow.
        """
        await self._objections.hold_all()
        decided: list[Decided] = []

        async def decide(unit: Unit) -> Register:
            await self._models.catch_up()
            register = await unit.find(Register, REGISTER_ID) or Register(id=REGISTER_ID)
            decided.append(await self._decide(unit, register))
            return register

        accepted = await self._app.execute(OPERATOR, decide, WriteOptions())
        # After the release, never before: whoever is killed in between looks at the same incidents once more.
        await incidents.remember(self._pool, decided[-1])
        return accepted if accepted.events else None

    async def _decide(self, unit: Unit, register: Register) -> Decided:
        _, document = register.rules()
        rules, on = policy.parse(document), unit.act.at.date()
        now = Decided(await incidents.reached(self._pool, MODELS), policy.sha256(document))
        decider = Decider(self._app, self._pool, rules, on=on, previous_release=register.released)
        count = 0
        for case, standing in await decider.decide(await incidents.decided(self._pool), now.policy):
            if disclosed.changed(standing, case.previous):
                count += 1
                _disclose(unit, case, standing)
        answered = await answers.answers(self._pool, on)
        if count or register.released is None or answered != register.answers:
            register.publish_release(unit.act, release=uuid4(), disclosed=count, answers=answered)
            unit.add(register)
        return now


def _disclose(unit: Unit, case: Case, standing: disclosed.Standing) -> None:
    event_id = uuid4()
    disclosure = disclosed.disclose(event_id, standing, case.previous, case.incident.correction)
    unit.add(case.incident).disclose(
        unit.act,
        event_id=event_id,
        disclosure=disclosure.public,
        facets={name: case.facets.value(name) for name in FACETS},
        commitment_keys={seal.field: seal.key for seal in disclosure.sealed},
    )
