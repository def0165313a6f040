"""Commands take turns at an aggregate, in order of arrival, and never wait for each other in a circle."""

import asyncio
from collections.abc import Iterable
from random import Random
from uuid import UUID

import pytest

from registry.application.execution import turns
from registry.application.execution.turns import MAX_TURNS, Turns
from registry.errors import StoreUnavailable

A, B, C = (UUID(int=number, version=4) for number in (1, 2, 3))


class Crowd:
    """Commands that note when they come in and go out."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.inside: list[str] = []
        self.order: list[str] = []
        self.most = 0

    async def command(self, name: str, *targets: UUID, contended: Iterable[UUID] = ()) -> None:
        async with self.turns.attempt(frozenset(contended)) as turn:
            for target in targets:
                await turn.take(target)
            self.inside.append(name)
            self.most = max(self.most, len(self.inside))
            await asyncio.sleep(0)
            self.inside.remove(name)
            self.order.append(name)


async def test_one_at_a_time_in_order_of_arrival() -> None:
    crowd = Crowd()
    await asyncio.gather(*(crowd.command(str(number), A) for number in range(64)))
    assert crowd.most == 1
    assert crowd.order == [str(number) for number in range(64)]


async def test_other_aggregates_do_not_wait() -> None:
    crowd = Crowd()
    await asyncio.gather(crowd.command("a", A), crowd.command("b", B))
    assert crowd.most == 2


async def test_commands_over_the_same_aggregates_in_opposite_orders_all_end() -> None:
    crowd = Crowd()
    random = Random(7)
    commands = []
    for number in range(200):
        mixed = random.sample([A, B, C], 3)
        contended = mixed[: random.randrange(4)]
        commands.append(crowd.command(str(number), *mixed, contended=contended))
    async with asyncio.timeout(10):
        await asyncio.gather(*commands)
    assert len(crowd.order) == 200


async def test_only_the_first_turn_is_waited_for_with_none_in_hand() -> None:
    crowd = Crowd()
    async with crowd.turns.attempt() as turn:
        await turn.take(A)
        async with crowd.turns.attempt(frozenset({B})) as other:
            async with asyncio.timeout(1):
                await turn.take(B)
                await other.take(A)


async def test_a_command_that_lost_over_several_holds_them_all() -> None:
    crowd = Crowd()
    await asyncio.gather(
        *(crowd.command(str(number), contended=pair) for number, pair in enumerate([(A, B), (B, A), (B, C)]))
    )
    assert crowd.most == 1


async def test_several_turns_are_taken_in_one_order_whatever_order_they_are_named_in() -> None:
    turns = Turns()

    async def over(*targets: UUID) -> None:
        async with turns.attempt() as turn:
            await turn.take_all(targets)

    async with asyncio.timeout(1), turns.attempt() as turn:
        await turn.take(B)
        one = asyncio.create_task(over(B, A))
        await asyncio.sleep(0)
        other = asyncio.create_task(over(A, B))
        await asyncio.sleep(0)
    async with asyncio.timeout(1):
        await asyncio.gather(one, other)


async def test_a_command_over_very_many_makes_nobody_wait() -> None:
    crowd = Crowd()
    many = [A, *(UUID(int=number, version=4) for number in range(10, 10 + MAX_TURNS))]
    await asyncio.gather(crowd.command("release", contended=many), crowd.command("a", A))
    assert crowd.most == 2


async def test_a_turn_ends_with_the_failure_of_its_command_or_the_loss_of_its_caller() -> None:
    crowd = Crowd()

    async def fail() -> None:
        async with crowd.turns.attempt() as turn:
            await turn.take(A)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with crowd.turns.attempt() as turn:
        await turn.take(A)
        waiting = asyncio.create_task(crowd.command("cancelled", A))
        await asyncio.sleep(0)
        waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(1):
        await crowd.command("next", A)
    assert crowd.order == ["next"]


async def test_waiting_ends_with_word_that_nothing_was_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "TURN_SECONDS", 0.01)
    crowd = Crowd()
    async with crowd.turns.attempt() as turn:
        await turn.take(A)
        with pytest.raises(StoreUnavailable):
            await crowd.command("late", A)
    await crowd.command("next", A)


async def test_no_turn_is_remembered_that_nobody_has_or_awaits() -> None:
    crowd = Crowd()
    await asyncio.gather(*(crowd.command("x", UUID(int=number, version=4)) for number in range(100)))
    assert len(crowd.turns._locks) == 0
