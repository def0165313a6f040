"""Evidence on its way in: a file that an institution attaches to its report, sealed as it comes.

It is stored before the event that attaches it, so that no event ever names a file that is not there. What an upload
leaves behind that ended in between is no evidence, and a later upload sweeps it away.
"""

import struct
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import IO, Final, NamedTuple
from uuid import UUID, uuid4

from registry.application.drafts import FileDraft
from registry.application.execution.answers import Accepted
from registry.application.execution.application import Application
from registry.application.execution.unit import Actor, Decision, Unit, WriteOptions, no_such_record
from registry.application.reports import linking
from registry.domain.mapper import decode_event
from registry.domain.report import Report
from registry.domain.report_events import EvidenceAttached
from registry.errors import RegistryError, RuleViolated, StoreUnavailable
from registry.log.canonical import JSON
from registry.privacy.files import chunked, seal_chunk
from registry.privacy.vault import key_id
from registry.store.files import Files, KeyRetired

ALGORITHM: Final = "SHA-256"
_LENGTH: Final = struct.Struct(">I")


class Received:
    """A file as it came in: sealed, in a temporary file that has no name and ends with the process."""

    def __init__(self, file: UUID, key_id: bytes, spool: IO[bytes], size: int, digest: str) -> None:
        self.file, self.key_id, self.size, self.digest = file, key_id, size, digest
        self._spool = spool

    async def chunks(self) -> AsyncIterator[bytes]:
        """The sealed chunks, from the first."""
        self._spool.seek(0)
        while head := self._spool.read(_LENGTH.size):
            yield self._spool.read(*_LENGTH.unpack(head))


class Attached(NamedTuple):
    """An accepted file. ``evidence`` is that of an earlier write, where this one was sent before."""

    evidence: UUID
    accepted: Accepted


class Attaching:
    """Takes files in. One per process."""

    def __init__(self, app: Application, files: Files) -> None:
        self._app = app
        self._files = files

    async def attach(
        self,
        actor: Actor,
        report_id: UUID,
        draft: FileDraft,
        stream: AsyncIterator[bytes],
        check: Callable[[Received], WriteOptions],
    ) -> Attached:
        """Reads the file to its end, in constant memory, stores it and attaches it. Durable when this returns.

        ``check`` sees size and digest before anything is stored, may refuse them, and says what came beside the file.
        Raises NotFound for a report that is not the caller's, and what ``Application.execute`` raises.
        """
        report = await self._app.load(Report, report_id)
        if report is None or report.report is None or report.institution != actor.institution:
            raise no_such_record()
        await self._sweep()
        async with self._receive(report_id, stream) as received:
            options = check(received)
            try:
                await self._files.add(received.file, report_id, received.key_id, received.chunks())
            except KeyRetired:
                raise StoreUnavailable(
                    "El contenido de este reporte se borró mientras llegaba el archivo. Revise si aún debe enviarlo.",
                    "The content of this report was erased while the file came in. Check whether to send it.",
                ) from None
            decision = _attach(report_id, received, draft)
            try:
                accepted = await self._app.execute(actor, decision, options)
            except StoreUnavailable:
                raise  # the outcome is unknown: the sweep will know
            except RegistryError:
                await self._files.remove(received.file)
                raise
        return Attached(await self._settle(received.file, accepted), accepted)

    @asynccontextmanager
    async def _receive(self, report_id: UUID, stream: AsyncIterator[bytes]) -> AsyncIterator[Received]:
        subject = f"report:{report_id}"
        key = (await self._app.vault.keys_for_writing([subject]))[subject]
        file, digest, size = uuid4(), sha256(), 0
        with tempfile.TemporaryFile() as spool:
            async for number, chunk, last in chunked(stream):
                digest.update(chunk)
                size += len(chunk)
                sealed = seal_chunk(key, file, number, chunk, last=last)
                spool.write(_LENGTH.pack(len(sealed)) + sealed)
            yield Received(file, key_id(key), spool, size, digest.hexdigest())

    async def _settle(self, file: UUID, accepted: Accepted) -> UUID:
        """Which file the events of the write attach: this one is removed if an earlier one answers for it."""
        for recorded in await self._app.store.events([event.event_id for event in accepted.events]):
            event = decode_event(recorded.type, recorded.state)
            if isinstance(event, EvidenceAttached):
                await (self._files.attach(file) if event.evidence == file else self._files.remove(file))
                return event.evidence
        raise ValueError("a write that attaches a file has stored no event that says so")

    async def _sweep(self) -> None:
        for file, report_id in await self._files.left_over():
            report = await self._app.load(Report, report_id)
            attached = report is not None and any(one.evidence == file for one in report.evidence)
            await (self._files.attach(file) if attached else self._files.remove(file))


def _attach(report_id: UUID, received: Received, draft: FileDraft) -> Decision:
    async def decide(unit: Unit) -> Report:
        report = await unit.target(Report, report_id)
        if report.institution != unit.institution:
            raise no_such_record()
        digests = (unit.pseudonyms.digest(received.digest),)
        if report.evidence and digests in await _attached(unit, report_id):
            raise RuleViolated(
                "evidence-attached-once",
                "Este mismo archivo ya se adjuntó al reporte. No hace falta enviarlo otra vez.",
                "This very file was attached to the report before. There is no need to send it again.",
            )
        report.attach_evidence(
            unit.act,
            evidence=received.file,
            algorithm=ALGORITHM,
            digest=received.digest,
            size=received.size,
            media_type=draft.media_type,
            digests=digests,
            urls=(unit.pseudonyms.url(draft.source_url),) if draft.source_url else (),
            words=_words(draft),
        )
        await linking.relink(unit, report)
        return report

    return decide


async def _attached(unit: Unit, report_id: UUID) -> set[tuple[str, ...]]:
    """The keyed pseudonyms of the digests of all files that a report has."""
    events = [decode_event(one.type, one.state) for one in await unit.store.read_stream(report_id)]
    return {event.digests for event in events if isinstance(event, EvidenceAttached)}


def _words(draft: FileDraft) -> dict[str, JSON]:
    words: dict[str, JSON] = {
        "source_url": draft.source_url,
        "acquired_at": draft.acquired_at.isoformat() if draft.acquired_at else None,
        "method": draft.method,
    }
    return {name: value for name, value in words.items() if value is not None}
