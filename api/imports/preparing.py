"""From a file on the sender's machine to records ready to be sent, each checked by the rules of the server."""

from collections.abc import Iterator, Sequence
from typing import IO, NamedTuple

import msgspec

from api.imports.errors import RowProblem
from api.imports.lines import Body, open_fields, open_ndjson
from api.imports.mapping import Mapped, Mapper
from api.imports.outcomes import explained
from api.imports.profile import Profile
from api.imports.reading import open_table
from api.imports.records import Records, read_record
from api.imports.tables import Layout, Row, Table
from api.problems import Problem


class Record(NamedTuple):
    """One record of a row, the sender's id of it, and how to find the columns behind its fields."""

    row: Row
    body: bytes
    name: str | None
    mapped: Mapped | None

    def located(self, problem: RowProblem) -> RowProblem:
        """The problem with the columns and the value that it is about."""
        columns = self.mapped.columns_of(problem.field) if self.mapped else ()
        if not columns:
            return problem
        value = " | ".join(self.row.cells[column] for column in columns if column in self.row.cells)
        return problem._replace(columns=columns, value=value)


class PreparedRow(NamedTuple):
    """What a row came to: records, or problems."""

    row: Row
    records: tuple[Record, ...]
    problems: tuple[RowProblem, ...]


class Prepared(NamedTuple):
    """A file's rows, to be read once. ``unused`` are columns that the profile leaves out."""

    table: Table
    rows: Iterator[PreparedRow]
    unused: tuple[str, ...]


def prepare(
    file: IO[bytes], records: Records, profile: Profile | None, *, ndjson: bool = False, layout: Layout
) -> Prepared:
    """A table through a profile; or (None) one whose headings are fields; or NDJSON.

    Raises FileRefused, FileTooLarge, here or while the rows are read.
    """
    if profile is None:
        body = open_ndjson(file) if ndjson else open_fields(file, records, layout)
        return Prepared(body.table, _plain(body, records), ())
    given = profile.file
    layout = layout._replace(
        encoding=given.encoding,
        delimiter=given.delimiter,
        sheet=layout.sheet or given.sheet,
        heading=given.heading,
    )
    table = open_table(file, layout)
    mapper = Mapper(profile, table.headings)
    return Prepared(table, _mapped(table, mapper, records), mapper.unused)


def _plain(body: Body, records: Records) -> Iterator[PreparedRow]:
    origins = None if body.columns is None else Mapped(0, {}, body.columns.origins)
    for row in body.table.rows:
        line = body.line(row)
        yield _checked(row, records, [(line.body.strip(), origins)], line.problems)


def _mapped(table: Table, mapper: Mapper, records: Records) -> Iterator[PreparedRow]:
    for row in table.rows:
        mapped = mapper.map(row)
        bodies = [(msgspec.json.encode(one.document), one) for one in mapped.records]
        yield _checked(row, records, bodies, mapped.problems)


def _checked(
    row: Row,
    records: Records,
    bodies: Sequence[tuple[bytes, Mapped | None]],
    problems: tuple[RowProblem, ...],
) -> PreparedRow:
    """A row that the server would refuse by itself has no records."""
    if problems:
        return PreparedRow(row, (), problems)
    made: list[Record] = []
    found: list[RowProblem] = []
    for body, mapped in bodies:
        record = Record(row, body, None, mapped)
        try:
            draft = read_record(records, body)
        except Problem as problem:
            found += [record.located(one) for one in explained(problem, body)]
        else:
            made.append(record._replace(name=draft.source_record_id))
    return PreparedRow(row, () if found else tuple(made), tuple(found))
