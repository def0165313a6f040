"""A profile: how somebody else's columns and values become fields and codes of the register, written in TOML.

The schema is strict: an unknown key, an unknown table, a pattern that is none is refused by name before a single row
is read. ``docs/import.md`` explains every key with an example.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal

import msgspec

from api.imports.dates import BadFormat, Format, parse_format
from api.imports.errors import ProfileRefused
from api.imports.explaining import explain
from api.imports.paths import BadPath, parse_path
from api.imports.records import Records

Scalar = str | int | bool
Pattern = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]

ISO_FORMATS: Final = ("YYYY-MM-DD", "YYYY-MM", "YYYY")


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base: a key that the profile's author misspelt must not pass as one that is absent."""


class Condition(Strict, frozen=True, kw_only=True):
    """Holds when the column says so. Exactly one of ``equals``, ``matches``, ``contains``, ``empty``."""

    column: str
    equals: str | None = None
    matches: Pattern | None = None
    contains: Pattern | None = None
    empty: bool | None = None
    negated: bool = msgspec.field(name="not", default=False)


class Source(Strict, frozen=True, kw_only=True):
    """Where a field's value comes from (one of the first five), and what is done with it, in this order."""

    constant: Scalar | None = None
    column: str | None = None
    first: list["Source"] | None = None
    """The first of these that is not empty."""
    template: str | None = None
    """``{column}`` stands for that column's cell; empty when all of its columns are."""
    join: list[str] | None = None
    """The cells of these columns that are not empty, with ``with`` between them."""
    between: str = msgspec.field(name="with", default=", ")

    capture: Pattern | None = None
    """Keeps group 1 of the first match; nothing matched = empty."""
    table: str | None = None
    state: bool = False
    """The name of one of the 32 states to its INEGI code."""
    date: str | None = None
    """A ``when`` by the named reading of dates."""
    day: str | None = None
    """One civil day by the named reading of dates."""
    number: bool = False
    default: Scalar | None = None
    required: bool = False


class TablePattern(Strict, frozen=True, kw_only=True):
    """One line of a value table for cells that hold sentences: the first that matches decides."""

    matches: Pattern | None = None
    contains: Pattern | None = None
    value: Scalar


class ValueTable(Strict, frozen=True, kw_only=True):
    """Cell to value. A cell that nothing here knows is an error, unless ``default`` says what it means."""

    exact: dict[str, Scalar] = {}
    patterns: list[TablePattern] = []
    default: Scalar | None = None
    empty: Scalar | None = None


class Start(Strict, frozen=True, kw_only=True):
    """A wording that tells when the interval starts: groups of ``matches`` may stand in ``earliest`` as \\1, \\2."""

    matches: Pattern
    earliest: str


class YearShift(Strict, frozen=True, kw_only=True):
    """A sign that a date without a year lies ``add`` years from the publication ("un año después": -1)."""

    column: str
    matches: Pattern
    add: Annotated[int, msgspec.Meta(ge=-20, le=0)]


class DateReading(Strict, frozen=True, kw_only=True):
    """How one kind of date column is read; see ``api.imports.dates``."""

    formats: list[str]
    since: list[str] = []
    """Formats of dates from which something goes on: they give the start of an interval."""
    starts: list[Start] = []
    published: str | None = None
    published_formats: tuple[str, ...] = ISO_FORMATS
    years: list[YearShift] = []
    otherwise: Literal["INTERVAL", "ERROR"] = "ERROR"


class Split(Strict, frozen=True, kw_only=True):
    """One cell with several values, each under the new column's name ``as``."""

    column: str
    by: Annotated[str, msgspec.Meta(min_length=1)]
    name: str = msgspec.field(name="as")


class Item(Strict, frozen=True, kw_only=True):
    """Elements of a list: ``into`` names the list; with ``split`` one for each part of a cell."""

    into: str
    fields: dict[str, Source | Scalar]
    only_if: list[Condition] = []
    split: Split | None = None


class RecordMapping(Strict, frozen=True, kw_only=True):
    """One record for each row to which it applies (with ``split``, for each part of a cell)."""

    fields: dict[str, Source | Scalar]
    items: list[Item] = []
    only_if: list[Condition] = []
    split: Split | None = None


class FileFormat(Strict, frozen=True, kw_only=True):
    """What the sender knows of the file; whatever is left out is found out."""

    encoding: Literal["utf-8", "cp1252"] | None = None
    delimiter: Literal[",", ";", "\t"] | None = None


class Profile(Strict, frozen=True, kw_only=True):
    """The whole of it. ``columns`` are derived ones, usable wherever a column of the file is."""

    records: Records
    record: Annotated[list[RecordMapping], msgspec.Meta(min_length=1)]
    file: FileFormat = FileFormat()
    columns: dict[str, Source] = {}
    tables: dict[str, ValueTable] = {}
    dates: dict[str, DateReading] = {}


_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")


def columns_of(source: Source) -> tuple[str, ...]:
    """The columns that a source reads."""
    if source.column is not None:
        return (source.column,)
    if source.template is not None:
        return tuple(_PLACEHOLDER.findall(source.template))
    if source.join is not None:
        return tuple(source.join)
    return tuple(column for one in source.first or [] for column in columns_of(one))


def filled(template: str, cells: Mapping[str, str]) -> str:
    """A template with its columns' cells; empty when all of them are."""
    names = _PLACEHOLDER.findall(template)
    if names and not any(cells[name] for name in names):
        return ""
    return _PLACEHOLDER.sub(lambda match: cells[match[1]], template)


def parts_of(profile: Profile) -> Iterator[RecordMapping | Item]:
    """Everything in a profile that has fields."""
    for record in profile.record:
        yield record
        yield from record.items


def load_profile(text: str) -> Profile:
    """Raises ProfileRefused, naming the key and what would be accepted."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line [0-9]+, column [0-9]+", str(error))
        where = place[0] if place else "end"
        raise ProfileRefused(where, "el texto no es TOML.", "the text is not TOML.") from error
    try:
        profile = msgspec.convert(document, Profile)
    except msgspec.ValidationError as error:
        problem = explain(error, Profile)
        key = _named(problem.field or "(todo)", document)
        raise ProfileRefused(key, problem.detail.es, problem.detail.en) from error
    _Check(profile).run()
    return profile


_NAMED_PARTS: Final[Mapping[str, Any]] = {
    "columns": Source,
    "tables": ValueTable,
    "dates": DateReading,
    "fields": Source | Scalar,
    "exact": Scalar,
}
"""Tables whose names the author chose, and what stands under each name."""


def _named(key: str, document: object) -> str:
    """The decoder does not say under which name of such a table it stumbled ("[]"): the first that is refused."""
    node = document
    names: list[str] = []
    for step in re.findall(r"[^.\[\]]+|\[[0-9]*\]", key):
        name = step
        if step == "[]":
            name = next(
                (one for one, value in _items(node) if _refused(value, _NAMED_PARTS.get(names[-1]))), step
            )
        names.append(name)
        node = dict(_items(node)).get(name.strip("[]"))
    return ".".join(names).replace(".[", "[")


def _items(node: object) -> list[tuple[str, object]]:
    if isinstance(node, dict):
        return list(node.items())
    return [(str(index), one) for index, one in enumerate(node)] if isinstance(node, list) else []


def _refused(value: object, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return True
    return False


class _Check:
    """What types alone do not see: names that refer to nothing, patterns and formats that are none."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    def run(self) -> None:
        for name, table in self._profile.tables.items():
            for index, pattern in enumerate(table.patterns):
                self._one_matcher(f"tables.{name}.patterns[{index}]", pattern.matches, pattern.contains)
        for name, reading in self._profile.dates.items():
            self._reading(f"dates.{name}", reading)
        later = set(self._profile.columns)
        for name, source in self._profile.columns.items():
            self._source(f"columns.{name}", source)
            self._known_there(f"columns.{name}", columns_of(source), later)
            later.discard(name)
        splits = {part.split.name for part in parts_of(self._profile) if part.split is not None}
        for index, record in enumerate(self._profile.record):
            key = f"record[{index}]"
            elsewhere = splits - {record.split.name if record.split else ""}
            self._part(key, record, elsewhere)
            for number, item in enumerate(record.items):
                self._path(f"{key}.items[{number}].into", item.into)
                self._part(
                    f"{key}.items[{number}]", item, elsewhere - {item.split.name if item.split else ""}
                )

    def _part(self, key: str, part: "RecordMapping | Item", elsewhere: set[str]) -> None:
        self._conditions(key, part.only_if)
        self._fields(f"{key}.fields", part.fields)
        for path, source in part.fields.items():
            if isinstance(source, Source):
                self._known_there(f"{key}.fields.{path}", columns_of(source), elsewhere)

    def _known_there(self, key: str, columns: tuple[str, ...], elsewhere: set[str]) -> None:
        """Columns that the profile makes exist only after, or within, what makes them."""
        for column in columns:
            if column in elsewhere:
                raise ProfileRefused(
                    key,
                    f"la columna «{column}» no existe en este lugar: se define más adelante o en otra parte.",
                    f"column “{column}” does not exist in this place: it is made further on or elsewhere.",
                )

    def _fields(self, key: str, fields: dict[str, Source | Scalar]) -> None:
        for path, source in fields.items():
            self._path(f"{key}.{path}", path)
            if isinstance(source, Source):
                self._source(f"{key}.{path}", source)

    def _path(self, key: str, path: str) -> None:
        # An item without fields of its own is a list of plain values: its path is empty.
        if path == "":
            return
        try:
            parse_path(path)
        except BadPath as error:
            raise ProfileRefused(key, error.text.es, error.text.en) from error

    def _source(self, key: str, source: Source) -> None:
        given = [source.constant, source.column, source.first, source.template, source.join]
        if sum(one is not None for one in given) != 1:
            raise ProfileRefused(
                key,
                "necesita exactamente uno de constant, column, first, template, join.",
                "needs exactly one of constant, column, first, template, join.",
            )
        if sum((source.table is not None, source.state, source.date is not None, source.day is not None)) > 1:
            raise ProfileRefused(
                key,
                "acepta solo uno de table, state, date, day.",
                "accepts only one of table, state, date, day.",
            )
        self._regex(f"{key}.capture", source.capture, groups=1)
        self._known_name(f"{key}.table", source.table, list(self._profile.tables))
        self._known_name(f"{key}.date", source.date, list(self._profile.dates))
        self._known_name(f"{key}.day", source.day, list(self._profile.dates))
        for index, below in enumerate(source.first or []):
            self._source(f"{key}.first[{index}]", below)

    def _reading(self, key: str, reading: DateReading) -> None:
        for name, formats in (
            ("formats", reading.formats),
            ("since", reading.since),
            ("published_formats", reading.published_formats),
        ):
            for index, text in enumerate(formats):
                self._format(f"{key}.{name}[{index}]", text)
        for index, start in enumerate(reading.starts):
            self._regex(f"{key}.starts[{index}].matches", start.matches)
        for index, shift in enumerate(reading.years):
            self._regex(f"{key}.years[{index}].matches", shift.matches)
        if reading.otherwise == "INTERVAL" and reading.published is None:
            raise ProfileRefused(
                f"{key}.published",
                "nombre la columna de publicación: el intervalo termina en ella.",
                "name the column of publication: the interval ends with it.",
            )

    def _format(self, key: str, text: str) -> Format:
        try:
            return parse_format(text)
        except BadFormat as error:
            raise ProfileRefused(
                key,
                "no es un formato de fecha. Se escribe con YYYY, MM, M, DD, D, MONTH, WEEKDAY, cada parte una vez: "
                '"D de MONTH de YYYY".',
                "is not a date format. Write it with YYYY, MM, M, DD, D, MONTH, WEEKDAY, each part once: "
                '"D de MONTH de YYYY".',
            ) from error

    def _conditions(self, key: str, conditions: list[Condition]) -> None:
        for index, condition in enumerate(conditions):
            place = f"{key}.only_if[{index}]"
            given = [condition.equals, condition.matches, condition.contains, condition.empty]
            if sum(one is not None for one in given) != 1:
                raise ProfileRefused(
                    place,
                    "necesita exactamente uno de equals, matches, contains, empty.",
                    "needs exactly one of equals, matches, contains, empty.",
                )
            self._regex(f"{place}.matches", condition.matches)

    def _one_matcher(self, key: str, matches: str | None, contains: str | None) -> None:
        if (matches is None) == (contains is None):
            raise ProfileRefused(
                key,
                "necesita exactamente uno de matches, contains.",
                "needs exactly one of matches, contains.",
            )
        self._regex(f"{key}.matches", matches)

    def _regex(self, key: str, pattern: str | None, *, groups: int = 0) -> None:
        if pattern is None:
            return
        try:
            compiled = re.compile(pattern)
        except re.error as error:
            raise ProfileRefused(
                key, "no es una expresión regular de Python.", "is not a regular expression of Python."
            ) from error
        if compiled.groups < groups:
            raise ProfileRefused(
                key, "necesita un grupo entre paréntesis.", "needs one group between parentheses."
            )

    def _known_name(self, key: str, name: str | None, known: list[str]) -> None:
        if name is not None and name not in known:
            there = ", ".join(known) or "—"
            raise ProfileRefused(
                key,
                f"no existe en el perfil. Existen: {there}.",
                f"is not in the profile. There are: {there}.",
            )
