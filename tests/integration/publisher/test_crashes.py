"""The publisher against a real database: no crash makes it lie, nor do others beside it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from registry.log import publisher as publisher_module
from registry.log import reader, storage
from registry.log.checkpoint import open_checkpoint
from registry.log.keys import LogKeys
from registry.log.publisher import Publisher
from registry.log.tiles import bundle_path
from tests.integration.publisher.leaves import (
    ORIGIN,
    CrashedError,
    append,
    assert_sound,
    expected_root,
    published_size,
)

STEPS = ["_recall", "_extend", "_audit", "_remember", "_sign", "_witness", "_publish"]


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
