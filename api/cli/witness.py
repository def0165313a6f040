"""``constancia witness``: watch over another organisation's log, and cosign what only ever grows."""

import asyncio
import socket
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from api.cli.logging import log_to_stderr
from api.running import stopped_by_signals
from api.server import Server, reserve
from api.witness_server import create_witness
from registry.errors import MalformedLog, StartRefused
from registry.log.cosignature import Cosigner
from registry.log.durable import exclusively, write_durably
from registry.log.note import Signer, Verifier
from registry.log.witnessing import Witness

KEY_FILE = "witness.key"


def witness(
    log: Annotated[
        list[str],
        typer.Option(
            help="Clave pública (vkey) de una bitácora que se atestigua; se puede repetir. · Public key (vkey) of a "
            "log to witness; may be repeated."
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option(
            help="Nombre del testigo, como testigo.example.org; se fija en el primer inicio. · The witness's name, "
            "such as witness.example.org; fixed at the first start."
        ),
    ] = None,
    data: Annotated[
        Path,
        typer.Option(
            help="Directorio de la clave y de lo cofirmado. · Directory of key and what was cosigned."
        ),
    ] = Path("witness"),
    host: Annotated[
        str, typer.Option(help="Dirección en la que escucha. · Address to listen on.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Puerto. · Port.")] = 8100,
) -> None:
    """Hasta Ctrl-C o SIGTERM. · Until Ctrl-C or SIGTERM."""
    log_to_stderr()
    logs = [_log_key(vkey) for vkey in log]
    cosigner = load_or_create(data, name)
    typer.echo(f"witness {cosigner.key.name} {cosigner.key.vkey()}")
    with reserve(host, port) as listener:
        uvloop.run(_serve(Server(create_witness(Witness(cosigner, logs, data))), listener))


def load_or_create(directory: Path, name: str | None) -> Cosigner:
    """The witness's key, made at the first start under ``name``.

    StartRefused without a name at the first start, with another one later, or when the key is damaged.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / KEY_FILE
    with exclusively(directory):
        try:
            signer = Signer.parse(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            signer = _create(path, name)
        except (MalformedLog, UnicodeDecodeError):
            raise StartRefused(
                f"La clave {path} está dañada. Restáurela de su copia.",
                f"The key {path} is damaged. Restore it from its copy.",
            ) from None
    if name not in (None, signer.name):
        raise StartRefused(
            f"Este testigo se llama {signer.name} y su nombre está en cada cofirma. Quite --name, o use otro "
            "directorio.",
            f"This witness is named {signer.name}, and the name is in every cosignature. Leave --name out, or use "
            "another directory.",
        )
    return Cosigner(signer)


def _create(path: Path, name: str | None) -> Signer:
    if any(path.parent.glob("*.checkpoint")):
        raise StartRefused(
            f"Falta la clave {path} y ya se cofirmó con ella. Restáurela de su copia.",
            f"The key {path} is missing and has cosigned already. Restore it from its copy.",
        )
    if name is None:
        raise StartRefused(
            "El primer inicio necesita --name, el nombre del testigo: su dirección sin esquema.",
            "The first start needs --name, the witness's name: its address without a scheme.",
        )
    try:
        signer = Signer.generate(name)
    except MalformedLog as error:
        raise StartRefused(error.text.es, error.text.en) from None
    write_durably(path, signer.serialise().encode())
    return signer


def _log_key(vkey: str) -> Verifier:
    try:
        return Verifier.parse(vkey.strip())
    except MalformedLog as error:
        raise StartRefused(f"--log: {error.text.es}", f"--log: {error.text.en}") from None


async def _serve(server: Server, listener: socket.socket) -> None:
    stopping = asyncio.Event()
    with stopped_by_signals(stopping):
        await server.run_until(stopping, listener)
