"""The annotated copy of a file: every row as it was, with a column that says what is wrong with it.

It holds what the file holds, so it is readable by its owner only.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from api.imports.errors import RowProblem
from api.imports.tables import Table

COLUMN: Final = "error"


def annotated_path(file: Path) -> Path:
    """``claims.csv`` → ``claims.csv.errors.csv``."""
    return file.with_name(file.name + ".errors.csv")


def write_annotated(path: Path, table: Table, problems: Mapping[int, Sequence[RowProblem]]) -> None:
    """Overwrites what an earlier attempt left there. With a byte order mark, or spreadsheets misread the accents."""
    name = COLUMN
    while name in table.headings:
        name += "_"
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=table.delimiter)
    writer.writerow([*table.headings, name])
    for row in table.rows:
        cells = [row.cells.get(heading, "") for heading in table.headings]
        writer.writerow([*cells, " / ".join(describe(one) for one in problems.get(row.number, ()))])
    path.touch()
    path.chmod(0o600)
    path.write_text(buffer.getvalue(), encoding="utf-8-sig", newline="")


def describe(problem: RowProblem) -> str:
    """Column, field, value and what would be accepted, in both languages."""
    columns = ", ".join(problem.columns)
    field = f" → {problem.field}" if problem.field else ""
    value = f" «{problem.value}»" if problem.value else ""
    place = f"[{columns}{field}{value}] " if columns or field or value else ""
    # A server answers in one language, which then stands for both.
    texts = dict.fromkeys((problem.detail.es, problem.detail.en))
    return place + " — ".join(texts)
