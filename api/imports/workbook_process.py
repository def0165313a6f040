"""Reads one spreadsheet in a process of its own: ``python -m api.imports.workbook_process '<JSON of the order>'``.

The file comes on standard input, rows leave on standard output, one JSON line each. calamine holds a sheet whole, and
a crafted file makes it ask for any amount of memory: here that ends this process and nothing else. The order is
``{"sheet": name or null, "expansion": bytes, "preferred": [names]}``; the lines are ``{"sheet": name}``, then for each
row that is not empty ``[number of the row in the sheet, [cells as text], {column: mark}]``, or one ``{"refused": code,
"names": […]}``. Imports nothing of this project but its neighbours, so that it starts in a twentieth of a second.
"""

import datetime
import io
import json
import os
import resource
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import python_calamine

from api.imports.workbook_marks import (
    MERGED,
    DamagedSheet,
    Marks,
    TooManyMarks,
    marks_of_ods,
    marks_of_xlsx,
)

INEXACT: Final = "inexact-number"

_EXACT: Final = 10**15
"""Whole numbers up to here are what the sheet shows: spreadsheets keep 15 digits (IEEE 754 doubles)."""

_BASE_MEMORY: Final = 512 << 20
_MEMORY_PER_BYTE: Final = 4
"""What the interpreter takes, and what calamine takes at most for a byte of ordinary sheet XML: 3 measured."""

_CPU_SECONDS: Final = 300
_MOST_PARTS: Final = 10_000
_PIECE: Final = 1 << 20


class Refused(Exception):
    """The workbook cannot be read as a table; ``code`` says why, ``names`` are those of sheets."""

    def __init__(self, code: str, names: list[str] | None = None) -> None:
        self.code = code
        self.names = names or []
        super().__init__(code)


def main() -> None:
    """Standard input to standard output."""
    order = json.loads(sys.argv[1])
    memory = _BASE_MEMORY + _MEMORY_PER_BYTE * order["expansion"]
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    write = sys.stdout.write
    try:
        for line in read(sys.stdin.buffer.read(), order):
            write(json.dumps(line, ensure_ascii=True, separators=(",", ":")) + "\n")
    except Refused as refused:
        write(json.dumps({"refused": refused.code, "names": refused.names}) + "\n")
    except MemoryError:
        write(json.dumps({"refused": "memory", "names": []}) + "\n")
    sys.stdout.flush()
    # Freeing millions of cells one by one would only take time.
    os._exit(0)


def read(data: bytes, order: dict[str, Any]) -> Iterator[Any]:
    """The lines described above. Raises Refused."""
    marks_of = _marks_of_archive(data, order["expansion"]) if data.startswith(b"PK") else _marks_of_xls(data)
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        number = _choose(workbook, order)
        sheet = workbook.get_sheet_by_index(number)
    except python_calamine.PasswordError as error:
        raise Refused("encrypted") from error
    except python_calamine.CalamineError as error:
        raise Refused("damaged") from error
    try:
        marks = marks_of(number)
    except TooManyMarks as error:
        raise Refused("formulas", [sheet.name]) from error
    except (DamagedSheet, KeyError, IndexError) as error:
        raise Refused("damaged") from error
    yield {"sheet": sheet.name}
    left = sheet.start[1] if sheet.start else 0
    for index, values in enumerate(sheet.iter_rows()):
        marked = marks.pop(index, {})
        cells = [""] * left
        for value in values:
            text = _text(value)
            if text is None:
                text = repr(value)
                marked.setdefault(len(cells), INEXACT)
            cells.append(text)
        while cells and not cells[-1]:
            cells.pop()
        if cells or marked:
            yield _line(index, cells, marked)
    # Below the last value: formulas that were saved without one. Empty cells that are merged there say nothing.
    for index in sorted(marks):
        if marked := {column: mark for column, mark in marks[index].items() if mark != MERGED}:
            yield _line(index, [], marked)


def _line(index: int, cells: list[str], marked: dict[int, str]) -> Any:
    return [index + 1, cells, {str(column): mark for column, mark in marked.items()}]


def _archive(data: bytes, expansion: int) -> zipfile.ZipFile:
    """XLSX and ODS are ZIP files. Unpacked once, piece by piece, to know that they are whole and how large."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        parts = archive.infolist()
        if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > expansion:
            raise Refused("expansion")
        if any(part.flag_bits & 1 for part in parts):
            raise Refused("encrypted")
        for part in parts:
            with archive.open(part) as unpacked:
                while unpacked.read(_PIECE):
                    pass
    except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, zlib.error) as error:
        raise Refused("damaged") from error
    return archive


def _choose(workbook: python_calamine.CalamineWorkbook, order: dict[str, Any]) -> int:
    """The sheet that was asked for; else one of the preferred names; else the only one that holds anything."""
    metadata = workbook.sheets_metadata
    names = [one.name for one in metadata]
    if order["sheet"] is not None:
        if order["sheet"] not in names:
            raise Refused("no-such-sheet", names)
        return names.index(order["sheet"])
    for name in order["preferred"]:
        if name in names:
            return names.index(name)
    filled = [
        index
        for index, one in enumerate(metadata)
        if one.typ == python_calamine.SheetTypeEnum.WorkSheet
        and workbook.get_sheet_by_index(index).end is not None
    ]
    visible = [i for i in filled if metadata[i].visible == python_calamine.SheetVisibleEnum.Visible]
    if len(visible) > 1:
        raise Refused("several-sheets", [names[index] for index in visible])
    if filled != visible:
        raise Refused("hidden-sheet", [names[index] for index in filled if index not in visible])
    if not visible:
        raise Refused("empty")
    return visible[0]


def _marks_of_archive(data: bytes, expansion: int) -> Callable[[int], Marks]:
    """What tells the marks of the sheet with a number. Raises Refused."""
    archive = _archive(data, expansion)
    parts = archive.namelist()
    if "content.xml" in parts:
        return partial(marks_of_ods, archive)
    if "xl/workbook.xml" in parts:
        return partial(marks_of_xlsx, archive)
    # XLSB, whose formulas nobody would notice; else some other ZIP file.
    raise Refused("binary" if "xl/workbook.bin" in parts else "damaged")


def _marks_of_xls(data: bytes) -> Callable[[int], Marks]:
    """The same of what is no ZIP file."""
    # Takes half as long to load as all else together, and few files need it.
    from api.imports.workbook_records import EncryptedWorkbook, XlsWorkbook

    try:
        return XlsWorkbook(data).marks
    except EncryptedWorkbook as error:
        raise Refused("encrypted") from error
    except DamagedSheet as error:
        raise Refused("damaged") from error


def _text(value: object) -> str | None:
    """The value as a CSV export would write it, dates as ISO 8601; None for a number that lost its last digits."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if abs(value) < _EXACT else None
    if isinstance(value, float):
        if value.is_integer():
            return str(int(value)) if abs(value) < _EXACT else None
        return repr(value)
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)


if __name__ == "__main__":
    main()
