"""Every error that the write side raises on purpose, as one tree.

::

    RegistryError                    a text in both languages that says what to do
    ├── StartRefused                 the operator must act before the program may run
    ├── InvalidInput                 what was sent cannot be read as what it should be (names the field)
    ├── NotFound                     no such record, or none that the caller may see
    ├── NotAllowed                   the caller's role or scope does not permit it
    ├── RuleViolated                 a rule of the domain forbids it (names the rule)
    ├── VersionConflict              the stream has moved on since the caller read it
    ├── IdempotencyKeyReused         the same key came with another body
    ├── SourceRecordDiffers          the same source_record_id came with other content
    ├── Erased                       the answer cannot be rebuilt: its subject was erased
    ├── EvidenceDamaged              a stored file is not what its event says: it is not served
    ├── UnknownEvent                 a stored event has a name that this version does not know
    ├── StoreUnavailable             the outcome is unknown or the store is full: try again
    ├── MalformedLog                 bytes of the log do not follow their specification
    ├── PublisherRefused             nothing is signed until the operator has resolved it
    ├── WitnessFailed                one witness did not cosign; the others may be enough
    └── QuorumMissed                 too few witnesses cosigned: nothing is published, and tried again
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from registry.text import Text


class RegistryError(Exception):
    """The root. ``text`` is shown to the person who must act and never holds what they sent."""

    def __init__(self, es: str, en: str) -> None:
        self.text = Text(es, en)
        super().__init__(str(self.text))


class StartRefused(RegistryError):
    """Starting now could do harm; the text says what to set right first."""


class InvalidInput(RegistryError):
    """A field cannot be accepted. ``field`` is a path such as ``victims[0].count.low``; empty: the whole body."""

    def __init__(self, field: str, es: str, en: str) -> None:
        self.field = field
        super().__init__(es, en)

    def within(self, place: str) -> "InvalidInput":
        """The same of an object that the body holds at ``place``, such as ``findings[0]``."""
        return InvalidInput(f"{place}.{self.field}" if self.field else place, self.text.es, self.text.en)


class NotFound(RegistryError):
    """No such record for this caller. Another institution's record answers the same."""


class NotAllowed(RegistryError):
    """The caller's scopes do not permit this; the text names the scope needed."""


class RuleViolated(RegistryError):
    """A rule of the domain forbids it. ``rule`` is a stable code in kebab-case."""

    def __init__(self, rule: str, es: str, en: str) -> None:
        self.rule = rule
        super().__init__(es, en)


class Change(NamedTuple):
    """An event that came in between: its version, its name, the fields that it touched. No values."""

    version: int
    event: str
    fields: tuple[str, ...]


class VersionConflict(RegistryError):
    """Somebody else's event came first. Read the record again and decide anew.

    ``version`` is the current one and ``changes`` came since the caller read, where that is known.
    """

    def __init__(self, stream_id: UUID, version: int | None = None, changes: Sequence[Change] = ()) -> None:
        self.stream_id = stream_id
        self.version = version
        self.changes = tuple(changes)
        super().__init__(
            "El registro cambió desde que se leyó. Léalo de nuevo y repita la decisión sobre su versión actual.",
            "The record has changed since it was read. Read it again and decide on its current version.",
        )


class IdempotencyKeyReused(RegistryError):
    """The Idempotency-Key was used before with another body."""

    def __init__(self) -> None:
        super().__init__(
            "Esta Idempotency-Key ya se usó con otro contenido. Use una clave nueva para un envío nuevo.",
            "This Idempotency-Key was used before with another body. Use a new key for a new submission.",
        )


class SourceRecordDiffers(RegistryError):
    """The institution's own record id is known with other content. ``noun`` and ``stream_id`` say what it made."""

    def __init__(self, noun: str, stream_id: UUID) -> None:
        self.noun = noun
        self.stream_id = stream_id
        super().__init__(
            "Este source_record_id ya se registró con otro contenido. Nada se sobrescribe: enmiende el registro "
            "existente o envíe otro source_record_id.",
            "This source_record_id is already recorded with other content. Nothing is overwritten: amend the "
            "existing record or send another source_record_id.",
        )


class Erased(RegistryError):
    """What was asked for has been erased; only its commitment remains."""

    def __init__(self) -> None:
        super().__init__(
            "El contenido de este registro fue borrado a petición de la persona. Queda solo su compromiso en la "
            "bitácora.",
            "The content of this record was erased at the person's request. Only its commitment remains in the log.",
        )


class EvidenceDamaged(RegistryError):
    """A stored file does not open, or has another digest than its event says. It is not served; restore it."""

    def __init__(self) -> None:
        super().__init__(
            "El archivo guardado está dañado y no se entrega. Restáurelo de un respaldo de la base de datos.",
            "The stored file is damaged and is not served. Restore it from a backup of the database.",
        )


class UnknownEvent(RegistryError):
    """A stored event's name or version is not known to this version of the program."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"El evento «{name}» no es de esta versión. Actualice el programa: los eventos nunca se omiten.",
            f"Event “{name}” is not of this version. Upgrade the program: events are never skipped.",
        )


class StoreUnavailable(RegistryError):
    """The store could not answer in time; repeating with the same Idempotency-Key is safe."""


class MalformedLog(RegistryError):
    """Bytes of the log that do not follow their specification; the text says where and why."""


class PublisherRefused(RegistryError):
    """The publisher will not sign; the text says why and how to recover."""


class WitnessFailed(RegistryError):
    """A witness did not cosign. ``alarm`` when it says what cannot be: somebody should look at it soon."""

    def __init__(self, es: str, en: str, *, alarm: bool = False) -> None:
        self.alarm = alarm
        super().__init__(es, en)


class QuorumMissed(RegistryError):
    """The policy's quorum was not met. The last checkpoint stays; the text says what each witness answered."""
