"""Events put straight into the store's table, for tests of readers that need no writer."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from registry.log.leaf import entry_leaf, open_leaf
from registry.log.merkle import leaf_hash


class Leaf(NamedTuple):
    """An event: open with its public object, or an entry with the stored state that only insiders read."""

    type: str
    public: dict[str, Any] | None = None
    stream: UUID = UUID(int=1, version=4)
    state: bytes = b"{}"


async def store_leaves(connection: Any, leaves: Sequence[Leaf], notify: bool = False) -> None:
    """Append events at the next positions, in one transaction, as the store's writer would."""
    async with connection.transaction():
        size = await connection.fetchval("SELECT size FROM head FOR UPDATE")
        await connection.executemany(
            "INSERT INTO events (position, event_id, stream_id, version, type, state, leaf, leaf_hash)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            [_row(position, leaf) for position, leaf in enumerate(leaves, size)],
        )
        await connection.execute("UPDATE head SET size = $1", size + len(leaves))
        if notify:
            await connection.execute("NOTIFY constancia_events")


def _row(position: int, leaf: Leaf) -> tuple[object, ...]:
    event_id = uuid4()
    if leaf.public is None:
        data = entry_leaf(event_id, "3q2+7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    else:
        data = open_leaf(event_id, leaf.type, date(2026, 11, 22), leaf.public)
    # The stream's version is its position: unique, which is all that readers rely on.
    return position, event_id, leaf.stream, position + 1, leaf.type, leaf.state, data, leaf_hash(data)
