"""The vault on a real database: keys are made once, found again, and lost when their subject is erased."""

import asyncio

import asyncpg
import pytest
from cryptography.exceptions import InvalidTag

from registry.errors import StartRefused
from registry.privacy.master import MasterKey
from registry.privacy.vault import Vault, decrypt, encrypt


async def test_everybody_gets_the_same_key_of_a_subject(pool: asyncpg.Pool, master: MasterKey) -> None:
    vaults = [Vault(pool, master) for _ in range(4)]
    answers = await asyncio.gather(
        *(vault.keys_for_writing({"person:a", f"report:{n}"}) for n in range(20) for vault in vaults)
    )
    assert len({answer["person:a"] for answer in answers}) == 1
    assert len({key for answer in answers for key in answer.values()}) == 21
    assert await vaults[0].keys_for_reading({"person:a"}) == {"person:a": answers[0]["person:a"]}


async def test_keys_to_seal_with_are_those_stored_and_new_ones_to_be_stored_with_what_they_seal(
    pool: asyncpg.Pool, master: MasterKey
) -> None:
    vault = Vault(pool, master)
    stored = await vault.keys_for_writing({"person:a"})
    one, other = await asyncio.gather(
        vault.keys_for_sealing({"person:a", "report:1"}), vault.keys_for_sealing({"report:1"})
    )
    assert one.keys["person:a"] == stored["person:a"]
    assert one.new.keys() == other.new.keys() == {"report:1"}
    assert one.keys["report:1"] != other.keys["report:1"]
    assert decrypt(master.derive("wrap"), one.new["report:1"], "report:1") == one.keys["report:1"]
    assert await vault.keys_for_reading({"report:1"}) == {}
    assert await vault.keys_for_sealing(()) == ({}, {})
    # In another database a key must be there before the first event.
    apart = await Vault(pool, master, apart=True).keys_for_sealing({"report:1"})
    assert (await vault.keys_for_reading({"report:1"}), {}) == apart


async def test_an_unknown_subject_has_no_key_to_read_with(pool: asyncpg.Pool, master: MasterKey) -> None:
    assert await Vault(pool, master).keys_for_reading({"person:b"}) == {}
    assert await Vault(pool, master).keys_for_writing(set()) == {}


async def test_another_master_key_opens_nothing_and_says_so(pool: asyncpg.Pool, master: MasterKey) -> None:
    await Vault(pool, master).keys_for_writing({"person:a"})
    other = Vault(pool, MasterKey(bytes(32)))
    with pytest.raises(StartRefused, match="original master key"):
        await other.keys_for_writing({"person:a"})
    # The vault goes on: a failed group is no end.
    with pytest.raises(StartRefused):
        await other.keys_for_reading({"person:a"})
    assert await other.keys_for_writing({"person:c"})


async def test_a_cancelled_caller_disturbs_nobody(pool: asyncpg.Pool, master: MasterKey) -> None:
    vault = Vault(pool, master)
    callers = [asyncio.create_task(vault.keys_for_writing({f"person:{n}"})) for n in range(5)]
    await asyncio.sleep(0)
    callers[0].cancel()
    results = await asyncio.gather(*callers, return_exceptions=True)
    assert sum(isinstance(result, dict) for result in results) == 4


def test_a_ciphertext_opens_only_where_it_belongs() -> None:
    key = bytes(range(32))
    sealed = encrypt(key, b"secret", "event/person:a")
    assert decrypt(key, sealed, "event/person:a") == b"secret"
    with pytest.raises(InvalidTag):
        decrypt(key, sealed, "event/person:b")
    assert encrypt(key, b"secret", "event/person:a") != sealed
