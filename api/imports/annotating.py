"""The sender's own file again, every row as it was, with a last column that says what is wrong with it.

It holds what the file holds: it is written, row by row, to whom it belongs, and nowhere else. In CSV, a cell that a
spreadsheet would take for a formula gets an apostrophe before it (CWE-1236), which reading takes off again; in XLSX
every cell is text.
"""

import csv
import html
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Final, Protocol

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from api.imports.columns import ERRORS
from api.imports.errors import DOUBTFUL, RowProblem

_MOST_CHARACTERS: Final = 32_767
"""Of a cell of a spreadsheet."""

_NUMBER: Final = re.compile(r"[-+]?[0-9]+([.,][0-9]+)?")


class Annotated(Protocol):
    """A copy under way."""

    def add(self, cells: Mapping[str, str], problems: Sequence[RowProblem]) -> None:
        """The next row."""

    def finish(self) -> None:
        """All rows are there."""


def annotated_path(file: Path, delimiter: str | None) -> Path:
    """``claims.csv`` → ``claims.csv.errors.csv``; a spreadsheet's is an XLSX."""
    return file.with_name(f"{file.name}.errors.{'csv' if delimiter else 'xlsx'}")


def annotate(out: IO[bytes], headings: tuple[str, ...], delimiter: str | None) -> Annotated:
    """CSV with this delimiter, or (None) XLSX. ``out`` is only written to, from its beginning to its end."""
    column = ERRORS
    while column in headings:
        column += "_"
    if delimiter is None:
        return _Workbook(out, headings, column)
    return _Delimited(out, headings, column, delimiter)


class _Delimited:
    def __init__(self, out: IO[bytes], headings: tuple[str, ...], column: str, delimiter: str) -> None:
        self._headings = headings
        # With a byte order mark, or spreadsheets misread the accents.
        self._text = io.TextIOWrapper(out, "utf-8-sig", newline="", write_through=True)
        self._writer = csv.writer(self._text, delimiter=delimiter)
        self._write([*headings, column])

    def add(self, cells: Mapping[str, str], problems: Sequence[RowProblem]) -> None:
        self._write([*(cells.get(heading, "") for heading in self._headings), _said(problems)])

    def finish(self) -> None:
        self._text.detach()

    def _write(self, cells: Sequence[str]) -> None:
        self._writer.writerow([neutral(cell) for cell in cells])


class _Workbook:
    """XlsxWriter makes the workbook and its heading. Rows are streamed into its sheet, since XlsxWriter would keep them
    in memory, or in a temporary file that anybody who takes the disk can read.
    """

    def __init__(self, out: IO[bytes], headings: tuple[str, ...], column: str) -> None:
        self._headings = headings
        skeleton = io.BytesIO()
        book = xlsxwriter.Workbook(skeleton, {"in_memory": True, **TEXT_ONLY})
        sheet = book.add_worksheet()
        text = book.add_format({"num_format": "@"})
        for position, heading in enumerate([*headings, column]):
            sheet.write_string(0, position, heading[:_MOST_CHARACTERS], text)
        sheet.freeze_panes(1, 0)
        book.close()
        self._archive = zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED)
        with zipfile.ZipFile(skeleton) as made:
            for name in made.namelist():
                if name != _SHEET:
                    self._archive.writestr(name, made.read(name))
            # How far the sheet reaches is not known yet, and may be left out (ECMA-376 part 1, 18.3.1.35).
            written = re.sub(rb"<dimension [^>]*/>", b"", made.read(_SHEET))
        before, self._after = written.split(b"</sheetData>")
        self._part = self._archive.open(_SHEET, "w")
        self._part.write(before)
        self._line = 1

    def add(self, cells: Mapping[str, str], problems: Sequence[RowProblem]) -> None:
        self._line += 1
        row = [*(cells.get(heading, "") for heading in self._headings), _said(problems)]
        written = "".join(
            f'<c r="{xl_col_to_name(column)}{self._line}" s="1" t="inlineStr"><is><t xml:space="preserve">'
            f"{_xml(cell[:_MOST_CHARACTERS])}</t></is></c>"
            for column, cell in enumerate(row)
            if cell
        )
        self._part.write(f'<row r="{self._line}">{written}</row>'.encode())

    def finish(self) -> None:
        self._part.write(b"</sheetData>" + self._after)
        self._part.close()
        self._archive.close()


_SHEET: Final = "xl/worksheets/sheet1.xml"

_ESCAPE_LIKE: Final = re.compile(r"_(?=x[0-9a-fA-F]{4}_)")
_NOT_XML: Final = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]")


def _xml(text: str) -> str:
    """As the text of an element: what XML cannot hold by its number (ECMA-376 part 1, 22.9.2.19)."""
    escaped = _NOT_XML.sub(lambda match: f"_x{ord(match[0]):04X}_", _ESCAPE_LIKE.sub("_x005F_", text))
    return html.escape(escaped, quote=False)


TEXT_ONLY: Final = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
"""Nothing that was sent becomes a formula or a link."""


def neutral(cell: str) -> str:
    """The cell as a spreadsheet shows it, and computes nothing."""
    if cell.startswith(("=", "+", "-", "@", "\t", "\r")) and not _NUMBER.fullmatch(cell):
        return "'" + cell
    return cell


def describe(problem: RowProblem) -> str:
    """Column, field, value and what would be accepted, in both languages."""
    columns = ", ".join(problem.columns)
    field = f" → {problem.field}" if problem.field and columns else problem.field or ""
    value = f" «{problem.value}»" if problem.value else ""
    place = f"[{columns}{field}{value}] " if columns or field or value else ""
    if problem.code == DOUBTFUL:
        place = f"(aviso · warning) {place}"
    # A server answers in one language, which then stands for both.
    texts = dict.fromkeys((problem.detail.es, problem.detail.en))
    return place + " — ".join(texts)


def _said(problems: Sequence[RowProblem]) -> str:
    return " / ".join(describe(one) for one in problems)
