"""How much one request may ask: levels, aliases, tokens, and a budget, so that no document costs what a thousand do.

The cost of a document is what answering it takes at most, in units of one object of the answer: every object is 1, a
list is its page, and what is asked of the database has a price of its own.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
)
from graphql.language import IntValueNode, VariableNode

from api.graphql.cursors import DEFAULT_PAGE, MAX_PAGE
from api.graphql.errors import refusal
from api.graphql.executor import Plans
from registry.text import Text

MAX_DEPTH: Final = 10
"""Levels of fields. The deepest useful question has six."""

MAX_ALIASES: Final = 30
"""Aliases of one document: every one may be another count, that is another statement."""

MAX_TOKENS: Final = 2_000
"""Tokens of one document, introspection included (about 400)."""

MAX_COST: Final = 10_000
"""A page of 100 incidents with facets and histories is 8,000; a table by state and year 250."""

PRICES: Final[Mapping[str, int]] = {
    "Query.count": 50,
    "Query.counts": 100,
    "Query.changes": 50,
    "Query.incident": 10,
    "Query.incidents": 50,
    "Restricted.counts": 300,
    "Query.checkpoint": 5,
    "Query.checkpoints": 10,
    "IncidentConnection.totalCount": 50,
    "Subscription.count": 50,
    "Count.certificate": 5,
    "CountTable.certificate": 5,
}
"""Of one statement each; a certificate is a signature."""

LENGTHS: Final[Mapping[str, int]] = {
    "CountTable.rows": 100,
    "CountRow.key": 3,
    "RestrictedTable.rows": 100,
    "RestrictedRow.key": 3,
    "Count.excluded": 8,
    "Incident.facets": 7,
    "Incident.history": 8,
    "Change.effect": 6,
}
"""How long lists are supposed to be that are not pages."""

_PAGED: Final = frozenset({"Query.changes", "Query.incidents", "Query.checkpoints"})


class Measure(NamedTuple):
    """Of a selection: levels of fields, and cost."""

    depth: int
    cost: int


class Document:
    """A valid document, with what it takes to judge its operations. ``names`` are those of all fields."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self.node, self._schema = document, schema
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        fields = list(_all_fields(document))
        self.names = frozenset(node.name.value for node in fields)
        # Whether the variables have a say in what is selected, or in how much.
        self._selects_by_variables = _has_directives(document)
        self._pages_by_variables = any(
            argument.name.value == "first" and isinstance(argument.value, VariableNode)
            for node in fields
            for argument in node.arguments or ()
        )
        self._plans: Plans = {}
        self._checked: dict[int, GraphQLError | None] = {}

    def check(self, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> GraphQLError | None:
        """The refusal of an operation with too many levels, or beyond the budget; it says what the limit is."""
        if self._pages_by_variables:
            return self._check(operation, variables)
        if id(operation) not in self._checked:
            self._checked[id(operation)] = self._check(operation, variables)
        return self._checked[id(operation)]

    def plans(self) -> Plans:
        """How the executor reads this document: remembered, unless that depends on the variables."""
        return {} if self._selects_by_variables else self._plans

    def _check(self, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> GraphQLError | None:
        measure = self._measure(operation.selection_set, self._root(operation), variables, {})
        if measure.depth > MAX_DEPTH:
            text = Text(
                f"La pregunta tiene {measure.depth} niveles y el máximo es {MAX_DEPTH}. Divídala en varias.",
                f"The question has {measure.depth} levels and the limit is {MAX_DEPTH}. Split it.",
            )
            return refusal("TOO_DEEP", text, depth=measure.depth, limit=MAX_DEPTH)
        if measure.cost > MAX_COST:
            text = Text(
                f"La pregunta cuesta {measure.cost} y el límite es {MAX_COST}. Pida páginas más cortas, o menos a la "
                "vez.",
                f"The question costs {measure.cost} and the limit is {MAX_COST}. Ask for shorter pages, or for less "
                "at a time.",
            )
            return refusal("TOO_EXPENSIVE", text, cost=measure.cost, limit=MAX_COST)
        return None

    def fields(self, selections: SelectionSetNode) -> Iterator[FieldNode]:
        """The fields that are selected of one object, also by fragments, each of which counts once.

        All of one type: the schema has neither interface nor union.
        """
        visited: set[str] = set()
        waiting: list[SelectionNode] = list(reversed(selections.selections))
        while waiting:
            node = waiting.pop()
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                waiting += reversed(node.selection_set.selections)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in visited:
                visited.add(node.name.value)
                waiting += reversed(self._fragments[node.name.value].selection_set.selections)

    def _root(self, operation: OperationDefinitionNode) -> GraphQLObjectType:
        root = self._schema.get_root_type(operation.operation)
        if root is None:  # validation has refused it
            raise LookupError(operation.operation)
        return root

    def _measure(
        self,
        selections: SelectionSetNode,
        type_: GraphQLObjectType,
        variables: Mapping[str, Any],
        known: dict[int, Measure],
    ) -> Measure:
        # Every selection is measured once, however many fragments lead to it.
        if id(selections) in known:
            return known[id(selections)]
        depth = cost = 0
        for node in self.fields(selections):
            name = f"{type_.name}.{node.name.value}"
            cost += PRICES.get(name, 0)
            depth = max(depth, 1)
            field = type_.fields.get(node.name.value)
            sub = None if field is None else get_named_type(field.type)
            if node.selection_set is not None and isinstance(sub, GraphQLObjectType):
                below = self._measure(node.selection_set, sub, variables, known)
                length = _first(node, variables) if name in _PAGED else LENGTHS.get(name, 1)
                depth = max(depth, 1 + below.depth)
                cost += length * (1 + below.cost)
        known[id(selections)] = Measure(depth, cost)
        return known[id(selections)]


def check_aliases(document: DocumentNode) -> list[GraphQLError]:
    """The refusal of a document with too many aliases."""
    count = sum(node.alias is not None for node in _all_fields(document))
    if count <= MAX_ALIASES:
        return []
    text = Text(
        f"El documento tiene {count} alias y el máximo es {MAX_ALIASES}. Divídalo en varios.",
        f"The document has {count} aliases and the limit is {MAX_ALIASES}. Split it.",
    )
    return [refusal("TOO_MANY_ALIASES", text, aliases=count, limit=MAX_ALIASES)]


def _first(node: FieldNode, variables: Mapping[str, Any]) -> int:
    """The length of a page; beyond MAX_PAGE, or below 1, it is refused later as what it is."""
    value: Any = None
    for argument in node.arguments or ():
        if argument.name.value == "first":
            if isinstance(argument.value, IntValueNode):
                value = int(argument.value.value)
            elif isinstance(argument.value, VariableNode):
                value = variables.get(argument.value.name.value)
    return min(value, MAX_PAGE) if isinstance(value, int) and value > 0 else DEFAULT_PAGE


def _has_directives(document: DocumentNode) -> bool:
    """Whether any selection may be left out: fields, fragments and their spreads."""
    return document.loc is None or "@" in document.loc.source.body


def _all_fields(document: DocumentNode) -> Iterator[FieldNode]:
    waiting: list[Any] = list(document.definitions)
    while waiting:
        node = waiting.pop()
        if isinstance(node, FieldNode):
            yield node
        if getattr(node, "selection_set", None) is not None:
            waiting += node.selection_set.selections
