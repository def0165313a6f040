"""The counts that a mirror publishes as files, row by row, against what its leaves give.

The files are read as hostile input: only cells that are equal to ours are taken, and no size that the log does not
have. Counts as of earlier sizes stay in a mirror; each is held against the leaves up to its size.
"""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from projections.counting.fold import Fold
from projections.counting.tables import Table, tables
from projections.mirror.layout import CSV, PARQUET, TABLES, table_path
from projections.mirror.parquet import read_parquet
from projections.mirror.spreadsheet import cell, read_csv
from projections.verification.errors import Missing, VerificationFailed
from projections.verification.sources import FIGURES_LIMIT, Source


class PublishedFigures:
    """Looks at the recount wherever the source may have counts. ``files`` and ``numbers`` agreed so far."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._different: VerificationFailed | None = None
        self.files = 0
        self.numbers = 0

    def compare(self, fold: Fold) -> None:
        """Hold the files as of ``fold.size``, those there are, against its counts."""
        try:
            self._compare(fold)
        except VerificationFailed as error:
            self._different = self._different or error

    def require_equal(self) -> None:
        """Raises VerificationFailed, naming file and row, unless all files say what the leaves give."""
        if self._different is not None:
            raise self._different

    def _compare(self, fold: Fold) -> None:
        found = {}
        for name in TABLES:
            for form in (CSV, PARQUET):
                path = table_path(fold.size, name, form)
                try:
                    found[name, path] = _read(path, form, self._source.read(path, FIGURES_LIMIT))
                except Missing:
                    continue
        if not found:
            return
        counted = {table.name: table for table in tables(fold)}
        for (name, path), said in found.items():
            table = counted[name]
            _compare(path, said, list(_shown(table)))
            self.files += 1
            self.numbers += sum(isinstance(value, int) for row in table.rows for value in row)


def _read(path: str, form: str, content: bytes) -> list[list[str]]:
    """Names, then rows, as text."""
    try:
        if form == CSV:
            return read_csv(content)
        names, rows = read_parquet(content)
        return [names, *([str(value) for value in row] for row in rows)]
    except ValueError as error:
        raise VerificationFailed(
            f"{path} no se puede leer como {form}: fue cambiado o se copió mal.",
            f"{path} cannot be read as {form}: it was changed or copied badly.",
        ) from error


def _shown(table: Table) -> Iterator[list[str]]:
    yield [column.name for column in table.columns]
    for row in table.rows:
        yield [cell(value) for value in row]


def _compare(path: str, said: Sequence[list[str]], counted: Sequence[list[str]]) -> None:
    for row, (theirs, ours) in enumerate(zip_longest(said, counted)):
        if theirs != ours:
            raise VerificationFailed(
                f"{path}, fila {row}: dice {_line(theirs, 'nada')}; las hojas dan {_line(ours, 'nada')}. "
                "(La fila 0 son los nombres de las columnas.)",
                f"{path}, row {row}: it says {_line(theirs, 'nothing')}; the leaves give {_line(ours, 'nothing')}. "
                "(Row 0 are the columns' names.)",
            )


def _line(cells: list[str] | None, nothing: str) -> str:
    """A row for a message, cut where somebody would flood it."""
    if cells is None:
        return nothing
    text = ",".join(cells)
    return f"“{text if len(text) <= 200 else text[:200] + '…'}”"
