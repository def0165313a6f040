"""What a mirror says about itself: Frictionless data package, licence, citation, and a page for whoever finds it.

Data Package 1.0 (specs.frictionlessdata.io), Citation File Format 1.2.0. Everything follows from the checkpoint, so the
same checkpoint gives the same bytes.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from projections.counting.definition import DEFINITION_ID, definition_sha256
from projections.counting.tables import Column, Table
from projections.mirror.layout import CSV, PARQUET, table_path
from registry.log.lines import write_base64
from registry.text import Text

TITLE: Final = Text(
    "Constancia: agresiones y amenazas contra pasantes de medicina en servicio social",
    "Constancia: attacks on and threats against medical students in social service",
)
LICENCE_URL: Final = "https://creativecommons.org/licenses/by/4.0/"
LICENCE: Final = {
    "name": "CC-BY-4.0",
    "path": LICENCE_URL,
    "title": "Creative Commons Attribution 4.0 International",
}
MEDIA_TYPES: Final = {CSV: "text/csv", PARQUET: "application/vnd.apache.parquet"}


@dataclass(frozen=True, slots=True)
class AsOf:
    """The checkpoint that a mirror shows. ``published_at``: when that size was first published, UTC.

    ``warning`` is what whoever finds the data must know first, such as that they are a demonstration's.
    """

    origin: str
    size: int
    root: bytes
    published_at: datetime
    warning: Text | None = None

    @property
    def name(self) -> str:
        """In one line, as it is cited."""
        return f"{self.origin}, size {self.size}, root {write_base64(self.root)}"

    def warned(self, text: Text) -> Text:
        """With the warning before it, if there is one."""
        warning = self.warning
        return text if warning is None else Text(f"{warning.es} {text.es}", f"{warning.en} {text.en}")


class Resource(NamedTuple):
    """A file of a table. ``size`` in bytes, ``sha256`` in hexadecimal."""

    name: str
    about: Text
    columns: Sequence[Column]
    path: str
    form: str
    size: int
    sha256: str


def resources(as_of: AsOf, tables: Sequence[Table], files: Mapping[str, bytes]) -> Iterator[Resource]:
    """The tables of a mirror in both forms. ``files``: their contents by path."""
    for table in tables:
        for form in (CSV, PARQUET):
            path = table_path(as_of.size, table.name, form)
            content = files[path]
            digest = hashlib.sha256(content).hexdigest()
            yield Resource(table.name, table.about, table.columns, path, form, len(content), digest)


def data_package(as_of: AsOf, described: Iterable[Resource]) -> bytes:
    """``datapackage.json``."""
    return _json(
        {
            "profile": "data-package",
            "name": "constancia",
            "id": as_of.name,
            "title": str(as_of.warned(TITLE)),
            "description": (
                f"National counts as of size {as_of.size} of the log {as_of.origin}, by the definition {DEFINITION_ID} "
                f"(sha256 {definition_sha256()}). Recount them with “constancia verify”."
            ),
            "version": str(as_of.size),
            "created": as_of.published_at.isoformat(timespec="seconds"),
            "licenses": [LICENCE],
            "sources": [{"title": as_of.name, "path": "checkpoint"}],
            "resources": [_resource(resource) for resource in described],
        }
    )


def licence() -> bytes:
    """``LICENSE``, of the data. The program has its own."""
    return (
        "Estos datos se publican con la licencia Creative Commons Atribución 4.0 Internacional (CC BY 4.0).\n"
        "These data are licensed under the Creative Commons Attribution 4.0 International licence (CC BY 4.0).\n\n"
        f"SPDX-License-Identifier: CC-BY-4.0\n{LICENCE_URL}legalcode\n\n"
        "Se pueden copiar y transformar citando la fuente (CITATION.cff).\n"
        "They may be copied and transformed with attribution (CITATION.cff).\n"
    ).encode()


def citation(as_of: AsOf) -> bytes:
    """``CITATION.cff``. Its strings are written as JSON, which is YAML."""
    return (
        "cff-version: 1.2.0\n"
        "message: Cite estos datos con el tamaño y la raíz. · Cite these data with size and root.\n"
        "type: dataset\n"
        f"title: {_text(str(as_of.warned(TITLE)))}\n"
        "authors:\n"
        f"  - name: {_text(f'Constancia, {as_of.origin}')}\n"
        f"version: {_text(str(as_of.size))}\n"
        f"date-released: {_text(as_of.published_at.date().isoformat())}\n"
        "license: CC-BY-4.0\n"
        "identifiers:\n"
        "  - type: other\n"
        f"    value: {_text(as_of.name)}\n"
        "    description: Punto de control de la bitácora. · Checkpoint of the log.\n"
    ).encode()


def readme(as_of: AsOf) -> bytes:
    """``README.md``, Spanish first."""
    folder = f"counts/{as_of.size}"
    es, en = paragraphs(as_of)
    return f"""# {TITLE.es}
{es}
Espejo de la bitácora pública `{as_of.origin}` con {as_of.size} hojas y raíz `{write_base64(as_of.root)}`, y de los
conteos que resultan de ella según `{DEFINITION_ID}`. No hay que confiar en quien lo aloja: «constancia verify» con esta
carpeta, y con la clave de la bitácora obtenida por otro medio, comprueba cada hoja y vuelve a contar.

- `checkpoint`, `tile/`, `keys`, `policy`: la bitácora, como la define c2sp.org/tlog-tiles.
- `{folder}/`: `totals`, `counts` (todos los desgloses) y `excluded`, en CSV y Parquet; `datapackage.json` los describe.
- UNDISCLOSED: no es público todavía. UNKNOWN: nadie lo sabe. Cero no significa que no haya datos.
- `LICENSE`: CC BY 4.0. `CITATION.cff`: cómo citar.

# {TITLE.en}
{en}
A mirror of the public log `{as_of.origin}` with {as_of.size} leaves and root `{write_base64(as_of.root)}`, and of the
counts that follow from it by `{DEFINITION_ID}`. Nobody has to trust its host: “constancia verify” with this directory,
and with the log's key obtained by another way, checks every leaf and counts again.

- `checkpoint`, `tile/`, `keys`, `policy`: the log, as c2sp.org/tlog-tiles lays it out.
- `{folder}/`: `totals`, `counts` (all breakdowns), `excluded`, as CSV and Parquet; `datapackage.json` describes them.
- UNDISCLOSED: not public yet. UNKNOWN: nobody knows. Zero does not mean that there are no data.
- `LICENSE`: CC BY 4.0. `CITATION.cff`: how to cite.
""".encode()


def paragraphs(as_of: AsOf) -> tuple[str, str]:
    """The warning as it stands below a heading in both languages; nothing where there is none."""
    return (
        ("", "") if as_of.warning is None else (f"\n**{as_of.warning.es}**\n", f"\n**{as_of.warning.en}**\n")
    )


def schema(columns: Sequence[Column]) -> dict[str, Any]:
    """Frictionless Table Schema."""
    return {
        "fields": [
            {"name": column.name, "type": column.kind.value, "description": str(column.about)}
            for column in columns
        ]
    }


def _resource(resource: Resource) -> dict[str, Any]:
    tabular = {"profile": "tabular-data-resource", "encoding": "utf-8"} if resource.form == CSV else {}
    return {
        "name": resource.name if resource.form == CSV else f"{resource.name}-{resource.form}",
        "title": str(resource.about),
        "path": resource.path,
        "format": resource.form,
        "mediatype": MEDIA_TYPES[resource.form],
        "bytes": resource.size,
        "hash": f"sha256:{resource.sha256}",
        "schema": schema(resource.columns),
        **tabular,
    }


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
