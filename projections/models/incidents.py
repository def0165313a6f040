"""Incidents as folded from their events: what a release decides on. Private."""

from collections.abc import Sequence

import asyncpg
import msgspec

from projections.tables import Connection
from registry.domain.incident import Incident
from registry.domain.mapper import AGGREGATES, decode_event
from registry.sql import load_queries
from registry.store import Recorded

_SQL = load_queries("projections.models", "incidents.sql")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Incident).decode


class IncidentsProjection:
    """Keeps ``incidents.folded``."""

    name = "incidents"
    version = 1

    async def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Folds the incident events of a batch into their aggregates."""
        relevant = [event for event in events if AGGREGATES.get(event.type) is Incident]
        if not relevant:
            return
        rows = await connection.fetch(_SQL["some"], list({event.stream_id for event in relevant}))
        folded = {row["incident"]: _decode(row["state"]) for row in rows}
        for event in relevant:
            incident = folded.setdefault(event.stream_id, Incident(id=event.stream_id))
            incident.fold(decode_event(event.type, event.state))
        await connection.execute(
            _SQL["store"],
            list(folded),
            [incident.ever_possible for incident in folded.values()],
            [_encode(incident) for incident in folded.values()],
        )


async def ever_possible(connection: Connection | asyncpg.Pool) -> list[Incident]:
    """All incidents that are, or were, POSSIBLE or better, by id."""
    return [_decode(row["state"]) for row in await connection.fetch(_SQL["ever_possible"])]
