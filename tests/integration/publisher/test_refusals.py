"""The publisher against a real database: what it refuses to sign, and what heals it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from registry.errors import PublisherRefused
from registry.log import audit as audit_module
from registry.log import reader, storage
from registry.log.audit import audit_turn
from registry.log.keys import LogKeys, load_or_create
from registry.log.last_signed import EMPTY_TREE, FILE, LastSigned, TreeHead
from registry.log.publisher import Publisher
from registry.log.tiles import bundle_path
from tests.integration.publisher.leaves import (
    ORIGIN,
    append,
    assert_sound,
    expected_root,
    flip,
    published_size,
)

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
