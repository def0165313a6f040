"""The door of every endpoint under ``/v1``: a valid bearer key (RFC 6750) with a scope that opens it."""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from starlette.requests import Request

from api.auth.scopes import KEYLESS, REQUIRED, Scope
from api.parameters import refuse_unknown
from api.problems import BAD_REQUEST, MISSING_SCOPE, UNAUTHENTICATED, FieldError, Problem
from api.services import services_of
from registry.application.execution.unit import Actor
from registry.domain.codes import ReadPurpose
from registry.text import Text

SECURITY_SCHEME: Final = "key"

ANYBODY: Final = Actor(institution=None, key=None, scopes=frozenset())
"""Who calls without a key, where that is allowed."""


def requires(method: str, path: str) -> Callable[[Request], Awaitable[Actor]]:
    """The dependency of one endpoint that answers who calls. A ``GET`` refuses the parameters that it does not have.

    An endpoint without scopes in ``api.auth.scopes`` is a mistake in the program: ``KeyError`` at import.
    """
    accepted = REQUIRED[method, path]
    keyless = (method, path) in KEYLESS

    async def caller(request: Request) -> Actor:
        actor = ANYBODY
        if not keyless or "authorization" in request.headers:
            actor = await authenticate(request, accepted)
        if method == "GET":
            refuse_unknown(request)
        return actor

    return caller


async def authenticate(request: Request, accepted: frozenset[Scope]) -> Actor:
    """Who calls, and why, if they say so.

    :raises Problem: 401 without a key in force, 403 when it has none of the accepted scopes, 400 for a ``Purpose`` that
        is none.
    """
    actor = await services_of(request).api_keys.authenticate(_bearer(request))
    if not accepted.intersection(actor.scopes):
        raise missing_scope(*accepted)
    return msgspec.structs.replace(actor, purpose=_purpose(request))


def missing_scope(*accepted: Scope) -> Problem:
    """The 403 that names the scopes, one of which would do."""
    names, listed = " ".join(sorted(accepted)), ", ".join(sorted(accepted))
    return Problem(
        MISSING_SCOPE,
        Text(
            f"Hace falta una clave con uno de estos permisos: {listed}. Pídala a quien administra el registro.",
            f"A key with one of these scopes is needed: {listed}. Ask the registry's administrator for it.",
        ),
        extra={"scope": names},
        headers={
            "WWW-Authenticate": f'Bearer realm="constancia", error="insufficient_scope", scope="{names}"'
        },
    )


def _purpose(request: Request) -> ReadPurpose | None:
    value = request.headers.get("purpose")
    if value is None:
        return None
    try:
        return ReadPurpose(value)
    except ValueError:
        accepted = ", ".join(ReadPurpose)
        text = Text(f"Se acepta uno de: {accepted}.", f"Accepted is one of: {accepted}.")
        raise Problem(BAD_REQUEST, errors=[FieldError("header.Purpose", text)]) from None


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Problem(UNAUTHENTICATED, headers={"WWW-Authenticate": 'Bearer realm="constancia"'})
    return token.strip()
