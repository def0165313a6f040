"""What many ask at the same time is computed once, and kept a while where it never changes."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Final, Generic, TypeVar

REMEMBERED: Final = 256
"""Answers kept, those asked for last."""

T = TypeVar("T")


class Shared(Generic[T]):
    """Answers by what was asked, those that ``keep`` finds worth their room. Only for what is the same for ever."""

    def __init__(self, keep: Callable[[T], bool] = lambda _: True, remembered: int = REMEMBERED) -> None:
        self._keep, self._remembered = keep, remembered
        self._asked: OrderedDict[Hashable, asyncio.Future[T]] = OrderedDict()

    async def ask(self, question: Hashable, find: Callable[[], Awaitable[T]]) -> T:
        """The answer; ``find`` is called unless somebody has asked already. What it raises, all who wait are told."""
        task = self._asked.get(question)
        if task is None:
            task = self._asked[question] = asyncio.ensure_future(_run(find))
            task.add_done_callback(lambda done: self._judge(question, done))
        elif task.done():
            self._asked.move_to_end(question)
            return task.result()
        return await asyncio.shield(task)  # one of those who wait may go away

    def has(self, question: Hashable) -> bool:
        """Whether the answer is there already."""
        task = self._asked.get(question)
        return task is not None and task.done()

    def keep(self, question: Hashable, answer: T) -> None:
        """Remember an answer that was found otherwise."""
        if question not in self._asked and self._keep(answer):
            found: asyncio.Future[T] = asyncio.get_running_loop().create_future()
            found.set_result(answer)
            self._asked[question] = found
            self._forget()

    def _judge(self, question: Hashable, done: asyncio.Future[T]) -> None:
        if done.cancelled() or done.exception() is not None or not self._keep(done.result()):
            self._asked.pop(question, None)
        self._forget()

    def _forget(self) -> None:
        while len(self._asked) > self._remembered:
            self._asked.popitem(last=False)


async def _run(find: Callable[[], Awaitable[T]]) -> T:
    return await find()
