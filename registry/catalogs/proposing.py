"""Which column of an unknown file may hold what: a profile to be read and corrected by a person. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from registry.catalogs.layout import FIELDS, Kind
from registry.catalogs.spelling import folded
from registry.catalogs.table import Table

_CLUES: Final = re.compile(r"[A-Z]{5}[0-9]{6}")
_CVEGEO: Final = re.compile(r"(0[1-9]|[12][0-9]|3[0-2])[0-9]{3}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,3}[.,][0-9]+")
_SAMPLED: Final = 200
"""Rows looked at."""

_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "clues": ("clues", "clues imb", "clave clues", "clave unica", "id clues", "clues actual", "clues nueva"),
    "former_clues": ("clues anterior", "clues ssa", "clues ssa y sme", "clave anterior", "clues previa"),
    "name": (
        "nombre de la unidad", "nombre unidad", "nombre", "unidad", "nomgeo", "nom mun", "nombre del establecimiento",
        "nombre comercial", "municipio name", "name", "nombre del municipio",
    ),
    "cvegeo": ("cvegeo", "cve geo", "clave geoestadistica", "cve mun completa", "clave inegi"),
    "state": ("clave de la entidad", "cve ent", "clave entidad", "clave estado", "id entidad", "state code"),
    "municipality": ("clave del municipio", "cve mun", "clave municipio", "id municipio"),
    "state_name": ("entidad", "nombre de la entidad", "nom ent", "estado", "entidad federativa", "state name"),
    "municipality_name": ("municipio", "nombre del municipio", "nom mun", "nombre municipio"),
    "level": ("nivel atencion", "nivel de atencion", "nivel", "level"),
    "latitude": ("latitud", "lat", "latitude", "coordenada y", "y"),
    "longitude": ("longitud", "lon", "long", "lng", "longitude", "coordenada x", "x"),
    "valid_from": ("vigente desde", "valid from", "fecha de alta de la clave"),
    "vintage": ("year", "anio", "ano", "edicion"),
}  # fmt: skip
"""Folded headings of each field, the likeliest first."""

_LOOKS: Final[Mapping[str, Callable[[str], object]]] = {
    "clues": _CLUES.fullmatch,
    "former_clues": _CLUES.fullmatch,
    "cvegeo": _CVEGEO.fullmatch,
    "latitude": _NUMBER.fullmatch,
    "longitude": _NUMBER.fullmatch,
}
"""What most cells of a column must look like, whatever its heading."""


class Column(NamedTuple):
    """A heading, some of what stands below it, and the field proposed for it (None: none)."""

    heading: str
    samples: tuple[str, ...]
    field: str | None


def propose(table: Table, kind: Kind) -> list[Column]:
    """Every column of the file; each field at most once."""
    fields: dict[int, str] = {}
    cells = [
        [row[place] for row in table.rows[:_SAMPLED] if row[place]] for place in range(len(table.headings))
    ]
    for field in FIELDS[kind]:
        place = _best(field, table.headings, cells, fields)
        if place is not None:
            fields[place] = field
    if kind is Kind.ESTABLISHMENTS and "clues" not in fields.values():
        looking = [
            place for place, column in enumerate(cells) if place not in fields and _looks("clues", column)
        ]
        fields |= dict.fromkeys(looking[:1], "clues")
    # One code in one column says it all; with it, its parts are another spelling of the same.
    if "cvegeo" in fields.values():
        fields = {place: field for place, field in fields.items() if field not in ("state", "municipality")}
    return [
        Column(heading, tuple(dict.fromkeys(column))[:3], fields.get(place))
        for place, (heading, column) in enumerate(zip(table.headings, cells, strict=True))
    ]


def profile_text(columns: Sequence[Column], kind: Kind, levels: Sequence[str]) -> str:
    """A profile in TOML that says what is proposed. ``levels`` are what the column of levels says."""
    lines = [f'catalog = "{kind}"']
    if kind is Kind.ESTABLISHMENTS:
        lines.append('name = "clues-…"')
    lines += ["", "[columns]"]
    proposed = {column.field: column.heading for column in columns if column.field}
    lines += [f"{field} = {_quoted(proposed[field])}" for field in FIELDS[kind] if field in proposed]
    if "level" in proposed:
        lines += ["", "[levels]  # FIRST, SECOND, THIRD"]
        lines += [f'{_quoted(word)} = "{_level(word)}"' for word in levels if _level(word)]
    return "\n".join(lines) + "\n"


def levels_of(table: Table, columns: Sequence[Column]) -> list[str]:
    """What the proposed column of levels says, each once."""
    for place, column in enumerate(columns):
        if column.field == "level":
            return sorted({row[place] for row in table.rows if row[place]})
    return []


def _best(
    field: str, headings: Sequence[str], cells: Sequence[Sequence[str]], taken: Mapping[int, str]
) -> int | None:
    for name in _NAMES[field]:
        for place, heading in enumerate(headings):
            if place not in taken and folded(heading) == name and _looks(field, cells[place]):
                return place
    return None


def _looks(field: str, column: Sequence[str]) -> bool:
    look = _LOOKS.get(field)
    return look is None or (bool(column) and sum(look(cell) is not None for cell in column) * 2 > len(column))


def _level(word: str) -> str:
    text = folded(word)
    for level, signs in (
        ("FIRST", ("1", "primer")),
        ("SECOND", ("2", "segundo")),
        ("THIRD", ("3", "tercer")),
    ):
        if any(sign in text.split() or text.startswith(sign) for sign in signs):
            return level
    return ""


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
