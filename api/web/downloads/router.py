"""``/datos/…`` and ``/en/data/…``: tables as files, everything as one, and what describes them to catalogues.

The parameters are those of the explorer. As of a size a file never changes, so with ``as_of`` caches may keep it for
ever. What cannot be given is a problem (RFC 9457) in the language of the address.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from typing import IO, Any, Final, NamedTuple

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from api import problems
from api.caching import ASK_AGAIN, FOR_EVER, is_known
from api.parameters import accepted, place
from api.problems import INVALID_INPUT, NOT_FOUND, RETRY_AFTER_SECONDS, UNAVAILABLE, FieldError, Problem
from api.routes import plain_route
from api.web import questions
from api.web.downloads import contents
from api.web.downloads.bundle import as_of_visit, bundle
from api.web.downloads.catalogue import BUNDLE, CATALOGUE, ROOT, TABLES, ZIP, catalogue, dataset
from api.web.downloads.describing import describe
from api.web.downloads.writing import FORMS, made
from api.web.headers import secure
from api.web.pages import LANGUAGES
from api.web.tags import tag
from api.web.visit import Site, Visit
from projections.errors import (
    CatchingUp,
    DefinitionNotAdopted,
    InvalidQuery,
    NotACheckpoint,
    NotPublishedYet,
    ProjectionError,
    ProjectionStopped,
)
from projections.mirror.description import LICENCE_URL, citation
from registry.text import Language, Text

JSON: Final = "application/json"
JSON_LD: Final = "application/ld+json"
METADATA: Final = "-metadata.json"

AT_ONCE: Final = 4
"""Tables that a process writes at once; others wait their turn."""

_PIECE: Final = 1 << 16
_FILTERS: Final = tuple(name for name in questions.NAMES if name not in ("unit", "by"))
_PARAMETERS: Final[Mapping[str, Collection[str]]] = {"counts": questions.NAMES, "incidents": _FILTERS}
_AS_OF: Final = ("as_of",)
_NAMES: Final = {"groupBy": "by"}
"""What the definition calls a field otherwise than an address does."""


class File(NamedTuple):
    """What is served at one path, and which parameters it has. ``make``: the bytes, or a file to be read and closed."""

    name: str
    media_type: str
    parameters: Collection[str]
    make: Callable[[Visit], Awaitable[bytes | IO[bytes]]]
    attached: bool = True


def build_router(site: Site) -> APIRouter:
    """Every file in both languages."""
    downloads = _Downloads(site)
    router = APIRouter()
    for language in LANGUAGES:
        for file in downloads.files(language):
            router.routes.append(downloads.route(file, language))
        router.routes.append(_absent(language))
    return router


class _Downloads:
    def __init__(self, site: Site) -> None:
        self._site = site
        self._tables = asyncio.Semaphore(AT_ONCE)
        self._bundles = asyncio.Semaphore(1)

    def files(self, language: Language) -> list[File]:
        base = self._site.backing.base_url
        found = []
        for table, parameters in _PARAMETERS.items():
            for form, (media_type, _) in FORMS.items():
                found.append(File(f"{table}.{form}", media_type, parameters, self._writes(table, form)))
            found.append(File(table + METADATA, JSON, parameters, self._describes(table), attached=False))

        async def cited(visit: Visit) -> bytes:
            return citation(as_of_visit(visit))

        async def catalogued(visit: Visit) -> bytes:
            return orjson.dumps(catalogue(base, as_of_visit(visit)), option=orjson.OPT_INDENT_2)

        async def searched(visit: Visit) -> bytes:
            return orjson.dumps(dataset(base, as_of_visit(visit), visit.language), option=orjson.OPT_INDENT_2)

        return [
            *found,
            File(BUNDLE.path(language), ZIP, _AS_OF, self._bundle),
            File("CITATION.cff", "application/yaml", _AS_OF, cited, attached=False),
            File(CATALOGUE.path(language), JSON_LD, _AS_OF, catalogued, attached=False),
            File("dataset.jsonld", JSON_LD, _AS_OF, searched, attached=False),
        ]

    def route(self, file: File, language: Language) -> Route:
        async def respond(request: Request) -> Response:
            try:
                return await self._respond(request, file, language)
            except Problem as problem:
                return problems.answer(request, problem, language)
            except ProjectionError as error:
                return problems.answer(request, _problem(error), language)

        return plain_route(f"{ROOT.path(language)}/{file.name}", respond)

    async def _respond(self, request: Request, file: File, language: Language) -> Response:
        _refuse_unknown(request, file.parameters)
        asked = questions.read(request.query_params)
        pinned = await self._site.backing.counts.pin(asked.as_of)
        visit = Visit(self._site, "explore", language, request.query_params, {}, asked.query, pinned)
        named = tag(visit, request.url.path, visit.asked.canonical())
        headers = {
            **secure(),
            "access-control-allow-origin": "*",
            "cache-control": ASK_AGAIN if asked.as_of is None else FOR_EVER,
            "content-language": language,
            "etag": named,
            "link": _links(request.url.path, file, visit),
        }
        if is_known(request.headers.get("if-none-match"), named):
            return Response(status_code=304, headers=headers)
        headers["content-type"] = file.media_type
        if file.attached:
            stem, _, ending = file.name.rpartition(".")
            headers["content-disposition"] = f'attachment; filename="constancia-{stem}-{visit.size}.{ending}"'
        content = await file.make(visit)
        if isinstance(content, bytes):
            return Response(content, headers=headers)
        headers["content-length"] = str(content.seek(0, 2))
        content.seek(0)
        return StreamingResponse(_sent(content), headers=headers)

    def _writes(self, table: str, form: str) -> Callable[[Visit], Awaitable[IO[bytes]]]:
        async def make(visit: Visit) -> IO[bytes]:
            async with self._tables:
                content, described = await _described(visit, table)
                return await made(form, content, described, visit.language)

        return make

    def _describes(self, table: str) -> Callable[[Visit], Awaitable[bytes]]:
        async def make(visit: Visit) -> bytes:
            _, described = await _described(visit, table)
            return orjson.dumps(described, option=orjson.OPT_INDENT_2)

        return make

    async def _bundle(self, visit: Visit) -> IO[bytes]:
        async with self._bundles:
            return await bundle(visit)


async def _described(visit: Visit, table: str) -> tuple[contents.Content, dict[str, Any]]:
    query = questions.one_by_one(visit.asked) if table == "incidents" else visit.asked
    answer = await visit.count(query)
    content = contents.counts(visit, answer) if table == "counts" else contents.incidents(visit, query)
    asked = questions.write(query, visit.size)
    link = f"{visit.site.backing.base_url}{ROOT.path(visit.language)}/{table}.csv?{asked}"
    return content, describe(visit, answer, content, link)


async def _sent(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece


def _links(path: str, file: File, visit: Visit) -> str:
    """The licence, and of a table its description (RFC 8288)."""
    links = [f'<{LICENCE_URL}>; rel="license"']
    table, _, form = file.name.rpartition(".")
    if table in TABLES and form in FORMS:
        asked = questions.write(visit.asked, visit.size)
        links.append(
            f'<{path.rpartition("/")[0]}/{table}{METADATA}?{asked}>; rel="describedby"; type="{JSON}"'
        )
    return ", ".join(links)


def _refuse_unknown(request: Request, known: Collection[str]) -> None:
    """Raises Problem: a filter that is ignored answers something else."""
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in known]
    if unknown:
        raise Problem(INVALID_INPUT, errors=[FieldError(place(name), accepted(known)) for name in unknown])


def _problem(error: ProjectionError) -> Problem:
    match error:
        case InvalidQuery():
            name = error.field.rpartition(".")[2]
            return Problem(INVALID_INPUT, errors=[FieldError(f"query.{_NAMES.get(name, name)}", error.text)])
        case NotACheckpoint():
            nearest = {} if error.nearest is None else {"nearest": error.nearest}
            return Problem(NOT_FOUND, error.text, extra=nearest)
        case DefinitionNotAdopted():
            return Problem(NOT_FOUND, error.text)
        case NotPublishedYet() | CatchingUp() | ProjectionStopped():
            return Problem(UNAVAILABLE, error.text, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
        case _:
            raise error


def _absent(language: Language) -> Route:
    """Any other name there: says which files exist."""
    names = ", ".join(f"{table}.{form}" for table in TABLES for form in FORMS)
    text = Text(
        f"No hay un archivo con ese nombre. Hay: {names}, {BUNDLE.es}.",
        f"There is no file of that name. There are: {names}, {BUNDLE.en}.",
    )

    async def respond(request: Request) -> Response:
        return problems.answer(request, Problem(NOT_FOUND, text), language)

    return plain_route(f"{ROOT.path(language)}/{{name}}", respond)
