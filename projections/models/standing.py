"""What every public answer is given with: its checkpoint, and whether the tables can answer as of that size at all."""

from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import orjson

from projections.counting.definition import DEFINITION_ID, definition_sha256
from projections.errors import CatchingUp, DefinitionNotAdopted, NotPublishedYet, ProjectionStopped
from projections.models.checkpoints import PublishedCheckpoint
from projections.models.public_count import PublicCount
from projections.models.waiting import Waiting
from projections.tables import Connection
from registry.sql import load_queries

SQL: Final = load_queries("projections.models", "standing.sql")
"""The statement, and its row as JSON: other statements bring it along as their first line, which ``read`` reads."""

VERSIONS: Final = (PublicCount.version, Waiting.version)
"""Its second and third parameter."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Standing(NamedTuple):
    """``checkpoint`` is None where none of that size was published; ``waiting``: how many incidents waited then."""

    checkpoint: PublishedCheckpoint | None
    waiting: int


async def standing(connection: Connection, size: int | None = None) -> Standing:
    """Check that answers as of ``size`` can be given; as of the latest checkpoint if it is None.

    Raises NotPublishedYet while there is none, CatchingUp or ProjectionStopped while the tables do not cover that size,
    or are of another version than this program, and DefinitionNotAdopted where the log counts by another definition.
    """
    (row,) = await connection.fetch(SQL["standing"], size, *VERSIONS)
    return _checked(dict(row), None if row["root"] is None else PublishedCheckpoint(*row[:4]))


def read(told: str) -> Standing:
    """The same from the line “told”. Raises the same."""
    row = orjson.loads(told)
    if row["root"] is None:
        return _checked(row, None)
    published_at = _EPOCH + timedelta(microseconds=row["published_at"])
    return _checked(row, PublishedCheckpoint(row["size"], b64decode(row["root"]), row["note"], published_at))


def _checked(row: Mapping[str, Any], checkpoint: PublishedCheckpoint | None) -> Standing:
    asked: int | None = row["size"]
    if asked is None:
        raise NotPublishedYet
    reached = row["reached"] if row["ours"] == len(VERSIONS) else 0
    if reached < asked:
        if row["stopped"] is not None:
            raise ProjectionStopped(row["stopped"], reached)
        raise CatchingUp(asked, reached)
    ours = f"{DEFINITION_ID} {definition_sha256()}"
    if row["definition"] != ours:
        raise DefinitionNotAdopted(asked, row["definition"], ours)
    return Standing(checkpoint, row["waiting"])
