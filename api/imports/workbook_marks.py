"""What a workbook's cells are besides their values: formulas, errors, merged cells. calamine gives values only.

Reads the XML of one sheet as a stream: Office Open XML (ECMA-376 part 1, 18.3.1) and OpenDocument 1.3 (part 3, 9).
Runs in the process of ``api.imports.workbook_process``, so it imports nothing of this project.
"""

import re
import zipfile
from collections.abc import Callable, Iterator
from typing import IO, Any, Final
from xml.parsers import expat

FORMULA: Final = "formula"
ERROR: Final = "cell-error"
MERGED: Final = "merged-cells"

MOST: Final = 20_000
"""Marked cells; a sheet of formulas is no list of records."""

_PIECE: Final = 1 << 16
_REFERENCE: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")

Marks = dict[int, dict[int, str]]
"""Row → column → what is the matter; both from 0."""


class TooManyMarks(Exception):
    """More cells than ``MOST`` are formulas, errors or merged."""


class DamagedSheet(Exception):
    """The XML of the sheet cannot be read."""


def marks_of_xlsx(archive: zipfile.ZipFile, number: int) -> Marks:
    """The marks of the sheet with this number, from 0, in the order of the workbook."""
    path = _xlsx_paths(archive)[number]
    marks = Marked()
    cell: tuple[int, int] | None = None

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal cell
        local = _local(name)
        if local == "c" and "r" in attributes:
            cell = _cell(attributes["r"])
            if attributes.get("t") == "e":
                marks.add(*cell, ERROR)
        elif local == "f" and cell is not None:
            marks.add(*cell, FORMULA)
        elif local == "mergeCell":
            first, _, last = attributes.get("ref", "").partition(":")
            marks.fill(_cell(first), _cell(last or first), MERGED)

    with archive.open(path) as xml:
        _parse(xml, start)
    return marks.found


def marks_of_ods(archive: zipfile.ZipFile, number: int) -> Marks:
    """The same of an OpenDocument spreadsheet."""
    marks = Marked()
    sheet = row = column = -1
    repeated_rows = 1
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal sheet, row, column, repeated_rows, depth
        local = _local(name)
        if local == "table":
            depth += 1
            if depth == 1:
                sheet, row, repeated_rows = sheet + 1, -1, 1
        elif local == "table-row" and depth == 1:
            row += repeated_rows
            column = 0
            repeated_rows = int(attributes.get("table:number-rows-repeated", "1"))
        elif local in ("table-cell", "covered-table-cell") and depth == 1:
            repeated = int(attributes.get("table:number-columns-repeated", "1"))
            if sheet == number:
                spans = [
                    int(attributes.get(f"table:number-{what}-spanned", "1")) for what in ("rows", "columns")
                ]
                if "table:formula" in attributes:
                    marks.fill((row, column), (row + repeated_rows - 1, column + repeated - 1), FORMULA)
                if max(spans) > 1:
                    marks.fill((row, column), (row + spans[0] - 1, column + spans[1] - 1), MERGED)
            column += repeated

    def end(name: str) -> None:
        nonlocal depth
        if _local(name) == "table":
            depth -= 1

    with archive.open("content.xml") as xml:
        _parse(xml, start, end)
    return marks.found


class Marked:
    """Marks, while they are found. Its methods raise TooManyMarks."""

    def __init__(self) -> None:
        self.found: Marks = {}
        self._count = 0

    def add(self, row: int, column: int, mark: str) -> None:
        self._count += 1
        if self._count > MOST:
            raise TooManyMarks
        self.found.setdefault(row, {}).setdefault(column, mark)

    def fill(self, first: tuple[int, int], last: tuple[int, int], mark: str) -> None:
        if (last[0] - first[0] + 1) * (last[1] - first[1] + 1) > MOST:
            raise TooManyMarks
        for row in range(first[0], last[0] + 1):
            for column in range(first[1], last[1] + 1):
                self.add(row, column, mark)


def _xlsx_paths(archive: zipfile.ZipFile) -> list[str]:
    """Where each sheet's XML lies, in the order of the workbook."""
    targets: dict[str, str] = {}
    names: list[str] = []

    def relation(name: str, attributes: dict[str, str]) -> None:
        if _local(name) == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    def sheet(name: str, attributes: dict[str, str]) -> None:
        if _local(name) == "sheet":
            names.append(next((value for key, value in attributes.items() if _local(key) == "id"), ""))

    with archive.open("xl/_rels/workbook.xml.rels") as xml:
        _parse(xml, relation)
    with archive.open("xl/workbook.xml") as xml:
        _parse(xml, sheet)
    found = [targets.get(name, "") for name in names]
    return [target.lstrip("/") if target.startswith("/") else f"xl/{target}" for target in found]


def _parse(
    xml: IO[bytes], start: Callable[[str, dict[str, str]], None], end: Callable[[str], None] | None = None
) -> None:
    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        for piece in _pieces(xml):
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError) as error:
        raise DamagedSheet from error


def _pieces(xml: IO[bytes]) -> Iterator[bytes]:
    while piece := xml.read(_PIECE):
        yield piece


def _refuse_doctype(*_: Any) -> None:
    # No spreadsheet has one; it is how entities that expand without end are declared.
    raise ValueError("a document type declaration")


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _cell(reference: str) -> tuple[int, int]:
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise ValueError(reference)
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - 64
    return int(match[2]) - 1, column - 1
