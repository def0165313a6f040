"""``constancia keys``: create, list, revoke, rotate. For the operator, on the machine itself."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final, TypeVar
from uuid import UUID

import typer
import uvloop

from api.auth.keys import Key, Keys, scopes_of
from api.auth.scopes import Role, Scope
from api.cli.options import Data
from api.start import open_database, open_services, read_settings
from registry.application import reading
from registry.application.execution.unit import OPERATOR
from registry.domain.institution import Institution
from registry.errors import InvalidInput, NotFound
from registry.log import rotation, storage
from registry.log.keys import Purpose
from registry.log.note import Verifier
from registry.settings import Settings

T = TypeVar("T")

keys = typer.Typer(no_args_is_help=True)

_BEGUN: Final = (
    "Guarde una copia de keys/ y reinicie todos los procesos del registro: desde entonces firman ambas claves. "
    "Publique la nueva donde publicó la anterior y dé tiempo a quienes verifican; después, --retire. · Keep a copy of "
    "keys/ and restart all processes of the register: from then on both keys sign. Publish the new one where you "
    "published the old one and give those who verify time; then --retire."
)
_RETIRED: Final = (
    "Desde ahora firma solo esta. Guarde una copia de keys/ y reinicie todos los procesos del registro. · From now on "
    "this one signs alone. Keep a copy of keys/ and restart all processes of the register."
)


@keys.command(
    help="Emite una clave; su texto se muestra una sola vez. · Issues a key; its text is shown once."
)
def create(
    role: Annotated[
        Role | None, typer.Option(help="Papel: varios permisos a la vez. · Role: several scopes at once.")
    ] = None,
    scope: Annotated[
        list[Scope] | None, typer.Option(help="Permiso; se puede repetir. · Scope; may be repeated.")
    ] = None,
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
    scopes = scopes_of(role, scope or ())
    issued = _with_keys(data, lambda store: store.issue(institution, scopes, last_day), institution)
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


@keys.command(
    help="Cambia una clave de acceso, o una de las que firman. · Replaces an access key, or one of those that sign."
)
def rotate(
    key_id: Annotated[
        UUID | None,
        typer.Argument(
            metavar="[KEY_ID]",
            help="Id de una clave de acceso: emite otra igual; la anterior sirve unos días más. · "
            "Id of an access key: issues its like; the old one works some days longer.",
            show_default=False,
        ),
    ] = None,
    days: Annotated[
        int,
        typer.Option(
            min=0, max=366, help="Días que aún sirve la anterior. · Days that the old one still works."
        ),
    ] = 7,
    key: Annotated[
        Purpose | None,
        typer.Option(
            help="Clave que firma: hace su sucesora; firman ambas hasta --retire. · "
            "A key that signs: makes its successor; both sign until --retire."
        ),
    ] = None,
    retire: Annotated[
        bool,
        typer.Option(
            "--retire", help="Con --key: la anterior deja de firmar. · With --key: the old one signs no more."
        ),
    ] = False,
    data: Data = None,
) -> None:
    """An access key with its id, or a signing key with ``--key``: never both."""
    if (key_id is None) == (key is None) or (retire and key is None):
        raise typer.BadParameter("KEY_ID | --key log|receipt|count [--retire]")
    if key_id is not None:
        old_until = datetime.now(UTC).date() + timedelta(days=days)
        issued = _with_keys(data, lambda store: store.rotate(key_id, old_until))
        typer.echo(f"id {issued.id}", err=True)
        typer.echo(issued.key)
    elif key is not None and retire:
        typer.echo(uvloop.run(_retire(read_settings(data=data), key)).vkey())
        typer.echo(_RETIRED, err=True)
    elif key is not None:
        typer.echo(rotation.begin(read_settings(data=data).data, key).vkey())
        typer.echo(_BEGUN, err=True)


async def _retire(settings: Settings, key: Purpose) -> Verifier:
    async with open_database(settings) as pool:
        published = await storage.latest_checkpoint(pool)
    return rotation.retire(settings.data, key, published.note if published else None)


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

    return uvloop.run(run())


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
