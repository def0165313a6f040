"""One answered question with all that is given beside the number: checkpoint, certificate, citation."""

import base64
from typing import NamedTuple

import asyncpg

from api import labels
from api.counts.counts import Counts
from api.streams.streams import Streams
from api.web import questions
from api.web.pages import address
from projections.counting.certificate import certify
from projections.counting.count import Count
from projections.counting.definition import DEFINITION_ID, definition_sha256
from projections.counting.query import CountQuery
from projections.models.checkpoints import PublishedCheckpoint
from registry.log.canonical import encode
from registry.log.note import Signer
from registry.text import Language


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

    def permalink(self, language: Language = "es") -> str:
        """The page that answers exactly this, as of exactly this size."""
        asked = questions.write(self.query, self.checkpoint.size)
        return self.backing.base_url + address("explore", language, asked)

    def citation(self, language: Language) -> str:
        """The figure in one sentence with all that pins it."""
        low, best, high = self.counted.bounds
        root = base64.b64encode(self.checkpoint.root).decode()
        day = self.checkpoint.published_at.date().isoformat()
        unit = labels.UNITS[self.query.unit].in_(language)
        nexus = labels.NEXUS[self.query.nexus].in_(language)
        asked, link = encode(self.query.canonical()).decode(), self.permalink(language)
        if language == "es":
            return (
                f"Constancia. Agresiones y amenazas contra pasantes de medicina, {nexus}; {unit}: {best} "
                f"(mínimo {low}, máximo {high}). "
                f"Pregunta {asked}. Definición {DEFINITION_ID}, sha256 {definition_sha256()}. Bitácora "
                f"{self.backing.origin}, tamaño {self.checkpoint.size}, raíz {root}, publicada el {day}. "
                f"{link}"
            )
        return (
            f"Constancia. Attacks on and threats against medical students in social service, {nexus}; {unit}: {best} "
            f"(at least {low}, at most {high}). "
            f"Question {asked}. Definition {DEFINITION_ID}, sha256 {definition_sha256()}. Log "
            f"{self.backing.origin}, size {self.checkpoint.size}, root {root}, published {day}. {link}"
        )
