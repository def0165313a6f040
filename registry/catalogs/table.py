"""Official files as tables: CSV in the encodings that offices use, or a spreadsheet; also compressed by gzip. Pure.

The first line with two filled cells or more is the heading: above it offices put titles. Rows are counted from 1 below
it, whatever lines they take; empty ones do not count.
"""

import csv
import gzip
import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from typing import Final, Literal, NamedTuple

from python_calamine import CalamineError, CalamineWorkbook

from registry.catalogs.errors import CatalogRefused

Encoding = Literal["utf-8", "cp1252"]
Delimiter = Literal[",", ";", "\t", "|"]

DELIMITERS: Final[tuple[Delimiter, ...]] = (",", ";", "\t", "|")

MAX_BYTES: Final = 256 << 20
"""Uncompressed. The national catalogue of establishments has about 30 MB."""

MAX_ROWS: Final = 250_000
"""The national catalogue of establishments, closed ones included, has about 64,000."""

_TITLES: Final = 20
"""Lines above the heading that are looked at."""

_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"
_OLE: Final = b"\xd0\xcf\x11\xe0"
_MULTIBYTE: Final = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")

Cell = int | float | str | bool | time | date | datetime | timedelta


class Table(NamedTuple):
    """Cells in NFC without the blanks around them, as many in each row as headings. ``sha256`` is that of the file,
    uncompressed.
    """

    headings: tuple[str, ...]
    rows: list[list[str]]
    sha256: bytes


def read_table(
    data: bytes,
    *,
    encoding: Encoding | None = None,
    delimiter: Delimiter | None = None,
    sheet: str | None = None,
) -> Table:
    """Reads a whole file; what is None is found out. Raises CatalogRefused, naming the place."""
    content = _uncompressed(data)
    if content.startswith((_ZIP, _OLE)):
        lines = _sheet(content, sheet)
    else:
        lines = _delimited(_text(content, encoding), delimiter)
    headings, rows = _split(lines)
    return Table(headings, rows, sha256(content).digest())


def _uncompressed(data: bytes) -> bytes:
    if data.startswith(_GZIP):
        try:
            with gzip.open(io.BytesIO(data)) as file:
                data = file.read(MAX_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise CatalogRefused(
                "El archivo comprimido está dañado o incompleto. Descárguelo de nuevo.",
                "The compressed file is damaged or cut short. Fetch it again.",
            ) from error
    if len(data) > MAX_BYTES:
        raise _too_large()
    return data


def _text(content: bytes, encoding: Encoding | None) -> str:
    """UTF-8, with or without a byte order mark; Windows-1252 where nothing in the file looks like UTF-8."""
    if b"\x00" in content:
        raise CatalogRefused(
            "El archivo contiene bytes nulos: no es CSV en UTF-8 ni en Windows-1252. Guárdelo como «CSV UTF-8».",
            "The file contains null bytes: it is no CSV in UTF-8 or Windows-1252. Save it as “CSV UTF-8”.",
        )
    body = content.removeprefix(b"\xef\xbb\xbf")
    tried: Encoding = encoding or "utf-8"
    if encoding is None and body is content and not _MULTIBYTE.search(body):
        tried = "cp1252"
    try:
        return body.decode(tried)
    except UnicodeDecodeError as error:
        line = body[: error.start].count(b"\n") + 1
        raise CatalogRefused(
            f"Línea {line}: hay un byte que no es de la codificación {tried}. Guarde el archivo como UTF-8, o indique "
            "la codificación en el perfil ([file] encoding).",
            f"Line {line}: there is a byte that is not of the encoding {tried}. Save the file as UTF-8, or name the "
            "encoding in the profile ([file] encoding).",
        ) from error


def _delimited(text: str, delimiter: Delimiter | None) -> Iterator[list[str]]:
    sample = [re.sub(r'"[^"]*"', "", line) for line in text.split("\n", _TITLES)[:_TITLES]]
    separator: str = delimiter or max(DELIMITERS, key=lambda one: max(line.count(one) for line in sample))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        yield from reader
    except csv.Error as error:
        raise CatalogRefused(
            f"Línea {reader.line_num}: las comillas no están bien cerradas. Exporte el archivo de nuevo como CSV.",
            f"Line {reader.line_num}: quotes are not properly closed. Export the file again as CSV.",
        ) from error


def _sheet(content: bytes, name: str | None) -> Iterator[list[str]]:
    if content.startswith(_ZIP):
        _must_unpack(content)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        if name is not None and name not in workbook.sheet_names:
            there = ", ".join(workbook.sheet_names)
            raise CatalogRefused(
                f"El libro no tiene la hoja «{name}». Tiene: {there}. Corrija [file] sheet en el perfil.",
                f"The workbook has no sheet “{name}”. It has: {there}. Correct [file] sheet in the profile.",
            )
        sheet = workbook.get_sheet_by_name(name) if name else workbook.get_sheet_by_index(0)
        rows = sheet.to_python(skip_empty_area=True)
    except CalamineError as error:
        raise CatalogRefused(
            "El libro de cálculo no se puede leer: está dañado, o protegido con contraseña. Guárdelo de nuevo como "
            "XLSX o CSV.",
            "The workbook cannot be read: it is damaged, or protected by a password. Save it again as XLSX or CSV.",
        ) from error
    return ([_cell(value) for value in row] for row in rows)


def _must_unpack(content: bytes) -> None:
    try:
        size = sum(part.file_size for part in zipfile.ZipFile(io.BytesIO(content)).infolist())
    except zipfile.BadZipFile as error:
        raise CatalogRefused(
            "El libro de cálculo está dañado o incompleto. Descárguelo de nuevo.",
            "The workbook is damaged or cut short. Fetch it again.",
        ) from error
    if size > MAX_BYTES:
        raise _too_large()


def _too_large() -> CatalogRefused:
    return CatalogRefused(
        f"El archivo pasa de {MAX_BYTES >> 20} MB descomprimido. Deje solo la hoja del catálogo.",
        f"The file has more than {MAX_BYTES >> 20} MB uncompressed. Keep the catalogue's sheet only.",
    )


def _cell(value: Cell) -> str:
    """As a person reads it: whole numbers without decimals, days without a time."""
    match value:
        case bool():
            return str(value).upper()
        case float() if value.is_integer():
            return str(int(value))
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case date() | time():
            return value.isoformat()
        case _:
            return str(value)


def _split(lines: Iterable[list[str]]) -> tuple[tuple[str, ...], list[list[str]]]:
    numbered = iter(lines)
    headings: tuple[str, ...] | None = None
    for _, line in zip(range(_TITLES), numbered, strict=False):
        cells = [_clean(cell) for cell in line]
        if sum(map(bool, cells)) >= 2:
            headings = _headings(cells)
            break
    if headings is None:
        raise CatalogRefused(
            "El archivo no tiene encabezado: ninguna de sus primeras líneas nombra dos columnas.",
            "The file has no heading: none of its first lines names two columns.",
        )
    rows: list[list[str]] = []
    for line in numbered:
        cells = [_clean(cell) for cell in line]
        if not any(cells):
            continue
        while len(cells) > len(headings) and not cells[-1]:
            cells.pop()
        if len(cells) != len(headings):
            raise CatalogRefused(
                f"Fila {len(rows) + 1}: tiene {len(line)} celdas y el encabezado {len(headings)}. Una celda que "
                "contiene el separador va entre comillas.",
                f"Row {len(rows) + 1}: it has {len(line)} cells and the heading {len(headings)}. A cell that contains "
                "the separator goes between quotes.",
            )
        rows.append(cells)
        if len(rows) > MAX_ROWS:
            raise CatalogRefused(
                f"El archivo pasa de {MAX_ROWS} filas: no es un catálogo de municipios ni de establecimientos.",
                f"The file has more than {MAX_ROWS} rows: it is no catalogue of municipalities or establishments.",
            )
    return headings, rows


def _headings(cells: list[str]) -> tuple[str, ...]:
    while cells and not cells[-1]:
        cells.pop()
    for number, heading in enumerate(cells, start=1):
        first = cells.index(heading) + 1
        if not heading:
            raise CatalogRefused(
                f"La columna {number} no tiene nombre. Escriba uno en el encabezado.",
                f"Column {number} has no name. Write one into the heading.",
            )
        if first != number:
            raise CatalogRefused(
                f"Las columnas {first} y {number} se llaman igual («{heading}»). Cambie el nombre de una.",
                f"Columns {first} and {number} have the same name (“{heading}”). Rename one of them.",
            )
    return tuple(cells)


def _clean(cell: str) -> str:
    stripped = cell.strip()
    return stripped if stripped.isascii() else unicodedata.normalize("NFC", stripped)
