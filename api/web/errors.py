"""What cannot be shown, as a page that says what to do."""

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.caching import NEVER
from api.language import language_of
from api.problems import INTERNAL_ERROR, NOT_FOUND, RETRY_AFTER_SECONDS, UNAVAILABLE, Problem
from api.web import questions
from api.web.headers import EMBEDDED, PAGE, secure
from api.web.pages import LANGUAGES, PAGES
from api.web.rendering import render
from projections.errors import (
    CatchingUp,
    DefinitionNotAdopted,
    InvalidQuery,
    NotACheckpoint,
    NotPublishedYet,
    ProjectionError,
    ProjectionStopped,
)
from registry.text import Language, Text

_STATUSES: Final[tuple[tuple[type[ProjectionError], int], ...]] = (
    (InvalidQuery, 400),
    (NotACheckpoint, 404),
    (DefinitionNotAdopted, 404),
    (NotPublishedYet, 503),
    (CatchingUp, 503),
    (ProjectionStopped, 503),
)

_AGAIN: Final = Text("Vuelva a intentarlo en unos segundos.", "Try again in a few seconds.")

_OF_PROGRAMS: Final = ("/v1/", "/log/", "/graphql", "/problems/", "/datos/", "/en/data/")

_WRITTEN_OUT: Final = {
    f"{path}/": path
    for path in (page.path(language) for page in PAGES.values() for language in LANGUAGES)
    if path != "/" and "{" not in path
}
"""Addresses as people type them, with a stroke at the end, and where that page is."""

_FRAMED: Final = tuple(PAGES["embed"].path(language).format(name="") for language in LANGUAGES)
"""What stands in somebody else's page says there, too, why it shows nothing."""


def respond(request: Request, error: Exception, language: Language) -> Response:
    """Problems and projections say what to do themselves; else the database is away."""
    title: Text | None = None
    match error:
        case Problem():
            status, title, text = error.kind.status, error.kind.title, error.detail
        case ProjectionError():
            status, text = _status(error), error.text
        case _:
            status, title, text = UNAVAILABLE.status, UNAVAILABLE.title, _AGAIN
    instead = None
    if isinstance(error, NotACheckpoint) and error.nearest is not None:
        instead = (error.nearest, questions.moved(request.query_params, error.size, error.nearest))
    return _page(request, status, title, text, language, instead)


def is_for_a_reader(request: Request) -> bool:
    """Whether somebody with a browser is to be answered: programs are answered with a problem."""
    path = request.url.path
    of_programs = path.startswith(_OF_PROGRAMS) and path not in _WRITTEN_OUT
    return "text/html" in request.headers.get("accept", "") and not of_programs


def absent(request: Request) -> Response:
    """There is no such address; where only a stroke at its end is too much, it says the right one."""
    if page := _WRITTEN_OUT.get(request.url.path):
        query = request.url.query
        return RedirectResponse(f"{page}?{query}" if query else page, 308, {"cache-control": NEVER})
    return _page(request, NOT_FOUND.status, NOT_FOUND.title, None, _language(request))


def unexpected(request: Request, number: str) -> Response:
    """Our mistake. The operator finds it by its number."""
    told = Text(
        f"El error es nuestro. Vuelva a intentarlo; si sigue, dígale a quien opera el registro este número: {number}",
        f"The error is ours. Try again; if it stays, tell whoever operates the register this number: {number}",
    )
    return _page(request, INTERNAL_ERROR.status, INTERNAL_ERROR.title, told, _language(request))


def _page(
    request: Request,
    status: int,
    title: Text | None,
    text: Text | None,
    language: Language,
    instead: tuple[int, str] | None = None,
) -> Response:
    """``instead``: the size of a checkpoint that the same can be asked of, and the query that does."""
    framed = request.url.path.startswith(_FRAMED)
    body = render(
        "error.html",
        language,
        "",
        {
            "title": None if title is None else title.in_(language),
            "text": None if text is None else text.in_(language),
            "instead": instead,
            "invented": None,
            "framed": framed,
        },
    )
    headers = {
        **secure(EMBEDDED if framed else PAGE),
        "content-type": "text/html; charset=utf-8",
        "cache-control": NEVER,
    }
    if status == 503:
        headers["retry-after"] = str(RETRY_AFTER_SECONDS)
    return Response(body, status, headers)


def _status(error: ProjectionError) -> int:
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


def _language(request: Request) -> Language:
    """The address says it, or else the browser."""
    return "en" if f"{request.url.path}/".startswith("/en/") else language_of(request)
