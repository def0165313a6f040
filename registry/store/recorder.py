"""The event store under the names of the `eventsourcing` library: an ``ApplicationRecorder`` whose calls are awaited.

What the library calls a notification is an event at its position; its id is the position + 1, because the library
counts from 1 and the log from 0. Errors are the library's (``eventsourcing.persistence``), with ours as their cause.
Topics are the stored names of events: whatever was stored is read back, and names are checked where events are decoded.
"""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from uuid import UUID

import asyncpg
from eventsourcing import persistence as library
from eventsourcing.persistence import Notification, StoredEvent

from registry.errors import RegistryError, StoreUnavailable, VersionConflict
from registry.sql import load_queries
from registry.store.records import Command, NewEvent, Outcome
from registry.store.store import EventStore
from registry.store.subscription import Subscriptions
from registry.store.transient import TRANSIENT

_ALL = 2**63 - 1
"""The greatest version or position there can be, where no bound is given."""

_QUERIES = load_queries("registry.store", "queries.sql")

# The first that matches decides: asyncpg's DataError is one of the TRANSIENT, and yet about a value.
_TRANSLATION: tuple[
    tuple[type[Exception] | tuple[type[Exception], ...], type[library.PersistenceError]], ...
] = (
    (VersionConflict, library.IntegrityError),
    (asyncpg.IntegrityConstraintViolationError, library.IntegrityError),
    (asyncpg.DataError, library.DataError),
    ((StoreUnavailable, *TRANSIENT), library.OperationalError),
    (asyncpg.FeatureNotSupportedError, library.NotSupportedError),
    (asyncpg.SyntaxOrAccessError, library.ProgrammingError),
    (asyncpg.InternalServerError, library.InternalError),
    (asyncpg.PostgresError, library.DatabaseError),
)


class Recorder:
    """Stored events and notifications, as the library knows them. Owns nothing: the caller closes what it is given."""

    def __init__(self, store: EventStore, subscriptions: Subscriptions) -> None:
        self._store, self._subscriptions = store, subscriptions

    async def insert_events(self, events: Sequence[NewEvent]) -> Sequence[int] | None:
        """Store events together or not at all; returns their notification ids, None if there were no events.

        Whoever does not know what became of a call repeats it: events with the same ids are stored once, and the
        answer is that of the first call.

        :raises eventsourcing.persistence.IntegrityError: a stream has moved on; nothing was stored.
        :raises eventsourcing.persistence.OperationalError: the store is full, or the outcome could not be learnt.
        """
        if not events:
            return None
        with _library_errors():
            answer = await self._store.append(Command(tuple(events)))
            # A duplicate in part only is another command that borrows an event id.
            if answer.outcome is Outcome.CONFLICT or len(answer.positions) != len(events):
                raise VersionConflict(events[0].stream_id)
        return [position + 1 for position in answer.positions]

    async def select_events(
        self,
        originator_id: UUID,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Events of one stream with versions above ``gt`` and up to ``lte``, in order (``desc``: newest first)."""
        query = _QUERIES["stream_backwards" if desc else "stream_forwards"]
        above, up_to = 0 if gt is None else gt, _ALL if lte is None else lte
        with _library_errors():
            rows = await self._store.connections.fetch(query, originator_id, above, up_to, limit)
        return [_stored_event(originator_id, *row) for row in rows]

    async def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Events in the order of the log, from id ``start`` (or the one after it) up to and with id ``stop``."""
        first = 0 if start is None else start - 1 if inclusive_of_start else start
        before = _ALL if stop is None else stop
        with _library_errors():
            rows = await self._store.connections.fetch(
                _QUERIES["notifications"], first, before, topics, limit
            )
        return [Notification(*row) for row in rows]

    async def max_notification_id(self) -> int | None:
        """The id of the newest event; None while there is none."""
        with _library_errors():
            return await self._store.size() or None

    async def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> AsyncGenerator[Notification, None]:
        """Events with ids above ``gt``, in order, without end: those stored already, then each new one."""
        with _library_errors():
            async with aclosing(self._subscriptions.events(gt or 0, types=topics)) as events:
                async for event in events:
                    yield Notification(
                        originator_id=event.stream_id,
                        originator_version=event.version,
                        topic=event.type,
                        state=event.state,
                        id=event.position + 1,
                    )


def _stored_event(originator_id: UUID, version: int, topic: str, state: bytes) -> StoredEvent:
    """The same as the library's constructor makes, in a third of the time.

    That sets each field of the frozen class around its own guard, which for a long stream takes a sixth of reading it.
    """
    stored = object.__new__(StoredEvent)
    stored.__dict__.update(originator_id=originator_id, originator_version=version, topic=topic, state=state)
    return stored


@contextmanager
def _library_errors() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        for ours, theirs in _TRANSLATION:
            if isinstance(error, ours):
                # Words of the database may quote what was stored.
                said = str(error) if isinstance(error, RegistryError) else type(error).__name__
                raise theirs(said) from error
        raise
