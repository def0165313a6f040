"""One answered question with all that is given beside the number: checkpoint, certificate, citation."""

import asyncio
import base64
from typing import NamedTuple
from urllib.parse import urlencode

import asyncpg

from api import labels
from api.shared import Shared
from api.streams.streams import Streams
from projections.counting.count import Count
from projections.counting.definition import DEFINITION_ID, definition_sha256
from projections.counting.query import CountQuery
from projections.errors import CatchingUp, DefinitionNotAdopted
from projections.models import checkpoints, public_count
from projections.models.checkpoints import PublishedCheckpoint
from registry.log.canonical import JSON, encode
from registry.log.note import Signer
from registry.text import Language

CATCH_UP_SECONDS = 2.0
"""How long a question about a checkpoint just published waits for the read models, which follow within moments."""

ROWS_KEPT = 1_000
"""Rows of the longest table that is remembered, some 200 KB: by state and year there are fewer."""

_CATCH_UP_STEP_SECONDS = 0.05
_VARIABLES = "$unit:Unit!,$filter:CountFilter,$asOf:LogSize"
_ARGUMENTS = "unit:$unit,filter:$filter,asOf:$asOf"
_COUNT_FIELDS = (
    "unit low best high disputed excluded{reason incidents} definition{id sha256} asOf{size root} certificate"
)
_ROW_FIELDS = "rows{key{dimension state value} low best high} certificate"


class Backing(NamedTuple):
    """What answers rest on: a pool for reading, the keys that sign counts, the log's name, the process's streams,
    and the counts that were answered last: as of a size they never change."""

    pool: asyncpg.Pool
    signers: tuple[Signer, ...]
    origin: str
    streams: Streams
    counted: Shared[Count]

    @classmethod
    def of(cls, pool: asyncpg.Pool, signers: tuple[Signer, ...], origin: str, streams: Streams) -> "Backing":
        """With an empty memory."""
        return cls(pool, signers, origin, streams, Shared(keep=lambda count: len(count.rows) <= ROWS_KEPT))

    @property
    def base_url(self) -> str:
        """Where this register is reached. From the log's name and not from the request, which anyone may forge."""
        host = self.origin.removesuffix("/log")
        return f"{'http' if host.partition(':')[0] == 'localhost' else 'https'}://{host}"


class Answer(NamedTuple):
    """A question, its answer, and the checkpoint that it is as of."""

    backing: Backing
    query: CountQuery
    counted: Count
    checkpoint: PublishedCheckpoint
    waiting: int

    def whole(self) -> "Answer":
        """The answer to the same question without its breakdown."""
        return self._replace(query=self.query.whole(), counted=self.counted._replace(rows=()))

    def permalink(self) -> str:
        """A link that asks exactly this, as of exactly this size."""
        asked = self.query.canonical()
        variables: dict[str, JSON] = {
            "asOf": self.checkpoint.size,
            "filter": {name: value for name, value in _members(asked["filter"]) if value is not None},
            "unit": asked["unit"],
        }
        if self.query.group_by:
            variables["groupBy"] = asked["group_by"]
            document = (
                f"query($groupBy:[Dimension!]!,{_VARIABLES})"
                f"{{counts(groupBy:$groupBy,{_ARGUMENTS}){{{_ROW_FIELDS} total{{{_COUNT_FIELDS}}}}}}}"
            )
        else:
            document = f"query({_VARIABLES}){{count({_ARGUMENTS}){{{_COUNT_FIELDS}}}}}"
        return f"{self.backing.base_url}/graphql?" + urlencode(
            {"query": document, "variables": encode(variables).decode()}
        )

    def citation(self, language: Language) -> str:
        """The figure in one sentence with all that pins it."""
        low, best, high = self.counted.bounds
        root = base64.b64encode(self.checkpoint.root).decode()
        day = self.checkpoint.published_at.date().isoformat()
        unit = labels.UNITS[self.query.unit].in_(language)
        nexus = labels.NEXUS[self.query.nexus].in_(language)
        asked = encode(self.query.canonical()).decode()
        if language == "es":
            return (
                f"Constancia: {best} {unit} (mínimo {low}, máximo {high}) contra pasantes de medicina, {nexus}. "
                f"Pregunta {asked}. Definición {DEFINITION_ID}, sha256 {definition_sha256()}. Bitácora "
                f"{self.backing.origin}, tamaño {self.checkpoint.size}, raíz {root}, publicada el {day}. "
                f"{self.permalink()}"
            )
        return (
            f"Constancia: {best} {unit} (at least {low}, at most {high}) against medical students in social service, "
            f"{nexus}. Question {asked}. Definition {DEFINITION_ID}, sha256 {definition_sha256()}. Log "
            f"{self.backing.origin}, size {self.checkpoint.size}, root {root}, published {day}. {self.permalink()}"
        )


class Pin(NamedTuple):
    """The checkpoint that answers are as of, and how many incidents waited for a release then."""

    checkpoint: PublishedCheckpoint
    waiting: int


async def pin(backing: Backing, as_of: int | None) -> Pin:
    """The published checkpoint of that size, the latest one unless a size is given; the read models cover it.

    Raises ProjectionError; waits a moment for read models that follow.
    """
    deadline = asyncio.get_running_loop().time() + CATCH_UP_SECONDS
    while True:
        try:
            return await _pin(backing.pool, as_of)
        except CatchingUp:
            if asyncio.get_running_loop().time() >= deadline:
                raise
        await asyncio.sleep(_CATCH_UP_STEP_SECONDS)


async def _pin(pool: asyncpg.Pool, as_of: int | None) -> Pin:
    async with pool.acquire() as connection:
        try:
            checkpoint, waiting = await public_count.standing(connection, as_of)
        except (CatchingUp, DefinitionNotAdopted):
            if as_of is not None:
                await checkpoints.at_size(connection, as_of)  # that it was never published is told first
            raise
        if checkpoint is None:
            checkpoint = await checkpoints.at_size(connection, as_of or 0)
        return Pin(checkpoint, waiting)


async def answer(backing: Backing, query: CountQuery, pinned: Pin) -> Answer:
    """Count as of a published checkpoint. Who asks the same as of the same size is given the same count, read once."""

    async def count() -> Count:
        async with backing.pool.acquire() as connection:
            return await public_count.count(connection, query, pinned.checkpoint.size)

    counted = await backing.counted.ask((query, pinned.checkpoint.size), count)
    return Answer(backing, query, counted, pinned.checkpoint, pinned.waiting)


def _members(value: JSON) -> list[tuple[str, JSON]]:
    return list(value.items()) if isinstance(value, dict) else []
