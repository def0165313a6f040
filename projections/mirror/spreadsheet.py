"""Tables as CSV (RFC 4180, UTF-8), safe to open in a spreadsheet."""

import csv
import io
from typing import Final

from projections.counting.tables import Table, Value

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection)."""


def write_csv(table: Table) -> bytes:
    """The file: the columns' names, then the rows. The same table gives the same bytes."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(column.name for column in table.columns)
    writer.writerows([cell(value) for value in row] for row in table.rows)
    return file.getvalue().encode()


def read_csv(content: bytes) -> list[list[str]]:
    """The lines of a file of which nothing is known. ValueError when it is no CSV in UTF-8."""
    try:
        return list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))
    except csv.Error as error:
        raise ValueError(str(error)) from error


def cell(value: Value | None) -> str:
    """As it stands in the file; None is empty. Text that a spreadsheet would run begins with an apostrophe instead."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return str(value)
