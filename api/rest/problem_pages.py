"""``GET /problems`` and ``/problems/{slug}``: what each problem type means, for whoever follows its URI."""

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from api.problems import NOT_FOUND, PROBLEMS, Problem, ProblemType


def build_router() -> APIRouter:
    """The documentation of every problem type, in both languages."""
    router = APIRouter(tags=["problems"])

    @router.get("/problems", summary="Los tipos de problema · The problem types")
    async def all_problems() -> Response:
        return _json([_page(kind) for kind in PROBLEMS.values()])

    @router.get("/problems/{slug}", summary="Un tipo de problema · A problem type")
    async def one_problem(slug: str) -> Response:
        if slug not in PROBLEMS:
            raise Problem(NOT_FOUND)
        return _json(_page(PROBLEMS[slug]))

    return router


def _page(kind: ProblemType) -> dict[str, object]:
    return {
        "type": kind.uri,
        "status": kind.status,
        "es": {"title": kind.title.es, "detail": kind.advice.es},
        "en": {"title": kind.title.en, "detail": kind.advice.en},
    }


def _json(value: object) -> Response:
    return Response(
        msgspec.json.encode(value), 200, {"Cache-Control": "public, max-age=3600"}, "application/json"
    )
