"""Published checkpoints as readers ask for them. The publisher owns the table; nothing is written here."""

from datetime import datetime
from typing import NamedTuple

from projections.errors import NotACheckpoint, NotPublishedYet
from projections.tables import Connection
from registry.log.note import split_note
from registry.sql import load_queries

_SQL = load_queries("projections.models", "checkpoints.sql")
_BEYOND = 2**63 - 1


class PublishedCheckpoint(NamedTuple):
    """A size that figures may be cited as of. ``published_at``: when that size was first published, UTC."""

    size: int
    root: bytes
    note: str
    published_at: datetime

    @property
    def witnesses(self) -> tuple[str, ...]:
        """Names of the keys beside the log's own that signed the note; who they are, a verifier's policy says."""
        origin = self.note.partition("\n")[0]
        _, signatures = split_note(self.note)
        return tuple(signature.name for signature in signatures if signature.name != origin)


async def latest(connection: Connection) -> PublishedCheckpoint:
    """The one that readers see now. Raises NotPublishedYet."""
    rows = await connection.fetch(_SQL["latest"])
    if not rows:
        raise NotPublishedYet
    return PublishedCheckpoint(*rows[0])


async def at_size(connection: Connection, size: int) -> PublishedCheckpoint:
    """The one of exactly this size. Raises NotACheckpoint, naming the nearest lower one."""
    rows = await connection.fetch(_SQL["at_size"], size)
    if not rows:
        raise NotACheckpoint(size, await connection.fetchval(_SQL["nearest_below"], size))
    return PublishedCheckpoint(*rows[0])


async def at_time(connection: Connection, time: datetime) -> PublishedCheckpoint:
    """The one that readers saw at ``time`` (aware). Raises NotPublishedYet when that was before the first."""
    rows = await connection.fetch(_SQL["at_time"], time)
    if not rows:
        raise NotPublishedYet(time)
    return PublishedCheckpoint(*rows[0])


async def page(connection: Connection, below: int | None, limit: int) -> list[PublishedCheckpoint]:
    """Newest first, those smaller than ``below``."""
    rows = await connection.fetch(_SQL["page"], _BEYOND if below is None else below, limit)
    return [PublishedCheckpoint(*row) for row in rows]
