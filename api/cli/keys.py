"""``constancia keys``: create, list, revoke. For the operator, on the machine itself."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Annotated, TypeVar
from uuid import UUID

import typer

from api.auth.keys import Key, Keys
from api.auth.scopes import Scope
from api.cli.options import Data
from api.start import open_services, read_settings
from registry.application import reading
from registry.application.unit import OPERATOR
from registry.domain.institution import Institution
from registry.errors import InvalidInput, NotFound

T = TypeVar("T")

keys = typer.Typer(no_args_is_help=True)


@keys.command(
    help="Emite una clave; su texto se muestra una sola vez. · Issues a key; its text is shown once."
)
def create(
    scope: Annotated[list[Scope], typer.Option(help="Permiso; se puede repetir. · Scope; may be repeated.")],
    institution: Annotated[
        UUID | None,
        typer.Option(
            help="Id de la institución; sin él, quien opera. · Institution's id; else the operator."
        ),
    ] = None,
    expires_on: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="Último día (UTC) en que sirve. · Last day (UTC) on which it works."
        ),
    ] = None,
    data: Data = None,
) -> None:
    """Prints the key alone on standard output, so that it can be piped."""
    last_day = expires_on.date() if expires_on else None
    issued = _with_keys(data, lambda store: store.issue(institution, scope, last_day), institution)
    typer.echo(f"id {issued.id}", err=True)
    typer.echo(issued.key)


@keys.command("list", help="Lista las claves, sin su texto. · Lists the keys, without their text.")
def list_(data: Data = None) -> None:
    """One line per key."""
    today = datetime.now(UTC).date()
    for key in _with_keys(data, _all):
        owner = key.institution or "-"
        typer.echo(f"{key.id}  {owner}  {_state(key, today)}  {','.join(key.scopes)}")


@keys.command(help="Revoca una clave, desde ya. · Revokes a key, from now on.")
def revoke(
    key: Annotated[UUID, typer.Argument(help="Id de la clave, no su texto. · The key's id, not its text.")],
    data: Data = None,
) -> None:
    """It opens nothing any more; events keep naming it."""
    _with_keys(data, lambda store: store.revoke(key))
    typer.echo("Revocada. · Revoked.")


def _with_keys(data: Data, act: Callable[[Keys], Awaitable[T]], institution: UUID | None = None) -> T:
    async def run() -> T:
        async with open_services(read_settings(data=data)) as services:
            if institution is not None:
                try:
                    await reading.view(services.application, OPERATOR, Institution.NOUN, institution)
                except NotFound:
                    raise InvalidInput(
                        "institution",
                        "Ninguna institución registrada tiene este id.",
                        "No registered institution has this id.",
                    ) from None
            return await act(services.api_keys)

    return asyncio.run(run())


async def _all(store: Keys) -> list[Key]:
    found: list[Key] = []
    after: UUID | None = None
    while True:
        page, after = await store.list_(after=after, limit=200)
        found += page
        if after is None:
            return found


def _state(key: Key, today: date) -> str:
    if key.revoked_at is not None:
        return "REVOKED"
    if key.expires_on is None:
        return "no-end"
    return "EXPIRED" if key.expires_on < today else key.expires_on.isoformat()
