"""The executable schema with its limits: what may be asked in one request, and what errors may say."""

import logging
import sys
from collections.abc import Sequence
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.extensions import MaskErrors, MaxAliasesLimiter, MaxTokensLimiter, QueryDepthLimiter
from strawberry.schema.config import StrawberryConfig

from api.graphql.query import Query
from api.graphql.scalars import SCALARS
from projections.errors import InvalidQuery, NotACheckpoint, ProjectionError
from registry.text import Text

_LOG = logging.getLogger(__name__)

MAX_DEPTH = 10
"""Levels of fields. The deepest useful question has four."""

MAX_ALIASES = 30
"""Aliases of one document: every one may be another count, that is another pass over the table."""

MAX_TOKENS = 2_000
"""Tokens of one document, introspection included (about 400)."""

_UNEXPECTED = Text(
    "Error inesperado de nuestra parte. Repita la pregunta más tarde.",
    "An unexpected error on our side. Ask again later.",
)


class OwnErrorsOnly(MaskErrors):
    """Lets through what GraphQL itself says of the document and what we say on purpose; masks everything else."""

    def anonymise_error(self, error: GraphQLError) -> GraphQLError:
        original = error.original_error
        extensions: dict[str, Any] = {"code": "INTERNAL_ERROR"}
        text = _UNEXPECTED
        if isinstance(original, ProjectionError):
            text, extensions = original.text, {"code": original.code}
            if isinstance(original, InvalidQuery):
                extensions["field"] = original.field
            elif isinstance(original, NotACheckpoint):
                extensions["nearest"] = original.nearest
        return GraphQLError(str(text), nodes=error.nodes, path=error.path, extensions=extensions)


class _Schema(strawberry.Schema):
    def process_errors(self, errors: Sequence[GraphQLError], execution_context: object = None) -> None:  # noqa: ARG002
        """Log only the kinds of errors of our own making: messages and tracebacks may hold values."""
        for error in errors:
            original = error.original_error
            if original is not None and not isinstance(original, (GraphQLError, ProjectionError)):
                path = ".".join(str(step) for step in error.path or ())
                _LOG.error("GraphQL: %s at %s", type(original).__name__, path)


def _is_ours(error: GraphQLError) -> bool:
    return error.original_error is not None and not isinstance(error.original_error, GraphQLError)


schema = _Schema(
    query=Query,
    config=StrawberryConfig(scalar_map=SCALARS),
    extensions=[
        # Made anew for every operation: their state belongs to one.
        lambda: QueryDepthLimiter(max_depth=MAX_DEPTH),
        lambda: MaxAliasesLimiter(max_alias_count=MAX_ALIASES),
        lambda: MaxTokensLimiter(max_token_count=MAX_TOKENS),
        lambda: OwnErrorsOnly(should_mask_error=_is_ours),
    ],
)


def exported() -> str:
    """The schema in GraphQL's own language, as ``schema.graphql`` beside this module holds it."""
    return schema.as_str() + "\n"


if __name__ == "__main__":
    sys.stdout.write(exported())
