"""A unit of work: the aggregates that one decision reads and changes."""

from collections.abc import Awaitable, Callable, Container, Iterable
from datetime import datetime
from typing import NamedTuple, Protocol, TypeVar
from uuid import UUID

import msgspec

from registry.application.execution.turns import Turn
from registry.catalogs.municipalities import Municipalities
from registry.catalogs.places import Places
from registry.domain.codes import ReadPurpose
from registry.domain.event import Act, Aggregate, By, Pending
from registry.domain.register import REGISTER_ID, Register
from registry.errors import NotAllowed, NotFound, VersionConflict
from registry.privacy.pseudonyms import Pseudonyms
from registry.store import EventStore, ExclusiveNames, StreamVersion
from registry.store.catalogs import Catalogs
from registry.text import Text

A = TypeVar("A", bound=Aggregate)

OPERATOR_ID = UUID(int=0)
"""Stands for "no institution" where a table needs one: the operator of the register."""


SEES_ALL = frozenset({"incidents:verify", "restricted:read", "admin"})
"""Scopes that see other institutions' records."""


class Actor(msgspec.Struct, frozen=True):
    """Who acts: institution (None = the operator), key, what the key may do, and why they read, if they say so."""

    institution: UUID | None
    key: UUID | None
    scopes: frozenset[str]
    purpose: ReadPurpose | None = None

    @property
    def sees_all(self) -> bool:
        """Whether other institutions' records exist for this actor."""
        return not SEES_ALL.isdisjoint(self.scopes)


OPERATOR = Actor(institution=None, key=None, scopes=frozenset({"admin"}))
"""The program itself, on behalf of whoever runs it."""


class WriteOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What came beside the draft.

    ``body`` is what an Idempotency-Key is bound to (the exact bytes sent), ``content`` what a source record is
    compared by (canonical JSON of the draft); of both only an HMAC is stored. ``expected_version`` is that of
    If-Match.
    """

    idempotency_key: str | None = None
    body: bytes = b""
    source_record_id: str | None = None
    content: bytes = b""
    expected_version: int | None = None


class Warned(NamedTuple):
    """Something doubtful about a field, which was accepted."""

    field: str
    text: Text


class Loader(Protocol):
    """Where a unit's aggregates come from."""

    async def __call__(self, aggregate_type: type[A], aggregate_id: UUID) -> A | None: ...


class Recall(Protocol):
    """What is remembered of an aggregate, without asking the store."""

    def __call__(self, aggregate_type: type[A], aggregate_id: UUID) -> A | None: ...


class Unit:
    """Loads each aggregate once, so that several decisions of one command see each other's changes.

    Whatever is read is noted (``reads``): the store refuses the events if one of those streams has moved on since.
    With ``recall``, what is remembered is taken as it is: a refusal, or having nothing to do, then decides nothing.
    """

    def __init__(
        self,
        actor: Actor,
        at: datetime,
        expected_version: int | None,
        *,
        load: Loader,
        recall: Recall | None = None,
        turn: Turn | None,
        store: EventStore,
        pseudonyms: Pseudonyms,
        catalogs: Catalogs,
    ) -> None:
        self.actor = actor
        self.act = Act(By(institution=actor.institution, key=actor.key), at)
        self.store = store
        self.pseudonyms = pseudonyms
        self._catalogs = catalogs
        self._expected_version = expected_version
        self._load = load
        self._recall = recall
        self._turn = turn
        self._aggregates: dict[UUID, Aggregate] = {}
        self._absent: set[UUID] = set()
        self._touched: dict[UUID, Aggregate] = {}
        self._named: dict[str, Aggregate] = {}
        self._read: dict[UUID, int] = {}
        self.recalled = False
        """Whether anything was remembered and not looked up."""
        self.warnings: list[Warned] = []

    @property
    def institution(self) -> UUID:
        """The acting institution. Raises NotAllowed for the operator, who states no facts."""
        if self.actor.institution is None:
            raise NotAllowed(
                "Los hechos los registra una institución. Use una clave emitida para su institución.",
                "Facts are recorded by an institution. Use a key issued to your institution.",
            )
        return self.actor.institution

    async def find(self, aggregate_type: type[A], aggregate_id: UUID) -> A | None:
        """The aggregate, or None if no such stream of this kind exists."""
        known = self._aggregates.get(aggregate_id)
        if known is None and aggregate_id not in self._absent:
            if self._recall is not None and (known := self._recall(aggregate_type, aggregate_id)) is not None:
                self.recalled = True
            else:
                known = await self._load(aggregate_type, aggregate_id)
            if known is None:
                self._absent.add(aggregate_id)
            else:
                self._aggregates[aggregate_id] = known
                self._read[aggregate_id] = known.version
        if not isinstance(known, aggregate_type):
            return None
        self._touched.setdefault(aggregate_id, known)
        return known

    async def get(self, aggregate_type: type[A], aggregate_id: UUID) -> A:
        """The aggregate, or NotFound."""
        aggregate = await self.find(aggregate_type, aggregate_id)
        if aggregate is None:
            raise no_such_record()
        return aggregate

    async def municipalities(self) -> Municipalities:
        """The municipalities adopted, all vintages. What rests on them is refused if another is adopted meanwhile."""
        register = await self.find(Register, REGISTER_ID)
        return await self._catalogs.municipalities(register.catalogs if register else ())

    async def places(self) -> Places:
        """The same by name."""
        register = await self.find(Register, REGISTER_ID)
        return await self._catalogs.places(register.catalogs if register else ())

    def warn(self, field: str, doubts: Iterable[Text]) -> None:
        """Tells the sender what is doubtful about a field that is accepted all the same."""
        self.warnings += [Warned(field, doubt) for doubt in doubts]

    async def target(self, aggregate_type: type[A], aggregate_id: UUID) -> A:
        """The aggregate that the caller addressed, at the version that the caller read (If-Match).

        Waits until nobody else in this process is changing it, unless several decisions are made together.
        """
        if self._turn is not None:
            await self._turn.take(aggregate_id)
        aggregate = await self.get(aggregate_type, aggregate_id)
        if self._expected_version is not None and aggregate.version != self._expected_version:
            raise VersionConflict(aggregate_id)
        return aggregate

    def add(self, aggregate: A) -> A:
        """Takes an aggregate in; its events come behind those of the aggregates before it."""
        self._aggregates[aggregate.id] = aggregate
        self._touched.pop(aggregate.id, None)
        self._touched[aggregate.id] = aggregate
        return aggregate

    def name(self, source_record_id: str | None, aggregate: Aggregate) -> None:
        """Lets later decisions of the unit refer to what an earlier one made by the sender's own id."""
        if source_record_id is not None:
            self._named[source_record_id] = aggregate

    def named(self, source_record_id: str) -> Aggregate | None:
        """What an earlier decision of the unit made under the sender's own id."""
        return self._named.get(source_record_id)

    def aggregates(self, ids: Iterable[UUID]) -> list[Aggregate]:
        """Those of the unit that have these ids."""
        return [self._aggregates[aggregate_id] for aggregate_id in ids]

    def lead(self, aggregate: A) -> A:
        """Puts an aggregate's events before those of all others: the answer, also when it is repeated, is about it."""
        self._aggregates[aggregate.id] = aggregate
        self._touched = {aggregate.id: aggregate, **self._touched}
        return aggregate

    def loaded(self, aggregate_type: type[A]) -> list[A]:
        """All aggregates of a kind that decisions of the unit have read or made."""
        return [known for known in self._aggregates.values() if isinstance(known, aggregate_type)]

    def reads(self, changed: Container[UUID]) -> tuple[StreamVersion, ...]:
        """Where the streams stood that decisions have read, but for those whose new events say so themselves."""
        return tuple(StreamVersion(*read) for read in self._read.items() if read[0] not in changed)

    def exclusive(self) -> list[ExclusiveNames]:
        """The exclusive names that the changed aggregates hold from now on; to be asked before ``take``."""
        return [
            ExclusiveNames(aggregate.id, tuple(sorted(aggregate.exclusive)))
            for aggregate in self._touched.values()
            if aggregate.pending and aggregate.exclusive is not None
        ]

    def discard(self) -> None:
        """Forgets what a decision that was refused has made or changed so far: it is read anew."""
        for aggregate in [known for known in self._touched.values() if known.pending]:
            del self._aggregates[aggregate.id]
        self._touched.clear()

    def take(self) -> list[Pending]:
        """The new events since the last call, by aggregate in the order in which the aggregates were touched."""
        taken = [pending for aggregate in self._touched.values() for pending in aggregate.pending]
        for aggregate in self._touched.values():
            aggregate.pending.clear()
        self._touched.clear()
        return taken


def no_such_record() -> NotFound:
    """The same answer whether there is none, or none that the caller may see."""
    return NotFound(
        "No existe ese registro, o su clave no permite verlo. Compruebe el identificador.",
        "There is no such record, or your key may not see it. Check the id.",
    )


Decision = Callable[[Unit], Awaitable[Aggregate]]
"""A use case: decides within a unit and returns the aggregate that it was about."""
