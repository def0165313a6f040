"""``constancia export DIR``: a static mirror, of a register that runs or that is stopped."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec
import typer
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from api.cli.options import Data
from api.labels import INVENTED
from api.services import Services
from api.start import open_services, read_settings
from projections.mirror.export import Exported
from projections.mirror.export import export as export_mirror
from registry.log.keys import Purpose
from registry.log.note import Verifier
from registry.settings import Settings

Tell: TypeAlias = Callable[[int, int], None]
"""How many leaves of how many have been read."""


def export(
    directory: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="Carpeta del espejo; se crea o se pone al día. · The mirror's directory; made or brought up to date.",
        ),
    ],
    data: Data = None,
) -> None:
    """Writes the log and its counts as files that any web server can serve. Safe to repeat and to interrupt."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("hojas — leaves", total=None)

        def tell(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        exported = uvloop.run(_export(read_settings(data=data), directory, tell))
    typer.echo(
        f"{directory}: {exported.size} hojas, {exported.written} archivos nuevos. · "
        f"{exported.size} leaves, {exported.written} new files."
    )


async def _export(settings: Settings, directory: Path, tell: Tell) -> Exported:
    async with open_services(settings) as services:
        return await export_services(services, directory, tell)


async def export_services(services: Services, directory: Path, tell: Tell) -> Exported:
    """Exports the log of these services, with what ``/log`` serves beside it."""
    keys = services.log_keys
    retired = [Verifier.parse(vkey) for vkey in keys.retired.get(Purpose.LOG, ())]
    served = {
        "keys": msgspec.json.encode(keys.vkeys()),
        "policy": services.policy.serialise(),
    }
    verifiers = [*keys.verifiers(Purpose.LOG), *retired]
    warning = INVENTED if services.invented else None
    return await export_mirror(services.pool, keys.origin, verifiers, served, directory, tell, warning)
