"""Files that must survive a power cut, and whose writers must not overtake one another. POSIX only."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCK = ".lock"


def write_durably(path: Path, data: bytes) -> None:
    """Replace ``path`` by ``data`` (mode 0600): after return it is on disk, before it the old content is.

    The file's bytes are synced before it takes its name, and the directory after, because a name is durable
    only with its directory.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def make_directory(path: Path) -> None:
    """Create ``path`` (mode 0700) durably unless it exists; its parent must be durable already."""
    path.mkdir(mode=0o700, exist_ok=True)
    sync_directory(path.parent)


def remove_durably(path: Path) -> None:
    """Remove ``path`` if it is there; after return it does not come back."""
    path.unlink(missing_ok=True)
    sync_directory(path.parent)


@contextmanager
def exclusively(directory: Path) -> Iterator[None]:
    """Hold ``directory`` against every other process that asks for it; waits. The kernel frees it at
    death."""
    handle = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def sync_directory(path: Path) -> None:
    """The names in a directory are on disk after return."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
