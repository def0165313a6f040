"""Documents made ready: parsed, validated and kept, since clients send the same ones again and again."""

from functools import lru_cache
from typing import Final, NamedTuple

from graphql import (
    DocumentNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    get_operation_ast,
    parse,
    validate,
)

from api.graphql.limits import MAX_TOKENS, Document, check_aliases
from api.graphql.schema import SCHEMA

REMEMBERED: Final = 512
"""Documents kept; at most 64 KiB each, mostly one."""


class Prepared(NamedTuple):
    """A document that may be executed, or the errors that say why not."""

    document: Document | None
    errors: tuple[GraphQLError, ...]

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation to execute. Raises GraphQLError where it is not clear which (GraphQL, section 6.1)."""
        if self.document is None:
            raise self.errors[0]
        node = self.document.node
        found = get_operation_ast(node, name)
        if found is not None:
            return found
        if name is not None:
            raise GraphQLError(f"Unknown operation named '{name}'.")
        operations = sum(isinstance(one, OperationDefinitionNode) for one in node.definitions)
        raise GraphQLError(
            "Must provide operation name if query contains multiple operations."
            if operations
            else "Must provide an operation."
        )


@lru_cache(maxsize=REMEMBERED)
def prepare(text: str) -> Prepared:
    """Parse and validate. The same text gives the same object, so it must not be changed."""
    try:
        document = parse(text, max_tokens=MAX_TOKENS)
    except GraphQLError as error:
        return Prepared(None, (error,))
    errors = check_aliases(document) or validate(SCHEMA, document)
    if errors:
        return Prepared(None, tuple(errors))
    return Prepared(Document(SCHEMA, document), ())


def is_subscription(operation: OperationDefinitionNode) -> bool:
    """Whether it is answered by a stream."""
    return operation.operation is OperationType.SUBSCRIPTION


def syntax(prepared: Prepared) -> DocumentNode:
    """The parsed document of what was accepted."""
    if prepared.document is None:
        raise prepared.errors[0]
    return prepared.document.node
