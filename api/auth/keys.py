"""API keys: issued, recognised, listed, revoked. Of a key's text only an HMAC is stored."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Final, NamedTuple
from uuid import UUID, uuid4

import asyncpg
import msgspec

from api.auth.scopes import FOR_AN_INSTITUTION, ROLES, Role, Scope
from api.auth.token import Tokens, is_well_formed
from api.problems import UNAUTHENTICATED, Problem
from registry.application.execution.unit import Actor
from registry.errors import IdempotencyKeyReused, InvalidInput, NotFound
from registry.sql import load_queries
from registry.text import Text

_SQL: Final = load_queries("api.auth", "keys.sql")


class KeyDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request for a key: a role or scopes, one of the two.

    ``institution`` null is the operator's own; ``expires_on`` is its last day, in UTC.
    """

    institution: UUID | None
    scopes: list[Scope] = []
    role: Role | None = None
    expires_on: date


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a key. Its text is not."""

    id: UUID
    institution: UUID | None
    scopes: list[str]
    expires_on: date | None
    created: datetime
    revoked_at: datetime | None


class Issued(NamedTuple):
    """A key's id and text; ``replayed`` when this very request had made it before."""

    id: UUID
    key: str
    replayed: bool


class Keys:
    """The keys of one register, in its database. Safe to use from several processes."""

    def __init__(self, pool: asyncpg.Pool, tokens: Tokens) -> None:
        self._pool = pool
        self._tokens = tokens

    async def issue(
        self,
        institution: UUID | None,
        scopes: Iterable[Scope],
        expires_on: date | None,
        *,
        requested_by: UUID | None = None,
        idempotency_key: str | None = None,
        body: bytes = b"",
    ) -> Issued:
        """A new key; or, for a repeated Idempotency-Key of the same requesting key, the same key again.

        :raises InvalidInput: scopes that do not fit, or a day that has passed.
        :raises IdempotencyKeyReused: the request differs from the first.
        """
        key_id = uuid4()
        token = self._tokens.make(key_id)
        async with self._pool.acquire() as connection, connection.transaction():
            if requested_by is not None and idempotency_key is not None:
                await connection.execute(_SQL["forget_requests"])
                digest = self._tokens.body_digest(body)
                if not await connection.fetchval(
                    _SQL["claim_request"], requested_by, idempotency_key, digest, key_id
                ):
                    return await self._replay(connection, requested_by, idempotency_key, digest)
            # Only now, so that a repeated request is answered as it was the first time.
            wanted = check_scopes(institution, scopes)
            check_day(expires_on)
            await connection.execute(
                _SQL["insert_key"], key_id, institution, wanted, expires_on, self._tokens.digest(token)
            )
        return Issued(key_id, token, replayed=False)

    async def issue_first(self, keep: Callable[[str], None]) -> bool:
        """The operator's first key, handed to ``keep``; False when there is or was any key.

        ``keep`` runs before the key becomes valid: a crash in between leaves a text that opens nothing, and the next
        start makes another, never a valid key that nobody has.
        """
        key_id = uuid4()
        token = self._tokens.make(key_id)
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_SQL["lock_keys"])
            if await connection.fetchval(_SQL["any_key"]):
                return False
            keep(token)
            await connection.execute(
                _SQL["insert_key"], key_id, None, [Scope.ADMIN.value], None, self._tokens.digest(token)
            )
        return True

    async def authenticate(self, token: str) -> Actor:
        """Who holds this key.

        :raises Problem: 401; the text tells a mistyped key from an unknown, an expired and a revoked one.
        """
        if not is_well_formed(token):
            raise _refused(
                "La clave está mal escrita o incompleta. Cópiela de nuevo, entera.",
                "The key is mistyped or incomplete. Copy it again, whole.",
            )
        row = await self._pool.fetchrow(_SQL["find_by_hmac"], self._tokens.digest(token))
        if row is None:
            raise _refused(
                "Este registro no conoce la clave. Revise que sea de este registro o pida una nueva.",
                "This register does not know the key. Check that it belongs to this register, or ask for a new one.",
            )
        if row["revoked_at"] is not None:
            raise _refused(
                "La clave fue revocada. Pida una nueva.", "The key was revoked. Ask for a new one."
            )
        if row["expires_on"] is not None and row["expires_on"] < datetime.now(UTC).date():
            raise _refused("La clave venció. Pida una nueva.", "The key has expired. Ask for a new one.")
        return Actor(institution=row["institution"], key=row["id"], scopes=frozenset(row["scopes"]))

    async def find(self, key_id: UUID) -> Key:
        """One key. :raises NotFound: there is none with this id."""
        row = await self._pool.fetchrow(_SQL["find_key"], key_id)
        if row is None:
            raise _unknown()
        return Key(**row)

    async def list_(self, *, after: UUID | None = None, limit: int = 50) -> tuple[list[Key], UUID | None]:
        """A page of keys, and where the next one starts."""
        rows = await self._pool.fetch(_SQL["list_keys"], after, limit + 1)
        keys = [Key(**row) for row in rows[:limit]]
        return keys, keys[-1].id if len(rows) > limit else None

    async def revoke(self, key_id: UUID) -> None:
        """From now on the key opens nothing. :raises NotFound: unknown, or revoked before."""
        if await self._pool.fetchval(_SQL["revoke_key"], key_id) is None:
            raise _unknown()

    async def rotate(self, key_id: UUID, old_until: date) -> Issued:
        """Another key with the same institution, scopes and last day; the old one works until ``old_until`` (UTC).

        :raises NotFound: unknown, revoked or expired.
        :raises InvalidInput: the day has passed.
        """
        check_day(old_until)
        new_id = uuid4()
        token = self._tokens.make(new_id)
        async with self._pool.acquire() as connection, connection.transaction():
            old = await connection.fetchrow(_SQL["expire_key"], key_id, old_until, datetime.now(UTC).date())
            if old is None:
                raise _unknown()
            await connection.execute(
                _SQL["insert_key"],
                new_id,
                old["institution"],
                old["scopes"],
                old["expires_on"],
                self._tokens.digest(token),
            )
        return Issued(new_id, token, replayed=False)

    async def _replay(
        self,
        connection: asyncpg.pool.PoolConnectionProxy,
        requested_by: UUID,
        idempotency_key: str,
        digest: bytes,
    ) -> Issued:
        known = await connection.fetchrow(_SQL["find_request"], requested_by, idempotency_key)
        if known is None or known["body_hmac"] != digest:
            raise IdempotencyKeyReused
        return Issued(known["key_id"], self._tokens.make(known["key_id"]), replayed=True)


def scopes_of(role: Role | None, scopes: Iterable[Scope]) -> frozenset[Scope]:
    """What a key is asked for with: the scopes of a role, or scopes one by one.

    :raises InvalidInput: both, or a role that needs no key.
    """
    listed = frozenset(scopes)
    if role is None:
        return listed
    if listed:
        raise InvalidInput(
            "role", "Indique un papel o permisos, no los dos.", "Give a role or scopes, not both of them."
        )
    if not ROLES[role]:
        raise InvalidInput(
            "role",
            "El público no necesita clave: lo público se lee sin ella.",
            "The public needs no key: what is public is read without one.",
        )
    return ROLES[role]


def check_scopes(institution: UUID | None, scopes: Iterable[Scope]) -> list[str]:
    """The scopes as stored, each once. A key may both submit and verify: whether an institution may adjudicate is
    decided per incident, since it is another's reports that it verifies.

    :raises InvalidInput: none, or some that only an institution can hold.
    """
    wanted = sorted(set(scopes))
    if not wanted:
        raise InvalidInput(
            "scopes", "Indique un papel o al menos un permiso.", "Give a role or at least one scope."
        )
    if institution is None and FOR_AN_INSTITUTION.intersection(wanted):
        raise InvalidInput(
            "institution",
            "Estos permisos son de una institución; indique su id. Quien opera el registro solo puede tener «admin».",
            "These scopes belong to an institution; give its id. The registry's operator can only hold “admin”.",
        )
    return [scope.value for scope in wanted]


def check_day(expires_on: date | None) -> None:
    """:raises InvalidInput: the last day has passed."""
    if expires_on is not None and expires_on < datetime.now(UTC).date():
        raise InvalidInput(
            "expires_on",
            "El día ya pasó; indique hoy o uno posterior.",
            "The day has passed; give today or a later one.",
        )


def _refused(es: str, en: str) -> Problem:
    return Problem(
        UNAUTHENTICATED,
        Text(es, en),
        headers={"WWW-Authenticate": 'Bearer realm="constancia", error="invalid_token"'},
    )


def _unknown() -> NotFound:
    return NotFound("No hay ninguna clave vigente con este id.", "There is no key in force with this id.")
