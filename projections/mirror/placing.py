"""Files that appear in a mirror whole or not at all, in an order that no crash can turn around.

They are written aside in ``.export`` and synced; renaming them puts them in place, directories are synced after. What
already stands there with the same bytes is left alone, so that a second export writes only what is new.
"""

import os
import shutil
from pathlib import Path
from typing import Final, Self

from registry.log.durable import sync_directory

ASIDE: Final = ".export"
"""The directory inside the mirror where files wait for their turn. Its lock is held by whoever exports."""
_STAGED: Final = "staged"


class Placing:
    """One export's files. ``written`` counts those that were put in place."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._aside = directory / ASIDE / _STAGED
        self._waiting: list[tuple[Path, Path]] = []
        self.written = 0

    def __enter__(self) -> Self:
        # What a killed export left behind.
        shutil.rmtree(self._aside, ignore_errors=True)
        self._aside.mkdir(parents=True)
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._aside, ignore_errors=True)

    def put(self, path: str, content: bytes) -> None:
        """This content shall stand at ``path`` after the next ``place``."""
        target = self._directory / path
        if _holds(target, content):
            return
        aside = self._aside / str(len(self._waiting))
        with aside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        self._waiting.append((aside, target))

    def place(self) -> None:
        """All that waits is in place, on disk, after return. OSError: some may be, each of them whole."""
        changed: set[Path] = set()
        for aside, target in self._waiting:
            changed |= _make_parents(target.parent)
            aside.replace(target)
            changed.add(target.parent)
            self.written += 1
        for directory in changed:
            sync_directory(directory)
        self._waiting.clear()


def _holds(path: Path, content: bytes) -> bool:
    """Whether the file has exactly these bytes. Sizes are compared first: most differ there."""
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False


def _make_parents(directory: Path) -> set[Path]:
    """Makes the directory; which others have a new name in them because of it."""
    missing = [one for one in (directory, *directory.parents) if not one.is_dir()]
    directory.mkdir(parents=True, exist_ok=True)
    return {one.parent for one in missing}
