"""``/static/{name}``: the files that pages load. Addresses hold their hash, so that caches may keep them for ever."""

import hashlib
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.caching import ASK_AGAIN, FOR_EVER, is_known
from api.routes import plain_route
from api.web.charts import style

_MEDIA_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
}
_STYLE: Final = "site.css"
_ROOM: Final = files("api.web").joinpath("static")


class StaticFile(NamedTuple):
    """``version``: the first 12 digits of its SHA-256."""

    content: bytes
    media_type: str
    version: str


@cache
def static_files() -> dict[str, StaticFile]:
    """All files of the site by name. The style sheet begins with that of pictures."""
    found = {}
    for entry in _ROOM.iterdir():
        content = (style.source() if entry.name == _STYLE else b"") + entry.read_bytes()
        media_type = _MEDIA_TYPES[entry.name.rpartition(".")[2]]
        found[entry.name] = StaticFile(content, media_type, hashlib.sha256(content).hexdigest()[:12])
    return found


def static_address(name: str) -> str:
    """Where a page finds the file."""
    return f"/static/{name}?v={static_files()[name].version}"


def routes() -> list[Route]:
    """One for each file."""
    return [_route(name, file) for name, file in static_files().items()]


def _route(name: str, file: StaticFile) -> Route:
    tag = f'"{file.version}"'

    async def respond(request: Request) -> Response:
        pinned = request.query_params.get("v") == file.version
        headers = {
            "etag": tag,
            "cache-control": FOR_EVER if pinned else ASK_AGAIN,
            "x-content-type-options": "nosniff",
        }
        if is_known(request.headers.get("if-none-match"), tag):
            return Response(status_code=304, headers=headers)
        return Response(file.content, headers={**headers, "content-type": file.media_type})

    return plain_route(f"/static/{name}", respond)
