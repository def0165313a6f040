"""Answers to accepted writes: built when the events are stored, and rebuilt from them when asked for again."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from registry.application.execution.sealing import Opening, Sealed, unseal
from registry.application.execution.unit import Actor, Warned
from registry.catalogs import clues
from registry.domain.event import Event
from registry.domain.mapper import decode_event
from registry.domain.site import SiteRecoded, SiteRegistered
from registry.errors import Erased
from registry.log.keys import LogKeys, Purpose
from registry.log.receipt import Receipt
from registry.privacy.vault import Vault
from registry.store import EventStore, Recorded

MAX_MERGE_DELAY_SECONDS = 172_800
"""Receipts promise publication within two days, twice the production cadence of one checkpoint a day."""


class AcceptedEvent(msgspec.Struct, frozen=True):
    """One stored event as its sender sees it: position, exact leaf, openings of its commitments, signed receipt."""

    position: int
    stream: UUID
    event_id: UUID
    leaf: bytes
    openings: dict[str, Opening]
    receipt: str


class Accepted(msgspec.Struct, frozen=True):
    """The answer to an accepted write.

    ``version`` is that of the stream ``id`` after it. ``replayed``: the answer to an earlier request with the same
    Idempotency-Key. ``created`` False: nothing was new (a source record known with the same content, say).
    ``warnings``: what is doubtful about what was accepted.
    """

    id: UUID
    version: int
    events: tuple[AcceptedEvent, ...]
    replayed: bool
    created: bool
    warnings: tuple[Warned, ...] = ()

    def seen_by(self, actor: Actor) -> "Accepted":
        """Without what the write changed in records that are not the caller's to see: an incident that followed."""
        if actor.sees_all:
            return self
        return msgspec.structs.replace(
            self, events=tuple(event for event in self.events if event.stream == self.id)
        )


class Answers:
    """Answers with receipts by one log's key."""

    def __init__(self, store: EventStore, vault: Vault, keys: LogKeys) -> None:
        self._store = store
        self._vault = vault
        self._origin = keys.origin
        self._signers = keys.signers(Purpose.RECEIPT)

    def first(
        self,
        aggregate_id: UUID,
        sealed: Sequence[Sealed],
        positions: Sequence[int],
        warnings: Sequence[Warned] = (),
    ) -> Accepted:
        """To events that were stored just now, at these positions."""
        return Accepted(
            id=aggregate_id,
            version=max(one.event.version for one in sealed if one.event.stream_id == aggregate_id),
            events=tuple(
                AcceptedEvent(
                    position,
                    one.event.stream_id,
                    one.event.event_id,
                    one.event.leaf,
                    dict(one.openings),
                    self._receipt(position, one.event.leaf_hash, one.recorded),
                )
                for one, position in zip(sealed, positions, strict=True)
            ),
            replayed=False,
            created=True,
            warnings=tuple(warnings),
        )

    async def again(self, event_ids: Sequence[UUID], *, created: bool, replayed: bool) -> Accepted:
        """To an earlier write, from its events. Raises Erased when they can no longer be opened."""
        events = await unseal(self._store, self._vault, await self._store.events(event_ids))
        if not events:
            raise Erased
        stream = events[0].recorded.stream_id
        return Accepted(
            id=stream,
            version=max(one.recorded.version for one in events if one.recorded.stream_id == stream),
            events=tuple(
                AcceptedEvent(
                    one.recorded.position,
                    one.recorded.stream_id,
                    one.recorded.event_id,
                    one.recorded.leaf,
                    dict(one.openings()),
                    self.receipt(one.recorded),
                )
                for one in events
            ),
            replayed=replayed,
            created=created,
            warnings=await self._warnings([one.event for one in events]),
        )

    async def _warnings(self, events: Sequence[Event]) -> tuple[Warned, ...]:
        """Those of the first answer: they follow from the events."""
        warnings: list[Warned] = []
        for event in events:
            if isinstance(event, SiteRegistered) and event.clues is not None:
                warnings += [Warned("clues", doubt) for doubt in clues.doubts(event.clues, event.cvegeo)]
            elif isinstance(event, SiteRecoded):
                (topic, state), *_ = await self._store.history(event.originator_id)
                registered = decode_event(topic, state)
                cvegeo = registered.cvegeo if isinstance(registered, SiteRegistered) else None
                warnings += [Warned("clues", doubt) for doubt in clues.doubts(event.clues, cvegeo)]
        return tuple(warnings)

    def receipt(self, recorded: Recorded) -> str:
        """The signed receipt of a stored event, the same at every call."""
        event = decode_event(recorded.type, recorded.state)
        return self._receipt(recorded.position, recorded.leaf_hash, event.recorded)

    def _receipt(self, position: int, leaf_hash: bytes, recorded: datetime) -> str:
        received = int(recorded.timestamp())
        receipt = Receipt(self._origin, position, leaf_hash, received, received + MAX_MERGE_DELAY_SECONDS)
        return receipt.sign(*self._signers)
