"""Shared round trips: grouped while one is under way, answered each for itself, and failing only with their group."""

import asyncio
from collections.abc import Sequence

import pytest

from registry import gathering
from registry.gathering import Gathering


class Server:
    """Squares numbers; refuses groups with a negative one."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.busy = asyncio.Event()

    async def fetch(self, numbers: Sequence[int]) -> list[int]:
        self.groups.append(list(numbers))
        if len(self.groups) == 2:
            self.busy.set()
        await asyncio.sleep(0)
        if min(numbers) < 0:
            raise ValueError("negative")
        return [number * number for number in numbers]


async def test_what_is_asked_at_once_shares_two_round_trips() -> None:
    server = Server()
    asking = Gathering(server.fetch)
    assert await asyncio.gather(*(asking.ask(number) for number in range(1, 8))) == [1, 4, 9, 16, 25, 36, 49]
    assert server.groups == [[1, 2, 3, 4], [5, 6, 7]]


async def test_what_is_asked_while_two_are_under_way_goes_into_the_next() -> None:
    server = Server()
    asking = Gathering(server.fetch)
    first = [asyncio.create_task(asking.ask(number)) for number in (1, 2)]
    await asyncio.wait_for(server.busy.wait(), 10)
    rest = await asyncio.gather(*(asking.ask(number) for number in range(3, 7)))
    assert [await task for task in first] == [1, 4]
    assert rest == [9, 16, 25, 36]
    assert server.groups[:2] == [[1], [2]]
    assert len(server.groups) <= 4


async def test_a_failure_is_told_to_its_group_and_to_nobody_else() -> None:
    asking = Gathering(Server().fetch)
    results = await asyncio.gather(*(asking.ask(n) for n in (-1, 2, 3)), return_exceptions=True)
    assert [isinstance(result, ValueError) for result in results] == [True, True, False]
    assert await asking.ask(3) == 9


async def test_whoever_is_cancelled_disturbs_nobody() -> None:
    asking = Gathering(Server().fetch)
    tasks = [asyncio.create_task(asking.ask(number)) for number in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert results[0] == 0
    assert isinstance(results[1], asyncio.CancelledError)
    assert results[2] == 4


async def test_a_group_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "MAX_GROUP", 2)
    server = Server()
    asking = Gathering(server.fetch)
    await asyncio.gather(*(asking.ask(number) for number in range(5)))
    assert max(len(group) for group in server.groups) == 2
