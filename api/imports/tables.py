"""Tables of text, whatever file they came in: headings, then rows one by one, each with what is wrong with its cells.

Anything that could be read in two ways is refused, never repaired.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from api.imports.errors import FileRefused, FileTooLarge, RowProblem
from registry.text import Text

_FORMULA: Final = ("=", "+", "-", "@")

_UNDECODED: Final = re.compile(r"[\udc80-\udcff]")


class Limits(NamedTuple):
    """Of one file: rows of data, characters of a cell, bytes that a compressed spreadsheet unpacks to."""

    rows: int = 1_000_000
    cell: int = 32_767
    expansion: int = 512 << 20


DEFAULT_LIMITS: Final = Limits()
"""A cell holds what a spreadsheet's can; a sheet has 1,048,576 rows at most anyway."""


class Layout(NamedTuple):
    """What the sender knows of a file; None = found out.

    ``heading`` is the line of a sheet that names the columns, from 1; ``preferred`` are names of sheets to take first.
    """

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    heading: int | None = None
    preferred: tuple[str, ...] = ()


UNKNOWN_LAYOUT: Final = Layout()


class Row(NamedTuple):
    """One row of data. ``number`` counts from 1 below the heading, however many lines a row takes."""

    number: int
    cells: Mapping[str, str]
    problems: tuple[RowProblem, ...] = ()


class Table(NamedTuple):
    """A heading and its rows, to be read once; cells in NFC, without the blanks around them.

    ``delimiter`` is None for a spreadsheet. Reading rows raises FileRefused and FileTooLarge.
    """

    headings: tuple[str, ...]
    rows: Iterator[Row]
    delimiter: str | None = None
    encoding: str | None = None


def clean(text: str) -> str:
    """A cell in NFC, without the blanks around it, or the apostrophe that keeps a text from being a formula."""
    bare = text.strip()
    if bare.startswith("'") and bare[1:2] in _FORMULA:
        bare = bare[1:]
    return bare if bare.isascii() else unicodedata.normalize("NFC", bare)


def row_of(number: int, headings: tuple[str, ...], cells: Sequence[str], limits: Limits) -> Row:
    """A row of clean cells, all of its columns there; what is wrong with them beside it.

    Raises FileTooLarge beyond the limit of rows, FileRefused for bytes that were not decoded.
    """
    if number > limits.rows:
        raise FileTooLarge(
            f"El archivo pasa de {limits.rows} filas. Divídalo y envíe las partes una por una.",
            f"The file has more than {limits.rows} rows. Split it and send the parts one by one.",
        )
    kept = [clean(cell) for cell in cells]
    problems: list[RowProblem] = []
    for position, (heading, cell) in enumerate(zip(headings, kept, strict=False), start=1):
        if cell.isascii():
            if "\x00" in cell:
                problems.append(_null(heading))
        elif _UNDECODED.search(cell):
            raise undecoded(number, position, heading, cell)
        if len(cell) > limits.cell:
            problems.append(_too_long(heading, limits.cell))
    if len(kept) != len(headings):
        problems.append(_ragged(headings, kept))
        kept += [""] * (len(headings) - len(kept))
    return Row(number, dict(zip(headings, kept, strict=False)), tuple(problems))


def headings_of(cells: Sequence[str]) -> tuple[str, ...]:
    """The names of the columns. Raises FileRefused when there are none, one is empty, or two are the same."""
    headings = tuple(clean(cell) for cell in cells)
    if not any(headings):
        raise FileRefused(
            "El archivo está vacío. La primera línea debe nombrar las columnas.",
            "The file is empty. Its first line must name the columns.",
        )
    for position, heading in enumerate(headings, start=1):
        if not heading or _UNDECODED.search(heading) or "\x00" in heading:
            raise FileRefused(
                f"La columna {position} no tiene un nombre legible. Cada columna necesita el suyo, en UTF-8.",
                f"Column {position} has no readable name. Each column needs its own, in UTF-8.",
                place=f"columns[{position}]",
            )
        first = headings.index(heading) + 1
        if first != position:
            raise FileRefused(
                f"Las columnas {first} y {position} se llaman igual. Cada nombre puede aparecer una sola vez.",
                f"Columns {first} and {position} have the same name. Each name may appear only once.",
                place=f"columns[{position}]",
                column=heading,
            )
    return headings


def require_columns(headings: tuple[str, ...], needed: tuple[str, ...]) -> None:
    """Raises FileRefused, naming every column that is missing and those that are there."""
    missing = [column for column in needed if column not in headings]
    if missing:
        names = ", ".join(f"«{column}»" for column in missing)
        names_en = ", ".join(f"“{column}”" for column in missing)
        there = ", ".join(headings)
        raise FileRefused(
            f"Faltan columnas: {names}. El archivo tiene: {there}.",
            f"Columns are missing: {names_en}. The file has: {there}.",
            column=missing[0],
        )


def undecoded(number: int, position: int, heading: str, cell: str) -> FileRefused:
    """Bytes of a cell that are not of the encoding which the rest of the file has."""
    shown = cell.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return FileRefused(
        f"Fila {number}, columna {position}: hay bytes que no son UTF-8. Guarde el archivo como UTF-8, o "
        "indique su codificación si es Windows-1252 (cp1252).",
        f"Row {number}, column {position}: there are bytes that are not UTF-8. Save the file as UTF-8, or "
        "name its encoding if it is Windows-1252 (cp1252).",
        place=f"rows[{number}]",
        column=heading,
        value=shown,
    )


def _ragged(headings: tuple[str, ...], cells: list[str]) -> RowProblem:
    few = len(cells) < len(headings)
    return RowProblem(
        field=None,
        code="ragged-row",
        detail=Text(
            f"La fila tiene {len(cells)} celdas y el encabezado {len(headings)}. Se acepta una celda por columna; "
            "una celda que contiene el separador va entre comillas.",
            f"The row has {len(cells)} cells and the heading {len(headings)}. One cell per column is accepted; a "
            "cell that contains the separator goes between quotes.",
        ),
        columns=(headings[len(cells)],) if few else (headings[-1],),
        value=None if few else cells[len(headings)],
    )


def _null(heading: str) -> RowProblem:
    detail = Text(
        "La celda contiene un carácter nulo (NUL). Bórrela y escriba el texto de nuevo.",
        "The cell holds a null character (NUL). Clear it and type the text anew.",
    )
    return RowProblem(None, "null-character", detail, (heading,))


def _too_long(heading: str, most: int) -> RowProblem:
    detail = Text(
        f"La celda pasa de {most} caracteres. Acórtela, o adjunte el documento como evidencia.",
        f"The cell has more than {most} characters. Shorten it, or attach the document as evidence.",
    )
    return RowProblem(None, "cell-too-long", detail, (heading,))
