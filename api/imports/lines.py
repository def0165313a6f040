"""The rows of a body as JSON objects, one by one, whether it came as CSV or as NDJSON."""

from typing import NamedTuple

from api.imports.columns import Columns
from api.imports.errors import FileRefused, FileTooLarge, RowProblem
from api.imports.records import Records
from api.imports.tables import MAX_ROWS, read_table


class Line(NamedTuple):
    """One row as JSON, or what kept it from becoming that."""

    row: int
    body: bytes
    problem: RowProblem | None = None


def lines_of_csv(data: bytes, records: Records, *, encoding: str | None = None) -> list[Line]:
    """The rows of a table whose headings are fields. Raises FileRefused, FileTooLarge."""
    table = read_table(data, encoding=encoding)
    columns = Columns(table, records)
    return [Line(row.number, b"" if row.problem else columns.line(row), row.problem) for row in table.rows]


def lines_of_ndjson(data: bytes) -> list[Line]:
    """One JSON object per line; empty lines do not count. Raises FileRefused, FileTooLarge."""
    bodies = [line for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
    if len(bodies) > MAX_ROWS:
        raise FileTooLarge(
            f"El archivo pasa de {MAX_ROWS} líneas. Divídalo y envíe las partes una por una.",
            f"The file has more than {MAX_ROWS} lines. Split it and send the parts one by one.",
        )
    if not bodies:
        raise FileRefused(
            "El archivo está vacío. Se acepta un objeto JSON por línea.",
            "The file is empty. One JSON object per line is accepted.",
        )
    return [Line(number, body) for number, body in enumerate(bodies, start=1)]
