"""What must hold when writers meet: in one batch, in two processes, and with others who lock the same rows."""

import asyncio
from uuid import uuid4

import asyncpg
import msgspec
import pytest

from registry.store import (
    Answer,
    Command,
    CommitmentKey,
    EventStore,
    ExclusiveNames,
    NewDataKey,
    Outcome,
    PrivatePart,
)
from tests.integration.store.conftest import command, event


async def test_a_name_that_a_batch_mate_gives_up_is_not_free_before(store: EventStore) -> None:
    holder, taker = uuid4(), uuid4()
    first = Command((event(holder),), exclusive=(ExclusiveNames(holder, ("a",)),))
    assert (await store.append(first)).outcome is Outcome.STORED
    taking = Command((event(taker),), exclusive=(ExclusiveNames(taker, ("a",)),))
    giving_up = Command((event(holder, 2),), exclusive=(ExclusiveNames(holder, ()),))

    # In this order, so that with both stored two would hold the name between their positions.
    answers = await asyncio.gather(store.append(taking), store.append(giving_up))
    assert [answer.outcome for answer in answers] == [Outcome.CONFLICT, Outcome.STORED]
    assert (await store.append(taking)).outcome is Outcome.STORED
    assert await store.holders(["a"]) == {"a": taker}


async def test_an_append_takes_new_data_keys_in_the_order_in_which_others_do(
    store: EventStore, pool: asyncpg.Pool
) -> None:
    new = Command((event(),), data_keys=(NewDataKey("person:b", b"b"), NewDataKey("person:a", b"a")))
    insert = "INSERT INTO vault.data_keys (subject, wrapped) VALUES ($1, '')"
    async with pool.acquire() as other:
        transaction = other.transaction()
        await transaction.start()
        await other.execute("SET LOCAL deadlock_timeout TO '1ms'")  # it would be the one to fail
        await other.execute(insert, "person:a")
        waiting = asyncio.create_task(store.append(new))
        await _somebody_waits(pool)
        await other.execute(insert, "person:b")  # a deadlock, if the append held it already
        await transaction.commit()
    assert (await waiting).outcome is Outcome.CONFLICT
    assert await store.size() == 0


async def test_a_command_without_events_is_no_command(store: EventStore) -> None:
    taken = uuid4()
    await store.append(command(event(taken)))
    outcomes = await asyncio.gather(
        store.append(Command(())),
        store.append(command(event(taken))),
        store.append(command()),
        return_exceptions=True,
    )
    assert isinstance(outcomes[0], ValueError)
    assert [one.outcome for one in outcomes[1:] if isinstance(one, Answer)] == [
        Outcome.CONFLICT,
        Outcome.STORED,
    ]


def test_the_size_of_a_command_counts_all_that_is_sealed_with_it() -> None:
    sealed = msgspec.structs.replace(
        event(),
        private_parts=(PrivatePart("person:a", b"x" * 1000),),
        commitment_keys=tuple(CommitmentKey(f"field{n}", ("person:a",), b"x" * 1000) for n in range(10)),
    )
    assert Command((sealed,), data_keys=(NewDataKey("person:a", b"x" * 1000),)).size > 12_000


@pytest.mark.parametrize(
    "setting", ["lock_timeout = '50ms'", "statement_timeout = '50ms'", "default_transaction_read_only = on"]
)
async def test_limits_that_a_server_sets_delay_an_append_and_do_not_refuse_it(
    pool: asyncpg.Pool, database_url: str, setting: str
) -> None:
    name, value = setting.split(" = ")
    limited = await asyncpg.create_pool(
        database_url,
        min_size=2,
        max_size=2,
        server_settings={name: value.strip("'")},
        reset=lambda _: asyncio.sleep(0),
    )
    store = EventStore(limited)
    async with pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM head FOR UPDATE")
        waiting = asyncio.gather(*(store.append(command()) for _ in range(8)))
        await asyncio.sleep(0.4)
        assert not waiting.done()
    if "read_only" in name:
        async with limited.acquire() as one, limited.acquire() as two:
            for connection in (one, two):
                await connection.execute("SET default_transaction_read_only = off")
    assert {answer.outcome for answer in await waiting} == {Outcome.STORED}
    await store.close()
    await limited.close()


async def _somebody_waits(pool: asyncpg.Pool) -> None:
    for _ in range(1000):
        if await pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody waits for a lock")
