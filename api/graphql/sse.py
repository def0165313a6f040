"""GraphQL over server-sent events: the protocol graphql-sse 1.0 in "distinct connections mode".

One request, one stream: an event ``next`` for each result, then ``complete``. A stream that the server ends while it is
restarted has no ``complete``, so that clients come back.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi.sse import format_sse_event
from starlette.responses import Response

from api.counts.answer import Backing
from api.graphql.execution import Operation, Result, follow, ready, run
from api.streams.sse import EventStream


def respond(asked: Operation, backing: Backing) -> Response:
    """The stream of one operation; a query is a stream of one result."""
    return EventStream(_events(asked, backing))


async def _events(asked: Operation, backing: Backing) -> AsyncGenerator[bytes, None]:
    operation = ready(asked)
    if isinstance(operation, Result):
        yield _next(operation)
    elif operation.streams:
        async with aclosing(follow(operation, backing)) as results:
            async for result in results:
                yield _next(result)
    else:
        yield _next(await run(operation, backing))
    if not backing.streams.ending.is_set():
        yield format_sse_event(event="complete", data_str="")


def _next(result: Result) -> bytes:
    return format_sse_event(event="next", data_str=result.encode().decode())
