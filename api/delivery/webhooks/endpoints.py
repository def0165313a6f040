"""An endpoint as it is stored, and what of it is encrypted at rest: its address, its secrets."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Self
from uuid import UUID

import asyncpg

from api.delivery.webhooks.signing import Secrets
from registry.privacy.master import MasterKey
from registry.privacy.vault import decrypt, encrypt


class Reason(StrEnum):
    """Why nothing is delivered to an endpoint any more."""

    GONE = "GONE"
    FAILING = "FAILING"
    KEY_ENDED = "KEY_ENDED"


class Secret(NamedTuple):
    """Secrets that sign for an endpoint, the newest without an end."""

    number: int
    secrets: Secrets
    retires: datetime | None


class Endpoint(NamedTuple):
    """A row, decrypted. ``types`` empty: all."""

    id: UUID
    institution: UUID
    key: UUID
    url: str
    types: tuple[str, ...]
    position: int
    revision: int
    attempts: int
    failures: int
    failing_since: datetime | None
    next_try: datetime | None
    disabled: Reason | None
    disabled_at: datetime | None
    created: datetime


class Sealing:
    """Encrypts and opens what is private of endpoints. Keys are derived from the master key, one per purpose."""

    def __init__(self, master: MasterKey) -> None:
        self._url = master.derive("webhook-url")
        self._secret = master.derive("webhook-secret")
        self._answer = master.derive("webhook-answer")

    def seal_url(self, endpoint: UUID, url: str) -> bytes:
        return encrypt(self._url, url.encode(), str(endpoint))

    def open_row(self, row: asyncpg.Record) -> Endpoint:
        return Endpoint(
            id=row["id"],
            institution=row["institution"],
            key=row["key"],
            url=decrypt(self._url, row["url"], str(row["id"])).decode(),
            types=tuple(row["types"]),
            position=row["position"],
            revision=row["revision"],
            attempts=row["attempts"],
            failures=row["failures"],
            failing_since=row["failing_since"],
            next_try=row["next_try"],
            disabled=None if row["disabled"] is None else Reason(row["disabled"]),
            disabled_at=row["disabled_at"],
            created=row["created"],
        )

    def seal_secrets(self, endpoint: UUID, number: int, secrets: Secrets) -> bytes:
        return encrypt(self._secret, secrets.serialise(), f"{endpoint}/{number}")

    def open_secrets(self, endpoint: UUID, rows: Iterable[asyncpg.Record]) -> tuple[Secret, ...]:
        return tuple(
            Secret(
                row["number"],
                Secrets.parse(decrypt(self._secret, row["secrets"], f"{endpoint}/{row['number']}")),
                row["retires"],
            )
            for row in rows
        )

    def seal_answer(self, requested_by: UUID, idempotency_key: str, answer: bytes) -> bytes:
        return encrypt(self._answer, answer, f"{requested_by}/{idempotency_key}")

    def open_answer(self, requested_by: UUID, idempotency_key: str, sealed: bytes) -> bytes:
        return decrypt(self._answer, sealed, f"{requested_by}/{idempotency_key}")


class Message(NamedTuple):
    """What goes to an endpoint: its ``webhook-id``, and the CloudEvent. ``position`` is None for a test."""

    id: UUID
    body: bytes
    position: int | None

    @classmethod
    def test(cls, message: UUID, body: bytes) -> Self:
        return cls(message, body, None)
