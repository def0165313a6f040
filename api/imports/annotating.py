"""The sender's own file again, every row as it was, with a last column that says what is wrong with it.

It holds what the file holds: here it is written to whom it belongs, never kept. In CSV, a cell that a spreadsheet would
take for a formula gets an apostrophe before it (CWE-1236), which reading takes off again; in XLSX every cell is text.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Final, Protocol

import xlsxwriter

from api.imports.columns import ERRORS
from api.imports.errors import RowProblem

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
    """CSV with this delimiter, or (None) XLSX."""
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
    def __init__(self, out: IO[bytes], headings: tuple[str, ...], column: str) -> None:
        self._headings = headings
        self._book = xlsxwriter.Workbook(out, {"constant_memory": True, **TEXT_ONLY})
        self._sheet = self._book.add_worksheet()
        self._text = self._book.add_format({"num_format": "@"})
        self._line = 0
        self._write([*headings, column])
        self._sheet.freeze_panes(1, 0)

    def add(self, cells: Mapping[str, str], problems: Sequence[RowProblem]) -> None:
        self._write([*(cells.get(heading, "") for heading in self._headings), _said(problems)])

    def finish(self) -> None:
        self._book.close()

    def _write(self, cells: Sequence[str]) -> None:
        for column, cell in enumerate(cells):
            if cell:
                self._sheet.write_string(self._line, column, cell[:_MOST_CHARACTERS], self._text)
        self._line += 1


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
    # A server answers in one language, which then stands for both.
    texts = dict.fromkeys((problem.detail.es, problem.detail.en))
    return place + " — ".join(texts)


def _said(problems: Sequence[RowProblem]) -> str:
    return " / ".join(describe(one) for one in problems)
