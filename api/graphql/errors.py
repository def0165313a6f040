"""What errors may say: what GraphQL itself says of a document, and what we say on purpose. Nothing else gets out."""

import logging
from typing import Any

from graphql import GraphQLError

from api.redaction import describe
from api.streams.streams import StreamsFull
from projections.errors import InvalidQuery, NotACheckpoint, ProjectionError
from registry.errors import RegistryError
from registry.text import Text

_LOG = logging.getLogger("constancia.errors")


class Forbidden(RegistryError):
    """What was asked for is not for everybody. The text says what opens it."""


_UNEXPECTED = Text(
    "Error inesperado de nuestra parte. Repita la pregunta más tarde.",
    "An unexpected error on our side. Ask again later.",
)


def shown(error: GraphQLError) -> GraphQLError:
    """The error as a client may see it. One of our own making is logged by its place, never in its words."""
    original = error.original_error
    if original is None or isinstance(original, GraphQLError):
        return error
    if isinstance(original, RegistryError) and (told := _told(original)) is not None:
        text, extensions = told
    else:
        path = ".".join(str(step) for step in error.path or ())
        _LOG.error("GraphQL at %s: %s", path, describe(original))
        text, extensions = _UNEXPECTED, {"code": "INTERNAL_ERROR"}
    return GraphQLError(str(text), nodes=error.nodes, path=error.path, extensions=extensions)


def refusal(code: str, text: Text, **extensions: int) -> GraphQLError:
    """A document that is not executed."""
    return GraphQLError(str(text), extensions={"code": code, **extensions})


def _told(error: RegistryError) -> tuple[Text, dict[str, Any]] | None:
    if isinstance(error, InvalidQuery):
        return error.text, {"code": error.code, "field": error.field}
    if isinstance(error, NotACheckpoint):
        return error.text, {"code": error.code, "nearest": error.nearest}
    if isinstance(error, ProjectionError):
        return error.text, {"code": error.code}
    if isinstance(error, Forbidden):
        return error.text, {"code": "FORBIDDEN"}
    if isinstance(error, StreamsFull):
        return error.text, {"code": "TOO_MANY_STREAMS"}
    return None
