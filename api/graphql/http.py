"""GraphQL over HTTP: the draft of 2025, ``application/graphql-response+json`` and its status codes.

The older ``application/json`` answers 200 to everything that could be read as a request; the new media type answers
400 to what could not be executed. A GET may only query, and never gets a page of HTML.
"""

import json
from collections.abc import Callable
from typing import Any

from cross_web import AsyncHTTPRequestAdapter, HTTPException, StarletteRequestAdapter
from fastapi import APIRouter
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from strawberry.fastapi import GraphQLRouter
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError

from api.graphql.answer import Backing
from api.graphql.schema import schema

GRAPHQL_RESPONSE = "application/graphql-response+json"
MAX_BODY = 64 * 1024
"""Bytes of a request: a document of 2,000 tokens with a list of every municipality is half of it."""


def build_router(backing: Callable[[HTTPConnection], Backing]) -> APIRouter:
    """The endpoint ``/graphql``. ``backing`` is asked once per request."""

    async def context(connection: HTTPConnection) -> dict[str, Any]:
        return {"backing": backing(connection)}

    # The path stands here, not at the mount: the log and the figures name a request by its route's own path.
    return _Router(
        schema,
        path="/graphql",
        graphql_ide=None,
        allow_queries_via_get=True,
        context_getter=context,
        subscription_protocols=(),
        include_in_schema=False,
    )


class _LimitedRequest(StarletteRequestAdapter):
    async def get_body(self) -> bytes:
        body = bytearray()
        async for chunk in self._request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                raise HTTPException(
                    413, f"The request is larger than {MAX_BODY} bytes. Ask several smaller questions."
                )
        return bytes(body)


class _Router(GraphQLRouter[dict[str, Any], None]):
    request_adapter_class = _LimitedRequest

    async def get_sub_response(self, request: Request) -> Response:  # noqa: ARG002
        # The library keeps one on the router, which concurrent requests would share.
        return Response()

    def should_render_graphql_ide(self, request: Any) -> bool:  # noqa: ARG002
        return False

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData:
        if request.method == "GET":
            data: Any = self.parse_query_params(request.query_params)
        elif (request.content_type or "").partition(";")[0].strip().lower() == "application/json":
            data = self.parse_json(await request.get_body())
        else:
            raise HTTPException(415, "Send the request as application/json.")
        if not isinstance(data, dict):
            raise HTTPException(400, "A request is one JSON object with “query”.")
        return GraphQLRequestData(
            query=_member(data, "query", str),
            variables=_member(data, "variables", dict),
            operation_name=_member(data, "operationName", str),
            extensions=_member(data, "extensions", dict),
        )

    def parse_json(self, data: str | bytes) -> Any:
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            raise HTTPException(400, "The request is not JSON in UTF-8.") from None

    async def execute_single(
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        sub_response: Response,
        context: dict[str, Any],
        root_value: None,
        request_data: GraphQLRequestData,
    ) -> ExecutionResult:
        result = await super().execute_single(
            request, request_adapter, sub_response, context, root_value, request_data
        )
        wanted = _wants_graphql_response(request)
        sub_response.headers["content-type"] = (
            f"{GRAPHQL_RESPONSE if wanted else 'application/json'}; charset=utf-8"
        )
        if wanted and _was_not_executed(result):
            sub_response.status_code = 400
        return result

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        data = await super().process_result(request, result)
        if _wants_graphql_response(request) and _was_not_executed(result):
            # Only an operation that was begun has data, be it null.
            data.pop("data", None)
        return data

    def create_response(
        self, response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse], sub_response: Response
    ) -> Response:
        return Response(
            self.encode_json(response_data),
            status_code=sub_response.status_code,
            headers={"content-type": sub_response.headers["content-type"], "vary": "accept"},
        )


def _member(data: dict[str, Any], name: str, kind: type) -> Any:
    value = data.get(name)
    if value is not None and not isinstance(value, kind):
        raise HTTPException(400, f"“{name}” is {'an object' if kind is dict else 'a string'}, or left out.")
    return value


def _wants_graphql_response(request: Request) -> bool:
    return GRAPHQL_RESPONSE in request.headers.get("accept", "")


def _was_not_executed(result: ExecutionResult) -> bool:
    """Whether the document was refused before anything was asked: such errors have no path."""
    if isinstance(result, PreExecutionError):
        return True
    return (
        result.data is None and bool(result.errors) and all(not error.path for error in result.errors or ())
    )
