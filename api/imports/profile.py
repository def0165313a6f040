"""A profile: how somebody else's columns and values become fields and codes of the register, written in TOML.

The schema is strict: ``api.imports.loading`` refuses by name what it does not know. ``docs/import.md`` explains every
key with an example.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Final, Literal

import msgspec

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
    sheet: str | None = None
    heading: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """The line of the sheet that names the columns."""


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
