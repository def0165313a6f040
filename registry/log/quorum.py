"""Step 6 of the publisher: cosignatures for a checkpoint, from all witnesses at once, up to the policy's quorum.

Figures fail closed: without the quorum nothing is published. Bounded in time: a witness that does not answer delays
a checkpoint, never the publisher.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from registry.errors import QuorumMissed, WitnessFailed
from registry.log.last_signed import TreeHead
from registry.log.note import MAX_SIGNATURES, Signature, Verifier, split_note
from registry.log.policy import Policy
from registry.log.witness import Contact, Tree
from registry.log.witnessed import Witnessed
from registry.text import Text

COLLECT_SECONDS: Final = 30.0
"""For all requests to all witnesses together."""

LATECOMERS_SECONDS: Final = 2.0
"""How much longer the others are waited for once the quorum is met: readers may have stricter policies."""

_logger = logging.getLogger(__name__)


class Witnesses:
    """The witnesses of one log's policy, as far as it says where they are reached."""

    def __init__(
        self,
        policy: Policy,
        origin: str,
        keys: Collection[Verifier],
        state_dir: Path,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """``keys`` are the log's own. ``transport`` replaces the network."""
        self._policy = policy
        self._origin = origin
        self._keys = keys
        self._memory = Witnessed(state_dir)
        self._transport = transport

    async def refuse_if_ahead(self, last: TreeHead, tree: Tree) -> None:
        """PublisherRefused when a witness shows a checkpoint of ours that ``last`` does not cover. At each start.

        A witness that does not answer says nothing: it is asked to cosign soon enough.
        """
        async with self._contacts() as contacts:
            tasks = {asyncio.create_task(each.refuse_if_ahead(last, tree)): each for each in contacts}
            try:
                if tasks:
                    await asyncio.wait(tasks, timeout=COLLECT_SECONDS)
                for task in tasks:
                    if task.done() and isinstance(error := task.exception(), WitnessFailed):
                        _logger.warning("%s", error.text)
                    elif task.done():
                        task.result()
            finally:
                await _cancel(tasks)

    async def cosign(self, note: str, head: TreeHead, tree: Tree) -> str:
        """``note``, our signed checkpoint of ``head``, with cosignatures that are a quorum.

        QuorumMissed when there are too few; PublisherRefused when one shows that we must not publish.
        """
        known = await asyncio.to_thread(self._memory.sizes)
        answers = _Answers()
        async with self._contacts() as contacts:
            # Nobody cosigns more than was signed: a larger number in the file is from another life of this log.
            olds = [min(known.get(each.witness.key.vkey(), 0), head.size) for each in contacts]
            tasks = {
                asyncio.create_task(contact.ask(note, head, old, tree)): contact
                for contact, old in zip(contacts, olds, strict=True)
            }
            try:
                await self._collect(tasks, answers)
            finally:
                await _cancel(tasks)
            keys = [each.witness.key for each in contacts if each.witness.name in answers.cosigned]
        if keys:
            await asyncio.to_thread(self._memory.cosigned, head.size, keys)
        if not self._policy.met_by(answers.cosigned):
            raise _missed(answers)
        return note + "".join(signature.line() for signature in self._chosen(note, answers.cosigned))

    async def _collect(self, tasks: Mapping[asyncio.Task[Signature], Contact], answers: "_Answers") -> None:
        """Wait until all have answered, or the time is over: soon once the quorum is met."""
        now = asyncio.get_running_loop().time
        deadline = now() + COLLECT_SECONDS
        pending = set(tasks)
        while pending:
            if self._policy.met_by(answers.cosigned):
                deadline = min(deadline, now() + LATECOMERS_SECONDS)
            done, pending = await asyncio.wait(
                pending, timeout=max(0.0, deadline - now()), return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                answers.silent = [tasks[task].witness.name for task in pending]
                return
            for task in done:
                try:
                    answers.cosigned[tasks[task].witness.name] = task.result()
                except WitnessFailed as error:
                    answers.failed.append(error.text)
                    _logger.log(logging.CRITICAL if error.alarm else logging.WARNING, "%s", error.text)

    def _chosen(self, note: str, cosigned: Mapping[str, Signature]) -> list[Signature]:
        """As many as a note carries beside the log's own signatures, a quorum first."""
        room = MAX_SIGNATURES - len(split_note(note)[1])
        first = self._policy.smallest_quorum(cosigned) or frozenset()
        names = [*sorted(first), *sorted(cosigned.keys() - first)]
        return [cosigned[name] for name in names[:room]]

    @asynccontextmanager
    async def _contacts(self) -> AsyncIterator[list[Contact]]:
        reached = [(each, each.url) for each in self._policy.witnesses if each.url is not None]
        if not reached:  # a client is not made for nothing: it reads all certificates of the system
            yield []
            return
        headers = {"User-Agent": "constancia-publish"}
        async with httpx.AsyncClient(transport=self._transport, headers=headers) as client:
            yield [Contact(each, url, self._origin, self._keys, client) for each, url in reached]


@dataclass(slots=True)
class _Answers:
    """What came of asking: cosignatures by the policy's names, reasons, and who had not answered in time."""

    cosigned: dict[str, Signature] = field(default_factory=dict)
    failed: list[Text] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)


async def _cancel(tasks: Collection[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _missed(answers: _Answers) -> QuorumMissed:
    cosigned = ", ".join(sorted(answers.cosigned)) or "-"
    silent = ", ".join(sorted(answers.silent)) or "-"
    return QuorumMissed(
        f"No se publica: las cofirmas no alcanzan el quórum de la política. Sigue vigente el checkpoint anterior; se "
        f"intentará de nuevo. Cofirmaron: {cosigned}. Sin respuesta a tiempo: {silent}. "
        + " ".join(text.es for text in answers.failed),
        f"Nothing is published: the cosignatures are no quorum of the policy. The last checkpoint stays; it will be "
        f"tried again. Cosigned: {cosigned}. No answer in time: {silent}. "
        + " ".join(text.en for text in answers.failed),
    )
