"""How many incidents are adjudicated and wait for a release, at any size of the log: attested, never certified.

This one reads the private codes of events (an incident that is only a rumour waits for nothing), so it is a
projection of its own, and of what it reads it keeps nothing but that an incident waits, from where to where.
"""

from collections.abc import Sequence

from projections.runner import Connection
from registry.domain.codes import Certainty
from registry.domain.incident import CertaintySet
from registry.domain.mapper import decode_event
from registry.sql import load_queries
from registry.store.records import Recorded

_SQL = load_queries("projections.models", "waiting.sql")
_ADJUDICATING = frozenset({Certainty.POSSIBLE, Certainty.PROBABLE, Certainty.CONFIRMED})


class Waiting:
    """Keeps the schema ``waiting`` up with the log."""

    name = "waiting"
    version = 1

    async def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        for recorded in events:
            if recorded.type == "release.published":
                await connection.execute(_SQL["release"], recorded.position)
            elif recorded.type == "incident.disclosed":
                await connection.execute(_SQL["disclose"], recorded.stream_id)
                await connection.execute(_SQL["end"], recorded.stream_id, recorded.position)
            elif recorded.type.startswith("incident."):
                event = decode_event(recorded.type, recorded.state)
                if isinstance(event, CertaintySet) and event.level in _ADJUDICATING:
                    await connection.execute(_SQL["adjudicate"], recorded.stream_id)
                await connection.execute(_SQL["wait"], recorded.stream_id, recorded.position)
