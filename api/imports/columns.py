"""Tables as the API takes them: headings are paths of fields, or those of our templates; an empty cell is absent.

Nothing is translated here: somebody else's columns and words need a profile, on the side of who has the file.
"""

from typing import Final

import msgspec

from api.imports.dates import fold
from api.imports.errors import FileRefused
from api.imports.explaining import types_at
from api.imports.paths import BadPath, Path, build, parse_path, show_path
from api.imports.records import KINDS, Records
from api.imports.tables import Row
from api.imports.template_fields import paths_by_heading

_BOOLEANS: Final = {"true": True, "false": False}
ERRORS: Final = "error"
"""The last column of the copies that imports give back."""

_DIGITS: Final = 15
"""More are no count that JSON numbers hold exactly."""


class Columns:
    """The headings of one table as fields of one kind of record. Raises FileRefused for a heading that is none."""

    def __init__(self, headings: tuple[str, ...], records: Records) -> None:
        self._fields: list[tuple[str, Path, frozenset[str]]] = []
        for position, heading in enumerate(headings, start=1):
            if position == len(headings) and heading == ERRORS:
                continue  # an annotated copy of ours, mended and sent again
            try:
                path = parse_path(paths_by_heading(records).get(fold(heading), heading))
            except BadPath:
                path = ()
            types = frozenset().union(*(types_at(draft, path) for draft in KINDS[records].drafts))
            if not types:
                raise FileRefused(
                    f"El nombre de la columna {position} no es un campo de {records}. Se escribe como when.earliest "
                    "o victims[0].role; docs/import.md los enumera.",
                    f"The name of column {position} is not a field of {records}. Write it like when.earliest or "
                    "victims[0].role; docs/import.md lists them.",
                    place=f"columns[{position}]",
                    column=heading,
                )
            self._fields.append((heading, path, types))
        try:
            build([(path, None) for _, path, _ in self._fields])
        except BadPath as error:
            raise FileRefused(
                "Dos columnas dan el mismo campo (como reports[0] y reports[0].source_record_id). Deje una.",
                "Two columns give the same field (like reports[0] and reports[0].source_record_id). Keep one.",
                place="columns",
            ) from error

    @property
    def origins(self) -> dict[str, tuple[str, ...]]:
        """The columns behind each field."""
        return {show_path(path): (heading,) for heading, path, _ in self._fields}

    def field_of(self, heading: str) -> str | None:
        """The field that a column fills."""
        return next((show_path(path) for name, path, _ in self._fields if name == heading), None)

    def line(self, row: Row) -> bytes:
        """The row as one JSON object."""
        values = [
            (path, _typed(cell, types))
            for heading, path, types in self._fields
            if (cell := row.cells[heading])
        ]
        return msgspec.json.encode(build(values))


def _typed(cell: str, types: frozenset[str]) -> str | int | bool:
    if "integer" in types and cell.isascii() and cell.isdecimal() and len(cell) <= _DIGITS:
        return int(cell)
    if "boolean" in types and cell.lower() in _BOOLEANS:
        return _BOOLEANS[cell.lower()]
    return cell
