"""The store's promises, on a real database."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from registry.errors import StoreUnavailable
from registry.store import (
    Answer,
    Command,
    EventStore,
    ExclusiveNames,
    Idempotency,
    NewEvent,
    Outcome,
    SourceRecord,
    StreamVersion,
)
from registry.store import writer as writer_module
from tests.integration.store.conftest import command, event

INSTITUTION = uuid4()


async def test_positions_are_gapless_from_zero_and_in_the_order_of_commits(store: EventStore) -> None:
    answers = await asyncio.gather(*(store.append(command(event(), event())) for _ in range(200)))

    assert sorted(position for answer in answers for position in answer.positions) == list(range(400))
    assert await store.size() == 400
    assert [one.position for one in await store.read(0, 1000)] == list(range(400))
    assert all(answer.positions[1] == answer.positions[0] + 1 for answer in answers)


async def test_whatever_waits_shares_a_commit(store: EventStore, pool: asyncpg.Pool) -> None:
    await asyncio.gather(*(store.append(command()) for _ in range(200)))
    # xmin is the transaction that stored a row.
    assert await pool.fetchval("SELECT count(DISTINCT xmin::text) FROM events") <= 3


async def test_of_many_contenders_for_one_version_exactly_one_wins(store: EventStore) -> None:
    stream = uuid4()
    answers = await asyncio.gather(*(store.append(command(event(stream, 1))) for _ in range(64)))

    assert [answer.outcome for answer in answers].count(Outcome.STORED) == 1
    assert [answer.outcome for answer in answers].count(Outcome.CONFLICT) == 63
    assert len(await store.read_stream(stream)) == 1


async def test_contenders_in_two_processes_leave_no_gap(store: EventStore, pool: asyncpg.Pool) -> None:
    other = EventStore(pool)
    stream = uuid4()
    try:
        for version in range(1, 21):
            answers = await asyncio.gather(
                *(one.append(command(event(stream, version))) for one in (store, other) for _ in range(4))
            )
            assert [answer.outcome for answer in answers].count(Outcome.STORED) == 1
    finally:
        await other.close()
    assert [one.position for one in await store.read(0, 100)] == list(range(20))


async def test_a_version_that_skips_one_is_a_conflict(store: EventStore) -> None:
    stream = uuid4()
    await store.append(command(event(stream, 1)))
    assert (await store.append(command(event(stream, 3)))).outcome is Outcome.CONFLICT


@pytest.mark.parametrize("versions", [(1, 3), (2, 1), (1, 1)], ids=str)
async def test_versions_within_a_command_follow_one_another(
    store: EventStore, versions: tuple[int, int]
) -> None:
    stream = uuid4()
    answer = await store.append(command(*(event(stream, version) for version in versions)))
    assert answer.outcome is Outcome.CONFLICT
    assert await store.read_stream(stream) == []


async def test_what_was_decided_on_a_stream_that_a_batch_mate_changes_first_is_a_conflict(
    store: EventStore,
) -> None:
    stream = uuid4()
    await store.append(command(event(stream, 1)))
    reading = [Command((event(),), reads=(StreamVersion(stream, version),)) for version in (1, 1, 2)]

    before, change, after, *_ = await asyncio.gather(
        store.append(reading[0]),
        store.append(command(event(stream, 2))),
        store.append(reading[1]),
        *(store.append(command()) for _ in range(4)),
    )
    assert [one.outcome for one in (before, change, after)] == [
        Outcome.STORED,
        Outcome.STORED,
        Outcome.CONFLICT,
    ]
    assert (await store.append(reading[2])).outcome is Outcome.STORED


async def test_a_command_of_which_a_part_is_stored_already_is_a_conflict(store: EventStore) -> None:
    one = event()
    await store.append(command(one))
    assert (await store.append(command(one, event()))).outcome is Outcome.CONFLICT
    assert await store.size() == 1


async def test_several_streams_are_stored_together_or_not_at_all(store: EventStore) -> None:
    taken = uuid4()
    await store.append(command(event(taken, 1)))
    free = uuid4()
    assert (await store.append(command(event(free, 1), event(taken, 1)))).outcome is Outcome.CONFLICT
    assert await store.read_stream(free) == []


async def test_conflicts_and_poison_leave_their_batch_mates_alone(store: EventStore) -> None:
    stream = uuid4()
    await store.append(command(event(stream, 1)))
    too_large = event(leaf=b"x" * 65_536)

    outcomes = await asyncio.gather(
        *(store.append(command()) for _ in range(20)),
        store.append(command(event(stream, 1))),
        store.append(command(too_large)),
        *(store.append(command()) for _ in range(20)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, Answer) and one.outcome is Outcome.STORED for one in outcomes) == 40
    assert sum(isinstance(one, Answer) and one.outcome is Outcome.CONFLICT for one in outcomes) == 1
    assert sum(isinstance(one, asyncpg.CheckViolationError) for one in outcomes) == 1
    assert await store.size() == 41


async def test_an_idempotency_key_stands_for_one_body(store: EventStore) -> None:
    key = Idempotency(INSTITUTION, "k", b"a" * 32)
    first = await store.append(command(idempotency=key))
    again = await store.append(command(idempotency=key))
    other = await store.append(command(idempotency=Idempotency(INSTITUTION, "k", b"b" * 32)))

    assert (again.outcome, again.event_ids, again.positions) == (
        Outcome.REPLAYED,
        first.event_ids,
        first.positions,
    )
    assert other.outcome is Outcome.KEY_REUSED
    assert await store.size() == 1


async def test_an_idempotency_key_counts_for_thirty_days(store: EventStore, pool: asyncpg.Pool) -> None:
    key = Idempotency(INSTITUTION, "k", b"a" * 32)
    await store.append(command(idempotency=key))
    await pool.execute("UPDATE idempotency_keys SET created = now() - interval '31 days'")

    assert await store.idempotency_key(INSTITUTION, "k") is None
    later = await store.append(command(idempotency=Idempotency(INSTITUTION, "k", b"b" * 32)))
    assert later.outcome is Outcome.STORED
    known = await store.idempotency_key(INSTITUTION, "k")
    assert known is not None
    assert known.event_ids == later.event_ids
    await pool.execute("UPDATE idempotency_keys SET created = now() - interval '31 days'")
    await store.forget_idempotency_keys()
    assert await pool.fetchval("SELECT count(*) FROM idempotency_keys") == 0


async def test_source_records_of_one_command_remember_their_own_events(store: EventStore) -> None:
    events = [event() for _ in range(3)]
    records = (
        SourceRecord(INSTITUTION, "one", b"a" * 32, 0, 0),
        SourceRecord(INSTITUTION, "two", b"b" * 32, 1, 2),
    )
    await store.append(command(*events, records=records))

    two = await store.source_record(INSTITUTION, "two")
    assert two is not None
    assert two.stream_id == events[1].stream_id
    assert two.event_ids == (events[1].event_id, events[2].event_id)
    differing = SourceRecord(INSTITUTION, "two", b"c" * 32, 0, 0)
    assert (await store.append(command(records=(differing,)))).outcome is Outcome.RECORD_DIFFERS
    same = await store.append(command(records=(SourceRecord(INSTITUTION, "one", b"a" * 32, 0, 0),)))
    assert (same.outcome, same.event_ids) == (Outcome.RECORD_REPLAYED, (events[0].event_id,))


class CuttingPool:
    """Lets statements through and cuts the connection before the answer arrives, the first ``cuts`` times."""

    def __init__(self, pool: asyncpg.Pool, cuts: int) -> None:
        self._pool = pool
        self.cuts = cuts

    async def fetch(self, query: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        rows: Sequence[asyncpg.Record] = await self._pool.fetch(query, *arguments)
        if self.cuts:
            self.cuts -= 1
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
        return rows

    async def acquire(self) -> "CuttingPool":
        return self

    async def release(self, _: "CuttingPool") -> None:
        """It was never more than one."""

    def get_max_size(self) -> int:
        return 1


async def test_a_reply_lost_after_the_commit_comes_with_the_same_positions(pool: asyncpg.Pool) -> None:
    cutting = CuttingPool(pool, cuts=2)
    store = EventStore(cutting)  # type: ignore[arg-type]
    answer = await store.append(command(event(), event()))
    await store.close()

    assert (answer.outcome, answer.positions) == (Outcome.DUPLICATE, (0, 1))
    assert await pool.fetchval("SELECT count(*) FROM events") == 2


async def test_an_outcome_that_cannot_be_learnt_is_said_so(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "RETRY_SECONDS", 0.1)
    store = EventStore(CuttingPool(pool, cuts=1000))  # type: ignore[arg-type]
    one = command()
    with pytest.raises(StoreUnavailable):
        await store.append(one)
    await store.close()

    # Whoever asks again with the same event ids learns what became of it.
    second = EventStore(pool)
    assert (await second.append(one)).outcome is Outcome.DUPLICATE
    await second.close()


async def test_a_full_queue_tells_the_submitter_to_come_back(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "MAX_WAITING_BYTES", 100)
    outcomes = await asyncio.gather(*(store.append(command()) for _ in range(50)), return_exceptions=True)
    refused = [one for one in outcomes if isinstance(one, StoreUnavailable)]
    stored = [one for one in outcomes if isinstance(one, Answer)]
    assert refused
    assert await store.size() == len(stored) == 50 - len(refused)


async def test_a_cancelled_caller_finds_its_command_by_the_event_ids(store: EventStore) -> None:
    one = command()
    waiting = asyncio.create_task(store.append(one))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    again = await store.append(one)
    assert (again.outcome, again.positions) == (Outcome.DUPLICATE, (0,))


async def test_a_tailing_reader_sees_every_position_in_order_while_a_transaction_stays_open(
    store: EventStore, pool: asyncpg.Pool
) -> None:
    async with pool.acquire() as other, other.transaction():
        await other.fetchval("SELECT size FROM head")  # an old snapshot that stays open
        seen: list[int] = []

        async def tail() -> None:
            while len(seen) < 300:
                seen.extend(one.position for one in await store.read(len(seen), 50))

        async def write() -> None:
            for _ in range(10):
                await asyncio.gather(*(store.append(command()) for _ in range(30)))

        await asyncio.wait_for(asyncio.gather(tail(), write()), 60)
    assert seen == list(range(300))


async def test_what_is_visible_is_always_a_prefix_even_while_an_append_is_held_open(
    store: EventStore, pool: asyncpg.Pool
) -> None:
    await store.append(command())
    async with pool.acquire() as blocker:
        transaction = blocker.transaction()
        await transaction.start()
        await blocker.fetchval("SELECT size FROM head FOR UPDATE")
        waiting = asyncio.create_task(store.append(command()))
        await asyncio.sleep(0.1)
        assert [one.position for one in await store.read(0, 10)] == [0]
        await transaction.rollback()
        assert (await waiting).positions == (1,)


def _ids(events: Sequence[NewEvent]) -> list[UUID]:
    return [one.event_id for one in events]


async def test_reading_by_id_keeps_the_order_asked_for(store: EventStore) -> None:
    events = [event() for _ in range(5)]
    await store.append(command(*events))
    wanted = _ids(events)[::-1]
    assert [one.event_id for one in await store.events(wanted)] == wanted


async def test_an_exclusive_name_is_held_by_one_stream_at_a_time(
    store: EventStore, pool: asyncpg.Pool
) -> None:
    def holding(stream: UUID, version: int, *names: str, with_: tuple[ExclusiveNames, ...] = ()) -> Command:
        events = [event(stream, version), *(event(other.stream_id, 2) for other in with_)]
        return Command(tuple(events), exclusive=(ExclusiveNames(stream, names), *with_))

    other = EventStore(pool)
    one, two, three = uuid4(), uuid4(), uuid4()
    try:
        # Of many at once, in one process or two, one holds it; the same stream may go on holding it.
        racing = [uuid4() for _ in range(16)]
        answers = await asyncio.gather(
            *(
                who.append(holding(stream, 1, "a"))
                for stream, who in zip(racing, [store, other] * 8, strict=True)
            )
        )
        assert [answer.outcome for answer in answers].count(Outcome.STORED) == 1
        assert [answer.outcome for answer in answers].count(Outcome.CONFLICT) == 15

        assert (await store.append(holding(one, 1, "b", "c"))).outcome is Outcome.STORED
        assert (await store.append(holding(one, 2, "b"))).outcome is Outcome.STORED
        assert await store.holders(["a", "b", "c"]) == {"b": one} | {
            "a": racing[[answer.outcome for answer in answers].index(Outcome.STORED)]
        }
        assert (await store.append(holding(two, 1, "b"))).outcome is Outcome.CONFLICT
        assert (await store.append(holding(two, 1, "c"))).outcome is Outcome.STORED
        # Given up by one and taken by another in the same command; and a refused command gives nothing up.
        refused = holding(two, 5, with_=())
        assert (await store.append(refused)).outcome is Outcome.CONFLICT
        taking = holding(three, 1, "c", with_=(ExclusiveNames(two, ()),))
        assert (await store.append(taking)).outcome is Outcome.STORED
        assert (await store.holders(["c"])) == {"c": three}
    finally:
        await other.close()
