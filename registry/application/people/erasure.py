"""Erasing a subject: its private values, the data key they lie under, and the keys of the commitments that cover them.

The steps, in an order that a crash at any point leaves to be finished by the same command, and that never says what
has not happened:

1. what shall go is made durable, with the id of the event that will say so;
2. the data key is destroyed: from here on nobody can read it, in no copy of the store either;
3. ciphertexts and commitment keys are deleted, and the store refuses what is still on its way under that data key;
4. 2 and 3 for every report that names an erased person: its words are about that person;
5. ``subject.erased`` is appended;
6. the note of step 1 is deleted, which was the last to name the subject beside its facts.

A write about the subject that comes in meanwhile is either erased with the rest or sealed under a new data key, and
then stays. Leaves, and the readable codes that counts are made from, are never touched; those of a person include its
keyed pseudonym, without which two records of one person would become two persons.
"""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID, uuid4

import asyncpg

from registry.application import register
from registry.application.execution.application import Application
from registry.application.execution.sealing import unseal
from registry.application.execution.unit import OPERATOR, WriteOptions
from registry.domain.codes import CorrectionReason
from registry.domain.mapper import decode_event
from registry.domain.register import REGISTER_ID, SubjectErased, SubjectKind
from registry.errors import InvalidInput, NotFound
from registry.privacy.pseudonyms import PSEUDONYM_BYTES
from registry.privacy.vault import key_id
from registry.store.erasures import Erasures

_HASH_BYTES = 16
PSEUDONYM = rf"[0-9a-f]{{{2 * PSEUDONYM_BYTES}}}"
"""The form of a person's pseudonym, as a regular expression."""


class Subject(NamedTuple):
    """What private values belong to. ``name`` is a pseudonym for persons, else an id."""

    kind: SubjectKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind.lower()}:{self.name}"


def parse_subject(text: str) -> Subject:
    """``person:<pseudonym>``, ``report:<id>``, ``incident:<id>`` or ``site:<id>``; InvalidInput for anything else."""
    kind, _, name = text.partition(":")
    if kind == "person" and re.fullmatch(PSEUDONYM, name):
        return Subject(SubjectKind.PERSON, name)
    if kind in {"report", "incident", "site"}:
        try:
            return Subject(SubjectKind(kind.upper()), str(UUID(name)))
        except ValueError:
            pass
    raise InvalidInput(
        "subject",
        "Se borra person:<seudónimo>, report:<id>, incident:<id> o site:<id>. El seudónimo está en la asignación "
        "(student); también se encuentra con --curp.",
        "What can be erased is person:<pseudonym>, report:<id>, incident:<id> or site:<id>. The pseudonym stands in "
        "the assignment (student); --curp finds it, too.",
    )


class Preview(NamedTuple):
    """What an erasure takes away: how many events of each type it touches, how many values of each private field.

    ``reports`` are those that name the person and lose their words with it.
    """

    events: Mapping[str, int]
    fields: Mapping[str, int]
    reports: int


class Said(NamedTuple):
    """A ``subject.erased`` of a subject: where it stands in the log, and when it was recorded (UTC)."""

    position: int
    recorded: datetime


class Erasure:
    """Erases subjects of one register. The pool is that of the application's store."""

    def __init__(self, app: Application, pool: asyncpg.Pool) -> None:
        self._app = app
        self._erasures = Erasures(pool)

    async def preview(self, subject: Subject) -> Preview | None:
        """What would go; None if it is gone. Raises NotFound if there never was anything."""
        event_ids = await self._erasures.covered(str(subject))
        if not event_ids and not await self._app.vault.keys_for_reading([str(subject)]):
            if await self.said(subject) is None:
                raise _unknown()
            return None
        going = {str(subject)}
        fields: Counter[str] = Counter()
        events = await unseal(self._app.store, self._app.vault, await self._app.store.events(event_ids))
        for event in events:
            if subject.kind is SubjectKind.PERSON:
                going |= {other for other in event.private if other.startswith("report:")}
            for owner, values in event.private.items():
                if owner in going:
                    fields.update(cast("Mapping[str, object]", values).keys())
        return Preview(Counter(event.recorded.type for event in events), fields, len(going) - 1)

    async def unfinished(self, subject: Subject) -> bool:
        """Whether an erasure of the subject was begun, and cut short before its end."""
        return bool(await self._erasures.unfinished(str(subject)))

    async def erase(self, subject: Subject, reason: CorrectionReason) -> Said:
        """Erases the subject, or finishes what was begun; durable when this returns.

        What was erased already is not erased again: the answer is the same. Raises NotFound if there never was
        anything.
        """
        name = str(subject)
        if not await self._erasures.unfinished(name):
            keys = {key_id(key) for key in (await self._app.vault.keys_for_reading([name])).values()}
            keys |= await self._erasures.key_ids(name)
            await self._erasures.begin(name, keys, uuid4(), reason)
        while steps := [step for step in await self._erasures.unfinished(name) if not step.deleted]:
            for step in steps:
                await self._app.vault.erase(step.subject, step.key_id)
                await self._erasures.delete(name, step)
        for event_id, said_why in {
            (step.event_id, step.reason) for step in await self._erasures.unfinished(name)
        }:
            await self._say(subject, event_id, CorrectionReason(said_why))
            await self._erasures.finish(name, event_id)
        said = await self.said(subject)
        if said is None:
            raise _unknown()
        return said

    async def said(self, subject: Subject) -> Said | None:
        """What the log says last about an erasure of the subject; None if it says nothing."""
        digest = self._digest(subject)
        for recorded in reversed(await self._app.store.read_stream(REGISTER_ID)):
            if recorded.type == SubjectErased.TOPIC:
                event = decode_event(recorded.type, recorded.state)
                if isinstance(event, SubjectErased) and event.subject == digest:
                    return Said(recorded.position, event.recorded)
        return None

    async def _say(self, subject: Subject, event_id: UUID, reason: CorrectionReason) -> None:
        if not await self._app.store.events([event_id]):
            decision = register.record_erasure(event_id, subject.kind, self._digest(subject), reason)
            await self._app.execute(OPERATOR, decision, WriteOptions())

    def _digest(self, subject: Subject) -> str:
        """Names the subject to whoever holds the master key and asks for it by name."""
        return self._app.master.mac("erased-subject", str(subject).encode())[:_HASH_BYTES].hex()


def _unknown() -> NotFound:
    return NotFound(
        "No hay nada privado de ese sujeto. Compruebe cómo se llama, y que el directorio de datos sea el de este "
        "registro.",
        "There is nothing private of that subject. Check its name, and that the data directory is this register's.",
    )
