"""``constancia up``: the whole register in one process, from an empty directory or where it left off."""

import asyncio
import os
import socket
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import uvloop

from api.cli.logging import log_to_stderr
from api.cli.options import Data, Host, Port
from api.demo import seed
from api.running import Running, stopped_by_signals
from api.server import reserve
from api.services import Services
from api.start import ADMIN_KEY_FILE, DEMO, LIVE, adopt, alone, open_services, read_settings, write_admin_key
from registry.settings import PREFIX, Settings

# Seconds; whoever tries it out should see the next checkpoint and release at once.
DEMO_CADENCE: Final = {"publish_every": 2, "release_every": 5}


def up(
    demo: Annotated[
        bool,
        typer.Option(
            "--demo", help="Con personas inventadas y todo a la vista. · Synthetic people, all on view."
        ),
    ] = False,
    host: Host = None,
    port: Port = None,
    data: Data = None,
) -> None:
    """Runs until Ctrl-C or SIGTERM."""
    log_to_stderr()
    given: dict[str, Any] = {"host": host, "port": port, "data": data}
    if demo:
        given |= {
            name: value for name, value in DEMO_CADENCE.items() if f"{PREFIX}{name.upper()}" not in os.environ
        }
    settings = read_settings(**given)
    with reserve(settings.host, settings.port) as listener, alone(settings.data):
        try:
            uvloop.run(_run(settings, listener, DEMO if demo else LIVE))
        except asyncio.CancelledError:
            raise typer.Exit(130) from None


async def _run(settings: Settings, listener: socket.socket, environment: str) -> None:
    stopping = asyncio.Event()
    with stopped_by_signals(stopping):
        async with open_services(settings, environment) as services:
            await adopt(services.application)
            first_key = await write_admin_key(services)
            async with asyncio.TaskGroup() as tasks:
                running = Running(services, tasks, stopping)
                running.project()
                if environment == DEMO:
                    running.publish(lambda stopping: seed(services.application, services.pool, stopping))
                else:
                    running.publish()
                if settings.nats_url:
                    running.relay()
                await running.serve(listener)
                typer.echo(_welcome(services, first_key))


def _welcome(services: Services, first_key: Path | None) -> str:
    settings = services.settings
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    url = f"http://{host}:{settings.port}"
    keys = services.log_keys.vkeys()
    trusted = " ".join(f"--vkey '{key}'" for key in (*keys["log"], *keys["count"]))
    query = '{"query":"{ count { best asOf { size } } }"}'
    lines = [
        f"Constancia escucha en · is listening on {url}",
        f"  API           {url}/openapi.json",
        f"  GraphQL       curl {url}/graphql --json '{query}'",
        f"  Bitácora · Log  {url}/log/checkpoint",
        f"  Verificar · Verify  constancia verify {url} {trusted}",
    ]
    if first_key is not None:
        lines += [
            f"Se creó la clave de quien opera el registro en {first_key} (solo usted puede leerla): guárdela.",
            f"The operator's key was created in {first_key} (only you can read it): keep it safe.",
        ]
    else:
        lines.append(f"  Clave · Key     {settings.data / ADMIN_KEY_FILE}")
    return "\n".join(lines)
