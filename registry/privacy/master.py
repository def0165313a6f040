"""The master key, and the keys that are derived from it, one per purpose.

Derivation is HKDF-SHA-256 (RFC 5869) without salt: the master key is 32 uniformly random bytes already.
"""

import hmac
import os
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from registry.errors import StartRefused
from registry.log.durable import exclusively, write_durably

KEY_BYTES = 32


class MasterKey:
    """The root of all secrecy at rest. Whoever holds it, and the database, can read everything not erased."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise StartRefused(
                f"La clave maestra debe tener {KEY_BYTES} bytes. Restaure el archivo original; otra clave no abre lo "
                "cifrado.",
                f"The master key must have {KEY_BYTES} bytes. Restore the original file; another key opens nothing "
                "that was encrypted.",
            )
        self._secret = secret
        self._derived: dict[str, bytes] = {}

    def derive(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose (``constancia/<purpose>/v1``), the same at every call."""
        if purpose not in self._derived:
            info = f"constancia/{purpose}/v1".encode()
            expand = HKDFExpand(algorithm=SHA256(), length=KEY_BYTES, info=info)
            self._derived[purpose] = expand.derive(self._secret)
        return self._derived[purpose]

    def mac(self, purpose: str, message: bytes) -> bytes:
        """HMAC-SHA-256 of a message under the key of a purpose."""
        return hmac.digest(self.derive(purpose), message, "sha256")


def load_or_create_master_key(path: Path) -> MasterKey:
    """Reads the key file; at the very first start makes it (mode 0600), durable before it is used.

    Of several processes that start at once, one makes the file and the others read it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with exclusively(path.parent):
        if not path.exists():
            write_durably(path, os.urandom(KEY_BYTES))
    return MasterKey(path.read_bytes())
