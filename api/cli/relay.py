"""``constancia relay``: what is published, to NATS; or the check that what is there is the log.

Exit codes of ``--check``, as those of ``verify``: 0 equal · 1 not equal · 2 usage · 3 data unavailable.
"""

import asyncio
from typing import Annotated

import typer
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from api.cli.logging import log_to_stderr
from api.cli.options import Data
from api.cli.printing import printable
from api.cli.verify import EXIT_CODES, FAILURES
from api.delivery.relay.checking import check_stream
from api.delivery.relay.connection import ANSWER_SECONDS, connected
from api.delivery.relay.errors import NatsUnavailable
from api.running import Running, stopped_by_signals
from api.start import adopt, open_services, read_settings
from projections.verification.errors import CannotStart, DataUnavailable
from registry.errors import RegistryError
from registry.log.checkpoint import Checkpoint
from registry.settings import Settings
from registry.text import Text


def relay(
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Lee todo el flujo y lo compara con el checkpoint publicado. · Reads the whole stream back and "
            "compares it with the published checkpoint.",
        ),
    ] = False,
    data: Data = None,
) -> None:
    """Retransmite lo publicado a NATS, hasta Ctrl-C o SIGTERM. · Relays what is published to NATS, until Ctrl-C or
    SIGTERM."""
    settings = read_settings(data=data)
    if check:
        raise typer.Exit(run_check(settings))
    log_to_stderr()
    if not settings.nats_url:
        raise typer.Exit(_failed(_no_server()))
    if not uvloop.run(_relay(settings)):
        raise typer.Exit(1)


async def _relay(settings: Settings) -> bool:
    """Whether it ended because it was asked to."""
    stopping = asyncio.Event()
    with stopped_by_signals(stopping):
        async with open_services(settings) as services:
            await adopt(services.application)
            async with asyncio.TaskGroup() as tasks:
                Running(services, tasks, stopping).relay()
    return stopping.is_set()


def run_check(settings: Settings) -> int:
    """Checks and prints; the exit code."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    try:
        if not settings.nats_url:
            raise _no_server()
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            checkpoint = uvloop.run(_check(settings, progress))
    except RegistryError as error:
        return _failed(error)
    text = Text(
        f"El flujo «{settings.nats_stream}» es la bitácora: sus {checkpoint.size} hojas llevan a la raíz del último "
        "checkpoint.",
        f"The stream “{settings.nats_stream}” is the log: its {checkpoint.size} leaves lead to the root of the last "
        "checkpoint.",
    )
    typer.echo(str(text))
    return 0


async def _check(settings: Settings, progress: Progress) -> Checkpoint:
    task = progress.add_task("hojas — leaves", total=None)

    def show(done: int, total: int) -> None:
        progress.update(task, completed=done, total=total)

    async with open_services(settings) as services:
        try:
            async with connected(settings.nats_url) as (client, _):
                jetstream = client.jetstream(timeout=ANSWER_SECONDS)
                return await check_stream(
                    jetstream, settings.nats_stream, services.pool, services.log_keys, show
                )
        except NatsUnavailable as error:
            raise DataUnavailable(*error.text) from error


def _no_server() -> CannotStart:
    return CannotStart(
        "Falta CONSTANCIA_NATS_URL: diga a qué servidor de NATS se retransmite, por ejemplo nats://localhost:4222.",
        "CONSTANCIA_NATS_URL is missing: say to which NATS server to relay, for example nats://localhost:4222.",
    )


def _failed(error: RegistryError) -> int:
    code = next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), 1)
    heading = FAILURES[code]
    said = f"{heading.es}: {error.text.es}\n{heading.en}: {error.text.en}"
    typer.echo(printable(said), err=True)
    return code
