"""A witness over HTTP: ``add-checkpoint`` for logs, the last checkpoint of each for monitors. c2sp.org/tlog-witness."""

import asyncio
import logging

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from registry.errors import RegistryError
from registry.log.submission import ADD_CHECKPOINT, MAX_BYTES
from registry.log.witnessing import Answer, Witness

log = logging.getLogger("constancia.witness")

_OPEN = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}


def create_witness(witness: Witness) -> Starlette:
    """The app. Submission prefix and monitoring prefix are both its root."""

    async def add_checkpoint(request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BYTES:
                return _response(Answer(413, b"too large\n"))
        return _response(await asyncio.to_thread(_answer, witness, bytes(body)))

    async def shown(request: Request) -> Response:
        note = await asyncio.to_thread(witness.shown, f"{request.path_params['origin']}/checkpoint")
        return _response(Answer(404, b"none\n") if note is None else Answer(200, note.encode()))

    return Starlette(
        routes=[
            Route(f"/{ADD_CHECKPOINT}", add_checkpoint, methods=["POST"]),
            Route("/{origin}/checkpoint", shown, methods=["GET"]),
        ]
    )


def _answer(witness: Witness, body: bytes) -> Answer:
    try:
        answer = witness.add_checkpoint(body)
    except (RegistryError, OSError) as error:
        # What it remembers cannot be read or written: it must not sign until somebody has looked.
        log.critical("nothing is cosigned: %s", error)
        return Answer(500, b"internal error\n")
    log.info("add-checkpoint %s", answer.status)
    return answer


def _response(answer: Answer) -> Response:
    # The specification's type for sizes has no charset, and Starlette would add one to what begins with text/.
    response = Response(answer.body, answer.status, _OPEN)
    response.headers["Content-Type"] = answer.media_type
    return response
