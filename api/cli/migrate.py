"""``constancia migrate``."""

import typer
import uvloop

from api.cli.options import Data
from api.start import open_database, read_settings
from registry.settings import Settings


def migrate(data: Data = None) -> None:
    """Brings the schema to this program's version; safe to repeat, and while others run."""
    uvloop.run(_migrate(read_settings(data=data)))
    typer.echo("La base de datos está al día. · The database is up to date.")


async def _migrate(settings: Settings) -> None:
    async with open_database(settings):
        pass
