"""The rows of an official file by its layout, and what is wrong with each by itself. Pure."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final, Generic, NamedTuple, TypeVar

from registry.catalogs import clues
from registry.catalogs.defects import Defect, Severity, doubt
from registry.catalogs.establishments import Establishment
from registry.catalogs.layout import Layout, places_of
from registry.catalogs.municipalities import Municipality, vintage_day
from registry.catalogs.spelling import folded
from registry.catalogs.states import BY_CODE
from registry.catalogs.table import Table
from registry.domain.codes import SiteLevel
from registry.errors import InvalidInput
from registry.log.canonical import JSON
from registry.text import Text

E = TypeVar("E", Municipality, Establishment)

MAX_NAME: Final = 300
"""Characters of a name, as a site has them."""

_NUMBER: Final = re.compile(r"-?[0-9]{1,3}(?:[.,][0-9]+)?")
_DAY: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})|([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
_LEVELS_UNSAID: Final = frozenset({"", "no aplica", "no especificado", "n a", "na"})


class Row(NamedTuple, Generic[E]):
    """``number`` counts from 1 below the heading. The names are as the file says them, for comparison only."""

    number: int
    entry: E
    state_name: str | None = None
    municipality_name: str | None = None


class Reading(NamedTuple, Generic[E]):
    """``rows`` may be taken; rows that cannot be are among the ``defects``, REJECTED. ``vintage`` is what a column of
    the file says it is, where one does.
    """

    rows: list[Row[E]]
    defects: list[Defect]
    vintage: str | None


class _Rejected(Exception):
    def __init__(self, kind: str, es: str, en: str) -> None:
        self.kind = kind
        self.text = Text(es, en)
        super().__init__(kind)


def read_municipalities(table: Table, layout: Layout) -> Reading[Municipality]:
    """Raises CatalogRefused for a column that is absent."""
    rows: list[Row[Municipality]] = []
    defects: list[Defect] = []
    seen: dict[str, int] = {}
    for number, cells in _cells(table, layout):
        try:
            code = _cvegeo(cells)
            if code is None:
                raise _Rejected("no-municipality", "Falta la clave del municipio.", "The code is missing.")
            _once(seen, code, number)
            name = _name(cells)
            if name is None:
                raise _Rejected("no-name", "Falta el nombre del municipio.", "The name is missing.")
            latitude, longitude = _point(number, code, cells, defects)
            rows.append(Row(number, Municipality(code, name, latitude, longitude)))
        except _Rejected as refused:
            code = cells.get("cvegeo") or f"{cells.get('state', '')}{cells.get('municipality', '')}"
            defects.append(Defect(number, code, refused.kind, Severity.REJECTED, refused.text))
    return Reading(rows, defects, _vintage(table, layout))


def read_establishments(table: Table, layout: Layout) -> Reading[Establishment]:
    """Raises CatalogRefused for a column that is absent."""
    rows: list[Row[Establishment]] = []
    defects: list[Defect] = []
    seen: dict[str, int] = {}
    for number, cells in _cells(table, layout):
        code = cells["clues"]
        try:
            cvegeo = _cvegeo(cells)
            doubts = [("doubtful-clues", doubt) for doubt in _clues(code, cvegeo)]
            _once(seen, code, number)
            former = cells.get("former_clues") or None
            if former == code:
                former = None
            if former is not None:
                doubts += [("doubtful-former-clues", doubt) for doubt in _clues(former, cvegeo)]
            level = _level(cells, layout.levels, doubts)
            valid_from = _day(cells)
        except _Rejected as refused:
            defects.append(Defect(number, code, refused.kind, Severity.REJECTED, refused.text))
            continue
        defects += [Defect(number, code, kind, Severity.DOUBTFUL, text) for kind, text in doubts]
        latitude, longitude = _point(number, code, cells, defects)
        entry = Establishment(code, former, _name(cells), cvegeo, level, latitude, longitude, valid_from)
        rows.append(
            Row(number, entry, cells.get("state_name") or None, cells.get("municipality_name") or None)
        )
    return Reading(rows, defects, _vintage(table, layout))


def plain(entry: Municipality | Establishment) -> list[JSON]:
    """An entry as canonical JSON can say it, so that equal rows have equal digests."""
    return [
        repr(value) if isinstance(value, float) else str(value) if value is not None else None
        for value in entry
    ]


def _cells(table: Table, layout: Layout) -> Iterator[tuple[int, dict[str, str]]]:
    places = places_of(layout, table.headings)
    for number, row in enumerate(table.rows, start=1):
        yield number, {field: row[place] for field, place in places.items()}


def _vintage(table: Table, layout: Layout) -> str | None:
    """What the column says, if it says the same everywhere."""
    place = places_of(layout, table.headings).get("vintage")
    said = {row[place] for row in table.rows} if place is not None else set()
    if len(said) != 1:
        return None
    (vintage,) = said
    try:
        vintage_day(vintage)
    except ValueError:
        return None
    return vintage


def _once(seen: dict[str, int], code: str, number: int) -> None:
    first = seen.setdefault(code, number)
    if first != number:
        raise _Rejected(
            "doubled-code",
            f"La clave ya está en la fila {first}. Deje una de las dos.",
            f"The code is in row {first} already. Keep one of the two.",
        )


def _cvegeo(cells: Mapping[str, str]) -> str | None:
    """Five digits. Apart, state and municipality are numbers, whose zeros may be missing; together they are none."""
    if "cvegeo" in cells:
        code = cells["cvegeo"]
    else:
        state, municipality = cells.get("state", ""), cells.get("municipality", "")
        code = f"{state:0>2}{municipality:0>3}" if state and municipality else ""
    if not code:
        return None
    if (
        len(code) != 5
        or not (code.isascii() and code.isdigit())
        or code[:2] not in BY_CODE
        or code[2:] == "000"
    ):
        raise _Rejected(
            "malformed-cvegeo",
            "La clave del municipio tiene cinco dígitos, los dos primeros de su estado («01001», no «1001»). Guarde la "
            "columna como texto.",
            "A municipality's code has five digits, the first two its state's (“01001”, not “1001”). Save the column "
            "as text.",
        )
    return code


def _clues(code: str, cvegeo: str | None) -> tuple[Text, ...]:
    try:
        return clues.check(code, cvegeo).warnings
    except InvalidInput as refused:
        raise _Rejected("impossible-clues", refused.text.es, refused.text.en) from refused


def _name(cells: Mapping[str, str]) -> str | None:
    """One line of text, as long as a site's name may be."""
    return " ".join(cells.get("name", "").split())[:MAX_NAME] or None


def _level(
    cells: Mapping[str, str], levels: Mapping[str, SiteLevel], doubts: list[tuple[str, Text]]
) -> SiteLevel | None:
    word = folded(cells.get("level", ""))
    if word in levels or word in _LEVELS_UNSAID:
        return levels.get(word)
    doubts.append(
        (
            "unknown-level",
            Text(
                "El nivel de atención no está en [levels] del perfil. Agréguelo, o quedará sin nivel.",
                "The level of care is not in [levels] of the profile. Add it, or there will be none.",
            ),
        )
    )
    return None


def _day(cells: Mapping[str, str]) -> date | None:
    text = cells.get("valid_from", "")
    if not text:
        return None
    match = _DAY.fullmatch(text)
    try:
        if match is None:
            raise ValueError(text)
        year, month, day, of_month, in_month, of_year = match.groups()
        return date(int(year or of_year), int(month or in_month), int(day or of_month))
    except ValueError as error:
        raise _Rejected(
            "malformed-day",
            "valid_from no es un día. Se acepta AAAA-MM-DD o DD/MM/AAAA.",
            "valid_from is no day. Accepted: YYYY-MM-DD or DD/MM/YYYY.",
        ) from error


def _point(
    number: int, code: str, cells: Mapping[str, str], defects: list[Defect]
) -> tuple[float | None, float | None]:
    """Degrees; both or none. What is no number on a map is left out."""
    texts = (cells.get("latitude", ""), cells.get("longitude", ""))
    if not any(texts):
        if "latitude" in cells:
            defects.append(
                doubt(number, code, "no-coordinates", "No tiene coordenadas.", "It has no coordinates.")
            )
        return None, None
    if all(_NUMBER.fullmatch(text) for text in texts):
        latitude, longitude = (float(text.replace(",", ".")) for text in texts)
        if abs(latitude) <= 90 and abs(longitude) <= 180:
            return latitude, longitude
    defects.append(
        doubt(
            number,
            code,
            "malformed-coordinates",
            "Las coordenadas no son grados con decimales, como 19.4326 y -99.1332: se dejan fuera.",
            "The coordinates are no degrees with decimals, like 19.4326 and -99.1332: they are left out.",
        )
    )
    return None, None
