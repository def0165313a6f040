"""Signatures of webhooks. Pure. Standard Webhooks 1.0.0, sections "Signature scheme" and "Webhook headers".

What is signed is ``<webhook-id>.<webhook-timestamp>.<body>``; neither of the first two may hold a full stop. Each set
of secrets signs twice, and whoever receives verifies the one that suits them:

- ``v1``: HMAC-SHA-256 under a shared secret, written ``whsec_<base64>``
- ``v1a``: Ed25519 (RFC 8032), whose public half is written ``whpk_<base64>``: whoever verifies can sign nothing
"""

import base64
import hmac
import os
from collections.abc import Sequence
from typing import Final, NamedTuple, Self
from uuid import UUID, uuid5

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SECRET_BYTES: Final = 32
"""The specification asks for 24 to 64."""


class Secrets(NamedTuple):
    """What signs for one endpoint: the shared secret, and the seed of the Ed25519 key. 32 bytes each."""

    shared: bytes
    seed: bytes

    @classmethod
    def generate(cls) -> Self:
        return cls(os.urandom(SECRET_BYTES), os.urandom(SECRET_BYTES))

    @classmethod
    def parse(cls, stored: bytes) -> Self:
        """What ``serialise`` wrote. ValueError for anything else."""
        if len(stored) != 2 * SECRET_BYTES:
            raise ValueError(f"the secrets of a webhook have {2 * SECRET_BYTES} bytes")
        return cls(stored[:SECRET_BYTES], stored[SECRET_BYTES:])

    def serialise(self) -> bytes:
        return self.shared + self.seed

    @property
    def secret(self) -> str:
        """``whsec_…``"""
        return "whsec_" + base64.b64encode(self.shared).decode()

    @property
    def public_key(self) -> str:
        """``whpk_…``"""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        return "whpk_" + base64.b64encode(public).decode()

    def sign(self, message: bytes) -> tuple[str, str]:
        """``v1,…`` and ``v1a,…``"""
        shared = hmac.digest(self.shared, message, "sha256")
        own = Ed25519PrivateKey.from_private_bytes(self.seed).sign(message)
        return (
            f"v1,{base64.b64encode(shared).decode()}",
            f"v1a,{base64.b64encode(own).decode()}",
        )


def webhook_id(endpoint: UUID, event: str) -> UUID:
    """The same for every attempt to bring one event to one endpoint, and for no other pair (RFC 9562, version 5)."""
    return uuid5(endpoint, event)


def signed_headers(
    secrets: Sequence[Secrets], message_id: UUID, timestamp: int, body: bytes
) -> dict[str, str]:
    """The three headers of a delivery, signed with all secrets that are live, the newest first.

    :param timestamp: POSIX seconds of this attempt.
    """
    message = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": str(message_id),
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(one for each in secrets for one in each.sign(message)),
    }
