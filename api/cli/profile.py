"""``constancia profile``: a first profile for somebody's file, and template spreadsheets.

Exit codes: 0 done · 2 usage, or a file that cannot be read.
"""

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape

from api.imports.errors import ImportRefused
from api.imports.loading import check_fields, load_profile
from api.imports.reading import open_table
from api.imports.records import Records
from api.imports.suggesting import suggest
from api.imports.tables import Layout
from api.imports.templates import SHEETS, TEMPLATES, template
from registry.text import Language, Text

_LANGUAGES: Final[dict[str, Language]] = {"es": "es", "en": "en"}

profile: Final = typer.Typer(no_args_is_help=True)


@profile.command("suggest")
def suggest_profile(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    records: Annotated[
        Records | None, typer.Option(help="Qué contiene el archivo. — What the file holds.")
    ] = None,
    sheet: Annotated[
        str | None,
        typer.Option(help="La hoja de un libro con varias. — The sheet of a workbook with several."),
    ] = None,
) -> None:
    """Propone un perfil a partir de los encabezados y algunas filas. — Proposes a profile from headings and rows."""
    try:
        with file.open("rb") as opened:
            proposed = suggest(open_table(opened, Layout(sheet=sheet, preferred=SHEETS)), records)
        check_fields(load_profile(proposed), proposed)
    except ImportRefused as error:
        _say(error.text)
        raise typer.Exit(2) from None
    print(proposed, end="")


@profile.command("template")
def write_template(
    records: Annotated[Records, typer.Argument(help="assignments, relocations, reports")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Archivo XLSX. — XLSX file.", dir_okay=False)
    ] = None,
    lang: Annotated[str, typer.Option(help="es, en")] = "es",
) -> None:
    """Escribe una plantilla XLSX con listas de códigos e instrucciones. — Writes an XLSX template with code lists."""
    if records not in TEMPLATES or lang not in _LANGUAGES:
        _say(
            Text(
                f"Hay plantillas de {', '.join(TEMPLATES)}, en {', '.join(_LANGUAGES)}.",
                f"There are templates of {', '.join(TEMPLATES)}, in {', '.join(_LANGUAGES)}.",
            )
        )
        raise typer.Exit(2)
    path = output or Path(f"{records}.{lang}.xlsx")
    path.write_bytes(template(records, _LANGUAGES[lang]))
    _say(Text(f"Plantilla: {path}", f"Template: {path}"))


def _say(text: Text) -> None:
    Console(stderr=True).print(escape(str(text)), highlight=False, soft_wrap=True)
