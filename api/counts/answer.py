"""One answered question with all that is given beside the number: checkpoint, certificate, citation."""

import base64
from typing import NamedTuple
from urllib.parse import urlencode

import asyncpg

from api import labels
from api.counts.counts import Counts
from api.streams.streams import Streams
from projections.counting.certificate import certify
from projections.counting.count import Count
from projections.counting.definition import DEFINITION_ID, definition_sha256
from projections.counting.query import CountQuery
from projections.models.checkpoints import PublishedCheckpoint
from registry.log.canonical import JSON, encode
from registry.log.note import Signer
from registry.text import Language

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
    counts: Counts

    @classmethod
    def of(cls, pool: asyncpg.Pool, signers: tuple[Signer, ...], origin: str, streams: Streams) -> "Backing":
        """With an empty memory."""
        return cls(pool, signers, origin, streams, Counts(pool))

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

    def certificate(self) -> str:
        """Question, answer, definition and tree as a signed note (docs/counting.md)."""
        signers, origin = self.backing.signers, self.backing.origin
        return certify(signers, origin, self.query, self.counted, self.checkpoint.size, self.checkpoint.root)

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


def _members(value: JSON) -> list[tuple[str, JSON]]:
    return list(value.items()) if isinstance(value, dict) else []
