"""Tables as files, row by row: CSV, XLSX, Parquet and JSON, each with what its numbers rest on.

A CSV holds the table alone, as programs read it; the others carry the description inside. The same table gives the same
bytes. Files are made aside and their names taken away before they are sent: whoever hangs up leaves nothing behind.
"""

import asyncio
import csv
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, Protocol

import orjson
import xlsxwriter

from api.imports.annotating import TEXT_ONLY
from api.problems import INVALID_INPUT, Problem
from api.web.downloads.contents import Content, Row
from projections.counting.tables import Column, Kind
from projections.mirror.parquet import convert
from projections.mirror.spreadsheet import cell
from registry.text import Language, Text

SHEET_ROWS: Final = 50_000
"""Of an XLSX: some seconds of work. A sheet could hold twenty times as many, which nobody reads."""

_WIDEST: Final = 60
_OF_WORDS: Final = 30
"""Columns of a sheet, in characters."""

Described = Mapping[str, Any]
"""What stands beside a table: names of this program, values of JSON."""


class Writer(Protocol):
    """A file under way."""

    def add(self, rows: Sequence[Row]) -> None:
        """The next rows."""

    def finish(self) -> None:
        """All rows are there."""

    def abandon(self) -> None:
        """No more rows come; what there is, is of no use."""


class Form(NamedTuple):
    """A kind of file: its media type, and what writes it to a path."""

    media_type: str
    write: Callable[[Path, Sequence[Column], Described, Language], Writer]


async def written(path: Path, form: str, content: Content, described: Described, language: Language) -> None:
    """The whole file at ``path``. Raises Problem where the table is too long for it."""
    writer = await asyncio.to_thread(FORMS[form].write, path, content.columns, described, language)
    try:
        async for rows in content.rows:
            await asyncio.to_thread(writer.add, rows)
        await asyncio.to_thread(writer.finish)
    except BaseException:
        writer.abandon()
        raise


async def made(form: str, content: Content, described: Described, language: Language) -> IO[bytes]:
    """The same as a file without a name, to be read and closed."""
    with tempfile.TemporaryDirectory(prefix="constancia-") as directory:
        path = Path(directory, "table")
        await written(path, form, content, described, language)
        return await asyncio.to_thread(path.open, "rb")


class _Csv:
    """RFC 4180 in UTF-8."""

    def __init__(self, path: Path, columns: Sequence[Column], _: Described, __: Language) -> None:
        self._file = path.open("x", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow(column.name for column in columns)

    def add(self, rows: Sequence[Row]) -> None:
        self._writer.writerows([cell(value) for value in row] for row in rows)

    def finish(self) -> None:
        self._file.close()

    def abandon(self) -> None:
        self._file.close()


class _Parquet:
    """Made of the CSV; the description is the file's ``key_value_metadata``, texts as they are, the rest as JSON."""

    def __init__(self, path: Path, columns: Sequence[Column], described: Described, _: Language) -> None:
        self._path, self._columns, self._described = path, columns, described
        self._source = path.with_name(f"{path.name}.rows")
        self._csv = _Csv(self._source, columns, described, _)
        self.add = self._csv.add
        self.abandon = self._csv.abandon

    def finish(self) -> None:
        self._csv.finish()
        metadata = {
            name: value if isinstance(value, str) else orjson.dumps(value).decode()
            for name, value in self._described.items()
        }
        convert(self._source, self._path, self._columns, metadata)
        self._source.unlink()


class _Json:
    """One object: ``metadata``, and ``rows`` as objects, one per line."""

    def __init__(self, path: Path, columns: Sequence[Column], described: Described, _: Language) -> None:
        self._names = [column.name for column in columns]
        self._file = path.open("xb")
        self._file.write(b'{"metadata":' + orjson.dumps(described) + b',\n"rows":[')
        self._separator = b"\n"

    def add(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._file.write(self._separator + orjson.dumps(dict(zip(self._names, row, strict=True))))
            self._separator = b",\n"

    def finish(self) -> None:
        self._file.write(b"\n]}\n")
        self._file.close()

    def abandon(self) -> None:
        self._file.close()


class _Xlsx:
    """Sheets of the table, of its description and of its columns. Codes are text: no zero is lost, nothing computes."""

    def __init__(
        self, path: Path, columns: Sequence[Column], described: Described, language: Language
    ) -> None:
        self._columns, self._described, self._language = columns, described, language
        options = {"constant_memory": True, "tmpdir": str(path.parent), **TEXT_ONLY}
        self._book = xlsxwriter.Workbook(str(path), options)
        published = datetime.fromisoformat(described["asOf"]["publishedAt"])
        self._book.set_properties({"created": published.astimezone(UTC).replace(tzinfo=None)})
        self._bold = self._book.add_format({"bold": True})
        self._sheet = self._book.add_worksheet(_SHEETS[0].in_(language))
        self._sheet.freeze_panes(1, 0)
        for place, column in enumerate(columns):
            self._sheet.write_string(0, place, column.name, self._bold)
            in_words = column.name.endswith("_label")
            self._sheet.set_column(place, place, max(len(column.name), _OF_WORDS if in_words else 0) + 2)
        self._line = 0

    def add(self, rows: Sequence[Row]) -> None:
        if self._line + len(rows) > SHEET_ROWS:
            raise Problem(INVALID_INPUT, _TOO_LONG)
        for row in rows:
            self._line += 1
            for place, (column, value) in enumerate(zip(self._columns, row, strict=True)):
                if value is None:
                    continue
                if column.kind is Kind.INTEGER:
                    self._sheet.write_number(self._line, place, int(value))
                elif column.kind is Kind.BOOLEAN:
                    self._sheet.write_boolean(self._line, place, bool(value))
                else:
                    self._sheet.write_string(self._line, place, str(value))

    def finish(self) -> None:
        self._tell(
            _SHEETS[1],
            (
                (name, value if isinstance(value, str) else orjson.dumps(value).decode())
                for name, value in self._described.items()
                if name != "schema"
            ),
        )
        self._tell(_SHEETS[2], ((column.name, column.about.in_(self._language)) for column in self._columns))
        self._book.close()

    def abandon(self) -> None:
        self._book.close()

    def _tell(self, name: Text, told: Iterable[tuple[str, str]]) -> None:
        """A sheet of names and what is said of each."""
        sheet = self._book.add_worksheet(name.in_(self._language))
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, _WIDEST)
        for line, (first, second) in enumerate(told):
            sheet.write_string(line, 0, first, self._bold)
            sheet.write_string(line, 1, second)


_SHEETS: Final = (Text("Datos", "Data"), Text("Metadatos", "Metadata"), Text("Columnas", "Columns"))
_TOO_LONG: Final = Text(
    "La tabla es demasiado larga para una hoja de cálculo. Descárguela como CSV o Parquet, o fíltrela.",
    "The table is too long for a spreadsheet. Download it as CSV or Parquet, or filter it.",
)

FORMS: Final[Mapping[str, Form]] = {
    "csv": Form("text/csv; charset=utf-8; header=present", _Csv),
    "xlsx": Form("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _Xlsx),
    "parquet": Form("application/vnd.apache.parquet", _Parquet),
    "json": Form("application/json", _Json),
}
