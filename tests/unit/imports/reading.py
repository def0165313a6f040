"""Tables read whole, as tests want them."""

import io
from typing import NamedTuple

from api.imports.delimited import open_delimited
from api.imports.tables import DEFAULT_LIMITS, Layout, Limits, Row


class Read(NamedTuple):
    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    encoding: str | None
    delimiter: str | None


def read_table(
    data: bytes,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Read:
    table = open_delimited(io.BytesIO(data), Layout(encoding=encoding, delimiter=delimiter), limits)
    return Read(table.headings, tuple(table.rows), table.encoding, table.delimiter)
