"""Evidence on its way out: what is known of a file, who has held it, and its bytes, checked before they leave."""

from collections.abc import AsyncIterator
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag

from registry.application.execution.application import Application
from registry.application.execution.sealing import CONTENT, Unsealed, unseal
from registry.application.execution.unit import Actor, no_such_record
from registry.domain.event import By
from registry.domain.mapper import decode_event
from registry.domain.report_events import EvidenceAttached, IncidentReported, OccurrenceClaims, ReportAmended
from registry.errors import Erased, EvidenceDamaged
from registry.log.canonical import JSON
from registry.privacy.files import chunk_count, open_chunk
from registry.privacy.reads import PrivateRead, Shown
from registry.privacy.vault import OtherKey
from registry.store.files import Files

NOUN: Final = "evidence"
MOST_READS: Final = 200
"""Of one file that an answer lists; GET /v1/private-reads tells the rest."""


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """Who attached a file, and when."""

    at: datetime
    institution: UUID | None
    key: UUID | None


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A file, and its chain of custody: who stored it, and who has read it or its description, from the first on.

    ``erased``: only its size and media type are left. ``private`` is its digest, and how it was acquired.
    """

    id: UUID
    report: UUID
    institution: UUID
    size: int
    media_type: str
    erased: bool
    stored: Stored
    reads: list[PrivateRead]
    private: dict[str, Any]


class _Found(NamedTuple):
    report: UUID
    institution: UUID
    people: tuple[str, ...]
    attached: EvidenceAttached
    unsealed: Unsealed

    @property
    def subject(self) -> str:
        return f"report:{self.report}"

    @property
    def private(self) -> dict[str, JSON]:
        """``algorithm``, ``digest`` and the sender's words about the file."""
        values = cast("dict[str, JSON]", self.unsealed.private.get(self.subject, {}))
        return cast("dict[str, JSON]", values.get(f"evidence:{self.attached.evidence}", {}))

    @property
    def erased(self) -> bool:
        return CONTENT not in self.unsealed.commitment_keys


class Custody:
    """Shows and serves files of evidence, to those who may see them; every time is noted."""

    def __init__(self, app: Application, files: Files) -> None:
        self._app = app
        self._files = files

    async def describe(self, actor: Actor, evidence: UUID) -> Evidence:
        """Raises NotFound where there is none, or none that the caller may see."""
        found = await self._find(actor, evidence)
        reads, _ = await self._app.reads.page(owner=None, record=evidence, limit=MOST_READS)
        own_or_verifier = actor.institution == found.institution or "incidents:verify" in actor.scopes
        private = found.private if own_or_verifier else {}
        names = [f"private.evidence.{name}" for name in sorted(private)]
        await self._note(actor, found, ("media_type", "reads", "size", "stored", *names))
        event = found.attached
        return Evidence(
            id=evidence,
            report=found.report,
            institution=found.institution,
            size=event.size,
            media_type=event.media_type,
            erased=found.erased,
            stored=_stored(event.recorded, event.by),
            reads=reads,
            private=private,
        )

    async def serve(self, actor: Actor, evidence: UUID) -> tuple[EvidenceAttached, AsyncIterator[bytes]]:
        """The file's bytes, chunk by chunk, once all of them were found to be those that the event commits to.

        Raises NotFound as above, Erased, EvidenceDamaged.
        """
        found = await self._find(actor, evidence)
        if found.erased:
            raise Erased
        digest, size = sha256(), 0
        async for chunk in self._open(found):
            digest.update(chunk)
            size += len(chunk)
        if (digest.hexdigest(), size) != (found.private["digest"], found.attached.size):
            raise EvidenceDamaged
        await self._note(actor, found, ("file",))
        return found.attached, self._open(found)

    async def _find(self, actor: Actor, evidence: UUID) -> _Found:
        report = await self._files.report_of(evidence)
        if report is None:
            raise no_such_record()
        people: set[str] = set()
        institution, attached = None, None
        for recorded in await self._app.store.read_stream(report):
            event = decode_event(recorded.type, recorded.state)
            institution = institution or event.by.institution
            claims = event.claims if isinstance(event, ReportAmended) else event
            if isinstance(claims, IncidentReported | OccurrenceClaims):
                people |= {victim.person for victim in claims.victims if victim.person is not None}
            if isinstance(event, EvidenceAttached) and event.evidence == evidence:
                attached = event, recorded
        if attached is None or institution is None:
            raise no_such_record()
        if institution != actor.institution and not actor.scopes & {"incidents:verify", "admin"}:
            raise no_such_record()
        (unsealed,) = await unseal(self._app.store, self._app.vault, [attached[1]])
        return _Found(report, institution, tuple(sorted(people)), attached[0], unsealed)

    async def _open(self, found: _Found) -> AsyncIterator[bytes]:
        keys = await self._app.vault.keys_for_reading([found.subject])
        if found.subject not in keys:
            raise Erased
        file, count = found.attached.evidence, chunk_count(found.attached.size)
        for number in range(count):
            sealed = await self._files.chunk(file, number)
            if sealed is None:
                raise EvidenceDamaged
            try:
                yield open_chunk(keys[found.subject], file, number, sealed, last=number == count - 1)
            except OtherKey:
                raise Erased from None
            except InvalidTag:
                raise EvidenceDamaged from None

    async def _note(self, actor: Actor, found: _Found, fields: tuple[str, ...]) -> None:
        shown = Shown(
            noun=NOUN,
            record=found.attached.evidence,
            owner=found.institution,
            people=found.people,
            fields=fields,
        )
        await self._app.reads.note(actor.institution, actor.key, actor.purpose, [shown])


def _stored(at: datetime, by: By) -> Stored:
    return Stored(at=at, institution=by.institution, key=by.key)
