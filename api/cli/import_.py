"""``constancia import``: somebody else's file becomes records of the register, on the machine where it lies.

Exit codes: 0 all rows taken · 1 some rows failed, or the server could not be reached · 2 usage, file or profile.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, NoReturn

import httpx
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from api.imports.annotating import annotated_path, describe, write_annotated
from api.imports.answers import Mode, RowResult, Status
from api.imports.errors import FileRefused, ImportRefused, RowProblem
from api.imports.loading import load_profile
from api.imports.preparing import Prepared, Record, prepare_ndjson, prepare_table
from api.imports.profile import Profile
from api.imports.records import Records
from api.imports.sending import TIMEOUT, NotPermitted, Sender, Unsent
from registry.text import Text

KEY_VARIABLE: Final = "CONSTANCIA_KEY"
NDJSON_SUFFIXES: Final = frozenset({".ndjson", ".jsonl"})
SHOWN: Final = 20
"""Rows with errors that the terminal shows; the annotated copy has them all."""

Problems = dict[int, tuple[RowProblem, ...]]


def import_file(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV o NDJSON. — CSV or NDJSON."),
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
        prepared = _prepare(file, records, _profile(profile, records, screen))
    except ImportRefused as error:
        _stop(screen, error.text, _place(error))
    if prepared.unused:
        _say(screen, _unused(prepared.unused))
    problems: Problems = dict(prepared.problems)
    tally: dict[Status, int] = dict.fromkeys(Status, 0)
    cut: Unsent | None = None
    # In an atomic import one bad row stops all: nothing is sent before the file is sound.
    if url is not None and not (mode is Mode.ATOMIC and problems):
        try:
            _send(screen, _client(url, key or ""), records, mode, prepared, problems, tally)
        except NotPermitted as error:
            _stop(screen, error.text)
        except Unsent as error:
            cut = error
    _finish(screen, file, mode, url, prepared, problems, tally)
    if cut is not None:
        _say(screen, cut.text, style="red")
    raise typer.Exit(1 if problems or cut is not None else 0)


def _profile(path: Path | None, records: Records, screen: Console) -> Profile | None:
    if path is None:
        return None
    try:
        profile = load_profile(path.read_text(encoding="utf-8"))
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


def _prepare(file: Path, records: Records, profile: Profile | None) -> Prepared:
    data = file.read_bytes()
    if file.suffix.lower() in NDJSON_SUFFIXES:
        return prepare_ndjson(data, records)
    return prepare_table(data, records, profile)


def _client(url: str, key: str) -> httpx.Client:
    return httpx.Client(base_url=url.rstrip("/"), headers={"Authorization": f"Bearer {key}"}, timeout=TIMEOUT)


def _send(
    screen: Console,
    client: httpx.Client,
    records: Records,
    mode: Mode,
    prepared: Prepared,
    problems: Problems,
    tally: dict[Status, int],
) -> None:
    """Adds what the server says to ``problems`` and ``tally``."""
    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with client, Progress(*columns, console=screen) as progress:
        task = progress.add_task(f"{records} · {mode}", total=len(prepared.records))

        def retrying(attempt: int) -> None:
            progress.update(task, description=f"{records} · {mode} · reintento/retry {attempt}")

        sender = Sender(client, records, mode, retrying=retrying)
        for answers in sender.send([record.body for record in prepared.records]):
            for answer in answers:
                tally[answer.result.status] += 1
                record = prepared.records[answer.place]
                if answer.result.errors:
                    found = _problems(prepared, record, answer.result)
                    problems[record.row] = (*problems.get(record.row, ()), *found)
            progress.update(task, advance=len(answers), description=f"{records} · {mode}")


def _problems(prepared: Prepared, record: Record, result: RowResult) -> list[RowProblem]:
    # The server answered in one language, the caller's: it stands for both.
    return [
        prepared.located(record, RowProblem(error.field, error.code, Text(error.detail, error.detail)))
        for error in result.errors
    ]


def _finish(
    screen: Console,
    file: Path,
    mode: Mode,
    url: str | None,
    prepared: Prepared,
    problems: Mapping[int, Sequence[RowProblem]],
    tally: Mapping[Status, int],
) -> None:
    for number in sorted(problems)[:SHOWN]:
        for problem in problems[number]:
            screen.print(f"[red]{number}[/red] {escape(describe(problem))}", highlight=False, soft_wrap=True)
    rows = len(prepared.table.rows)
    if url is None:
        sound = rows - len(problems)
        _say(screen, Text(f"{rows} filas, {sound} sin errores.", f"{rows} rows, {sound} without errors."))
    else:
        created, unchanged = tally[Status.CREATED], tally[Status.UNCHANGED]
        if mode is Mode.DRY_RUN:
            text = Text(
                f"{rows} filas: se crearían {created}, ya estaban {unchanged}, con errores {len(problems)}.",
                f"{rows} rows: {created} would be created, {unchanged} known, {len(problems)} with errors.",
            )
        else:
            text = Text(
                f"{rows} filas: {created} creadas, {unchanged} ya estaban, {len(problems)} con errores.",
                f"{rows} rows: {created} created, {unchanged} known, {len(problems)} with errors.",
            )
        _say(screen, text)
    if problems:
        path = annotated_path(file)
        write_annotated(path, prepared.table, problems)
        _say(
            screen,
            Text(f"Copia con los errores de cada fila: {path}", f"Copy with each row's errors: {path}"),
            style="yellow",
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
