"""GraphQL over HTTP: the draft of 2025, ``application/graphql-response+json`` and its status codes.

The older ``application/json`` answers 200 to everything that could be read as a request; the new media type answers
400 to what could not be executed. A GET may only query, and never gets a page of HTML. A list of requests in one body
(batching) is refused. With ``Accept: text/event-stream`` the answer is a stream (graphql-sse, distinct connections).
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
from fastapi import APIRouter
from graphql import GraphQLError
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from api.caching import ASK_AGAIN, FOR_EVER, NEVER, entity_tag, is_known
from api.counts.answer import Backing
from api.graphql import caching, sse, websocket
from api.graphql.execution import Operation, Ready, Result, ready, refused, run
from api.graphql.ide import page
from api.graphql.readers import Access, Reader
from api.problems import BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, Problem
from api.problems import answer as problem_answer
from api.routes import plain_route
from api.streams.sse import MEDIA_TYPE as EVENT_STREAM
from registry.text import Text

PATH: Final = "/graphql"
GRAPHQL_RESPONSE: Final = "application/graphql-response+json"
JSON_RESPONSE: Final = "application/json"

MAX_BODY: Final = 64 * 1024
"""Bytes of a request: a document of 2,000 tokens with a list of every municipality is half of it."""

_NOT_JSON: Final = "The request is not JSON in UTF-8."


class BadRequest(Exception):
    """What was sent is no GraphQL request. Answered 400, whatever the media type."""


def build_router(backing: Callable[[HTTPConnection], Backing], access: Access | None = None) -> APIRouter:
    """The endpoint ``/graphql``, and the page on which people write questions. ``backing`` is asked once per request.

    Without ``access`` nobody reads what is restricted.
    """

    async def endpoint(request: Request) -> Response:
        return await _answer(request, backing(request), access)

    async def sockets(socket: WebSocket) -> None:
        await websocket.serve(socket, backing(socket))

    router = APIRouter()
    router.routes.append(plain_route(PATH, endpoint, ("GET", "POST")))
    router.routes.append(WebSocketRoute(PATH, sockets))
    router.routes += page.routes()
    return router


async def _answer(request: Request, backing: Backing, access: Access | None) -> Response:
    accepted = request.headers.get("accept", "")
    media_type = GRAPHQL_RESPONSE if GRAPHQL_RESPONSE in accepted else JSON_RESPONSE
    try:
        asked = await _read(request)
    except BadRequest as error:
        return _respond(refused(GraphQLError(str(error))), media_type, 400)
    except Problem as problem:
        return problem_answer(request, problem)
    if EVENT_STREAM in accepted:
        return sse.respond(asked, backing)
    operation = ready(asked)
    if isinstance(operation, Result):
        return _respond(operation, media_type, _status(operation, media_type))
    if operation.streams:
        return _respond(
            refused(
                GraphQLError("Subscriptions are streamed: accept text/event-stream, or use a WebSocket.")
            ),
            media_type,
            400 if request.method == "POST" else 405,
        )
    private = caching.is_private(operation)
    if request.method != "POST" and not private:
        return await _cached(request, operation, backing, media_type)
    reader = None if access is None else Reader(access, request)
    result = await run(operation, backing, reader)
    return _respond(
        result, media_type, _status(result, media_type), "accept, authorization" if private else "accept"
    )


async def _cached(request: Request, operation: Ready, backing: Backing, media_type: str) -> Response:
    """Answer a GET; with 304 and nothing else where the client holds that answer already."""
    held = request.headers.get("if-none-match")
    pinned = caching.is_pinned(operation)
    keys = tuple(signer.verifier.key_id.hex() for signer in backing.signers) if pinned else ()
    tag = caching.tag_of_question(operation.asked, media_type, keys) if pinned else ""
    if pinned and is_known(held, tag):
        return _not_changed(tag, FOR_EVER)
    result = await run(operation, backing)
    if not result.flawless:
        return _respond(result, media_type, _status(result, media_type))
    body = result.encode()
    if pinned:
        return _with_tag(body, media_type, tag, FOR_EVER)
    tag = entity_tag(body)
    if is_known(held, tag):
        return _not_changed(tag, ASK_AGAIN)
    return _with_tag(body, media_type, tag, ASK_AGAIN)


def _with_tag(body: bytes, media_type: str, tag: str, cache_control: str) -> Response:
    return Response(
        body,
        headers={
            "content-type": f"{media_type}; charset=utf-8",
            "vary": "accept",
            "etag": tag,
            "cache-control": cache_control,
        },
    )


def _not_changed(tag: str, cache_control: str) -> Response:
    return Response(status_code=304, headers={"vary": "accept", "etag": tag, "cache-control": cache_control})


def _respond(result: Result, media_type: str, status: int, vary: str = "accept") -> Response:
    headers = {
        "content-type": f"{media_type}; charset=utf-8",
        "vary": vary,
        "cache-control": NEVER,
    }
    if status == 405:
        headers["allow"] = "POST"
    return Response(result.encode(), status, headers)


def _status(result: Result, media_type: str) -> int:
    return 200 if result.executed or media_type == JSON_RESPONSE else 400


async def _read(request: Request) -> Operation:
    """Raises BadRequest, or Problem for a body of the wrong type or size."""
    if request.method != "POST":
        return _operation(_parameters(request.query_params))
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Problem(UNSUPPORTED_MEDIA_TYPE)
    return _operation(_json(await _body(request)))


def _parameters(query: Mapping[str, str]) -> dict[str, Any]:
    given: dict[str, Any] = dict(query)
    for name in ("variables", "extensions"):
        if name in given:
            given[name] = _json(given[name].encode())
    return given


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            text = Text(
                f"La petición pasa de {MAX_BODY} bytes. Haga varias preguntas más pequeñas.",
                f"The request is larger than {MAX_BODY} bytes. Ask several smaller questions.",
            )
            raise Problem(BODY_TOO_LARGE, text)
    return bytes(body)


def _json(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        raise BadRequest(_NOT_JSON) from None


def _operation(data: Any) -> Operation:
    if not isinstance(data, dict):
        raise BadRequest("A request is one JSON object with “query”; lists of requests are not answered.")
    query = _member(data, "query", str)
    if query is None:
        raise BadRequest("“query” is missing: send the text of a GraphQL document.")
    _member(data, "extensions", dict)
    return Operation(query, _member(data, "variables", dict) or {}, _member(data, "operationName", str))


def _member(data: dict[str, Any], name: str, kind: type) -> Any:
    value = data.get(name)
    if value is not None and not isinstance(value, kind):
        raise BadRequest(f"“{name}” is {'an object' if kind is dict else 'a string'}, or left out.")
    return value
