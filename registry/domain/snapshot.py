"""Snapshots: the state of a long stream at one version, so that loading it need not start from its first event.

A snapshot is never the truth, only a shorter way to it: with all of them deleted, everything is as before. It fulfils
the library's ``SnapshotProtocol`` (``originator_id``, ``originator_version``, ``state``, ``take``) and its way back
(``mutate``). Where the library's own ``Snapshot`` is an event whose ``topic`` is imported and whose older states are
upcast, this one is no event: ``topic`` is the name of an aggregate, ``state`` the MessagePack of its fields, and one
of another ``shape`` is left alone, because replaying the events is always right.
"""

from hashlib import sha256
from typing import Any, Self
from uuid import UUID

import msgspec

from registry.domain.assignment import Assignment
from registry.domain.event import Aggregate
from registry.domain.incident import Incident
from registry.domain.register import Register

SNAPSHOTTED: tuple[type[Aggregate], ...] = (Assignment, Incident, Register)
"""Kinds of streams that grow. Those of the other aggregates hold a few events."""

_TYPES = {aggregate.NOUN: aggregate for aggregate in SNAPSHOTTED}
_DECODERS: dict[str, msgspec.msgpack.Decoder[Any]] = {
    noun: msgspec.msgpack.Decoder(aggregate) for noun, aggregate in _TYPES.items()
}
_encode = msgspec.msgpack.Encoder().encode


class UnusableSnapshot(ValueError):
    """The stored bytes are not what ``take`` made of this version of the stream."""


def _shape(aggregate: type[Aggregate]) -> bytes:
    """What a state is made of (the schema of all its fields) and how it is folded (``class_version``)."""
    described = (aggregate.class_version, msgspec.json.schema(aggregate))
    return sha256(msgspec.json.encode(described, order="deterministic")).digest()


SHAPES: dict[str, bytes] = {noun: _shape(aggregate) for noun, aggregate in _TYPES.items()}
"""The shape of each kind of state as this program makes and reads it."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The state after event ``originator_version`` of a stream. ``digest`` is SHA-256 over everything else."""

    originator_id: UUID
    originator_version: int
    topic: str
    shape: bytes
    state: bytes
    digest: bytes

    @classmethod
    def take(cls, aggregate: Aggregate) -> Self:
        """Of an aggregate as it is stored: nothing may be pending."""
        if aggregate.pending:
            raise ValueError("what is not stored is no state: take the snapshot of what was loaded")
        topic, shape, state = aggregate.NOUN, SHAPES[aggregate.NOUN], _encode(aggregate)
        return cls(
            originator_id=aggregate.id,
            originator_version=aggregate.version,
            topic=topic,
            shape=shape,
            state=state,
            digest=_digest(aggregate.id, aggregate.version, topic, shape, state),
        )

    @property
    def fits(self) -> bool:
        """Whether this program's state has the shape of the one in here."""
        return SHAPES.get(self.topic) == self.shape

    def mutate(self, _: None = None) -> Aggregate:
        """The aggregate again. Raises UnusableSnapshot unless it is exactly the one that was taken."""
        if not self.fits:
            raise UnusableSnapshot("its shape is that of another version of the program")
        digest = _digest(self.originator_id, self.originator_version, self.topic, self.shape, self.state)
        if digest != self.digest:
            raise UnusableSnapshot("its bytes are not those that were stored")
        try:
            aggregate = _DECODERS[self.topic].decode(self.state)
        except msgspec.DecodeError as error:
            raise UnusableSnapshot("its state cannot be read") from error
        if not isinstance(aggregate, Aggregate) or (aggregate.id, aggregate.version) != (
            self.originator_id,
            self.originator_version,
        ):
            raise UnusableSnapshot("its state is of another stream or version")
        return aggregate


def _digest(stream_id: UUID, version: int, topic: str, shape: bytes, state: bytes) -> bytes:
    return sha256(_encode((stream_id, version, topic, shape, state))).digest()
