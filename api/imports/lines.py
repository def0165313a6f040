"""The rows of a body as JSON objects, one by one, whether it came as a table or as NDJSON."""

import codecs
from collections.abc import Iterator
from typing import IO, Final, NamedTuple

from api.imports.columns import Columns
from api.imports.errors import FileRefused, FileTooLarge, RowProblem
from api.imports.reading import open_table
from api.imports.records import Records
from api.imports.tables import DEFAULT_LIMITS, UNKNOWN_LAYOUT, Layout, Limits, Row, Table
from registry.text import Text

RECORD: Final = "record"
"""The one column of NDJSON as a table: the line."""

LONGEST_LINE: Final = 1 << 20
"""Bytes of one JSON object, as of the body of a single record."""


class Line(NamedTuple):
    """One row as JSON, or what kept it from becoming that."""

    row: int
    body: bytes
    problems: tuple[RowProblem, ...] = ()


class Body(NamedTuple):
    """What somebody sent, row by row, and how a row becomes a line. ``columns`` is None for NDJSON."""

    table: Table
    columns: Columns | None

    def line(self, row: Row) -> Line:
        """The row as JSON."""
        if row.problems:
            return Line(row.number, b"", tuple(self._located(problem) for problem in row.problems))
        if self.columns is None:
            return Line(row.number, row.cells[RECORD].encode())
        return Line(row.number, self.columns.line(row))

    def _located(self, problem: RowProblem) -> RowProblem:
        """What is wrong with a cell, at the field that its column fills: an answer names fields, never headings."""
        if problem.field is not None or self.columns is None or not problem.columns:
            return problem
        return problem._replace(field=self.columns.field_of(problem.columns[0]))


def open_fields(
    file: IO[bytes],
    records: Records,
    layout: Layout = UNKNOWN_LAYOUT,
    limits: Limits = DEFAULT_LIMITS,
) -> Body:
    """A table whose headings are fields. Raises FileRefused."""
    table = open_table(file, layout, limits)
    return Body(table, Columns(table.headings, records))


def open_ndjson(file: IO[bytes], limits: Limits = DEFAULT_LIMITS) -> Body:
    """One JSON object per line; empty lines do not count. Raises FileRefused for a file without any."""
    rows = _rows(file, limits)
    first = next(rows, None)
    if first is None:
        raise FileRefused(
            "El archivo está vacío. Se acepta un objeto JSON por línea.",
            "The file is empty. One JSON object per line is accepted.",
        )
    return Body(Table((RECORD,), _chain(first, rows), ","), None)


def _chain(first: Row, rows: Iterator[Row]) -> Iterator[Row]:
    yield first
    yield from rows


def _rows(file: IO[bytes], limits: Limits) -> Iterator[Row]:
    file.seek(0)
    number, beginning = 0, True
    while line := file.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise FileTooLarge(
                f"La línea {number + 1} pasa de {LONGEST_LINE} bytes. Se acepta un registro por línea.",
                f"Line {number + 1} has more than {LONGEST_LINE} bytes. One record per line is accepted.",
            )
        if beginning:
            line, beginning = line.removeprefix(codecs.BOM_UTF8), False
        if not (text := line.strip()):
            continue
        number += 1
        if number > limits.rows:
            raise FileTooLarge(
                f"El archivo pasa de {limits.rows} líneas. Divídalo y envíe las partes una por una.",
                f"The file has more than {limits.rows} lines. Split it and send the parts one by one.",
            )
        try:
            yield Row(number, {RECORD: text.decode("utf-8")})
        except UnicodeDecodeError:
            yield Row(number, {RECORD: text.decode("utf-8", "backslashreplace")}, (_NOT_UTF8,))


_NOT_UTF8: Final = RowProblem(
    None,
    "malformed-body",
    Text(
        "La línea no es UTF-8. Guarde el archivo como UTF-8.",
        "The line is not UTF-8. Save the file as UTF-8.",
    ),
)
