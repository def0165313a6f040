"""Plain routes: FastAPI's own would look for parameters and models on the way."""

from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def plain_route(
    path: str, endpoint: Callable[[Request], Awaitable[Response]], methods: Sequence[str] = ("GET",)
) -> Route:
    """A route in no schema. As with FastAPI's own, the log and the figures name a request by its path."""

    async def respond(request: Request) -> Response:
        request.scope["route"] = route
        return await endpoint(request)

    route = Route(path, respond, methods=list(methods), include_in_schema=False)
    return route
