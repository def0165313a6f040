"""The outermost layer of the app: one line of log and one measurement per request, and no exception gets past it.

A 500 tells a number under which the operator finds the place of the error; neither the answer nor the log tells the
exception's words, which may quote private values. The log names routes, never paths or queries: those hold ids.
"""

import logging
import time
from uuid import uuid4

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import Metrics
from api.problems import INTERNAL_ERROR, Problem, answer
from api.redaction import describe
from api.web import errors as pages

access_log = logging.getLogger("constancia.access")
error_log = logging.getLogger("constancia.errors")


# What a client may write there has no bound, and labels must have one.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


# Nobody is there to be answered; nginx's number for it, in the log and the figures only.
_CLIENT_WENT_AWAY = 499


class AnswerAborted(Exception):
    """An answer broke off after its head had been sent. The connection is closed, so that nobody takes it for whole."""


class Boundary:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0
        started = time.perf_counter()

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        except ClientDisconnect:
            status = _CLIENT_WENT_AWAY
        except Exception as error:  # noqa: BLE001 - the last resort
            number = uuid4().urn
            error_log.error("%s: %s", number, describe(error))
            if status:
                raise AnswerAborted(number) from None
            request = Request(scope)
            if pages.is_for_a_reader(request):
                response = pages.unexpected(request, number)
            else:
                response = answer(request, Problem(INTERNAL_ERROR, extra={"instance": number}))
            await response(scope, receive, watched_send)
        finally:
            route = getattr(scope.get("route"), "path", None) or "unmatched"
            seconds = time.perf_counter() - started
            method = scope["method"] if scope["method"] in _METHODS else "OTHER"
            self._metrics.observe(method, route, status, seconds)
            access_log.info("%s %s %d %.1f ms", method, route, status, seconds * 1000)
