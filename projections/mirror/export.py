"""A mirror made or brought up to date: ``constancia export``.

1. The latest published checkpoint says what to export; the mirror's own, if there is one, must be an earlier one of
   the same log.
2. Leaves are read, hashed and folded from the first; tiles are made of those hashes. All of it waits aside.
3. Only if the leaves give the signed root, and the mirror's earlier one on the way, is anything put in place: tiles,
   bundles and counts first, then what describes them, the checkpoint last.

So a reader never sees a checkpoint ahead of its tiles, and a mirror whose export was killed is what it was, perhaps
with files that nobody asks for yet. Nothing that an earlier checkpoint needs is taken away.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from projections.counting.definition import definition_sha256
from projections.counting.fold import Fold
from projections.counting.tables import Table, tables
from projections.errors import DefinitionNotAdopted, ExportRefused, NotPublishedYet
from projections.mirror.description import AsOf, citation, data_package, licence, readme, resources
from projections.mirror.layout import CSV, PARQUET, table_path
from projections.mirror.parquet import read_parquet, write_parquet
from projections.mirror.placing import ASIDE, Placing
from projections.mirror.spreadsheet import write_csv
from projections.verification.tiling import TiledTree
from registry.errors import MalformedLog
from registry.log import storage
from registry.log.checkpoint import Checkpoint, open_checkpoint
from registry.log.durable import exclusively
from registry.log.merkle import EMPTY_ROOT, leaf_hash
from registry.log.note import Verifier
from registry.log.storage import PublishedCheckpoint
from registry.log.tiles import TILE_WIDTH, bundle_path, encode_bundle, tile_path
from registry.text import Text

CHECKPOINT: Final = "checkpoint"


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export did: the size that the mirror shows now, and how many files were written."""

    size: int
    written: int


async def export(
    pool: asyncpg.Pool,
    origin: str,
    verifiers: Collection[Verifier],
    served: Mapping[str, bytes],
    directory: Path,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    warning: Text | None = None,
) -> Exported:
    """Export to ``directory``. ``verifiers`` are the log's keys, ``served`` the other files that it serves.

    ``warning`` is what descriptions of the data begin with.

    :raises ExportRefused: the directory is another log's, or the database is not what was signed.
    :raises NotPublishedYet, DefinitionNotAdopted: there is nothing to export yet.
    """
    _make(directory)
    with exclusively(directory / ASIDE), Placing(directory) as placing:
        latest = await storage.latest_checkpoint(pool)
        if latest is None:
            raise NotPublishedYet
        earlier = _earlier(directory, origin, verifiers, latest)
        fold = await _stage_log(pool, latest, earlier, placing, progress)
        _check_definition(fold)
        as_of = AsOf(origin, latest.size, latest.root, latest.published_at, warning)
        counted = tables(fold)
        files = _files(directory, latest.size, counted)
        for path, content in files.items():
            placing.put(path, content)
        placing.place()
        described = {
            **served,
            "datapackage.json": data_package(as_of, resources(as_of, counted, files)),
            "LICENSE": licence(),
            "CITATION.cff": citation(as_of),
            "README.md": readme(as_of),
        }
        for path, content in described.items():
            placing.put(path, content)
        placing.place()
        placing.put(CHECKPOINT, latest.note.encode())
        placing.place()
        return Exported(latest.size, placing.written)


def _make(directory: Path) -> None:
    try:
        (directory / ASIDE).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportRefused(
            f"No se puede escribir en {directory}: {error.strerror}. Indique otra carpeta.",
            f"Cannot write to {directory}: {error.strerror}. Give another directory.",
        ) from error


def _earlier(
    directory: Path, origin: str, verifiers: Collection[Verifier], latest: PublishedCheckpoint
) -> Checkpoint | None:
    """The checkpoint that the mirror shows now. ExportRefused when this log cannot follow it."""
    try:
        note = (directory / CHECKPOINT).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        note = ""
    try:
        earlier, _ = open_checkpoint(note, origin, verifiers)
    except MalformedLog as error:
        raise ExportRefused(
            f"{directory} tiene otra bitácora, o un checkpoint que esta no firmó; no se tocó. Exporte {origin} a una "
            f"carpeta propia. {error.text.es}",
            f"{directory} holds another log, or a checkpoint that this one did not sign; it was left alone. Export "
            f"{origin} to a directory of its own. {error.text.en}",
        ) from error
    if earlier.size > latest.size:
        raise ExportRefused(
            f"El espejo en {directory} ya muestra {earlier.size} hojas y esta base de datos solo tiene publicadas "
            f"{latest.size}. Parece una copia restaurada: recupere la más reciente. El espejo no se tocó.",
            f"The mirror in {directory} shows {earlier.size} leaves already and this database has published only "
            f"{latest.size}. It seems to be a restored copy: recover the newest database. The mirror was left alone.",
        )
    return earlier


async def _stage_log(
    pool: asyncpg.Pool,
    latest: PublishedCheckpoint,
    earlier: Checkpoint | None,
    placing: Placing,
    progress: Callable[[int, int], None],
) -> Fold:
    """All leaves hashed and folded, all tiles and bundles aside. ExportRefused unless the roots are the signed ones."""
    fold = Fold()
    tree = TiledTree(
        lambda tile, content: placing.put(tile_path(tile.level, tile.index, tile.width), content)
    )
    sizes = {latest.size} if earlier is None else {latest.size, earlier.size}
    roots = {0: EMPTY_ROOT}
    for start in range(0, latest.size, TILE_WIDTH):
        width = min(TILE_WIDTH, latest.size - start)
        leaves = await storage.read_entries(pool, start, width)
        for index, leaf in enumerate(leaves, start):
            tree.append(leaf_hash(leaf))
            _fold(fold, index, leaf)
            if tree.size in sizes:
                roots[tree.size] = tree.root()
        placing.put(bundle_path(start // TILE_WIDTH, width), encode_bundle(leaves))
        progress(tree.size, latest.size)
    tree.finish()
    for size, root in {(latest.size, latest.root)} | ({(earlier.size, earlier.root)} if earlier else set()):
        if roots.get(size) != root:
            raise _not_signed(size)
    return fold


def _fold(fold: Fold, index: int, leaf: bytes) -> None:
    try:
        fold.add(index, leaf)
    except MalformedLog as error:
        raise ExportRefused(
            f"La hoja {index} de la base de datos no es válida. No se exportó nada. {error.text.es}",
            f"Leaf {index} of the database is not valid. Nothing was exported. {error.text.en}",
        ) from error


def _not_signed(size: int) -> ExportRefused:
    return ExportRefused(
        f"Las hojas de la base de datos no dan la raíz firmada con tamaño {size}: algo se cambió o se perdió, o el "
        "espejo es de otra historia. No se exportó nada; el publicador nombra la hoja (docs/operating.md).",
        f"The database's leaves do not give the root signed at size {size}: something was changed or lost, or the "
        "mirror is of another history. Nothing was exported; the publisher names the leaf (docs/operating.md).",
    )


def _check_definition(fold: Fold) -> None:
    adopted = fold.definition.sha256 if fold.definition else None
    if adopted != definition_sha256():
        raise DefinitionNotAdopted(fold.size, adopted, definition_sha256())


def _files(directory: Path, size: int, counted: Collection[Table]) -> dict[str, bytes]:
    """The tables by path. A Parquet file that says the same already stays: another DuckDB writes other bytes."""
    files: dict[str, bytes] = {}
    for table in counted:
        files[table_path(size, table.name, CSV)] = write_csv(table)
        path = table_path(size, table.name, PARQUET)
        files[path] = _kept(directory / path, table) or write_parquet(table)
    return files


def _kept(path: Path, table: Table) -> bytes | None:
    try:
        content = path.read_bytes()
        names, rows = read_parquet(content)
    except (FileNotFoundError, ValueError):
        return None
    same = names == [column.name for column in table.columns] and rows == list(table.rows)
    return content if same else None
