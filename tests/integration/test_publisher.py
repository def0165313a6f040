"""The publisher against a real database: what it signs, what it refuses, and that no crash makes it lie."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from registry.errors import PublisherRefused
from registry.log import audit as audit_module
from registry.log import publisher as publisher_module
from registry.log import reader, storage
from registry.log.audit import audit_turn
from registry.log.checkpoint import open_checkpoint
from registry.log.keys import LogKeys, load_or_create
from registry.log.last_signed import EMPTY_TREE, FILE, LastSigned, TreeHead
from registry.log.merkle import EMPTY_ROOT, leaf_hash, root
from registry.log.publisher import Publisher, next_due
from registry.log.tiles import BundleAddress, TileAddress, bundle_path, decode_bundle, tile_path, tiles_of

ORIGIN = "log.example.org/log"

STEPS = ["_recall", "_extend", "_audit", "_remember", "_sign", "_witness", "_publish"]


class CrashedError(Exception):
    """The process ends here."""


@pytest.fixture
def keys(tmp_path: Path) -> LogKeys:
    return load_or_create(tmp_path, ORIGIN)


@pytest.fixture
def start(pool: asyncpg.Pool, keys: LogKeys, tmp_path: Path) -> Callable[[], Publisher]:
    """A publisher as a process has it that has just started."""
    return lambda: Publisher(pool, keys, ORIGIN, tmp_path)


def leaf(position: int) -> bytes:
    """Leaves of several lengths, so that a bundle is not just a table of equal rows."""
    return b'{"n":%d,"x":"%b"}' % (position, b"x" * (position % 7))


def expected_root(size: int) -> bytes:
    return root(leaf_hash(leaf(position)) for position in range(size))


async def append(pool: asyncpg.Pool, count: int) -> None:
    """Accept ``count`` more events, as the store would."""
    start = await storage.count_events(pool)
    leaves = [leaf(position) for position in range(start, start + count)]
    await pool.execute(
        "INSERT INTO events (position, event_id, stream_id, version, type, state, leaf, leaf_hash) "
        "SELECT position, gen_random_uuid(), gen_random_uuid(), 1, 'attack.reported', '', leaf, hash "
        "FROM unnest($1::bigint[], $2::bytea[], $3::bytea[]) AS new (position, leaf, hash)",
        range(start, start + count),
        leaves,
        [leaf_hash(each) for each in leaves],
    )


async def flip(pool: asyncpg.Pool, table: str, column: str, where: str, byte: int = 7) -> None:
    """One bit of one stored byte."""
    done = await pool.execute(
        f"UPDATE {table} SET {column} = set_byte({column}, $1, get_byte({column}, $1) # 1) WHERE {where}",
        byte,
    )
    assert done == "UPDATE 1"


async def published_size(pool: asyncpg.Pool) -> int | None:
    latest = await storage.latest_checkpoint(pool)
    return latest.size if latest else None


async def assert_sound(pool: asyncpg.Pool, keys: LogKeys, directory: Path, size: int) -> None:
    """All that the public can fetch is the log of the first ``size`` leaves, and last_signed says the
    same."""
    note = await reader.checkpoint_note(pool)
    assert note is not None
    checkpoint, _ = open_checkpoint(note, ORIGIN, [keys.log.verifier])
    assert (checkpoint.size, checkpoint.root) == (size, expected_root(size))
    assert LastSigned(directory).read() == TreeHead(size, checkpoint.root)
    hashes = [leaf_hash(leaf(position)) for position in range(size)]
    for tile in tiles_of(size):
        wide = 256**tile.level
        first = tile.index * 256
        served = await reader.tile(pool, tile_path(tile.level, tile.index, tile.width))
        assert served == b"".join(
            root(hashes[number * wide : (number + 1) * wide]) for number in range(first, first + tile.width)
        )
        if tile.level == 0:
            bundle = await reader.tile(pool, bundle_path(tile.index, tile.width))
            assert bundle is not None
            assert decode_bundle(bundle, tile.width) == [leaf(first + at) for at in range(tile.width)]


# What it publishes


async def test_an_empty_log_has_a_checkpoint_of_size_0(
    start: Callable[[], Publisher], keys: LogKeys, pool: asyncpg.Pool
) -> None:
    published = await start().publish_once()
    assert (published.size, published.root) == (0, EMPTY_ROOT)
    assert published.note.startswith(
        f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— {ORIGIN} "
    )
    assert open_checkpoint(published.note, ORIGIN, [keys.log.verifier])[0].size == 0
    assert await reader.tile(pool, "tile/0/000.p/1") is None


@pytest.mark.parametrize("sizes", [[1], [255, 256, 257], [1, 600, 600, 601], [2, 3000]])
async def test_every_checkpoint_covers_all_accepted_events_and_the_tiles_to_prove_it(
    start: Callable[[], Publisher], pool: asyncpg.Pool, keys: LogKeys, tmp_path: Path, sizes: list[int]
) -> None:
    publisher = start()
    size = 0
    for next_size in sizes:
        await append(pool, next_size - size)
        size = next_size
        assert (await publisher.publish_once()).size == size
        await assert_sound(pool, keys, tmp_path, size)


@pytest.mark.slow
async def test_a_log_of_70000_leaves_has_the_tiles_of_the_specification(
    start: Callable[[], Publisher], pool: asyncpg.Pool, keys: LogKeys, tmp_path: Path
) -> None:
    publisher = start()
    await append(pool, 65_000)
    await publisher.publish_once()
    await append(pool, 5_000)
    await publisher.publish_once()
    await assert_sound(pool, keys, tmp_path, 70_000)
    rows = await pool.fetch("SELECT level, width, count(*) FROM log_tiles GROUP BY 1, 2 ORDER BY 1, 2")
    assert [tuple(row) for row in rows] == [(0, 112, 1), (0, 256, 273), (1, 17, 1), (1, 256, 1), (2, 1, 1)]
    proof = await reader.inclusion(pool, 65_535)
    assert proof is not None
    proof.verify(leaf_hash(leaf(65_535)), ORIGIN, [keys.log.verifier])


async def test_without_new_events_the_same_checkpoint_is_published_again(
    start: Callable[[], Publisher], pool: asyncpg.Pool
) -> None:
    await append(pool, 3)
    first = await start().publish_once()
    second = await start().publish_once()
    assert (second.note, second.published_at) == (first.note, first.published_at)
    assert second.refreshed_at > first.refreshed_at
    assert await pool.fetchval("SELECT count(*) FROM checkpoints") == 1


async def test_an_event_that_is_not_committed_is_never_covered(
    start: Callable[[], Publisher], pool: asyncpg.Pool
) -> None:
    await append(pool, 2)
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(
            "INSERT INTO events VALUES (2, gen_random_uuid(), gen_random_uuid(), 1, 't', '', $1, $2)",
            leaf(2),
            leaf_hash(leaf(2)),
        )
        assert (await start().publish_once()).size == 2
        await transaction.rollback()
    assert (await start().publish_once()).size == 2


# What it survives


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
async def test_a_crash_around_any_step_loses_nothing_and_signs_one_history(
    start: Callable[[], Publisher],
    pool: asyncpg.Pool,
    keys: LogKeys,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    when: str,
) -> None:
    await append(pool, 300)
    publisher = start()
    await publisher.publish_once()
    await append(pool, 300)
    original = getattr(publisher, step)

    def crash_sign(*arguments: Any) -> str:
        if when == "after":
            original(*arguments)
        raise CrashedError

    async def crash(*arguments: Any) -> None:
        if when == "after":
            await original(*arguments)
        raise CrashedError

    monkeypatch.setattr(publisher, step, crash_sign if step == "_sign" else crash)
    with pytest.raises(CrashedError):
        await publisher.publish_once()

    # What readers see is whole, whatever was written meanwhile.
    seen = 600 if (step, when) == ("_publish", "after") else 300
    assert await published_size(pool) == seen
    note = await reader.checkpoint_note(pool)
    assert note is not None
    assert open_checkpoint(note, ORIGIN, [keys.log.verifier])[0].root == expected_root(seen)
    assert await reader.tile(pool, bundle_path(1, 45)) is None or seen == 600

    # The next process goes on, with more events by then.
    await append(pool, 10)
    assert (await start().publish_once()).size == 610
    await assert_sound(pool, keys, tmp_path, 610)


async def test_a_crash_between_two_batches_leaves_whole_tiles(
    start: Callable[[], Publisher],
    pool: asyncpg.Pool,
    keys: LogKeys,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publisher_module, "LEAVES_AT_ONCE", 100)
    await append(pool, 700)
    calls = 0
    extend = storage.extend_tiles

    async def crash_at_the_fourth(*arguments: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise CrashedError
        await extend(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(storage, "extend_tiles", crash_at_the_fourth)
        with pytest.raises(CrashedError):
            await start().publish_once()
    assert await storage.stored_size(pool) == 300
    await start().publish_once()
    await assert_sound(pool, keys, tmp_path, 700)


@pytest.mark.parametrize("locked", [True, False], ids=["with the lock", "without the lock"])
async def test_publishers_that_run_together_sign_one_history(
    start: Callable[[], Publisher],
    pool: asyncpg.Pool,
    keys: LogKeys,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    locked: bool,
) -> None:
    if not locked:

        @asynccontextmanager
        async def nobody_waits(*_: Any) -> AsyncIterator[None]:
            yield

        monkeypatch.setattr(Publisher, "_alone", nobody_waits)
    monkeypatch.setattr(publisher_module, "LEAVES_AT_ONCE", 64)

    async def publish(publisher: Publisher) -> None:
        for _ in range(5):
            await publisher.publish_once()

    async def accept() -> None:
        for _ in range(12):
            await append(pool, 37)
            await asyncio.sleep(0)

    await asyncio.gather(accept(), *(publish(start()) for _ in range(4)))
    assert (await start().publish_once()).size == 444
    await assert_sound(pool, keys, tmp_path, 444)
    for row in await pool.fetch("SELECT size, root, note FROM checkpoints"):
        checkpoint, _ = open_checkpoint(row["note"], ORIGIN, [keys.log.verifier])
        assert (checkpoint.size, checkpoint.root) == (row["size"], row["root"])
        assert checkpoint.root == expected_root(checkpoint.size)


# What it refuses


DAMAGES = [
    pytest.param("events", "leaf", "position = 0", "leaf 0", id="the first leaf"),
    pytest.param("events", "leaf", "position = 300", "leaf 300", id="a leaf of an old bundle"),
    pytest.param("events", "leaf", "position = 599", "leaf 599", id="the last signed leaf"),
    pytest.param("log_tiles", "data", "level = 0 AND index = 1", "leaf 256", id="a leaf hash in an old tile"),
    pytest.param(
        "log_tiles", "data", "level = 0 AND index = 2", "leaf 512", id="a leaf hash in the last tile"
    ),
    pytest.param("log_tiles", "data", "level = 1 AND index = 0", "leaf 0", id="a hash of a tile"),
    pytest.param("events", "leaf_hash", "position = 300", "leaf 300", id="the hash of an old event"),
    pytest.param("events", "leaf_hash", "position = 599", "leaf 599", id="the hash of the last signed event"),
    pytest.param("events", "leaf", "position = 605", "leaf 605", id="a leaf that is not signed yet"),
]


@pytest.mark.parametrize(("table", "column", "where", "place"), DAMAGES)
async def test_after_a_start_a_flipped_bit_anywhere_stops_it_and_is_named(
    start: Callable[[], Publisher], pool: asyncpg.Pool, table: str, column: str, where: str, place: str
) -> None:
    await append(pool, 600)
    first = await start().publish_once()
    await append(pool, 10)
    await flip(pool, table, column, where)
    with pytest.raises(PublisherRefused, match=f"{table} do not match {place}\\."):
        await start().publish_once()
    assert await storage.latest_checkpoint(pool) == first


@pytest.mark.parametrize(
    ("table", "column", "where", "place"),
    [
        pytest.param("events", "leaf", "position = 599", "leaf 599", id="a new leaf"),
        pytest.param("events", "leaf", "position = 499", "leaf 499", id="a signed leaf beside the new ones"),
        pytest.param("events", "leaf_hash", "position = 512", "leaf 512", id="the hash of an event"),
        pytest.param("log_tiles", "data", "level = 0 AND index = 2", "leaf 512", id="a leaf hash"),
        pytest.param("log_tiles", "data", "level = 1 AND index = 0", "leaf 0", id="a hash of a tile"),
    ],
)
async def test_a_bit_that_flips_between_writing_and_signing_is_never_signed(
    start: Callable[[], Publisher],
    pool: asyncpg.Pool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    table: str,
    column: str,
    where: str,
    place: str,
) -> None:
    await append(pool, 500)
    publisher = start()
    first = await publisher.publish_once()
    await append(pool, 100)
    audit = publisher._audit

    async def flip_then_audit(*arguments: Any) -> TreeHead:
        await flip(pool, table, column, where)
        return await audit(*arguments)

    monkeypatch.setattr(publisher, "_audit", flip_then_audit)
    with pytest.raises(PublisherRefused, match=f"{table} do not match {place}\\."):
        await publisher.publish_once()
    assert await storage.latest_checkpoint(pool) == first
    assert LastSigned(tmp_path).read() == TreeHead(500, first.root)


@pytest.mark.parametrize("new", [0, 5], ids=["without new events", "with new events"])
@pytest.mark.parametrize(
    ("table", "column", "where", "place"),
    [
        pytest.param("events", "leaf", "position = 0", "leaf 0", id="the first leaf"),
        pytest.param("events", "leaf", "position = 1535", "leaf 1535", id="the last leaf of a full bundle"),
        pytest.param("events", "leaf", "position = 1539", "leaf 1539", id="a leaf of the last bundle"),
        pytest.param("log_tiles", "data", "level = 0 AND index = 3", "leaf 768", id="a leaf hash"),
        pytest.param("log_tiles", "data", "level = 1 AND index = 0", "leaf 0", id="a hash of a tile"),
    ],
)
async def test_while_it_runs_a_flipped_bit_in_old_data_stops_it_within_one_round(
    start: Callable[[], Publisher],
    pool: asyncpg.Pool,
    monkeypatch: pytest.MonkeyPatch,
    table: str,
    column: str,
    where: str,
    place: str,
    new: int,
) -> None:
    monkeypatch.setattr(audit_module, "BUNDLES_AT_ONCE", 2)
    await append(pool, 6 * 256 + 4)
    publisher = start()
    for _ in range(3):  # the audit of everything, and into the first round
        await publisher.publish_once()
    await flip(pool, table, column, where)

    async def publish_for_one_round() -> None:
        for _ in range(3):
            await append(pool, new)
            await publisher.publish_once()

    with pytest.raises(PublisherRefused, match=f"{table} do not match {place}\\."):
        await publish_for_one_round()
    await flip(pool, table, column, where)
    await publish_for_one_round()


async def test_a_turn_of_the_audit_goes_through_all_full_bundles_and_begins_again(
    start: Callable[[], Publisher], pool: asyncpg.Pool
) -> None:
    await append(pool, 17 * 256 + 1)
    published = await start().publish_once()
    head = TreeHead(published.size, published.root)
    async with pool.acquire() as connection:
        turns = [0]
        for _ in range(3):
            turns.append(await audit_turn(connection, head, turns[-1]))
        assert turns == [0, 8, 16, 0]
        assert await audit_turn(connection, TreeHead(255, expected_root(255)), 0) == 0


async def test_what_the_refusal_advises_heals_the_log(
    start: Callable[[], Publisher], pool: asyncpg.Pool, keys: LogKeys, tmp_path: Path
) -> None:
    await append(pool, 600)
    await start().publish_once()
    await flip(pool, "log_tiles", "data", "level = 0 AND index = 0")
    with pytest.raises(PublisherRefused, match="empty log_tiles,"):
        await start().publish_once()
    await pool.execute("TRUNCATE log_tiles")
    assert await reader.tile(pool, "tile/0/000") is None
    assert await reader.inclusion(pool, 0) is None
    await start().publish_once()
    await assert_sound(pool, keys, tmp_path, 600)


@pytest.mark.parametrize("where", ["level = 0 AND index = 0", "level = 1"])
async def test_tiles_that_are_gone_are_noticed(
    start: Callable[[], Publisher], pool: asyncpg.Pool, where: str
) -> None:
    await append(pool, 300)
    await start().publish_once()
    await append(pool, 10)
    await pool.execute(f"DELETE FROM log_tiles WHERE {where}")
    with pytest.raises(PublisherRefused, match="log_tiles"):
        await start().publish_once()


async def test_the_newest_tile_is_made_again_when_it_is_gone(
    start: Callable[[], Publisher], pool: asyncpg.Pool, keys: LogKeys, tmp_path: Path
) -> None:
    await append(pool, 300)
    await start().publish_once()
    await append(pool, 10)
    await pool.execute("DELETE FROM log_tiles WHERE level = 0 AND index = 1")
    await start().publish_once()
    await assert_sound(pool, keys, tmp_path, 310)


@pytest.mark.parametrize("position", [0, 299, 300, 309])
async def test_an_event_that_is_gone_is_noticed_and_no_bundle_is_served_in_its_place(
    start: Callable[[], Publisher], pool: asyncpg.Pool, position: int
) -> None:
    await append(pool, 300)
    await start().publish_once()
    await append(pool, 11)
    await pool.execute("DELETE FROM events WHERE position = $1", position)
    with pytest.raises(PublisherRefused, match=f"events do not match leaf {position}\\."):
        await start().publish_once()
    bundle = await reader.tile(pool, bundle_path(position // 256, 44))
    assert (bundle is None) == (position < 44 or position == 299)


async def test_an_older_copy_of_the_database_is_refused(
    start: Callable[[], Publisher], pool: asyncpg.Pool, tmp_path: Path
) -> None:
    await append(pool, 300)
    head = await start().publish_once()
    # As if 600 had been signed and the database then restored from a backup of before.
    LastSigned(tmp_path).compare_and_swap(TreeHead(300, head.root), TreeHead(600, expected_root(600)))
    with pytest.raises(PublisherRefused, match="300 events and 600 were signed"):
        await start().publish_once()
    assert await published_size(pool) == 300


async def test_a_restored_database_that_went_on_differently_is_refused(
    start: Callable[[], Publisher], pool: asyncpg.Pool, tmp_path: Path
) -> None:
    await append(pool, 300)
    head = await start().publish_once()
    LastSigned(tmp_path).compare_and_swap(
        TreeHead(300, head.root), TreeHead(400, b"another history's root..32 bytes")
    )
    await append(pool, 300)
    with pytest.raises(PublisherRefused, match="first 400 events of this database are not the ones"):
        await start().publish_once()
    assert await published_size(pool) == 300


async def test_a_restored_database_that_caught_up_with_the_same_events_goes_on(
    start: Callable[[], Publisher], pool: asyncpg.Pool, keys: LogKeys, tmp_path: Path
) -> None:
    await append(pool, 300)
    head = await start().publish_once()
    LastSigned(tmp_path).compare_and_swap(TreeHead(300, head.root), TreeHead(400, expected_root(400)))
    await append(pool, 150)
    await start().publish_once()
    await assert_sound(pool, keys, tmp_path, 450)


async def test_a_lost_memory_is_refused_for_a_log_that_is_not_empty(
    start: Callable[[], Publisher], pool: asyncpg.Pool, tmp_path: Path
) -> None:
    await append(pool, 1)
    (tmp_path / FILE).unlink()
    with pytest.raises(PublisherRefused, match="missing or older"):
        await start().publish_once()
    assert await published_size(pool) is None


async def test_a_lost_memory_is_refused_for_an_empty_log_that_was_published(
    start: Callable[[], Publisher], tmp_path: Path
) -> None:
    await start().publish_once()
    (tmp_path / FILE).unlink()
    with pytest.raises(PublisherRefused, match="missing or older"):
        await start().publish_once()


async def test_a_lost_memory_of_nothing_is_made_anew(start: Callable[[], Publisher], tmp_path: Path) -> None:
    (tmp_path / FILE).unlink()
    assert (await start().publish_once()).size == 0


async def test_a_memory_older_than_what_was_published_is_refused(
    start: Callable[[], Publisher], pool: asyncpg.Pool, tmp_path: Path
) -> None:
    old = (tmp_path / FILE).read_bytes()
    await append(pool, 5)
    await start().publish_once()
    (tmp_path / FILE).write_bytes(old)
    assert LastSigned(tmp_path).read() == EMPTY_TREE
    with pytest.raises(PublisherRefused, match="missing or older"):
        await start().publish_once()


async def test_the_keys_of_another_log_are_refused(
    start: Callable[[], Publisher], pool: asyncpg.Pool, keys: LogKeys, tmp_path: Path
) -> None:
    with pytest.raises(PublisherRefused, match=f"CONSTANCIA_ORIGIN={ORIGIN}"):
        Publisher(pool, keys, "other.example/log", tmp_path)
    await start().publish_once()
    strangers = load_or_create(tmp_path / "stranger", ORIGIN)
    with pytest.raises(PublisherRefused, match="present key"):
        await Publisher(pool, strangers, ORIGIN, tmp_path / "stranger").publish_once()


# When it publishes


def test_the_times_of_publication_do_not_depend_on_events_or_starts() -> None:
    day = 86400.0
    midnight = datetime(2026, 11, 23, tzinfo=UTC)
    assert next_due(datetime(2026, 11, 22, 14, 5, tzinfo=UTC), day) == midnight
    assert next_due(datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC), day) == midnight
    assert next_due(midnight, day) == datetime(2026, 11, 24, tzinfo=UTC)
    assert next_due(None, day) < datetime(2026, 1, 1, tzinfo=UTC)


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110  # nothing signals what the database holds
            await asyncio.sleep(0.01)


async def test_it_publishes_every_cadence_until_it_is_told_to_stop(
    start: Callable[[], Publisher], pool: asyncpg.Pool
) -> None:
    stopping = asyncio.Event()
    running = asyncio.create_task(start().run(0.05, stopping))
    for size in (3, 6):
        await append(pool, 3)
        await until(lambda size=size: is_published(pool, size))  # type: ignore[misc]  # a lambda's default
    stopping.set()
    await asyncio.wait_for(running, 5)


async def is_published(pool: asyncpg.Pool, size: int) -> bool:
    return await published_size(pool) == size


async def test_a_refusal_is_shown_and_ends_when_its_cause_does(
    start: Callable[[], Publisher], pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture
) -> None:
    await append(pool, 300)
    await start().publish_once()
    await flip(pool, "events", "leaf", "position = 20")
    await append(pool, 10)
    publisher, stopping = start(), asyncio.Event()
    running = asyncio.create_task(publisher.run(0.05, stopping))

    async def refused() -> bool:
        return publisher.refused is not None

    await until(refused)
    assert "events do not match leaf 20" in caplog.text
    await flip(pool, "events", "leaf", "position = 20")
    await until(lambda: is_published(pool, 310))
    stopping.set()
    await asyncio.wait_for(running, 5)
    assert publisher.refused is None


async def test_a_publisher_that_is_stopped_before_it_began_does_nothing(
    start: Callable[[], Publisher], pool: asyncpg.Pool
) -> None:
    stopping = asyncio.Event()
    stopping.set()
    await start().run(0.05, stopping)
    assert await published_size(pool) is None


# What the public may fetch


async def test_nothing_is_served_beyond_the_published_checkpoint(
    start: Callable[[], Publisher], pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await append(pool, 300)
    publisher = start()
    await publisher.publish_once()
    await append(pool, 300)

    def crash(*_: Any) -> str:
        raise CrashedError

    monkeypatch.setattr(publisher, "_sign", crash)
    with pytest.raises(CrashedError):
        await publisher.publish_once()
    assert await storage.stored_size(pool) == 600
    hidden = [TileAddress(0, 1), TileAddress(0, 1, 45), TileAddress(0, 2, 1), TileAddress(1, 0, 2)]
    for tile in hidden:
        assert await reader.tile(pool, tile_path(tile.level, tile.index, tile.width)) is None
    for bundle in (BundleAddress(1), BundleAddress(1, 45), BundleAddress(2, 1)):
        assert await reader.tile(pool, bundle_path(bundle.index, bundle.width)) is None
    assert await reader.inclusion(pool, 300) is None


async def test_a_narrower_tile_is_the_beginning_of_the_wider(
    start: Callable[[], Publisher], pool: asyncpg.Pool
) -> None:
    await append(pool, 300)
    await start().publish_once()
    whole = await reader.tile(pool, "tile/0/000")
    bundle = await reader.tile(pool, "tile/entries/000")
    assert whole is not None
    assert bundle is not None
    assert await reader.tile(pool, "tile/0/000.p/9") == whole[: 9 * 32]
    narrower = await reader.tile(pool, "tile/entries/000.p/9")
    assert narrower is not None
    assert bundle.startswith(narrower)
    assert decode_bundle(narrower, 9) == [leaf(position) for position in range(9)]


@pytest.mark.parametrize("size", [1, 2, 257, 600])
async def test_every_leaf_can_be_proved_offline(
    start: Callable[[], Publisher], pool: asyncpg.Pool, keys: LogKeys, size: int
) -> None:
    await append(pool, size)
    await start().publish_once()
    for index in {0, 1, 255, 256, 511, 512, size - 1} & set(range(size)):
        proof = await reader.inclusion(pool, index)
        assert proof is not None
        assert (
            proof.parse(proof.text()).verify(leaf_hash(leaf(index)), ORIGIN, [keys.log.verifier]).size == size
        )
    for index in (-1, size, 2**70):
        assert await reader.inclusion(pool, index) is None
