"""What one run of ``constancia import`` sends, and what becomes of each row of the file."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from api.imports.annotating import annotate, annotated_path
from api.imports.answers import Mode, OnChange, RowResult, Status
from api.imports.errors import DOUBTFUL, RowProblem
from api.imports.outcomes import SAID_TWICE
from api.imports.preparing import Prepared, PreparedRow, Record, prepare
from api.imports.profile import Profile
from api.imports.records import Records
from api.imports.tables import Layout
from api.imports.templates import SHEETS
from registry.text import Text

NDJSON_SUFFIXES: Final = frozenset({".ndjson", ".jsonl"})

Problems = dict[int, tuple[RowProblem, ...]]


class Sending:
    """One run: what is sent how, and what became of it so far."""

    def __init__(
        self,
        file: Path,
        records: Records,
        profile: Profile | None,
        mode: Mode,
        on_change: OnChange,
        sheet: str | None,
    ) -> None:
        self.file, self.records, self.mode, self.on_change = file, records, mode, on_change
        self._profile, self._sheet = profile, sheet
        self.rows = 0
        self.problems: Problems = {}
        self.doubts: Problems = {}
        self.tally: dict[Status, int] = dict.fromkeys(Status, 0)

    def prepare(self, opened: IO[bytes]) -> Prepared:
        """The file from its beginning. Raises FileRefused, FileTooLarge."""
        ndjson = self.file.suffix.lower() in NDJSON_SUFFIXES
        layout = Layout(sheet=self._sheet, preferred=SHEETS)
        return prepare(opened, self.records, self._profile, ndjson=ndjson, layout=layout)

    def records_of(self, prepared: Prepared) -> Iterator[Record]:
        """The records of all rows; what is wrong with rows is noted."""
        said: dict[int, int] = {}
        for row in prepared.rows:
            if row.problems:
                self.problems[row.row.number] = row.problems
                continue
            for record in row.records:
                # An amendment must come from another file: two rows would amend each other at every import.
                name = hash(record.name)
                if (
                    self.on_change is OnChange.AMEND
                    and record.name is not None
                    and said.setdefault(name, hash(record.body)) != hash(record.body)
                ):
                    self._note(record, SAID_TWICE)
                    continue
                yield record

    def counted(self, prepared: Prepared) -> Prepared:
        """The same, whose rows are counted while they are read."""

        def rows() -> Iterator[PreparedRow]:
            for row in prepared.rows:
                self.rows += 1
                yield row

        return prepared._replace(rows=rows())

    def answered(self, record: Record, result: RowResult) -> None:
        """What the server says of a record is noted."""
        self.tally[result.status] += 1
        number = record.row.number
        # It answers in one language, the caller's, which stands for both.
        if result.errors:
            errors = (RowProblem(one.field, one.code, Text(one.detail, one.detail)) for one in result.errors)
            self._note(record, *map(record.located, errors))
        if result.warnings:
            doubts = (
                RowProblem(one.field, DOUBTFUL, Text(one.detail, one.detail)) for one in result.warnings
            )
            self.doubts[number] = (*self.doubts.get(number, ()), *map(record.located, doubts))

    def annotated(self) -> Path:
        """Writes the file once more, with its errors and warnings, readable by its owner only, and says where."""
        with self.file.open("rb") as opened:
            table = self.prepare(opened).table
            path = annotated_path(self.file, table.delimiter)
            path.touch()
            path.chmod(0o600)
            with path.open("wb") as out:
                copy = annotate(out, table.headings, table.delimiter)
                for row in table.rows:
                    said = (*self.problems.get(row.number, ()), *self.doubts.get(row.number, ()))
                    copy.add(row.cells, said)
                copy.finish()
        return path

    def _note(self, record: Record, *problems: RowProblem) -> None:
        number = record.row.number
        self.problems[number] = (*self.problems.get(number, ()), *problems)
