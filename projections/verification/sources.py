"""Where the evidence is read from: a server's ``/log`` over HTTP, or a directory that mirrors it.

Nothing that a source returns is believed. A source only has to deliver bytes, within limits: an answer
larger than any valid one is refused before it fills the memory.

Paths are those of c2sp.org/tlog-tiles (v1), ``checkpoint``, ``tile/…``, and ``keys``.
"""

import os
import re
import time
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self
from urllib.parse import urlsplit, urlunsplit

import httpx

from projections.mirror.layout import COUNTS
from projections.verification.errors import (
    CannotStart,
    DataUnavailable,
    Missing,
    VerificationFailed,
    reason,
)

TEXT_LIMIT: Final = 1 << 20
"""Bytes of a checkpoint or of the list of keys: hundreds of cosignatures fit many times over."""
TILE_LIMIT: Final = 256 * 32
"""Bytes of a full tile: 256 SHA-256 hashes."""
BUNDLE_LIMIT: Final = 256 * (2 + 65_535)
"""Bytes of a full entry bundle: 256 entries, each with its length in two bytes."""
FIGURES_LIMIT: Final = 64 << 20
"""Bytes of one table of counts: a row for every cell of every breakdown, some 500,000 of them."""
ANSWER_LIMIT: Final = 8 << 20
"""Bytes of one GraphQL answer."""

HTML: Final = "text/html"
"""No file of a log is of this type, but the answer of a wrong address is, or of a network that wants a login."""

TIMEOUT: Final = httpx.Timeout(30.0, connect=10.0)
"""Seconds; a server in a distant country answers a bundle of 16 MiB within the 30 s between two reads."""
PAUSES: Final = (0.5, 2.0)
"""Seconds before the second and third attempt, made only when the connection itself failed."""

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,15}")


class Source(Protocol):
    """Something that delivers the files of a log by their path below ``/log``."""

    @property
    def name(self) -> str:
        """What the person gave, for messages."""
        ...

    def read(self, path: str, limit: int) -> bytes:
        """The file's bytes. Raises Missing, DataUnavailable, or VerificationFailed above ``limit`` bytes."""
        ...

    def counted(self) -> Collection[int]:
        """Sizes, besides the checkpoint's, at which the source may have counts as files."""
        ...


class Directory:
    """A static mirror: the log's files, directly in a directory or in its ``log`` folder."""

    def __init__(self, root: Path) -> None:
        inner = root / "log"
        self._root = inner if (inner / "checkpoint").is_file() else root
        self._prefix = f"{self._root}/"
        self.name = str(root)

    def read(self, path: str, limit: int) -> bytes:
        """The file below the mirror's root."""
        # The system's own calls: a log of a million leaves has eight thousand files, most of them small.
        try:
            file = os.open(self._prefix + path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                content = os.read(file, min(os.fstat(file).st_size, limit) + 1)
            finally:
                os.close(file)
        except FileNotFoundError as error:
            raise _missing(f"{self._root}/{path}") from error
        except OSError as error:
            raise DataUnavailable(
                f"No se puede leer {self._root}/{path}: {reason(error).es}. Revise los permisos o copie de nuevo el "
                "espejo.",
                f"Cannot read {self._root}/{path}: {reason(error).en}. Check its permissions or copy the mirror again.",
            ) from error
        return _within(content, limit, path)

    def counted(self) -> Collection[int]:
        """Those of the directories that an export makes."""
        folders = (folder.name for folder in (self._root / COUNTS).glob("*/"))
        return {int(name) for name in folders if _SIZE.fullmatch(name)}


class Site(AbstractContextManager["Site"]):
    """A running register: its log under ``/log`` and its figures under ``/graphql``."""

    def __init__(
        self,
        url: str,
        *,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        base = site_url(url)
        self.name = url
        self._log = f"{base}/log"
        self._graphql = f"{base}/graphql"
        self._pause = pause
        self._client = httpx.Client(
            timeout=TIMEOUT,
            transport=transport,
            follow_redirects=True,
            headers={"User-Agent": "constancia-verify"},
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def read(self, path: str, limit: int) -> bytes:
        """The file below ``/log``."""
        url = f"{self._log}/{path}"
        status, content, kind = self._request("GET", url, limit, None)
        if status in (404, 410):
            raise _missing(url)
        if status != 200:
            raise _refused(url, status)
        if kind == HTML:
            raise _web_page(url)
        return _within(content, limit, path)

    def counted(self) -> Collection[int]:
        """A server is not asked for more than the counts as of its checkpoint."""
        return ()

    def ask(self, body: bytes) -> bytes:
        """One GraphQL request, as its JSON bytes; the answer's bytes, whatever its status below 500."""
        status, content, _ = self._request("POST", self._graphql, ANSWER_LIMIT, body)
        if status >= 500 or status in (404, 405, 429):
            raise _refused(self._graphql, status)
        return _within(content, ANSWER_LIMIT, "graphql")

    def _request(self, method: str, url: str, limit: int, body: bytes | None) -> tuple[int, bytes, str]:
        """Status, content, media type. Repeats only what never got an answer: a status is the server's word."""
        for pause in (*PAUSES, None):
            try:
                return self._once(method, url, limit, body)
            except httpx.TransportError as error:
                if pause is None:
                    raise _unreachable(url, error) from error
                self._pause(pause)
            except (httpx.InvalidURL, httpx.TooManyRedirects, httpx.DecodingError) as error:
                raise _unreachable(url, error) from error
        raise AssertionError  # pragma: no cover - the last pause is None

    def _once(self, method: str, url: str, limit: int, body: bytes | None) -> tuple[int, bytes, str]:
        headers = (
            {"Content-Type": "application/json", "Accept": "application/json"} if body is not None else None
        )
        with self._client.stream(method, url, content=body, headers=headers) as response:
            content = bytearray()
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > limit:
                    break
            kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            return response.status_code, bytes(content), kind


def is_url(location: str) -> bool:
    """Whether the person named a server rather than a directory."""
    return location.startswith(("http://", "https://"))


def site_url(url: str) -> str:
    """The register's base URL, whether given as it is or with ``/log`` at the end. Raises CannotStart."""
    try:
        parts = urlsplit(url)
    except ValueError:  # an IPv6 address without its brackets
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise CannotStart(
            f"«{url}» no es la dirección de un registro. Escriba por ejemplo https://registro.example.org",
            f"“{url}” is not the address of a register. Write for example https://register.example.org",
        )
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/").removesuffix("/log"), "", ""))


def _within(content: bytes, limit: int, path: str) -> bytes:
    if len(content) > limit:
        raise VerificationFailed(
            f"{path} tiene más de {limit} bytes, más de lo que permite su formato: no es parte de una bitácora válida.",
            f"{path} has more than {limit} bytes, more than its format allows: it is no part of a valid log.",
        )
    return content


def _missing(place: str) -> Missing:
    return Missing(
        f"No existe {place}. Revise la dirección; si es un espejo, cópielo de nuevo.",
        f"{place} does not exist. Check the address; if this is a mirror, copy it again.",
    )


def _refused(url: str, status: int) -> DataUnavailable:
    kind = Missing if status in (404, 405) else DataUnavailable
    return kind(
        f"{url} respondió con el estado HTTP {status}. Intente más tarde o con un espejo.",
        f"{url} answered with HTTP status {status}. Try later or with a mirror.",
    )


def _web_page(url: str) -> DataUnavailable:
    return DataUnavailable(
        f"{url} respondió con una página web y no con un archivo de la bitácora. Revise la dirección; si su red pide "
        "iniciar sesión, hágalo primero.",
        f"{url} answered with a web page, not with a file of the log. Check the address; if your network asks you to "
        "log in, do that first.",
    )


def _unreachable(url: str, error: Exception) -> DataUnavailable:
    return DataUnavailable(
        f"No se pudo leer {url} ({type(error).__name__}). Revise la dirección y la conexión; no se ha demostrado "
        "nada, ni a favor ni en contra.",
        f"Could not read {url} ({type(error).__name__}). Check the address and the connection; nothing has been "
        "proved either way.",
    )
