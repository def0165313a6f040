"""Real recorders of the `eventsourcing` library over the event store: synchronous calls into a loop in a thread.

Only tests need it, to run the library's own contract; the program awaits the store. The library's events have no leaf,
so the bridge supplies one. Its tests start streams at any version, the store at 1: the bridge counts from 0 and the
store one higher.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Coroutine, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import AsyncExitStack
from typing import Any, Self, TypeVar
from uuid import UUID, uuid4

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    Notification,
    StoredEvent,
    Subscription,
)

from registry.database import connect_pool
from registry.log.merkle import leaf_hash
from registry.store import EventStore, NewEvent
from registry.store.recorder import Recorder
from registry.store.subscription import Subscriptions

T = TypeVar("T")


class Bridge(ApplicationRecorder):
    """An ``ApplicationRecorder``, and the thread whose loop does its work."""

    def __init__(self, address: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="bridge")
        self._thread.start()
        self._owned = AsyncExitStack()
        self.recorder = self.start(self._open(address)).result()

    async def _open(self, address: str) -> Recorder:
        pool = await self._owned.enter_async_context(await connect_pool(address))
        store = EventStore(pool)
        self._owned.push_async_callback(store.close)
        return Recorder(store, await self._owned.enter_async_context(Subscriptions(pool)))

    def close(self) -> None:
        self.start(self._owned.aclose()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        return self.start(self.recorder.insert_events([_new(event) for event in stored_events])).result()

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        assert isinstance(originator_id, UUID)
        selecting = self.recorder.select_events(
            originator_id, gt=_higher(gt), lte=_higher(lte), desc=desc, limit=limit
        )
        return [
            StoredEvent(event.originator_id, event.originator_version - 1, event.topic, event.state)
            for event in self.start(selecting).result()
        ]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        selecting = self.recorder.select_notifications(
            start, limit, stop, topics, inclusive_of_start=inclusive_of_start
        )
        return [_lowered(notification) for notification in self.start(selecting).result()]

    def max_notification_id(self) -> int | None:
        return self.start(self.recorder.max_notification_id()).result()

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> "BridgeSubscription":
        return BridgeSubscription(self, gt, topics)


class AggregateBridge(AggregateRecorder):
    """The half that knows streams alone and therefore answers no notification ids."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> None:
        self._bridge.insert_events(stored_events)

    def select_events(self, originator_id: UUID | str, **bounds: Any) -> Sequence[StoredEvent]:
        return self._bridge.select_events(originator_id, **bounds)


class BridgeSubscription(Subscription[Bridge]):
    """Waits for each notification in the caller's thread; ``stop`` may be called from any thread."""

    def __init__(self, recorder: Bridge, gt: int | None, topics: Sequence[str]) -> None:
        super().__init__(recorder, gt, topics)
        self._notifications: AsyncGenerator[Notification, None] = recorder.recorder.subscribe(gt, topics)
        self._next: Future[Notification] | None = None
        self._lock = threading.Lock()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Notification:
        with self._lock:
            if self._has_been_stopped:
                raise StopIteration
            self._next = self._recorder.start(self._receive())
        try:
            return _lowered(self._next.result())
        except (StopAsyncIteration, CancelledError):
            raise StopIteration from None

    def stop(self) -> None:
        with self._lock:
            super().stop()
            if self._next is not None:
                self._next.cancel()

    async def _receive(self) -> Notification:
        return await anext(self._notifications)


def _new(event: StoredEvent) -> NewEvent:
    assert isinstance(event.originator_id, UUID)
    event_id = uuid4()
    leaf = event_id.bytes
    return NewEvent(
        event_id,
        event.originator_id,
        event.originator_version + 1,
        event.topic,
        event.state,
        leaf,
        leaf_hash(leaf),
    )


def _higher(version: int | None) -> int | None:
    return None if version is None else version + 1


def _lowered(found: Notification) -> Notification:
    return Notification(
        found.originator_id, found.originator_version - 1, found.topic, found.state, id=found.id
    )
