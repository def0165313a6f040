"""``constancia release``: one release now, besides those of the cadence."""

import asyncio

import typer

from api.cli.options import Data
from api.start import open_services, read_settings
from projections.releases import Releases
from registry.settings import Settings


def release(data: Data = None) -> None:
    """Discloses what the adopted policy allows by now; the next checkpoint makes it public."""
    asyncio.run(_release(read_settings(data=data)))
    typer.echo("Divulgación registrada. · Release recorded.")


async def _release(settings: Settings) -> None:
    async with open_services(settings) as services:
        await Releases(services.application, services.pool).release_once()
