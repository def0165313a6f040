"""What an event is, and how an aggregate makes and applies one.

Events and aggregates satisfy the contracts of the ``eventsourcing`` library (``DomainEventProtocol``,
``MutableAggregateProtocol``, ``CollectEventsProtocol``); they are msgspec structs because those decode and fold an
order of magnitude faster than the library's decorated classes.
"""

import copy
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, Self, TypeVar
from uuid import UUID, uuid4

import msgspec

from registry.log.canonical import JSON

Private = Mapping[str, Mapping[str, JSON]]
"""What must not be readable: subject (``person:…``, ``report:…``, ``incident:…``, ``site:…``) → field → value."""

NOTHING_PRIVATE: Private = {}
NO_KEYS: Mapping[str, bytes] = {}


class By(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who acted: the institution (None = the operator of the register) and the key that was used."""

    institution: UUID | None
    key: UUID | None


class Act(NamedTuple):
    """The circumstances of a decision: who takes it and when (UTC)."""

    by: By
    at: datetime


ENVELOPE = frozenset({"stream", "version", "event_id", "recorded", "by"})
"""What every event has, under the names in which it is stored."""


class Event(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    gc=False,  # data alone makes no cycles, and many are made at a time
    rename={"originator_id": "stream", "originator_version": "version"},
):
    """A fact or a decision, immutable. Holds codes, times and pseudonyms, never a private value.

    ``TOPIC`` is the name on the wire, stable for ever. ``OPEN`` events are readable by all (see ``public``), every
    other one is only a commitment in the log. ``class_version`` counts the versions of the stored form; a class at
    version n has ``upcast_v1_v2`` … ``upcast_v(n-1)_vn``, static methods that change a decoded state in place.
    """

    TOPIC: ClassVar[str]
    OPEN: ClassVar[bool] = False
    class_version: ClassVar[int] = 1

    originator_id: UUID
    originator_version: int
    event_id: UUID
    recorded: datetime
    by: By

    def touched(self) -> tuple[str, ...]:
        """The names of the fields that it says something about, for whoever may know that, but not what."""
        said = ((field.encode_name, getattr(self, field.name)) for field in msgspec.structs.fields(self))
        return tuple(name for name, value in said if name not in ENVELOPE and value not in (None, ()))

    def public(self) -> Mapping[str, JSON]:
        """What an open leaf says. Only events with ``OPEN`` have it."""
        raise TypeError(f"{self.TOPIC} is not an open event")


E = TypeVar("E", bound=Event)


class Pending(NamedTuple):
    """A new event that is not stored yet, with the private values that travel beside it.

    Every subject in ``private`` covers the event, also one without values: when it is erased, what the leaf commits
    to can no longer be opened. ``commitment_keys`` are those of facets that an open leaf seals, by field.
    """

    event: Event
    private: Private
    commitment_keys: Mapping[str, bytes]


class Aggregate(msgspec.Struct, kw_only=True, dict=True):
    """State folded from one stream's events; decides, and records what it decided in ``pending``.

    The fields of a subclass are its whole state, so that a snapshot is the encoded struct. Their values are never
    changed in place, only replaced, so that copies may share them. ``version`` counts the events applied, 0 before
    the first. ``class_version`` goes up with every change of ``apply`` by which the same events come to another
    state: older snapshots are then left alone.
    """

    NOUN: ClassVar[str]
    class_version: ClassVar[int] = 1

    id: UUID
    version: int = 0

    def __post_init__(self) -> None:
        # Not a field: what is not stored yet is no state.
        self.pending: list[Pending] = []

    @classmethod
    def new(cls) -> Self:
        """An aggregate without history, under a random id."""
        return cls(id=uuid4())

    def stored(self) -> Self:
        """A copy of a loaded aggregate for one decision to change: the same state, nothing pending."""
        fresh = copy.copy(self)  # the fields only: msgspec leaves ``pending`` behind
        fresh.pending = []
        return fresh

    @property
    def exclusive(self) -> frozenset[str] | None:
        """Names that no other stream may hold while this one does; None for a kind that never holds any."""
        return None

    def apply(self, event: Event) -> None:
        """Changes the state as the event says. Never refuses: what is stored has happened."""
        raise NotImplementedError

    def fold(self, event: Event) -> None:
        """Applies the next event of the stream."""
        self.apply(event)
        self.version = event.originator_version

    def replay(self, events: Sequence[Event]) -> None:
        """Applies the next events of the stream, in order: what folding each comes to, at less cost."""
        for event in events:
            self.fold(event)

    @property
    def subject(self) -> str:
        """Whose erasure makes this stream's commitments impossible to open."""
        return f"{self.NOUN}:{self.id}"

    def trigger(
        self,
        event_type: type[E],
        act: Act,
        *,
        event_id: UUID | None = None,
        private: Private = NOTHING_PRIVATE,
        commitment_keys: Mapping[str, bytes] = NO_KEYS,
        **data: Any,
    ) -> E:
        """Decides: makes the next event, applies it, keeps it for storing."""
        event = event_type(
            originator_id=self.id,
            originator_version=self.version + 1,
            event_id=event_id or uuid4(),
            recorded=act.at,
            by=act.by,
            **data,
        )
        self.fold(event)
        self.pending.append(Pending(event, {self.subject: {}, **private}, commitment_keys))
        return event

    def collect_events(self) -> Sequence[Event]:
        """The library's contract; the private parts stay in ``pending``."""
        return [pending.event for pending in self.pending]
