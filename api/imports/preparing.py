"""From a file on the sender's machine to records ready to be sent, each checked by the rules of the server."""

from typing import NamedTuple

import msgspec

from api.imports.columns import Columns
from api.imports.errors import FileRefused, RowProblem
from api.imports.lines import lines_of_ndjson
from api.imports.mapping import Mapped, Mapper
from api.imports.profile import Profile
from api.imports.records import Records, problems_of, read_record
from api.imports.tables import Row, Table, read_table
from api.problems import Problem


class Record(NamedTuple):
    """One record of a row, and how to find the columns behind its fields."""

    row: int
    body: bytes
    mapped: Mapped | None


class Prepared(NamedTuple):
    """A file's rows as records. ``problems`` are those of its rows by number; such rows have no records."""

    table: Table
    records: tuple[Record, ...]
    problems: dict[int, tuple[RowProblem, ...]]
    unused: tuple[str, ...]

    def located(self, record: Record, problem: RowProblem) -> RowProblem:
        """The problem with the columns and the value that it is about."""
        columns = record.mapped.columns_of(problem.field) if record.mapped else ()
        if not columns and problem.field in self.table.headings:
            columns = (problem.field,)
        if not columns:
            return problem
        cells = self.table.rows[record.row - 1].cells
        value = " | ".join(cells[column] for column in columns if column in cells)
        return problem._replace(columns=columns, value=value)


def prepare_table(data: bytes, records: Records, profile: Profile | None) -> Prepared:
    """A CSV: through a profile, or (None) one whose headings are fields. Raises FileRefused, FileTooLarge."""
    if profile is None:
        table = read_table(data)
        columns = Columns(table, records)
        found = [Record(row.number, columns.line(row), None) for row in table.rows if row.problem is None]
        refused: dict[int, tuple[RowProblem, ...]] = {
            row.number: (row.problem,) for row in table.rows if row.problem is not None
        }
        return _checked(records, Prepared(table, tuple(found), refused, ()))
    table = read_table(data, encoding=profile.file.encoding, delimiter=profile.file.delimiter)
    mapper = Mapper(profile, table.headings)
    found, refused = [], {}
    for row in table.rows:
        mapped = mapper.map(row)
        found += [Record(row.number, msgspec.json.encode(one.document), one) for one in mapped.records]
        if mapped.problems:
            refused[row.number] = mapped.problems
    return _checked(records, Prepared(table, tuple(found), refused, mapper.unused))


def prepare_ndjson(data: bytes, records: Records) -> Prepared:
    """NDJSON, whose lines are records already. Raises FileRefused, FileTooLarge."""
    lines = lines_of_ndjson(data)
    try:
        texts = [line.body.decode("utf-8") for line in lines]
    except UnicodeDecodeError as error:
        raise FileRefused("El archivo no es UTF-8.", "The file is not UTF-8.") from error
    rows = tuple(Row(number, {"record": text}) for number, text in enumerate(texts, start=1))
    found = tuple(Record(line.row, line.body.strip(), None) for line in lines)
    return _checked(records, Prepared(Table(("record",), rows, "utf-8", ","), found, {}, ()))


def _checked(records: Records, prepared: Prepared) -> Prepared:
    """Sets rows aside that the server would refuse by themselves."""
    problems = {row: list(found) for row, found in prepared.problems.items()}
    for record in prepared.records:
        try:
            read_record(records, record.body)
        except Problem as problem:
            found = [prepared.located(record, one) for one in problems_of(problem)]
            problems.setdefault(record.row, []).extend(found)
    kept = tuple(record for record in prepared.records if record.row not in problems)
    return prepared._replace(records=kept, problems={row: tuple(found) for row, found in problems.items()})
