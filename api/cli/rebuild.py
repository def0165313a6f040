"""``constancia rebuild``: one read model again, from the first event on, beside the tables in use."""

from typing import Annotated, Final

import typer
import uvloop

from api.cli.options import Data
from api.start import open_database, read_settings
from projections.models import PROJECTIONS
from projections.rebuild import rebuild as rebuild_tables
from projections.tables import Projection
from registry.errors import StoreUnavailable
from registry.settings import Settings
from registry.store.transient import TRANSIENT

_BY_NAME: Final = {projection.name: projection for projection in PROJECTIONS}


def _named(name: str) -> str:
    if name not in _BY_NAME:
        raise typer.BadParameter(f"{', '.join(sorted(_BY_NAME))}")
    return name


def rebuild(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            callback=_named,
            help=f"Una de: · One of: {', '.join(sorted(_BY_NAME))}.",
        ),
    ],
    data: Data = None,
) -> None:
    """Readers see the old tables until the new ones take their place. Safe while the register runs, and to repeat."""
    position = uvloop.run(_rebuild(read_settings(data=data), _BY_NAME[name]))
    typer.echo(
        f"«{name}» se reconstruyó con los primeros {position} eventos y sigue desde ahí. · "
        f"“{name}” was rebuilt from the first {position} events and goes on from there."
    )


async def _rebuild(settings: Settings, projection: Projection) -> int:
    async with open_database(settings) as pool:
        try:
            return await rebuild_tables(pool, projection)
        except TRANSIENT as error:
            raise StoreUnavailable(
                f"Se perdió la base de datos ({type(error).__name__}); las tablas en uso quedan enteras. Repita el "
                "comando.",
                f"The database was lost ({type(error).__name__}); the tables in use are whole. Repeat the command.",
            ) from error
