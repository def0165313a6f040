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


class Gathering(Generic[Question, Answer]):
    """Asks for many at once through ``fetch``, which answers a sequence of questions in their order.

    Owns one task, alive only while there are questions.
    """

    def __init__(self, fetch: Callable[[Sequence[Question]], Awaitable[Sequence[Answer]]]) -> None:
        self._fetch = fetch
        self._asked: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._serving: asyncio.Task[None] | None = None

    async def ask(self, question: Question) -> Answer:
        """The answer. Raises what fetching its group raised."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked.append((question, answer))
        if self._serving is None or self._serving.done():
            self._serving = asyncio.create_task(self._serve())
        return await answer

    async def _serve(self) -> None:
        while self._asked:
            group, self._asked = self._asked[:MAX_GROUP], self._asked[MAX_GROUP:]
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
