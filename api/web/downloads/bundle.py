"""Everything that is public as of a checkpoint, in one ZIP: counts, incidents and codes, and what describes them.

The tables of counts are those of a mirror, byte for byte as CSV. Each table is written aside, row by row, before the
next one is asked for; the same checkpoint gives the same bytes.
"""

import asyncio
import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from api.labels import INVENTED
from api.web.downloads.contents import Content, Rows, codes, incidents, pieces
from api.web.downloads.writing import written
from api.web.visit import Visit
from projections.counting.definition import DEFINITION_ID, definition_sha256
from projections.counting.disclosure import NexusScope
from projections.counting.query import ask
from projections.counting.tables import SHAPES, Shape
from projections.mirror.description import (
    LICENCE,
    TITLE,
    AsOf,
    Resource,
    citation,
    data_package,
    licence,
    paragraphs,
)
from projections.mirror.layout import CSV, PARQUET
from projections.mirror.parquet import convert
from registry.log.lines import write_base64

TOTALS: Final = SHAPES[0]
"""The table whose questions are certified one by one."""


async def bundle(visit: Visit) -> IO[bytes]:
    """As a file without a name, to be read and closed."""
    as_of = as_of_visit(visit)
    with tempfile.TemporaryDirectory(prefix="constancia-") as aside:
        directory = Path(aside, "files")
        await asyncio.to_thread(directory.mkdir)
        resources: list[Resource] = []
        for content in _contents(visit):
            resources += await _write(directory, content, as_of, visit)
        described = {
            "datapackage.json": data_package(as_of, resources),
            "README.md": readme(as_of),
            "LICENSE": licence(),
            "CITATION.cff": citation(as_of),
            "checkpoint": visit.pinned.checkpoint.note.encode(),
            **await _certificates(visit),
        }
        target = Path(aside, "everything.zip")
        await asyncio.to_thread(_pack, target, directory, described, as_of.published_at)
        return await asyncio.to_thread(target.open, "rb")


def as_of_visit(visit: Visit) -> AsOf:
    """The checkpoint, as descriptions name it."""
    checkpoint = visit.pinned.checkpoint
    warning = INVENTED if visit.site.invented else None
    return AsOf(visit.site.backing.origin, checkpoint.size, checkpoint.root, checkpoint.published_at, warning)


def _contents(visit: Visit) -> Iterator[Content]:
    for shape in SHAPES:
        yield Content(shape.name, shape.about, shape.columns, _answered(visit, shape))
    yield incidents(visit, ask(nexus=NexusScope.BROAD))
    yield codes()


async def _answered(visit: Visit, shape: Shape) -> Rows:
    for query in shape.questions:
        answer = await visit.count(query)
        async for piece in pieces(iter(shape.rows(query, answer.counted))):
            yield piece


async def _write(directory: Path, content: Content, as_of: AsOf, visit: Visit) -> list[Resource]:
    """The table in both forms."""
    paths = {form: directory / f"{content.name}.{form}" for form in (CSV, PARQUET)}
    await written(paths[CSV], CSV, content, {}, visit.language)
    about = {
        "definition": f"{DEFINITION_ID} {definition_sha256()}",
        "asOf": as_of.name,
        "licence": str(LICENCE["name"]),
    }
    await asyncio.to_thread(convert, paths[CSV], paths[PARQUET], content.columns, about)
    return [await asyncio.to_thread(_resource, content, form, path) for form, path in paths.items()]


def _resource(content: Content, form: str, path: Path) -> Resource:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    size = path.stat().st_size
    return Resource(content.name, content.about, content.columns, path.name, form, size, digest)


async def _certificates(visit: Visit) -> dict[str, bytes]:
    """Of each national total."""
    found = {}
    for query in TOTALS.questions:
        answer = await visit.count(query)
        found[f"certificates/{query.unit}-{query.nexus}.txt"] = answer.certificate().encode()
    return found


def _pack(target: Path, directory: Path, described: Mapping[str, bytes], published_at: datetime) -> None:
    when = published_at.astimezone(UTC).timetuple()[:6]
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in described.items():
            with archive.open(_entry(name, when, len(content)), "w") as entry:
                entry.write(content)
        for path in sorted(directory.iterdir()):
            size = path.stat().st_size
            with path.open("rb") as file, archive.open(_entry(path.name, when, size), "w") as entry:
                shutil.copyfileobj(file, entry)


def _entry(name: str, when: tuple[int, ...], size: int) -> zipfile.ZipInfo:
    year, month, day, hour, minute, second = when
    entry = zipfile.ZipInfo(f"constancia/{name}", (year, month, day, hour, minute, second))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    entry.file_size = size  # says whether ZIP64 is needed, before the first byte
    return entry


def readme(as_of: AsOf) -> bytes:
    """``README.md``, Spanish first."""
    root = write_base64(as_of.root)
    es, en = paragraphs(as_of)
    return f"""# {TITLE.es}
{es}
Todo lo que la bitácora pública `{as_of.origin}` ha publicado con {as_of.size} hojas y raíz `{root}`, contado según
`{DEFINITION_ID}` (sha256 `{definition_sha256()}`). Los conteos en CSV son, byte por byte, los de un espejo
(«constancia export»).

- `totals`, `counts` (todos los desgloses), `excluded` (lo que no se cuenta, por motivo), `incidents` (uno por uno) y
  `codes` (qué significa cada código), en CSV y Parquet; `datapackage.json` describe sus columnas.
- Sume solo filas de un mismo `unit` y `nexus`. `low`, `best` y `high` son cotas, no un intervalo de confianza.
- UNDISCLOSED: no es público todavía. UNKNOWN: nadie lo sabe. Cero no significa que no haya datos.
- `checkpoint` y `certificates/`: lo que la bitácora firmó. «constancia verify … --certificate ARCHIVO» vuelve a contar.
- Cite siempre el tamaño y la raíz: `CITATION.cff`. Licencia: CC BY 4.0 (`LICENSE`).

# {TITLE.en}
{en}
All that the public log `{as_of.origin}` has published with {as_of.size} leaves and root `{root}`, counted by
`{DEFINITION_ID}` (sha256 `{definition_sha256()}`). The counts as CSV are, byte for byte, those of a mirror
(“constancia export”).

- `totals`, `counts` (all breakdowns), `excluded` (what is not counted, by reason), `incidents` (one by one) and `codes`
  (what each code means), as CSV and Parquet; `datapackage.json` describes their columns.
- Sum rows of one `unit` and one `nexus` only. `low`, `best` and `high` are bounds, not a confidence interval.
- UNDISCLOSED: not public yet. UNKNOWN: nobody knows. Zero does not mean that there are no data.
- `checkpoint` and `certificates/`: what the log signed. “constancia verify … --certificate FILE” counts again.
- Always cite size and root: `CITATION.cff`. Licence: CC BY 4.0 (`LICENSE`).
""".encode()
