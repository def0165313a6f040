"""Tables as Parquet, written and read by DuckDB: one wheel without dependencies that reads CSV and speaks Parquet.

DuckDB runs in memory, on one thread, so that the same table gives the same bytes, and installs nothing by itself.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from projections.counting.tables import Column, Kind, Table
from projections.mirror.spreadsheet import write_csv

_CONFIGURATION: Final[dict[str, str | bool | int | float | list[str]]] = {
    "threads": 1,
    "memory_limit": "1GB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
_TYPES: Final = {Kind.STRING: "VARCHAR", Kind.INTEGER: "BIGINT", Kind.BOOLEAN: "BOOLEAN"}
_NO_METADATA: Final[Mapping[str, str]] = {}


def write_parquet(table: Table) -> bytes:
    """The file, with the cells of the CSV."""
    with tempfile.TemporaryDirectory(prefix="constancia-") as directory:
        source, target = Path(directory, "table.csv"), Path(directory, "table.parquet")
        source.write_bytes(write_csv(table))
        convert(source, target, table.columns)
        return target.read_bytes()


def convert(
    source: Path, target: Path, columns: Sequence[Column], metadata: Mapping[str, str] = _NO_METADATA
) -> None:
    """A CSV of ``spreadsheet``, whatever its length, as Parquet. An empty cell is null.

    :param metadata: of the whole file (``key_value_metadata`` of the format); the keys are names of this program.
    """
    types = {column.name: _TYPES[column.kind] for column in columns}
    keys = ", ".join(f'"{key}": ?' for key in metadata)
    with _database() as database:
        rows = database.read_csv(
            str(source), header=True, auto_detect=False, columns=types, delimiter=",", quotechar='"'
        )
        rows.create_view("given")
        options = f"FORMAT parquet, KV_METADATA {{{keys}}}" if metadata else "FORMAT parquet"
        database.execute(f"COPY given TO '{_quoted(target)}' ({options})", list(metadata.values()))


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


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


@contextmanager
def _database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:", config=_CONFIGURATION) as connection:
        yield connection
