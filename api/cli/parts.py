"""``constancia serve``, ``project`` and ``publish``: the parts of ``up`` as processes of their own."""

import asyncio
import socket
from collections.abc import Callable

import uvloop

from api.cli.logging import log_to_stderr
from api.cli.options import Data, Host, Port
from api.running import Running, stopped_by_signals
from api.server import reserve
from api.start import adopt, open_services, read_settings
from registry.settings import Settings


def serve(host: Host = None, port: Port = None, data: Data = None) -> None:
    """The API, until Ctrl-C or SIGTERM."""
    log_to_stderr()
    settings = read_settings(host=host, port=port, data=data)
    with reserve(settings.host, settings.port) as listener:
        uvloop.run(_serve(settings, listener))


def project(data: Data = None) -> None:
    """The read models, until Ctrl-C or SIGTERM."""
    _run_part(data, Running.project)


def publish(data: Data = None) -> None:
    """Checkpoints and releases, until Ctrl-C or SIGTERM. One such process is enough; two do no harm."""
    _run_part(data, lambda running: running.publish())


def _run_part(data: Data, part: Callable[[Running], None]) -> None:
    log_to_stderr()
    uvloop.run(_part(read_settings(data=data), part))


async def _serve(settings: Settings, listener: socket.socket) -> None:
    stopping = asyncio.Event()
    with stopped_by_signals(stopping):
        async with open_services(settings) as services:
            await adopt(services.application)
            async with asyncio.TaskGroup() as tasks:
                await Running(services, tasks, stopping).serve(listener)


async def _part(settings: Settings, part: Callable[[Running], None]) -> None:
    stopping = asyncio.Event()
    with stopped_by_signals(stopping):
        async with open_services(settings) as services:
            await adopt(services.application)
            async with asyncio.TaskGroup() as tasks:
                part(Running(services, tasks, stopping))
