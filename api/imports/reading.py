"""Opens a file as a table, whatever people keep their lists in."""

from typing import IO

from api.imports.delimited import open_delimited
from api.imports.tables import DEFAULT_LIMITS, UNKNOWN_LAYOUT, Layout, Limits, Table
from api.imports.workbooks import is_workbook, open_workbook


def open_table(file: IO[bytes], layout: Layout = UNKNOWN_LAYOUT, limits: Limits = DEFAULT_LIMITS) -> Table:
    """A spreadsheet, or delimited text: told apart by how it begins, not by its name. Raises FileRefused."""
    file.seek(0)
    if is_workbook(file.read(8)):
        return open_workbook(file, layout, limits)
    return open_delimited(file, layout, limits)
