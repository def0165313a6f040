"""The vault: private values under data keys of their subject, data keys wrapped by the master key.

AES-256-GCM (NIST SP 800-38D) with random 96-bit nonces; what a ciphertext belongs to is bound as associated data, so
that a ciphertext moved to another place does not open. Erasing a subject deletes its data key: what was encrypted
under it is lost, also in every backup of the other tables.

Every ciphertext begins with the id of its key, so that one whose key was erased is told apart from one that is damaged,
also when its subject has got a new key since.
"""

import os
from collections.abc import Iterable, Sequence, Set
from hashlib import sha256
from typing import NamedTuple

import asyncpg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from registry.errors import StartRefused
from registry.gathering import Gathering
from registry.privacy.master import KEY_BYTES, MasterKey
from registry.sql import load_queries

NONCE_BYTES = 12
KEY_ID_BYTES = 8
"""Chance alone gives two of a billion keys the same id about once in forty registers; ids only tell a subject's own
keys apart."""

_QUERIES = load_queries("registry.privacy", "vault.sql")


class OtherKey(InvalidTag):
    """It was encrypted under another key than the one given: that of a subject that was erased, say."""


class SealingKeys(NamedTuple):
    """The data keys of some subjects, and those among them that are new, wrapped: to be stored with what they seal."""

    keys: dict[str, bytes]
    new: dict[str, bytes]


class Vault:
    """Data keys by subject.

    With ``apart`` the pool is that of another database than the events', so that a new key must be stored before the
    first event that needs it. Keys are fetched in groups, as commits are.
    """

    def __init__(self, pool: asyncpg.Pool, master: MasterKey, *, apart: bool = False) -> None:
        self._pool = pool
        self._apart = apart
        self._wrapping_key = master.derive("wrap")
        self._wrapping = Cipher(self._wrapping_key)
        self._gathering = Gathering(self._ensure_each)
        self._reading = Gathering(self._wrapped_each)

    async def keys_for_sealing(self, subjects: Iterable[str], unknown: Set[str] = frozenset()) -> SealingKeys:
        """The data keys of subjects, made where there is none yet. New ones are stored only where they lie apart.

        ``unknown`` are not looked up, because they have just been thought of. Should one have a key all the same, the
        store refuses what was sealed under another.
        """
        if self._apart:
            return SealingKeys(await self.keys_for_writing(subjects), {})
        wanted = frozenset(subjects)
        asked = wanted - unknown
        stored = await self._reading.ask(asked) if asked else {}
        keys, new = {}, {}
        for subject in wanted:
            if subject in stored:
                keys[subject] = self._unwrap(stored[subject], subject)
            else:
                keys[subject] = os.urandom(KEY_BYTES)
                new[subject] = self._wrapping.encrypt(keys[subject], subject)
        return SealingKeys(keys, new)

    async def keys_for_writing(self, subjects: Iterable[str]) -> dict[str, bytes]:
        """The data keys of subjects, made where there is none yet; durable when this returns.

        Of two processes that meet a new subject at once, one makes its key and both use it.
        """
        wanted = frozenset(subjects)
        return await self._gathering.ask(wanted) if wanted else {}

    async def _ensure_each(self, groups: Sequence[frozenset[str]]) -> list[dict[str, bytes]]:
        keys = await self._ensure(sorted(frozenset().union(*groups)))
        return [{subject: keys[subject] for subject in wanted} for wanted in groups]

    async def _ensure(self, subjects: Sequence[str]) -> dict[str, bytes]:
        """One round trip; another only if a second process made one of the keys in the same moment."""
        keys: dict[str, bytes] = {}
        while lacking := [subject for subject in subjects if subject not in keys]:
            new = {subject: os.urandom(KEY_BYTES) for subject in lacking}
            wrapped = {subject: self._wrapping.encrypt(key, subject) for subject, key in new.items()}
            rows = await self._pool.fetch(_QUERIES["ensure_data_keys"], lacking, list(wrapped.values()))
            for row in rows:
                subject = row["subject"]
                ours = row["wrapped"] == wrapped[subject]
                keys[subject] = new[subject] if ours else self._unwrap(row["wrapped"], subject)
        return keys

    async def _wrapped_each(self, groups: Sequence[frozenset[str]]) -> list[dict[str, bytes]]:
        """As they are stored, for several callers. Subjects that have none are absent."""
        rows = await self._pool.fetch(_QUERIES["data_keys"], list(frozenset().union(*groups)))
        stored: dict[str, bytes] = {row["subject"]: row["wrapped"] for row in rows}
        return [{subject: stored[subject] for subject in wanted if subject in stored} for wanted in groups]

    async def keys_for_reading(self, subjects: Iterable[str]) -> dict[str, bytes]:
        """The data keys that exist; erased subjects are absent."""
        rows = await self._pool.fetch(_QUERIES["data_keys"], sorted(set(subjects)))
        return {row["subject"]: self._unwrap(row["wrapped"], row["subject"]) for row in rows}

    async def erase(self, subject: str, erased: bytes) -> bool:
        """Destroys the data key with this id; durable when this returns. False if it is not there (any more).

        A subject that is written about again has another key, which stays.
        """
        for row in await self._pool.fetch(_QUERIES["data_keys"], [subject]):
            if key_id(self._unwrap(row["wrapped"], subject)) == erased:
                return bool(await self._pool.fetchval(_QUERIES["erase_data_key"], subject, row["wrapped"]))
        return False

    def _unwrap(self, wrapped: bytes, subject: str) -> bytes:
        try:
            return decrypt(self._wrapping_key, wrapped, subject)
        except InvalidTag:
            raise StartRefused(
                "La clave maestra no corresponde a esta base de datos. Restaure el archivo de clave maestra original.",
                "The master key does not belong to this database. Restore the original master key file.",
            ) from None


def key_id(key: bytes) -> bytes:
    """Which key it is; of its 256 random bits, the hash tells nothing."""
    return sha256(b"constancia/key-id/v1\n" + key).digest()[:KEY_ID_BYTES]


class Cipher:
    """A data key made ready to encrypt several values."""

    __slots__ = ("_aead", "key_id")

    def __init__(self, key: bytes) -> None:
        self.key_id = key_id(key)
        self._aead = AESGCM(key)

    def encrypt(self, plaintext: bytes, belongs_to: str) -> bytes:
        """Key id ‖ nonce ‖ ciphertext ‖ tag."""
        nonce = os.urandom(NONCE_BYTES)
        return self.key_id + nonce + self._aead.encrypt(nonce, plaintext, belongs_to.encode())


def encrypt(key: bytes, plaintext: bytes, belongs_to: str) -> bytes:
    """One value under a key that encrypts nothing else now."""
    return Cipher(key).encrypt(plaintext, belongs_to)


def decrypt(key: bytes, ciphertext: bytes, belongs_to: str) -> bytes:
    """Raises OtherKey if it was encrypted under another key, InvalidTag if the bytes or what they belong to differ."""
    if ciphertext[:KEY_ID_BYTES] != key_id(key):
        raise OtherKey
    nonce, sealed = ciphertext[KEY_ID_BYTES:][:NONCE_BYTES], ciphertext[KEY_ID_BYTES + NONCE_BYTES :]
    return AESGCM(key).decrypt(nonce, sealed, belongs_to.encode())
