"""Tests of endpoints: one message that says nothing, at once.

Whoever asks for one decides where it goes and how long it is waited for. So there are few at a time, and fewer of one
institution.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Final
from uuid import UUID
from weakref import WeakValueDictionary

import msgspec

from api.delivery.webhooks.addresses import Network
from api.delivery.webhooks.client import Client
from api.delivery.webhooks.endpoints import Endpoint, Secret
from api.delivery.webhooks.registrations import Registrations
from api.delivery.webhooks.repeats import Answered
from api.delivery.webhooks.sending import message_of_a_test, send
from registry.errors import StoreUnavailable
from registry.text import Language

AT_ONCE: Final = 8
"""Of one process."""

AT_ONCE_OF_ONE: Final = 2
"""Of one institution."""

WAIT_SECONDS: Final = 5.0
"""For one of these places. With the longest delivery, no longer than an equal request waits (``repeats.LOOKS``)."""


class Testing:
    """The tests of one process. ``source`` is that of the log's events."""

    def __init__(
        self,
        registrations: Registrations,
        networks: Sequence[Network],
        clock: Callable[[], datetime],
        source: str,
    ) -> None:
        self._registrations = registrations
        self._networks = networks
        self._clock = clock
        self._source = source
        self._places = asyncio.Semaphore(AT_ONCE)
        self._own_places: WeakValueDictionary[UUID, asyncio.Semaphore] = WeakValueDictionary()

    async def test(self, endpoint: Endpoint, secrets: Sequence[Secret], language: Language) -> Answered:
        """One attempt. Whether it is accepted changes nothing. Raises StoreUnavailable without a place for it."""
        own = self._own_places.setdefault(endpoint.institution, asyncio.Semaphore(AT_ONCE_OF_ONE))
        async with AsyncExitStack() as held:
            try:
                async with asyncio.timeout(WAIT_SECONDS):
                    await held.enter_async_context(own)
                    await held.enter_async_context(self._places)
            except TimeoutError:
                raise _busy() from None
            at = self._clock()
            message = message_of_a_test(endpoint.id, self._source, at)
            async with Client(self._networks, self._clock) as client:
                outcome = await send(client.post, endpoint.url, secrets, message, at)
        attempt = await self._registrations.note_test(endpoint.id, at, message, outcome)
        return Answered(endpoint.id, msgspec.json.encode(attempt.view(language)))


def _busy() -> StoreUnavailable:
    return StoreUnavailable(
        "Otras pruebas siguen en curso y esperan respuesta de sus destinos. Repita en un minuto.",
        "Other tests are still under way and wait for their endpoints. Repeat in a minute.",
    )
