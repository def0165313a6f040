"""``GET /graphql/ide``: a page on which people write questions, GraphiQL, from files that the register brings along.

It is answered to browsers, which accept ``text/html``, on a path of its own: ``/graphql`` never answers with a page.
The page may load these files and ask this register; its Content-Security-Policy (W3C, level 3) forbids all else, inline
scripts and styles among it. ``built`` is made from ``source`` by ``make ide``; the tests make it again and compare.
"""

from functools import cache
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.caching import ASK_AGAIN, entity_tag, is_known
from api.problems import NOT_ACCEPTABLE, Problem, answer
from api.routes import plain_route

PATH: Final = "/graphql/ide"

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

_FILES: Final = {
    "index.html": "text/html; charset=utf-8",
    "ide.js": "text/javascript; charset=utf-8",
    "ide.css": "text/css; charset=utf-8",
    "licences.txt": "text/plain; charset=utf-8",
}
"""The page, what it loads, and whose work that is; each with its media type."""


def routes() -> list[Route]:
    """The page and its files."""
    return [
        _route(PATH, "index.html"),
        *(_route(f"{PATH}/{name}", name) for name in _FILES if name != "index.html"),
    ]


def _route(path: str, name: str) -> Route:
    async def respond(request: Request) -> Response:
        if name == "index.html" and "text/html" not in request.headers.get("accept", ""):
            return answer(request, Problem(NOT_ACCEPTABLE))
        return _respond(request, name)

    return plain_route(path, respond)


def _respond(request: Request, name: str) -> Response:
    content, tag = _file(name)
    headers = {
        "content-type": _FILES[name],
        "content-security-policy": CONTENT_SECURITY_POLICY,
        "cross-origin-opener-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "cache-control": ASK_AGAIN,
        "etag": tag,
        "vary": "accept",
    }
    if is_known(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers)


@cache
def _file(name: str) -> tuple[bytes, str]:
    content = files("api.graphql.ide").joinpath("built", name).read_bytes()
    return content, entity_tag(content)
