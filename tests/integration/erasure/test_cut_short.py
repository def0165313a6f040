"""Erasing a subject: whatever comes between, it is finished later, and what is written meanwhile is whole or gone."""

import asyncio

import asyncpg
import pytest

from registry.application import reports
from registry.application.execution.application import Application
from registry.application.execution.sealing import unseal
from registry.application.execution.unit import Actor, WriteOptions
from registry.application.people.erasure import Erasure
from registry.privacy.vault import key_id
from registry.store import Answer, Command
from tests.integration.erasure.telling import (
    CURP,
    REASON,
    Killed,
    Told,
    attack,
    everything,
    everything_is_gone,
    killed_at,
    said_erased,
)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("part", "method", "number"),
    [
        ("erasures", "begin", 1),
        ("vault", "erase", 1),
        ("erasures", "delete", 1),
        ("vault", "erase", 2),
        ("erasures", "delete", 2),
        ("erasures", "delete", 3),
        ("app", "execute", 1),
        ("erasures", "finish", 1),
    ],
)
async def test_a_crash_at_any_step_is_finished_by_the_next_run_and_never_claims_too_much(
    app: Application,
    pool: asyncpg.Pool,
    told: Told,
    part: str,
    method: str,
    number: int,
    after: bool,
) -> None:
    erasure = Erasure(app, pool)
    owner = {"erasures": erasure._erasures, "vault": app.vault, "app": app}[part]
    with pytest.MonkeyPatch.context() as monkeypatch:
        killed_at(monkeypatch, owner, method, number, after=after)
        with pytest.raises(Killed):
            await erasure.erase(told.person, REASON)
    left = CURP in str([one.private for one in await everything(app)])
    if await said_erased(app):
        assert not left
        assert (
            await pool.fetchval("SELECT count(*) FROM private_parts WHERE subject = $1", str(told.person))
            == 0
        )

    await Erasure(app, pool).erase(told.person, REASON)
    await everything_is_gone(app, pool, told)


async def test_a_write_under_way_is_sealed_anew_when_its_data_key_is_erased(
    app: Application,
    erasure: Erasure,
    pool: asyncpg.Pool,
    university: Actor,
    told: Told,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sealed before the erasure, appended after it."""
    real, attempts = app.store.append, 0

    async def append(command: Command) -> Answer:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            monkeypatch.setattr(app.store, "append", real)
            await erasure.erase(told.person, REASON)
            monkeypatch.setattr(app.store, "append", append)
        return await real(command)

    monkeypatch.setattr(app.store, "append", append)
    accepted = await app.execute(university, reports.submit(attack(CURP)), WriteOptions())
    assert attempts == 2
    (event,) = await app.store.events([accepted.events[0].event_id])
    (unsealed,) = await unseal(app.store, app.vault, [event])
    assert CURP in str(unsealed.private)
    assert unsealed.openings() == accepted.events[0].openings
    assert await pool.fetchval("SELECT count(*) FROM private_parts WHERE subject = $1", str(told.person)) == 1


async def test_whatever_is_written_while_a_person_is_erased_is_whole_or_gone(
    app: Application, erasure: Erasure, pool: asyncpg.Pool, university: Actor, told: Told
) -> None:
    async def write() -> None:
        for _ in range(12):
            await app.execute(university, reports.submit(attack(CURP)), WriteOptions())

    async def erase() -> None:
        for _ in range(6):
            await erasure.erase(told.person, REASON)
            await asyncio.sleep(0.01)

    await asyncio.gather(write(), write(), erase())
    parts = await pool.fetch(
        "SELECT event_id, ciphertext FROM private_parts WHERE subject = $1", str(told.person)
    )
    current = {key_id(key) for key in (await app.vault.keys_for_reading([str(told.person)])).values()}
    assert {row["ciphertext"][:8] for row in parts} <= current
    readable = [one for one in await everything(app) if str(told.person) in one.private]
    assert len(readable) == len(parts)
    assert all(one.openings() for one in readable)
    assert await pool.fetchval("SELECT count(*) FROM erasures") == 0


async def test_what_a_restored_backup_brings_back_can_be_swept_away(
    app: Application, erasure: Erasure, pool: asyncpg.Pool, told: Told
) -> None:
    """The store was restored from before the erasure, the vault was not: noise without a key."""
    rows = await pool.fetch("SELECT * FROM private_parts WHERE subject = $1", str(told.person))
    await erasure.erase(told.person, REASON)
    await pool.execute("DELETE FROM erased_keys")
    await pool.executemany("INSERT INTO private_parts VALUES ($1, $2, $3)", [tuple(row) for row in rows])
    assert CURP not in str([one.private for one in await everything(app)])
    await erasure.erase(told.person, REASON)
    assert await pool.fetchval("SELECT count(*) FROM private_parts WHERE subject = $1", str(told.person)) == 0
