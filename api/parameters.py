"""Query parameters that an endpoint does not have: refused, because a filter that is ignored answers something else."""

import re
from collections.abc import Collection
from typing import Final

from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from fastapi.routing import APIRoute
from starlette.requests import Request

from api.problems import INVALID_INPUT, FieldError, Problem
from registry.text import Text

# A name is of the request, too: what no parameter of ours could be called is not repeated.
_NAME: Final = re.compile(r"[a-z_]{1,40}")


def refuse_unknown(request: Request) -> None:
    """:raises Problem: 422 that names each parameter which this endpoint does not have, and those that it has."""
    if not request.query_params:
        return
    route = request.scope["route"]
    if not isinstance(route, APIRoute):
        raise TypeError(f"{type(route).__name__} declares no parameters")
    known = _declared(route)
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in known]
    if unknown:
        raise Problem(INVALID_INPUT, errors=[FieldError(place(name), accepted(known)) for name in unknown])


def _declared(route: APIRoute) -> list[str]:
    return [field.alias for field in get_flat_params(route.dependant) if isinstance(field.field_info, Query)]


def place(name: str) -> str:
    """Where a problem says that a parameter is wrong."""
    return f"query.{name}" if _NAME.fullmatch(name) else "query"


def accepted(names: Collection[str]) -> Text:
    """What stands there instead of a parameter that is not known."""
    if not names:
        return Text("No se aceptan parámetros aquí.", "No parameters are accepted here.")
    listed = ", ".join(names)
    return Text(
        f"Este parámetro no se conoce aquí. Se aceptan: {listed}.",
        f"This parameter is not known here. Accepted: {listed}.",
    )
