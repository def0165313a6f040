"""Which answers caches may keep, and what their ETag follows from (see ``api.caching``).

An answer in which everything is pinned to sizes of the log never changes, so its ETag follows from the question alone:
who has the answer is told so without asking the database. A note is renewed by its witnesses while its size stays, so
an answer that shows one is not pinned.
"""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Final

import orjson
from graphql import FieldNode, IntValueNode, VariableNode

from api.caching import entity_tag
from api.graphql.execution import Operation, Ready
from projections.counting.definition import definition_sha256

_PROGRAM: Final = version("constancia")

_PINNED_BY: Final[Mapping[str, frozenset[str]]] = {
    "count": frozenset({"asOf"}),
    "counts": frozenset({"asOf"}),
    "incident": frozenset({"asOf"}),
    "incidents": frozenset({"asOf"}),
    "changes": frozenset({"from", "to"}),
    "checkpoint": frozenset({"size"}),
}
"""The arguments that pin what a question is about."""

_RENEWED: Final = frozenset({"note", "witnesses"})


def is_pinned(operation: Ready) -> bool:
    """Whether a flawless answer to this will be the same for ever."""
    document = operation.prepared.document
    if document is None:
        return False
    fields = list(document.fields(operation.node.selection_set))
    if not fields or not all(_names_its_size(field, operation.asked.variables) for field in fields):
        return False
    return document.names.isdisjoint(_RENEWED)


def is_private(operation: Ready) -> bool:
    """Whether the answer is for one reader only, whoever else asks the same."""
    document = operation.prepared.document
    return document is not None and "restricted" in document.names


def tag_of_question(asked: Operation, media_type: str, keys: tuple[str, ...]) -> str:
    """The ETag of a pinned answer: another program, definition or key that signs may word it anew."""
    told = [
        _PROGRAM,
        definition_sha256(),
        keys,
        media_type,
        asked.query,
        asked.variables,
        asked.name,
    ]
    return entity_tag(orjson.dumps(told, option=orjson.OPT_SORT_KEYS))


def _names_its_size(field: FieldNode, variables: Mapping[str, Any]) -> bool:
    wanted = _PINNED_BY.get(field.name.value)
    if wanted is None:
        return False
    given = {
        argument.name.value for argument in field.arguments or () if _is_number(argument.value, variables)
    }
    return wanted <= given


def _is_number(node: Any, variables: Mapping[str, Any]) -> bool:
    if isinstance(node, VariableNode):
        return isinstance(variables.get(node.name.value), int)
    return isinstance(node, IntValueNode)
