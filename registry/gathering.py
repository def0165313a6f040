"""Round trips that are shared: all that is asked for while one is under way goes into the next.

There is no linger: a lone question is fetched at once. Under load one statement answers many, where each on its own
would cost a hundred microseconds of this process and as much of the server.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")

MAX_GROUP = 500
"""Questions in one round trip, so that none waits for thousands of others."""


ROUND_TRIPS = 2
"""Under way at once, each with half of what waits: while the server answers one, this process prepares the other."""


class Gathering(Generic[Question, Answer]):
    """Asks for many at once through ``fetch``, which answers a sequence of questions in their order."""

    def __init__(self, fetch: Callable[[Sequence[Question]], Awaitable[Sequence[Answer]]]) -> None:
        self._fetch = fetch
        self._asked: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._under_way: dict[asyncio.Task[None], int] = {}
        self._starting = False

    async def ask(self, question: Question) -> Answer:
        """The answer. Raises what fetching its group raised."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._asked.append((question, answer))
        if not self._starting:
            # After all others that ask in this turn of the loop.
            self._starting = True
            loop.call_soon(self._start)
        return await answer

    def _start(self) -> None:
        self._starting = False
        while self._asked and len(self._under_way) < ROUND_TRIPS:
            share = -(-(len(self._asked) + sum(self._under_way.values())) // ROUND_TRIPS)
            size = min(share, MAX_GROUP)
            group, self._asked = self._asked[:size], self._asked[size:]
            fetching = asyncio.get_running_loop().create_task(self._serve(group))
            self._under_way[fetching] = len(group)
            fetching.add_done_callback(self._landed)

    def _landed(self, fetching: asyncio.Task[None]) -> None:
        del self._under_way[fetching]
        self._start()

    async def _serve(self, group: Sequence[tuple[Question, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._fetch([question for question, _ in group])
        except Exception as error:  # noqa: BLE001 - given to everybody who waits for it
            for _, waiting in group:
                if not waiting.done():
                    waiting.set_exception(error)
        else:
            for (_, waiting), answer in zip(group, answers, strict=True):
                if not waiting.done():
                    waiting.set_result(answer)
