"""``constancia verify``: the independent check of a register's log and figures, from any machine.

Exit codes: 0 verified · 1 verification failed · 2 usage · 3 data unavailable · 4 self-consistent only.
"""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from api.cli.printing import printable
from projections.verification.errors import CannotStart, DataUnavailable, VerificationFailed, reason
from projections.verification.sources import Directory, Site, is_url
from projections.verification.verifier import Options, Verdict, verify_log
from registry.errors import MalformedLog, RegistryError
from registry.log.policy import Policy
from registry.text import Text

EXIT_CODES: Final[dict[type[RegistryError], int]] = {
    VerificationFailed: 1,
    CannotStart: 2,
    DataUnavailable: 3,
}
"""By the root of each branch of the tree in ``projections.verification.errors``."""

VERDICTS: Final = {
    Verdict.VERIFIED: (0, Text("VERIFICADO", "VERIFIED")),
    Verdict.SELF_CONSISTENT: (
        4,
        Text(
            "solo consistente consigo misma, claves no autenticadas. Pida la clave de la bitácora por otro medio y "
            "repita con --vkey.",
            "self-consistent only, keys not authenticated. Obtain the log's key by another way and repeat with --vkey.",
        ),
    ),
}

FAILURES: Final = {
    1: Text("VERIFICACIÓN FALLIDA", "VERIFICATION FAILED"),
    2: Text("USO INCORRECTO", "USAGE"),
    3: Text("DATOS NO DISPONIBLES", "DATA UNAVAILABLE"),
}


class Terminal:
    """Steps on standard output, in Spanish then English; the progress bar on standard error."""

    def __init__(self, progress: Progress) -> None:
        self._steps = 0
        self._progress = progress
        self._task = progress.add_task("hojas — leaves", total=None)

    def step(self, text: Text) -> None:
        self._steps += 1
        _say(f"{self._steps}. {text.es}\n   {text.en}")

    def remark(self, text: Text) -> None:
        _say(f" - {text.es}\n   {text.en}")

    def progress(self, done: int, total: int) -> None:
        self._progress.update(self._task, completed=done, total=total)


def verify(
    location: Annotated[
        str,
        typer.Argument(
            metavar="URL_OR_DIR",
            help="Dirección del registro, o carpeta con un espejo. · The register's address, or a mirror's directory.",
        ),
    ],
    vkey: Annotated[
        list[str] | None,
        typer.Option(
            help="Clave pública, obtenida por otro medio; se puede repetir. · Public key, obtained by another way; "
            "may be repeated."
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            help="Archivo donde se recuerdan las claves y el último punto de control. · File that remembers the keys "
            "and the last checkpoint."
        ),
    ] = None,
    trust_on_first_use: Annotated[
        bool,
        typer.Option(
            "--trust-on-first-use",
            help="Acepta y recuerda en --state las claves que el registro muestra hoy. · Accept, and remember in "
            "--state, the keys that the register shows today.",
        ),
    ] = False,
    policy: Annotated[
        Path | None,
        typer.Option(
            help="Archivo con la política (c2sp.org/tlog-policy): claves, testigos y quórum. · File with the policy: "
            "keys, witnesses and quorum."
        ),
    ] = None,
    max_age: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="HOURS",
            help="Rechaza un checkpoint cuyas cofirmas son más viejas. · Reject a checkpoint whose cosignatures are "
            "older.",
        ),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(
            help="Archivo con el certificado de un conteo que se quiere comprobar. · File with the certificate of a "
            "count to be checked."
        ),
    ] = None,
) -> None:
    """Comprueba la bitácora y vuelve a contar, sin confiar en el servidor. · Check the log and count again, without
    trusting the server."""
    options = Options(
        vkeys=tuple(vkey or ()),
        state=state,
        trust_on_first_use=trust_on_first_use,
        max_age=max_age,
    )
    raise typer.Exit(run(location, options, certificate, policy))


def run(
    location: str,
    options: Options,
    certificate: Path | None = None,
    policy: Path | None = None,
    transport: httpx.BaseTransport | None = None,
) -> int:
    """Verifies and prints; the exit code. ``transport`` replaces the network."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        if certificate is not None:
            options = replace(options, certificate=_read_certificate(certificate))
        if policy is not None:
            options = replace(options, policy=_read_policy(policy))
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            code, text = VERDICTS[_verify(location, options, Terminal(progress), transport)]
    except RegistryError as error:
        code = next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), 1)
        heading = FAILURES[code]
        _say(f"{heading.es}: {error.text.es}\n{heading.en}: {error.text.en}", err=True)
        return code
    _say(str(text))
    return code


def _verify(
    location: str, options: Options, terminal: Terminal, transport: httpx.BaseTransport | None
) -> Verdict:
    if is_url(location):
        with Site(location, transport=transport) as site:
            return verify_log(site, options, terminal, send=site.ask)
    if not Path(location).is_dir():
        raise CannotStart(
            f"«{location}» no es una carpeta ni una dirección que empiece con http:// o https://. Escriba la dirección "
            "completa del registro, por ejemplo https://registro.example.org, o la carpeta de un espejo.",
            f"“{location}” is neither a directory nor an address that begins with http:// or https://. Write the "
            "register's whole address, for example https://register.example.org, or the directory of a mirror.",
        )
    return verify_log(Directory(Path(location)), options, terminal)


def _read_certificate(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CannotStart(
            f"No se puede leer el certificado {path}: {reason(error).es}. Dé el archivo tal como se recibió.",
            f"Cannot read the certificate {path}: {reason(error).en}. Give the file as it was received.",
        ) from error


def _read_policy(path: Path) -> Policy:
    try:
        return Policy.parse(path.read_bytes())
    except OSError as error:
        raise CannotStart(
            f"No se puede leer la política {path}: {reason(error).es}. Revise el nombre del archivo.",
            f"Cannot read the policy {path}: {reason(error).en}. Check the file's name.",
        ) from error
    except MalformedLog as error:
        raise CannotStart(f"{path}: {error.text.es}", f"{path}: {error.text.en}") from error


def _say(text: str, err: bool = False) -> None:
    typer.echo(printable(text), err=err)
