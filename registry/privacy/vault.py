"""The vault: private values under data keys of their subject, data keys wrapped by the master key.

AES-256-GCM (NIST SP 800-38D) with random 96-bit nonces; what a ciphertext belongs to is bound as associated data, so
that a ciphertext moved to another place does not open. Erasing a subject deletes its data key: what was encrypted
under it is lost, also in every backup of the other tables.
"""

import os
from collections.abc import Iterable

import asyncpg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from registry.errors import StartRefused
from registry.privacy.master import KEY_BYTES, MasterKey
from registry.sql import load_queries

NONCE_BYTES = 12

_QUERIES = load_queries("registry.privacy", "vault.sql")


class Vault:
    """Data keys by subject. The pool may be that of another database than the events'."""

    def __init__(self, pool: asyncpg.Pool, master: MasterKey) -> None:
        self._pool = pool
        self._wrapping_key = master.derive("wrap")

    async def keys_for_writing(self, subjects: Iterable[str]) -> dict[str, bytes]:
        """The data keys of subjects, made where there is none yet; durable when this returns.

        Of two processes that meet a new subject at once, one makes its key and both use it.
        """
        wanted = sorted(set(subjects))
        keys = await self.keys_for_reading(wanted)
        new = [subject for subject in wanted if subject not in keys]
        if new:
            wrapped = [encrypt(self._wrapping_key, os.urandom(KEY_BYTES), subject) for subject in new]
            await self._pool.execute(_QUERIES["add_data_keys"], new, wrapped)
            keys |= await self.keys_for_reading(new)
        return keys

    async def keys_for_reading(self, subjects: Iterable[str]) -> dict[str, bytes]:
        """The data keys that exist; erased subjects are absent."""
        rows = await self._pool.fetch(_QUERIES["data_keys"], sorted(set(subjects)))
        return {row["subject"]: self._unwrap(row["wrapped"], row["subject"]) for row in rows}

    def _unwrap(self, wrapped: bytes, subject: str) -> bytes:
        try:
            return decrypt(self._wrapping_key, wrapped, subject)
        except InvalidTag:
            raise StartRefused(
                "La clave maestra no corresponde a esta base de datos. Restaure el archivo de clave maestra original.",
                "The master key does not belong to this database. Restore the original master key file.",
            ) from None


def encrypt(key: bytes, plaintext: bytes, belongs_to: str) -> bytes:
    """Nonce ‖ ciphertext ‖ tag."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, belongs_to.encode())


def decrypt(key: bytes, ciphertext: bytes, belongs_to: str) -> bytes:
    """Raises ``cryptography.exceptions.InvalidTag`` if the key, the bytes or what they belong to differ."""
    return AESGCM(key).decrypt(ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:], belongs_to.encode())
