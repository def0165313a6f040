"""A linter for c2sp.org/tlog-tiles, written from its text alone: standard library only, nothing of the register.

    python lint.py URL

Asks a running server for everything that its checkpoint implies, and for what it must not have. Prints each departure
from the specification; the exit status is 1 when there is one. Signatures are for others to check.
"""

import base64
import hashlib
import http.client
import re
import struct
import sys
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

MISSPELLED = (
    "tile/0/0",
    "tile/0/00",
    "tile/0/0000",
    "tile/00/000",
    "tile/-1/000",
    "tile/64/000",
    "tile/data/000",
    "tile/8/0/000",
    "tile/0/x000/000",
    "tile/0/000/",
    "tile/0/000.p",
    "tile/0/000.p/",
    "tile/0/000.p/0",
    "tile/0/000.p/01",
    "tile/0/000.p/256",
    "tile/0/000.p/-1",
    "tile/0/000.P/1",
    "tile/0/000.p/1/",
    "tile/0/%30%30%30.p/999",
    "tile/entries/0",
    "tile/entries/x000/000",
    "tile/entries/000.p/0",
    "tile/entries/000.p/256",
)
"""None of these names anything, whatever the size: an index has one spelling, a partial is 1 to 255 wide."""


class Answer(NamedTuple):
    """What the server said. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Server:
    """One connection, paths below one prefix."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        self._connection = kind(parts.netloc, timeout=30)
        self._prefix = parts.path.rstrip("/")

    def get(self, path: str, method: str = "GET") -> Answer:
        self._connection.request(method, f"{self._prefix}/{path}", headers={"Accept-Encoding": "identity"})
        response = self._connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())

    def close(self) -> None:
        self._connection.close()


class Checkpoint(NamedTuple):
    size: int
    root: bytes


def lint(url: str) -> list[str]:
    """Every departure from the specification, as a sentence that names its path."""
    server = Server(url)
    try:
        return list(_lint(server))
    finally:
        server.close()


def _lint(server: Server) -> Iterator[str]:
    checkpoint, said = _checkpoint(server.get("checkpoint"))
    yield from said
    if checkpoint is None:
        return
    size = checkpoint.size
    leaves: list[bytes] = []
    for number, width in _tiles(size, 0):
        path = f"tile/entries/{_index(number)}{_suffix(width)}"
        answer = server.get(path)
        yield from _resource(path, answer)
        entries = _entries(answer.body)
        if entries is None or len(entries) != width:
            yield f"{path}: not {width} entries"
            return
        leaves += [hashlib.sha256(b"\0" + entry).digest() for entry in entries]

    # The tiles: hash i of tile n at level l is that of the 256^l leaves from (n * 256 + i) * 256^l.
    level, hashes = 0, leaves
    while hashes:
        for number, width in _tiles(size, level):
            path = f"tile/{level}/{_index(number)}{_suffix(width)}"
            answer = server.get(path)
            yield from _resource(path, answer)
            if answer.body != b"".join(hashes[number * 256 : number * 256 + width]):
                yield f"{path}: not the {width} hashes that the entries give"
        level += 1
        hashes = [_root(hashes[at : at + 256]) for at in range(0, len(hashes) - 255, 256)]
    if _root(leaves) != checkpoint.root:
        yield "checkpoint: the entries give another root"
    yield from _narrower(server, size)
    yield from _absent(server, size, level)


def _checkpoint(answer: Answer) -> tuple[Checkpoint | None, list[str]]:
    said = []
    if answer.status != 200:
        return None, [f"checkpoint: status {answer.status}"]
    if answer.headers.get("content-type") != "text/plain; charset=utf-8":
        said.append(f"checkpoint: Content-Type {answer.headers.get('content-type')}")
    if (age := _max_age(answer)) is None or age > 60 or "immutable" in answer.headers["cache-control"]:
        said.append(f"checkpoint: Cache-Control {answer.headers.get('cache-control')}, but it changes")
    text, empty, signatures = answer.body.decode().rpartition("\n\n")
    lines = text.split("\n")
    if not empty or len(lines) < 3 or not re.fullmatch(r"0|[1-9][0-9]*", lines[1]):
        return None, [*said, "checkpoint: not origin, size and root"]
    if not re.fullmatch(r"(— [^ +\n]+ [A-Za-z0-9+/]+={0,2}\n)+", signatures):
        said.append("checkpoint: its signature lines")
    if not any(line.startswith(f"— {lines[0]} ") for line in signatures.split("\n")):
        said.append("checkpoint: the log itself did not sign")
    if re.match(r"[a-z]+://", lines[0]) or lines[0].endswith("/"):
        said.append("checkpoint: the origin is a URL without scheme and without a slash at its end")
    root = base64.b64decode(lines[2], validate=True)
    if len(root) != 32 or base64.b64encode(root).decode() != lines[2]:
        return None, [*said, "checkpoint: the root is not base64 of 32 bytes"]
    return Checkpoint(int(lines[1]), root), said


def _resource(path: str, answer: Answer) -> Iterator[str]:
    """What holds for tiles and bundles alike."""
    if answer.status != 200:
        yield f"{path}: status {answer.status}"
        return
    if answer.headers.get("content-type") != "application/octet-stream":
        yield f"{path}: Content-Type {answer.headers.get('content-type')}"
    if "immutable" not in answer.headers.get("cache-control", "") or (_max_age(answer) or 0) < 86_400:
        yield f"{path}: Cache-Control {answer.headers.get('cache-control')}, but it never changes"
    if not answer.body:
        yield f"{path}: empty"


def _narrower(server: Server, size: int) -> Iterator[str]:
    """Narrower partials may be gone; those that are served begin their tile."""
    last, width = divmod(size, 256)
    whole = server.get(f"tile/0/{_index(last)}{_suffix(width)}").body if width else b""
    for narrow in {1, width // 2, width - 1} & set(range(1, width)):
        path = f"tile/0/{_index(last)}.p/{narrow}"
        answer = server.get(path)
        if answer.status == 200 and answer.body != whole[: 32 * narrow]:
            yield f"{path}: not the beginning of its tile"
        elif answer.status not in (200, 404, 410):
            yield f"{path}: status {answer.status}"


def _absent(server: Server, size: int, levels: int) -> Iterator[str]:
    """Nothing lies beyond the checkpoint, nothing is empty, nothing has two names."""
    for level in range(levels + 1):
        hashes = size // 256**level
        for beyond in (hashes + 1, hashes - hashes % 256 + 256, hashes + 100_000):
            number, width = divmod(beyond, 256)
            first = beyond * 256**level  # the size that would bring it
            for kind in (str(level), *(["entries"] if level == 0 else [])):
                suffix = _suffix(width) if width else ""
                path = f"tile/{kind}/{_index(number if width else number - 1)}{suffix}"
                yield from _not_there(server, path, first)
    for path in MISSPELLED:
        yield from _not_there(server, path, None)


def _not_there(server: Server, path: str, needed: int | None) -> Iterator[str]:
    answer = server.get(path)
    if answer.status in (400, 404):
        if "immutable" in answer.headers.get("cache-control", "") or _max_age(answer):
            yield f"{path}: that it is absent may be cached, but it may come"
        return
    if answer.status == 200 and needed is not None:
        now, _ = _checkpoint(server.get("checkpoint"))
        if now is not None and now.size >= needed:
            return  # the log has grown meanwhile
    yield f"{path}: status {answer.status}, but no checkpoint implies it"


def _tiles(size: int, level: int) -> Iterator[tuple[int, int]]:
    """Number and width of each tile of a level; 256 is a full one."""
    full, rest = divmod(size // 256**level, 256)
    yield from ((number, 256) for number in range(full))
    if rest:
        yield full, rest


def _index(number: int) -> str:
    """Groups of three digits, all but the last with an x before them."""
    digits = f"{number:d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])


def _suffix(width: int) -> str:
    return "" if width == 256 else f".p/{width}"


def _entries(bundle: bytes) -> list[bytes] | None:
    entries, at = [], 0
    while at < len(bundle):
        if at + 2 > len(bundle):
            return None
        (length,) = struct.unpack_from(">H", bundle, at)
        if at + 2 + length > len(bundle):
            return None
        entries.append(bundle[at + 2 : at + 2 + length])
        at += 2 + length
    return entries


def _root(hashes: list[bytes]) -> bytes:
    """RFC 6962 section 2.1."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + _root(hashes[:split]) + _root(hashes[split:])).digest()


def _max_age(answer: Answer) -> int | None:
    found = re.search(r"max-age=([0-9]+)", answer.headers.get("cache-control", ""))
    return int(found[1]) if found else None


if __name__ == "__main__":
    findings = lint(sys.argv[1])
    for finding in findings:
        sys.stdout.write(f"{finding}\n")
    sys.exit(bool(findings))
