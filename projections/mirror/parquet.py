"""Tables as Parquet, written and read by DuckDB: one wheel without dependencies that reads CSV and speaks Parquet.

DuckDB runs in memory, on one thread, so that the same table gives the same bytes, and installs nothing by itself.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from projections.counting.tables import Kind, Table
from projections.mirror.spreadsheet import write_csv

_CONFIGURATION: Final[dict[str, str | bool | int | float | list[str]]] = {
    "threads": 1,
    "memory_limit": "1GB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
_TYPES: Final = {Kind.STRING: "VARCHAR", Kind.INTEGER: "BIGINT"}


def write_parquet(table: Table) -> bytes:
    """The file, with the cells of the CSV."""
    with tempfile.TemporaryDirectory(prefix="constancia-") as directory, _database() as database:
        source, target = Path(directory, "table.csv"), Path(directory, "table.parquet")
        source.write_bytes(write_csv(table))
        types = {column.name: _TYPES[column.kind] for column in table.columns}
        database.read_csv(
            str(source), header=True, auto_detect=False, columns=types, delimiter=",", quotechar='"'
        ).write_parquet(str(target))
        return target.read_bytes()


def read_parquet(content: bytes) -> tuple[list[str], list[tuple[object, ...]]]:
    """Columns' names and rows of a file of which nothing is known. ValueError when it cannot be read."""
    with tempfile.TemporaryDirectory(prefix="constancia-") as directory, _database() as database:
        source = Path(directory, "table.parquet")
        source.write_bytes(content)
        try:
            found = database.read_parquet(str(source))
            return list(found.columns), found.fetchall()
        except duckdb.Error as error:
            raise ValueError(str(error)) from error


@contextmanager
def _database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:", config=_CONFIGURATION) as connection:
        yield connection
