"""Applies a profile to the rows of somebody else's table: the records of a row, or what is wrong with it, cell by cell.

Pure: nothing is read or sent. Every value remembers the columns that it came from, so that whatever is later found
wrong with a field can be shown at its cell.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from api.imports.dates import fold
from api.imports.errors import FileRefused, RowProblem, RowRefused
from api.imports.occurrence import Reader
from api.imports.paths import BadPath, Path, build, parse_path, show_path
from api.imports.profile import Item, Profile, RecordMapping, Scalar, Source, columns_of, filled, parts_of
from api.imports.tables import Row, require_columns
from api.imports.values import accepted, holds, look_up
from registry.catalogs.states import STATES
from registry.text import Text

_STATES: Final = {
    **{state.code: state.code for state in STATES},
    **{fold(state.name): state.code for state in STATES},
}

Value = Scalar | Mapping[str, object]


class Mapped(NamedTuple):
    """One record of a row: a JSON document, and the columns behind each of its fields."""

    row: int
    document: Mapping[str, object]
    origins: Mapping[str, tuple[str, ...]]

    def columns_of(self, field: str | None) -> tuple[str, ...]:
        """The columns behind a field: its own, those of what it is part of, or those of its parts."""
        path = field or ""
        while path:
            if path in self.origins:
                return self.origins[path]
            inside = [
                columns for name, columns in self.origins.items() if name.startswith((path + ".", path + "["))
            ]
            if inside:
                return tuple(dict.fromkeys(column for columns in inside for column in columns))
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return ()


class MappedRow(NamedTuple):
    """What a row came to: its records, or its problems."""

    number: int
    records: tuple[Mapped, ...]
    problems: tuple[RowProblem, ...]


class Mapper:
    """A profile, ready to read the rows of a table with these headings. Raises FileRefused for missing columns."""

    def __init__(self, profile: Profile, headings: tuple[str, ...]) -> None:
        self._profile = profile
        self._readers = {name: Reader(reading) for name, reading in profile.dates.items()}
        self._used = tuple(dict.fromkeys(_columns(profile, self._readers)))
        made = {*profile.columns, *(part.split.name for part in parts_of(profile) if part.split is not None)}
        clash = made.intersection(headings)
        if clash:
            name = min(clash)
            raise FileRefused(
                f"El perfil define la columna «{name}», que el archivo ya tiene. Dele otro nombre en el perfil.",
                f"The profile defines column “{name}”, which the file already has. Name it otherwise in the profile.",
                column=name,
            )
        require_columns(headings, tuple(column for column in self._used if column not in made))
        self.unused = tuple(heading for heading in headings if heading not in self._used)
        """Columns that the profile leaves out."""

    def map(self, row: Row) -> MappedRow:
        """All records of one row."""
        if row.problems:
            return MappedRow(row.number, (), row.problems)
        problems: list[RowProblem] = []
        cells = self._derived(dict(row.cells), problems)
        found = [
            self._record(row.number, mapping, part, problems)
            for mapping in self._profile.record
            for part in _parts(mapping, cells)
        ]
        if not found and not problems:
            problems.append(_no_record())
        return MappedRow(row.number, () if problems else tuple(found), tuple(problems))

    def _derived(self, cells: dict[str, str], problems: list[RowProblem]) -> dict[str, str]:
        for name, source in self._profile.columns.items():
            try:
                value, _ = self._value(source, cells)
            except RowRefused as refused:
                problems.append(refused.problem)
                value = None
            cells[name] = "" if value is None else str(value)
        return cells

    def _record(
        self, number: int, mapping: RecordMapping, cells: dict[str, str], problems: list[RowProblem]
    ) -> Mapped:
        values: list[tuple[Path, object]] = []
        origins: dict[str, tuple[str, ...]] = {}
        self._fields("", mapping.fields, cells, values, origins, problems)
        lengths: dict[str, int] = {}
        for item in mapping.items:
            for part in _parts(item, cells):
                index = lengths.get(item.into, 0)
                before = len(values)
                self._fields(f"{item.into}[{index}]", item.fields, part, values, origins, problems)
                lengths[item.into] = index + (len(values) > before)
        try:
            document = build(values)
        except BadPath as error:
            problems.append(RowProblem(str(error), "profile", error.text))
            document = {}
        return Mapped(number, document, origins)

    def _fields(
        self,
        under: str,
        fields: Mapping[str, Source | Scalar],
        cells: dict[str, str],
        values: list[tuple[Path, object]],
        origins: dict[str, tuple[str, ...]],
        problems: list[RowProblem],
    ) -> None:
        for name, source in fields.items():
            field = f"{under}.{name}" if under and name else under or name
            if not isinstance(source, Source):
                values.append((parse_path(field), source))
                continue
            try:
                value, columns = self._value(source, cells)
            except RowRefused as refused:
                problems.append(refused.problem._replace(field=field))
                continue
            if value is None and source.required:
                problems.append(_missing(field, columns_of(source)))
            elif value is not None:
                path = parse_path(field)
                values.append((path, value))
                origins[show_path(path)] = columns

    def _value(self, source: Source, cells: dict[str, str]) -> tuple[Value | None, tuple[str, ...]]:
        text, columns = self._text(source, cells)
        if isinstance(text, str) and source.capture is not None:
            match = re.search(source.capture, text, re.IGNORECASE)
            text = (match[1] or "") if match else ""
        value = self._meaning(source, text, columns, cells)
        if value is None or value == "":
            value = source.default
        return value, columns

    def _text(self, source: Source, cells: dict[str, str]) -> tuple[Scalar, tuple[str, ...]]:
        """What the source says before it is read as something, and the columns that say it."""
        if source.constant is not None:
            return source.constant, ()
        if source.column is not None:
            return cells[source.column], (source.column,)
        if source.template is not None:
            return filled(source.template, cells), columns_of(source)
        if source.join is not None:
            return source.between.join(cells[name] for name in source.join if cells[name]), columns_of(source)
        columns: tuple[str, ...] = ()
        for one in source.first or []:
            value, columns = self._value(one, cells)
            if value is not None and not isinstance(value, Mapping):
                return value, columns
        return "", columns

    def _meaning(
        self, source: Source, text: Scalar, columns: tuple[str, ...], cells: dict[str, str]
    ) -> Value | None:
        if source.table is not None:
            return self._by_table(source.table, str(text), columns)
        if source.state:
            return _state(str(text), columns)
        if source.date is not None or source.day is not None:
            return self._when(source, str(text), columns, cells)
        if source.number and isinstance(text, str):
            return _number(text, columns)
        return text

    def _by_table(self, name: str, text: str, columns: tuple[str, ...]) -> Scalar | None:
        table = self._profile.tables[name]
        value = look_up(table, text)
        if value is None and text:
            raise RowRefused(RowProblem(None, "not-in-table", accepted(table), columns, text))
        return value

    def _when(
        self, source: Source, text: str, columns: tuple[str, ...], cells: dict[str, str]
    ) -> Value | None:
        reader = self._readers[source.date or source.day or ""]
        column = columns[0] if columns else ""
        occurrence = reader.read(text, column, cells)
        if occurrence is None:
            return None
        if source.date is not None:
            return occurrence.document()
        if occurrence.earliest != occurrence.latest:
            raise RowRefused(
                RowProblem(
                    None,
                    "not-a-day",
                    Text("Hace falta un día, no un periodo.", "One day is needed, not a period."),
                    columns,
                    text,
                )
            )
        return occurrence.latest.isoformat()


def _state(text: str, columns: tuple[str, ...]) -> str | None:
    if not text:
        return None
    state = _STATES.get(fold(text))
    if state is None:
        raise RowRefused(
            RowProblem(
                None,
                "not-a-state",
                Text(
                    "No es el nombre ni la clave (01 a 32) de un estado. Si es otra grafía, póngala en una tabla del "
                    "perfil.",
                    "Neither the name nor the code (01 to 32) of a state. If it is another spelling, put it into a "
                    "table of the profile.",
                ),
                columns,
                text,
            )
        )
    return state


def _number(text: str, columns: tuple[str, ...]) -> int | None:
    if not text:
        return None
    # "2.0" is how programs that know only fractions write 2; "2.000" may be two thousand.
    match = re.fullmatch(r"([0-9]{1,9})(?:\.0{1,2})?", text, re.ASCII)
    if match is None:
        detail = Text(
            "No es un número entero. Se acepta: 0, 1, 2, …", "Not a whole number. Accepted: 0, 1, 2, …"
        )
        raise RowRefused(RowProblem(None, "not-a-number", detail, columns, text))
    return int(match[1])


def _missing(field: str, columns: tuple[str, ...]) -> RowProblem:
    return RowProblem(
        field,
        "missing-value",
        Text("La celda está vacía y el perfil la exige.", "The cell is empty and the profile requires it."),
        columns,
        "",
    )


def _no_record() -> RowProblem:
    return RowProblem(
        None,
        "no-record",
        Text(
            "Ningún [[record]] del perfil se aplica a esta fila. Revise sus condiciones only_if.",
            "No [[record]] of the profile applies to this row. Check their only_if conditions.",
        ),
    )


def _parts(part: RecordMapping | Item, cells: dict[str, str]) -> Iterator[dict[str, str]]:
    """The cells once for each part of the split cell (none for an empty one), or once as they are; if they apply."""
    split = part.split
    if split is None:
        versions = [cells]
    else:
        pieces = [piece.strip() for piece in cells[split.column].split(split.by)]
        versions = [{**cells, split.name: piece} for piece in pieces if piece]
    for version in versions:
        if all(holds(condition, version[condition.column]) for condition in part.only_if):
            yield version


def _columns(profile: Profile, readers: Mapping[str, Reader]) -> Iterator[str]:
    """Every column that a profile mentions."""
    for reader in readers.values():
        yield from reader.columns
    for source in profile.columns.values():
        yield from columns_of(source)
    for part in parts_of(profile):
        yield from (condition.column for condition in part.only_if)
        if part.split is not None:
            yield part.split.column
        for one in part.fields.values():
            if isinstance(one, Source):
                yield from columns_of(one)
