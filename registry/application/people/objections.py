"""Objections: of every incident about a person who objects, or whose family does, what they may close stays closed.

Incidents may be opened about the person at any time, so the objections that stand are applied anew before a release.
"""

from uuid import UUID

import asyncpg

from registry.application.execution.application import Application
from registry.application.execution.unit import OPERATOR, Decision, Unit, WriteOptions
from registry.domain.incident import Incident
from registry.domain.mapper import AGGREGATES
from registry.domain.report import Report
from registry.store.erasures import Erasures
from registry.store.requests import Requests


class Objections:
    """Applies the objections of one register; the pool is that of the application's store."""

    def __init__(self, app: Application, pool: asyncpg.Pool) -> None:
        self._app = app
        self._erasures = Erasures(pool)
        self._requests = Requests(pool)

    async def hold_all(self) -> None:
        """Applies every objection that stands to the incidents that there are by now."""
        for person in await self._requests.objecting():
            await self.hold(person)

    async def hold(self, person: str) -> list[int]:
        """Applies one, to a pseudonym's incidents; the positions of the events that this took."""
        positions: list[int] = []
        for incident in await self._incidents(person):
            accepted = await self._app.execute(OPERATOR, _hold(incident), WriteOptions())
            positions += [event.position for event in accepted.events]
        return positions

    async def _incidents(self, person: str) -> list[UUID]:
        """The incidents that name the person, or that a report naming the person is linked to.

        Of merged ones, those that they were merged into.
        """
        covered = await self._app.store.events(await self._erasures.covered(f"person:{person}"))
        named = {one.stream_id for one in covered if AGGREGATES[one.type] is Incident}
        for report_id in {one.stream_id for one in covered if AGGREGATES[one.type] is Report}:
            report = await self._app.load(Report, report_id)
            named |= report.incidents if report is not None else frozenset()
        found: dict[UUID, None] = {}
        for incident_id in sorted(named):
            incident = await self._app.load(Incident, incident_id)
            while incident is not None and incident.merged_into is not None:
                incident = await self._app.load(Incident, incident.merged_into)
            if incident is not None and not incident.family_objects:
                found[incident.id] = None
        return list(found)


def _hold(incident_id: UUID) -> Decision:
    async def decide(unit: Unit) -> Incident:
        incident = await unit.target(Incident, incident_id)
        incident.hold_closed(unit.act)
        return incident

    return decide
