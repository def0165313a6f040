"""Reads delimited text as the people who keep lists export it (RFC 4180, and what spreadsheets make of it).

UTF-8 with or without a byte order mark, or Windows-1252; comma, semicolon or tab; quoted cells may hold newlines.
Anything that could be read in two ways is refused, never repaired.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from api.imports.errors import FileRefused, FileTooLarge, RowProblem
from registry.text import Text

DELIMITERS: Final = (",", ";", "\t")
ENCODINGS: Final = ("utf-8", "cp1252")

MAX_ROWS: Final = 50_000
"""Rows of one file: a bound on memory and on how long a connection stays open, not a rule of the register."""

_UNDECODED: Final = re.compile(r"[\udc80-\udcff]")
_MULTIBYTE: Final = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


class Row(NamedTuple):
    """One row of data. ``number`` counts from 1 below the heading, however many lines a row takes."""

    number: int
    cells: Mapping[str, str]
    problem: RowProblem | None = None


class Table(NamedTuple):
    """A heading and its rows; cells in NFC, without the blanks around them."""

    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    encoding: str
    delimiter: str


def read_table(data: bytes, *, encoding: str | None = None, delimiter: str | None = None) -> Table:
    """Reads a whole file; ``None`` = found out from the bytes (encoding) and from the heading (delimiter).

    Rows with too many or too few cells keep their place and carry a problem. Raises FileRefused, FileTooLarge.
    """
    text, found = _decode(data, encoding)
    first = text.split("\n", 1)[0]
    separator = delimiter or _sniff(first)
    records = _records(text, separator)
    headings = _headings(next(records, []))
    rows: list[Row] = []
    for cells in records:
        if not any(cell.strip() for cell in cells):
            continue
        number = len(rows) + 1
        if number > MAX_ROWS:
            raise FileTooLarge(
                f"El archivo pasa de {MAX_ROWS} filas. Divídalo y envíe las partes una por una.",
                f"The file has more than {MAX_ROWS} rows. Split it and send the parts one by one.",
            )
        rows.append(_row(number, headings, cells))
    return Table(headings, tuple(rows), found, separator)


def _row(number: int, headings: tuple[str, ...], cells: list[str]) -> Row:
    clean = [unicodedata.normalize("NFC", cell.strip()) for cell in cells]
    for position, (heading, cell) in enumerate(zip(headings, clean, strict=False), start=1):
        if _UNDECODED.search(cell):
            shown = cell.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            raise FileRefused(
                f"Fila {number}, columna {position}: hay bytes que no son UTF-8. Guarde el archivo como UTF-8, o "
                "indique su codificación si es Windows-1252 (cp1252).",
                f"Row {number}, column {position}: there are bytes that are not UTF-8. Save the file as UTF-8, or "
                "name its encoding if it is Windows-1252 (cp1252).",
                place=f"rows[{number}]",
                column=heading,
                value=shown,
            )
    if len(clean) != len(headings):
        return Row(number, dict(zip(headings, clean, strict=False)), _ragged(headings, clean))
    return Row(number, dict(zip(headings, clean, strict=True)))


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


def _decode(data: bytes, encoding: str | None) -> tuple[str, str]:
    """The text, with bytes that are not of the encoding left as surrogates for the row to name."""
    if encoding is not None and encoding not in ENCODINGS:
        raise FileRefused(
            f"Codificación desconocida. Se aceptan: {', '.join(ENCODINGS)}.",
            f"Unknown encoding. Accepted: {', '.join(ENCODINGS)}.",
        )
    # No text has a NUL: this is a spreadsheet's own format, UTF-16, or a damaged file.
    if b"\x00" in data:
        line = data[: data.index(b"\x00")].count(b"\n") + 1
        raise FileRefused(
            f"Línea {line}: el archivo contiene un byte nulo. Expórtelo como CSV en UTF-8 (no como XLSX ni UTF-16).",
            f"Line {line}: the file contains a null byte. Export it as CSV in UTF-8 (not as XLSX or UTF-16).",
        )
    body = data.removeprefix(b"\xef\xbb\xbf")
    if encoding == "cp1252":
        return _cp1252(body), "cp1252"
    try:
        return body.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        # One letter of UTF-8 among the bytes shows a damaged UTF-8 file; without any it is the old Windows code page.
        if encoding is None and body is data and not _MULTIBYTE.search(body):
            return _cp1252(body), "cp1252"
        return body.decode("utf-8", "surrogateescape"), "utf-8"


def _cp1252(body: bytes) -> str:
    try:
        return body.decode("cp1252")
    except UnicodeDecodeError as error:
        line = body[: error.start].count(b"\n") + 1
        raise FileRefused(
            f"Línea {line}: hay un byte que no existe en Windows-1252. Guarde el archivo como UTF-8.",
            f"Line {line}: there is a byte that Windows-1252 does not have. Save the file as UTF-8.",
        ) from error


def _sniff(heading: str) -> str:
    """The delimiter that the heading holds most often outside quotes; comma when there is a single column."""
    bare = re.sub(r'"[^"]*"', "", heading)
    return max(DELIMITERS, key=bare.count)


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        yield from reader
    except csv.Error as error:
        raise FileRefused(
            f"Línea {reader.line_num}: las comillas no están bien cerradas, o la celda es demasiado larga. Una "
            'comilla dentro de una celda se escribe doble ("").',
            f"Line {reader.line_num}: quotes are not properly closed, or the cell is too long. A quote inside a "
            'cell is written twice ("").',
        ) from error


def _headings(cells: list[str]) -> tuple[str, ...]:
    headings = tuple(unicodedata.normalize("NFC", cell.strip()) for cell in cells)
    if not any(headings):
        raise FileRefused(
            "El archivo está vacío. La primera línea debe nombrar las columnas.",
            "The file is empty. Its first line must name the columns.",
        )
    for position, heading in enumerate(headings, start=1):
        if not heading or _UNDECODED.search(heading):
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
