"""Loads a profile, and refuses by the name of its key whatever in it cannot be meant, before a single row is read."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from api.imports.dates import BadFormat, Format, parse_format
from api.imports.errors import ProfileRefused
from api.imports.explaining import explain, is_field
from api.imports.locating import line_of
from api.imports.paths import BadPath, parse_path
from api.imports.profile import (
    Condition,
    DateReading,
    Item,
    Profile,
    RecordMapping,
    Scalar,
    Source,
    ValueTable,
    columns_of,
    parts_of,
)
from api.imports.records import KINDS


def load_profile(text: str) -> Profile:
    """Raises ProfileRefused, naming line and key, and what would be accepted."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line ([0-9]+), column [0-9]+", str(error))
        line = int(place[1]) if place else text.count("\n") + 1
        where = place[0] if place else "end"
        raise ProfileRefused(where, "el texto no es TOML.", "the text is not TOML.", line=line) from error
    try:
        return _checked(document)
    except ProfileRefused as refused:
        raise refused.placed(line_of(text, refused.key)) from refused.__cause__


def _checked(document: dict[str, Any]) -> Profile:
    try:
        profile = msgspec.convert(document, Profile)
    except msgspec.ValidationError as error:
        problem = explain(error, Profile)
        key = _named(problem.field or "(todo)", document)
        raise ProfileRefused(key, problem.detail.es, problem.detail.en) from error
    _Check(profile).run()
    return profile


def check_fields(profile: Profile, text: str) -> None:
    """That what the profile fills are fields of its records. Raises ProfileRefused as ``load_profile`` does."""
    for index, record in enumerate(profile.record):
        parts = [(f"record[{index}]", "", record.fields)]
        for number, item in enumerate(record.items):
            parts.append((f"record[{index}].items[{number}]", f"{item.into}[0]", item.fields))
        for place, under, fields in parts:
            for name in fields:
                path = f"{under}.{name}".strip(".")
                if not any(is_field(draft, parse_path(path)) for draft in KINDS[profile.records].drafts):
                    key = f"{place}.fields.{name}"
                    raise ProfileRefused(
                        key,
                        f"«{path}» no es un campo de {profile.records}. La API los enumera (GET /openapi.json).",
                        f"“{path}” is not a field of {profile.records}. The API lists them (GET /openapi.json).",
                        line=line_of(text, key),
                    )


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
        splits = {part.split.name for part in parts_of(self._profile) if part.split is not None}
        later = {*self._profile.columns, *splits}
        for name, source in self._profile.columns.items():
            self._source(f"columns.{name}", source)
            self._known_there(f"columns.{name}", columns_of(source), later)
            later.discard(name)
        for name, reading in self._profile.dates.items():
            # A reading may be used anywhere, so it can rest only on what every row has.
            published = (reading.published,) if reading.published else ()
            self._known_there(
                f"dates.{name}", (*published, *(shift.column for shift in reading.years)), splits
            )
        for index, record in enumerate(self._profile.record):
            key = f"record[{index}]"
            elsewhere = splits - {record.split.name if record.split else ""}
            self._part(key, record, elsewhere)
            for number, item in enumerate(record.items):
                self._path(f"{key}.items[{number}].into", item.into)
                self._part(
                    f"{key}.items[{number}]", item, elsewhere - {item.split.name if item.split else ""}
                )

    def _part(self, key: str, part: RecordMapping | Item, elsewhere: set[str]) -> None:
        self._conditions(key, part.only_if)
        for index, condition in enumerate(part.only_if):
            self._known_there(f"{key}.only_if[{index}]", (condition.column,), elsewhere)
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
                "no es un formato de fecha. Se escribe con YYYY, YY, MM, M, DD, D, MONTH, WEEKDAY, cada parte una vez: "
                '"D de MONTH de YYYY".',
                "is not a date format. Write it with YYYY, YY, MM, M, DD, D, MONTH, WEEKDAY, each part once: "
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
