"""Reads delimited text as the people who keep lists export it (RFC 4180, and what spreadsheets make of it).

UTF-8 with or without a byte order mark, or Windows-1252; comma, semicolon or tab; quoted cells may hold newlines. The
file is read twice, never held: once to know its encoding, and that no NUL is in it; then row by row.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import IO, Final

from api.imports.errors import FileRefused
from api.imports.tables import Layout, Limits, Row, Table, headings_of, row_of

DELIMITERS: Final = (",", ";", "\t")
ENCODINGS: Final = ("utf-8", "cp1252")

_PIECE: Final = 1 << 20
_MULTIBYTE: Final = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_NOT_CP1252: Final = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


def open_delimited(file: IO[bytes], layout: Layout, limits: Limits) -> Table:
    """A table over a file that can be read from its beginning again. Raises FileRefused."""
    encoding = _encoding(file, layout.encoding)
    file.seek(0)
    # Bytes that are not UTF-8 stay as surrogates, for the row to name.
    errors = "surrogateescape" if encoding == "utf-8" else "strict"
    codec = "utf-8-sig" if encoding == "utf-8" else encoding
    text = io.TextIOWrapper(io.BufferedReader(_Unclosed(file), _PIECE), codec, errors=errors, newline="")
    delimiter = layout.delimiter or _sniff(text.readline(_PIECE))
    text.seek(0)
    records = _records(text, delimiter)
    headings = headings_of(next(records, []))
    return Table(headings, _rows(records, headings, limits), delimiter, encoding)


def _rows(records: Iterator[list[str]], headings: tuple[str, ...], limits: Limits) -> Iterator[Row]:
    number = 0
    for cells in records:
        if any(cell.strip() for cell in cells):
            number += 1
            yield row_of(number, headings, cells, limits)


def _encoding(file: IO[bytes], given: str | None) -> str:
    if given is not None and given not in ENCODINGS:
        raise FileRefused(
            f"Codificación desconocida. Se aceptan: {', '.join(ENCODINGS)}.",
            f"Unknown encoding. Accepted: {', '.join(ENCODINGS)}.",
        )
    decoder = codecs.getincrementaldecoder("utf-8")()
    utf8, multibyte, marked = True, False, False
    line, undefined = 1, 0
    tail = b""
    file.seek(0)
    while piece := file.read(_PIECE):
        _refuse_null(piece, line)
        marked = marked or (line == 1 and not tail and piece.startswith(codecs.BOM_UTF8))
        if utf8:
            try:
                decoder.decode(piece)
            except UnicodeDecodeError:
                utf8 = False
        if not piece.isascii():
            # One letter of UTF-8 may lie across two pieces.
            multibyte = multibyte or _MULTIBYTE.search(tail + piece) is not None
            if not undefined and (byte := _NOT_CP1252.search(piece)):
                undefined = line + piece.count(b"\n", 0, byte.start())
        line += piece.count(b"\n")
        tail = piece[-3:]
    if utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            utf8 = False
    # One letter of UTF-8 among the bytes shows a damaged UTF-8 file; without any it is the old Windows code page.
    if given == "utf-8" or (given is None and (utf8 or marked or multibyte)):
        return "utf-8"
    if undefined:
        raise FileRefused(
            f"Línea {undefined}: hay un byte que no existe en Windows-1252. Guarde el archivo como UTF-8.",
            f"Line {undefined}: there is a byte that Windows-1252 does not have. Save the file as UTF-8.",
        )
    return "cp1252"


def _refuse_null(piece: bytes, line: int) -> None:
    # No text has a NUL: this is a spreadsheet's own format, UTF-16, or a damaged file.
    if b"\x00" in piece:
        line += piece.count(b"\n", 0, piece.index(b"\x00"))
        raise FileRefused(
            f"Línea {line}: el archivo contiene un byte nulo. Guárdelo como CSV en UTF-8 (no UTF-16) o como XLSX.",
            f"Line {line}: the file contains a null byte. Save it as CSV in UTF-8 (not UTF-16) or as XLSX.",
        )


def _sniff(heading: str) -> str:
    """The delimiter that the heading holds most often outside quotes; comma when there is a single column."""
    bare = re.sub(r'"[^"]*"', "", heading)
    return max(DELIMITERS, key=bare.count)


def _records(text: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    try:
        yield from reader
    except csv.Error as error:
        raise FileRefused(
            f"Línea {reader.line_num}: las comillas no están bien cerradas, o la celda es demasiado larga. Una "
            'comilla dentro de una celda se escribe doble ("").',
            f"Line {reader.line_num}: quotes are not properly closed, or the cell is too long. A quote inside a "
            'cell is written twice ("").',
        ) from error


class _Unclosed(io.RawIOBase):
    """The file for a text wrapper, which closes what it wraps: the file is its opener's to close."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        piece = self._file.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)
