"""Who asks for what is restricted: known by the key of the request, and only where a question needs it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

from starlette.requests import Request

from api.auth.scopes import Scope
from api.graphql.errors import Forbidden
from api.problems import BAD_REQUEST, Problem
from projections.errors import InvalidQuery
from registry.application.execution.unit import Actor
from registry.domain.register import REGISTER_ID
from registry.privacy.reads import Reads, Shown
from registry.text import Text

NEEDED: Final = frozenset({Scope.RESTRICTED_READ})
"""The scopes that let in."""

_ONE_BY_ONE: Final = Text(
    "Pregúntelo por HTTP, en una petición con su clave; no por una conexión que siga abierta.",
    "Ask it over HTTP, in a request with your key; not over a connection that stays open.",
)


class Access(NamedTuple):
    """The door, which raises Problem to whom it does not let in, and the audit of private reads."""

    authenticate: Callable[[Request], Awaitable[Actor]]
    reads: Reads


class Reader:
    """Whoever sent one request; asked for the key once, however much is read."""

    def __init__(self, access: Access, request: Request) -> None:
        self._access, self._request = access, request
        self._actor: asyncio.Future[Actor] | None = None

    async def actor(self) -> Actor:
        """Who it is. Raises Forbidden without a key in force that has the scope, InvalidQuery for a Purpose that is
        none.
        """
        if self._actor is None:
            self._actor = asyncio.ensure_future(self._authenticate())
        return await self._actor

    async def note(self, fields: Sequence[str]) -> None:
        """Writes down that these figures are about to be shown; durable when this returns.

        Figures are of the whole register, so that is the record that the audit names.
        """
        actor = await self.actor()
        shown = Shown(noun="register", record=REGISTER_ID, owner=None, people=(), fields=tuple(fields))
        await self._access.reads.note(actor.institution, actor.key, actor.purpose, [shown])

    async def _authenticate(self) -> Actor:
        try:
            return await self._access.authenticate(self._request)
        except Problem as problem:
            text = problem.errors[0].text if problem.errors else problem.detail
            if problem.kind is BAD_REQUEST:
                raise InvalidQuery("header.Purpose", text.es, text.en) from None
            raise Forbidden(text.es, text.en) from None


def let_in(reader: Reader | None) -> Reader:
    """Raises Forbidden where there is no request to ask for a key: on streams."""
    if reader is None:
        raise Forbidden(_ONE_BY_ONE.es, _ONE_BY_ONE.en)
    return reader
