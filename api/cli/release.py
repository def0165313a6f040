"""``constancia release``: one release now, besides those of the cadence."""

import typer
import uvloop

from api.cli.options import Data
from api.start import open_services, read_settings
from projections.releases import Releases
from registry.application.execution.answers import Accepted
from registry.settings import Settings
from registry.text import Text


def release(data: Data = None) -> None:
    """Discloses what the adopted policy allows by now; the next checkpoint makes it public."""
    typer.echo(str(_told(uvloop.run(_release(read_settings(data=data))))))


async def _release(settings: Settings) -> Accepted | None:
    async with open_services(settings) as services:
        return await Releases(services.application, services.pool).release_once()


def _told(released: Accepted | None) -> Text:
    if released is None:
        return Text(
            "Nada que divulgar: nada cambió desde la publicación anterior.",
            "Nothing to release: nothing has changed since the one before.",
        )
    first, last = released.events[0].position, released.events[-1].position
    count = len(released.events) - 1  # the last one closes the release
    return Text(
        f"Publicación registrada, hojas {first} a {last}: {count} incidentes divulgados. El próximo checkpoint la "
        "hace pública.",
        f"Release recorded, leaves {first} to {last}: {count} incidents disclosed. The next checkpoint makes it "
        "public.",
    )
