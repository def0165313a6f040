"""A layout: which column of an official file holds what. Written in TOML; those of the known files ship.

``docs/catalogs.md`` explains every key with an example. What cannot be meant is refused by line and key.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple, NoReturn, get_args

from registry.catalogs.errors import CatalogRefused, LayoutRefused
from registry.catalogs.municipalities import CATALOG, vintage_day
from registry.catalogs.spelling import folded, likeness
from registry.catalogs.table import Delimiter, Encoding
from registry.domain.codes import SiteLevel


class Kind(StrEnum):
    """What a catalogue lists."""

    MUNICIPALITIES = "municipalities"
    ESTABLISHMENTS = "establishments"


FIELDS: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.MUNICIPALITIES: ("cvegeo", "state", "municipality", "name", "latitude", "longitude", "vintage"),
    Kind.ESTABLISHMENTS: (
        "clues", "former_clues", "name", "cvegeo", "state", "municipality", "state_name", "municipality_name", "level",
        "latitude", "longitude", "valid_from", "vintage",
    ),
}  # fmt: skip
"""What may be read of a row."""

REQUIRED: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.MUNICIPALITIES: ("name",),
    Kind.ESTABLISHMENTS: ("clues",),
}

_TOP: Final = ("catalog", "name", "vintage", "recognised_by", "file", "columns", "levels")
_FILE: Final[Mapping[str, tuple[str, ...]]] = {
    "encoding": get_args(Encoding),
    "delimiter": get_args(Delimiter),
    "sheet": (),
}
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,63}")
_HEADER: Final = re.compile(r"\s*\[+\s*([^\]]+?)\s*\]+")
_KEY: Final = re.compile(r"\s*(\"[^\"]*\"|'[^']*'|[A-Za-z0-9_.-]+)\s*=")


class Layout(NamedTuple):
    """``columns`` is field → heading, ``levels`` what a cell says → level. ``name`` is what the catalogue is adopted
    under: vintages of one name follow on each other. ``recognised_by`` are headings that no other file has.
    """

    kind: Kind
    name: str
    columns: Mapping[str, str]
    levels: Mapping[str, SiteLevel]
    vintage: str | None = None
    encoding: Encoding | None = None
    delimiter: Delimiter | None = None
    sheet: str | None = None
    recognised_by: tuple[str, ...] = ()


def load_layout(text: str) -> Layout:
    """Raises LayoutRefused, naming line and key and what would be accepted."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line ([0-9]+), column ([0-9]+)", str(error))
        where = f"columna {place[2]} · column {place[2]}" if place else "final · end"
        raise LayoutRefused(
            where, int(place[1]) if place else None, "el texto no es TOML.", "the text is not TOML."
        ) from error
    return _Reader(text, document).layout()


@cache
def shipped() -> tuple[Layout, ...]:
    """Those of the official files that this version knows, the most particular first."""
    directory = resources.files("registry.catalogs").joinpath("layouts")
    layouts = [
        load_layout(file.read_text(encoding="utf-8"))
        for file in sorted(directory.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".toml")
    ]
    return tuple(sorted(layouts, key=lambda layout: -len(layout.columns)))


def recognise(kind: Kind, headings: Iterable[str]) -> Layout | None:
    """The shipped layout whose columns the file has, all of them; None where it is none of those."""
    there = {folded(heading) for heading in headings}
    for layout in shipped():
        needed = (*layout.columns.values(), *layout.recognised_by)
        if layout.kind is kind and there.issuperset(map(folded, needed)):
            return layout
    return None


def places_of(layout: Layout, headings: tuple[str, ...]) -> dict[str, int]:
    """Field → place of its column; case and accents of headings play no part. CatalogRefused if one is absent."""
    exact = {heading: place for place, heading in enumerate(headings)}
    alike = {folded(heading): place for place, heading in enumerate(headings)}
    places: dict[str, int] = {}
    for field, heading in layout.columns.items():
        place = exact.get(heading, alike.get(folded(heading)))
        if place is None:
            there = ", ".join(headings)
            raise CatalogRefused(
                f"Falta la columna «{heading}» ({field}). El archivo tiene: {there}. Corrija [columns] en el "
                "perfil; «constancia catalog columns» propone uno.",
                f"The column “{heading}” ({field}) is missing. The file has: {there}. Correct [columns] in the "
                "profile; “constancia catalog columns” proposes one.",
            )
        places[field] = place
    return places


class _Reader:
    """One document, and the lines of its text on which its keys stand."""

    def __init__(self, text: str, document: Mapping[str, Any]) -> None:
        self._document = document
        self._lines: dict[str, int] = {}
        table = ""
        for number, line in enumerate(text.splitlines(), start=1):
            if header := _HEADER.match(line):
                table = header[1] + "."
                self._lines.setdefault(header[1], number)
            elif key := _KEY.match(line):
                self._lines.setdefault(table + key[1].strip("\"'"), number)

    def layout(self) -> Layout:
        self._known("", self._document, _TOP)
        kind = Kind(self._choice("catalog", self._document.get("catalog"), tuple(Kind)))
        columns = self._columns(kind)
        file = self._table("file")
        self._known("file.", file, _FILE)
        read: dict[str, Any] = {
            key: self._choice(f"file.{key}", file[key], choices)
            if choices
            else self._text(f"file.{key}", file[key])
            for key, choices in _FILE.items()
            if key in file
        }
        marks = self._document.get("recognised_by", [])
        if not isinstance(marks, list) or not all(isinstance(mark, str) for mark in marks):
            self._refuse("recognised_by", "es una lista de encabezados.", "is a list of headings.")
        return Layout(
            kind,
            self._name(kind),
            columns,
            self._levels(),
            self._vintage(),
            recognised_by=tuple(marks),
            **read,
        )

    def _columns(self, kind: Kind) -> dict[str, str]:
        given = self._table("columns")
        self._known("columns.", given, FIELDS[kind])
        columns = {field: self._text(f"columns.{field}", heading) for field, heading in given.items()}
        for field in REQUIRED[kind]:
            if field not in columns:
                self._refuse(
                    f"columns.{field}",
                    "falta; nombre la columna que lo contiene.",
                    "is missing; name the column that holds it.",
                )
        whole = "cvegeo" in columns
        parts = [field for field in ("state", "municipality") if field in columns]
        if (whole and parts) or len(parts) == 1 or (kind is Kind.MUNICIPALITIES and not whole and not parts):
            self._refuse(
                "columns.cvegeo",
                "indique cvegeo (cinco dígitos en una columna), o bien state y municipality (dos columnas).",
                "give either cvegeo (five digits in one column), or state and municipality (two columns).",
            )
        if ("latitude" in columns) is not ("longitude" in columns):
            self._refuse(
                "columns.latitude", "latitude y longitude van juntas.", "latitude and longitude go together."
            )
        return columns

    def _name(self, kind: Kind) -> str:
        if kind is Kind.MUNICIPALITIES:
            if "name" in self._document:
                self._refuse("name", "el catálogo de municipios es uno solo: quite la clave.",
                             "there is one catalogue of municipalities: remove the key.")  # fmt: skip
            return CATALOG
        name = self._text("name", self._document.get("name"))
        if not _NAME.fullmatch(name) or name == CATALOG:
            self._refuse(
                "name",
                "se acepta: minúsculas, dígitos y guiones, como clues-imss-bienestar.",
                "accepted: small letters, digits and hyphens, like clues-imss-bienestar.",
            )
        return name

    def _levels(self) -> dict[str, SiteLevel]:
        levels = self._table("levels")
        return {
            folded(word): SiteLevel(self._choice(f"levels.{word}", level, tuple(SiteLevel)))
            for word, level in levels.items()
        }

    def _vintage(self) -> str | None:
        if "vintage" not in self._document:
            return None
        vintage = self._text("vintage", self._document["vintage"])
        try:
            vintage_day(vintage)
        except ValueError:
            self._refuse("vintage", 'se acepta: "2026", "2026-03" o "2026-03-15".',
                         'accepted: "2026", "2026-03" or "2026-03-15".')  # fmt: skip
        return vintage

    def _table(self, key: str) -> Mapping[str, Any]:
        value = self._document.get(key, {})
        if not isinstance(value, dict):
            self._refuse(key, f"es una tabla: se escribe [{key}].", f"is a table: write [{key}].")
        return value

    def _text(self, key: str, value: object) -> str:
        if not isinstance(value, str) or not value.strip():
            self._refuse(
                key, "falta, o no es un texto entre comillas.", "is missing, or is no text in quotes."
            )
        return value.strip()

    def _choice(self, key: str, value: object, accepted: tuple[str, ...]) -> str:
        if not isinstance(value, str) or value not in accepted:
            shown = ", ".join(f'"{one}"' for one in accepted).replace("\t", "\\t")
            self._refuse(key, f"se acepta: {shown}.", f"accepted: {shown}.")
        return value

    def _known(self, prefix: str, table: Mapping[str, Any], accepted: Iterable[str]) -> None:
        for key in table:
            if key not in accepted:
                nearest = max(accepted, key=lambda one: likeness(key, one))
                listed = ", ".join(accepted)
                self._refuse(
                    prefix + key,
                    f"clave desconocida. ¿Quiso decir {nearest}? Se aceptan: {listed}.",
                    f"unknown key. Did you mean {nearest}? Accepted: {listed}.",
                )

    def _refuse(self, key: str, es: str, en: str) -> NoReturn:
        line = self._lines.get(key) or self._lines.get(key.partition(".")[0])
        raise LayoutRefused(key, line, es, en)
