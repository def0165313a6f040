"""What all streams want at the same moment is computed once."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Final

REMEMBERED: Final = 256
"""Answers kept; streams that have fallen further behind have theirs computed again."""


class Shared:
    """Answers by what was asked. Only for what never changes once it is known."""

    def __init__(self) -> None:
        self._asked: OrderedDict[Hashable, asyncio.Task[Any]] = OrderedDict()

    async def ask(self, question: Hashable, find: Callable[[], Awaitable[Any]]) -> Any:
        """The answer; ``find`` is called unless somebody has asked already. What it raises, all who wait are told."""
        task = self._asked.get(question)
        if task is None:
            task = self._asked[question] = asyncio.ensure_future(_run(find))
            task.add_done_callback(lambda done: self._forget(question, done))
            while len(self._asked) > REMEMBERED:
                self._asked.popitem(last=False)
        return await asyncio.shield(task)  # one of those who wait may go away

    def _forget(self, question: Hashable, done: asyncio.Task[Any]) -> None:
        if (done.cancelled() or done.exception() is not None) and self._asked.get(question) is done:
            del self._asked[question]


async def _run(find: Callable[[], Awaitable[Any]]) -> Any:
    return await find()
