"""``constancia import``: somebody else's file becomes records of the register, on the machine where it lies.

Exit codes: 0 all rows taken · 1 some rows failed, or the server could not be reached · 2 usage, file or profile.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Annotated, Final, NoReturn

import httpx
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from api.cli.import_run import Sending
from api.imports.annotating import describe
from api.imports.answers import Mode, OnChange, Status
from api.imports.errors import FileRefused, FileTooLarge, ImportRefused
from api.imports.intake import ATOMIC_ROWS
from api.imports.loading import check_fields, load_profile
from api.imports.preparing import Record
from api.imports.profile import Profile
from api.imports.records import Records
from api.imports.sending import CHUNK_ROWS, TIMEOUT, NotPermitted, Sender, Unsent
from registry.text import Text

KEY_VARIABLE: Final = "CONSTANCIA_KEY"
SHOWN: Final = 20
"""Rows with errors that the terminal shows; the annotated copy has them all."""

MOST_PER_ROW: Final = 1_000
"""Records of one row: more than any profile makes."""


def import_file(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            readable=True,
            help="XLSX, XLS, ODS, CSV, NDJSON.",
        ),
    ],
    records: Annotated[Records, typer.Option(help="Qué contiene el archivo. — What the file holds.")],
    profile: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Perfil TOML que dice qué significan sus columnas. — TOML profile that says what its columns mean.",
        ),
    ] = None,
    mode: Annotated[
        Mode,
        typer.Option(
            help="dry-run no guarda nada; partial cada fila por sí misma; atomic todas o ninguna. — dry-run stores "
            "nothing; partial each row for itself; atomic all or none."
        ),
    ] = Mode.DRY_RUN,
    on_change: Annotated[
        OnChange,
        typer.Option(
            help="Si un registro conocido dice otra cosa: reject, error; amend, enmienda el reporte. — When a known "
            "record says something else: reject is an error; amend amends the report."
        ),
    ] = OnChange.REJECT,
    sheet: Annotated[
        str | None,
        typer.Option(help="La hoja de un libro con varias. — The sheet of a workbook with several."),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(help="Dirección del registro. — The register's address."),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            envvar=KEY_VARIABLE,
            help="Clave con imports:write. — Key with imports:write.",
            show_envvar=True,
        ),
    ] = None,
) -> None:
    """Importa un archivo. — Imports a file."""
    screen = Console(stderr=True)
    if mode is not Mode.DRY_RUN and url is None:
        _stop(screen, _NEEDS_URL)
    if url is not None and not url.startswith(("http://", "https://")):
        _stop(screen, _NO_URL)
    if url is not None and not key:
        _stop(screen, _NEEDS_KEY)
    try:
        sending = Sending(file, records, _profile(profile, records, screen), mode, on_change, sheet)
        with file.open("rb") as opened:
            cut = _run(screen, opened, sending, url, key or "")
    except ImportRefused as error:
        _stop(screen, error.text, _place(error))
    except NotPermitted as error:
        _stop(screen, error.text)
    _finish(screen, sending, url)
    if cut is not None:
        _say(screen, cut.text, style="red")
    raise typer.Exit(1 if sending.problems or cut is not None else 0)


def _run(screen: Console, opened: IO[bytes], sending: Sending, url: str | None, key: str) -> Unsent | None:
    """Reads the whole file before anything is sent. Raises ImportRefused, NotPermitted."""
    prepared = sending.prepare(opened)
    if prepared.unused:
        _say(screen, _unused(prepared.unused))
    atomic = sending.mode is Mode.ATOMIC
    if url is None or atomic:
        checked = sending.records_of(sending.counted(prepared))
        records = list(itertools.islice(checked, ATOMIC_ROWS)) if atomic else []
        for _ in checked:  # checks the rest; what is over the limit is refused
            if atomic:
                raise FileTooLarge(*_TOO_MANY)
    else:
        # Once through all rows, so that a file that breaks off is found before the first of them is stored.
        sending.rows = sum(1 for _ in prepared.table.rows)
        records = []
    # In an atomic import one bad row stops all.
    if url is None or (atomic and sending.problems):
        return None
    waiting = iter(records) if atomic else sending.records_of(sending.prepare(opened))
    try:
        _send(screen, _client(url, key), sending, waiting)
    except NotPermitted:
        raise
    except Unsent as error:
        return error
    return None


def _profile(path: Path | None, records: Records, screen: Console) -> Profile | None:
    if path is None:
        return None
    try:
        text = path.read_text(encoding="utf-8")
        profile = load_profile(text)
        check_fields(profile, text)
    except UnicodeDecodeError:
        _stop(screen, Text("El perfil no es UTF-8.", "The profile is not UTF-8."))
    if profile.records is not records:
        _stop(
            screen,
            Text(
                f"El perfil es para {profile.records}, y --records dice {records}. Use el perfil que corresponde.",
                f"The profile is for {profile.records}, and --records says {records}. Use the one that fits.",
            ),
        )
    return profile


def _client(url: str, key: str) -> httpx.Client:
    return httpx.Client(base_url=url.rstrip("/"), headers={"Authorization": f"Bearer {key}"}, timeout=TIMEOUT)


def _send(screen: Console, client: httpx.Client, sending: Sending, records: Iterator[Record]) -> None:
    """Notes what the server says of each record."""
    what = f"{sending.records} · {sending.mode}"
    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with client, Progress(*columns, console=screen) as progress:
        task = progress.add_task(what, total=sending.rows)

        def retrying(attempt: int) -> None:
            progress.update(task, description=f"{what} · reintento/retry {attempt}")

        sender = Sender(client, sending.records, sending.mode, on_change=sending.on_change, retrying=retrying)
        size = sending.rows * MOST_PER_ROW if sending.mode is Mode.ATOMIC else CHUNK_ROWS
        while batch := list(itertools.islice(records, size)):
            for answers in sender.send([record.body for record in batch]):
                for answer in answers:
                    sending.answered(batch[answer.place], answer.result)
            progress.update(task, completed=batch[-1].row.number, description=what)


def _finish(screen: Console, sending: Sending, url: str | None) -> None:
    problems, tally = sending.problems, sending.tally
    for color, noted in (("red", problems), ("yellow", sending.doubts)):
        for number in sorted(noted)[:SHOWN]:
            for one in noted[number]:
                shown = f"[{color}]{number}[/{color}] {escape(describe(one))}"
                screen.print(shown, highlight=False, soft_wrap=True)
    _say(screen, _summary(sending.rows, len(problems), tally, sending.mode, sent=url is not None))
    if problems or sending.doubts:
        path = sending.annotated()
        text = Text(
            f"Copia con los errores y avisos de cada fila: {path}",
            f"Copy with each row's errors and warnings: {path}",
        )
        _say(screen, text, style="yellow")


def _summary(rows: int, failed: int, tally: Mapping[Status, int], mode: Mode, *, sent: bool) -> Text:
    if not sent:
        sound = rows - failed
        return Text(f"{rows} filas, {sound} sin errores.", f"{rows} rows, {sound} without errors.")
    created, unchanged, amended = (
        tally[status] for status in (Status.CREATED, Status.UNCHANGED, Status.AMENDED)
    )
    if mode is Mode.DRY_RUN:
        es, en = f"se crearían {created}", f"{created} would be created"
        changed_es, changed_en = f", se enmendarían {amended}", f", {amended} amended"
        known_es = f"ya estaban {unchanged}, con errores {failed}"
    else:
        es, en = f"{created} creadas", f"{created} created"
        changed_es, changed_en = f", {amended} enmendadas", f", {amended} amended"
        known_es = f"{unchanged} ya estaban, {failed} con errores"
    changed = (changed_es, changed_en) if amended else ("", "")
    return Text(
        f"{rows} filas: {es}{changed[0]}, {known_es}.",
        f"{rows} rows: {en}{changed[1]}, {unchanged} known, {failed} with errors.",
    )


def _place(error: ImportRefused) -> str:
    if not isinstance(error, FileRefused) or error.column is None:
        return ""
    value = f": «{error.value}»" if error.value else ""
    return f"[{error.column}{value}]"


def _unused(columns: Sequence[str]) -> Text:
    names = ", ".join(columns)
    return Text(f"Columnas que el perfil no usa: {names}.", f"Columns that the profile leaves out: {names}.")


def _say(screen: Console, text: Text, *, style: str | None = None) -> None:
    screen.print(escape(str(text)), style=style, highlight=False, soft_wrap=True)


def _stop(screen: Console, text: Text, place: str = "") -> NoReturn:
    if place:
        screen.print(escape(place), style="red", highlight=False, soft_wrap=True)
    _say(screen, text, style="red")
    raise typer.Exit(2)


_TOO_MANY: Final = Text(
    f"En modo atomic se aceptan hasta {ATOMIC_ROWS} registros. Use partial, o divida el archivo.",
    f"In mode atomic at most {ATOMIC_ROWS} records are accepted. Use partial, or split the file.",
)
_NEEDS_URL: Final = Text(
    "Falta --url: solo --mode dry-run trabaja sin servidor.",
    "--url is missing: only --mode dry-run works without a server.",
)
_NO_URL: Final = Text(
    "--url debe empezar con https:// (o http:// en esta misma máquina).",
    "--url must start with https:// (or http:// on this very machine).",
)
_NEEDS_KEY: Final = Text(
    f"Falta la clave: --key o la variable {KEY_VARIABLE}.",
    f"The key is missing: --key or the variable {KEY_VARIABLE}.",
)
