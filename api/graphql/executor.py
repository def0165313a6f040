"""graphql-core's executor with a short way for what has no resolver.

Most of an answer is plain: objects whose fields are attributes. graphql-core takes each of them through the machinery
that arguments, resolvers and promises need, some ten microseconds a field. Here a selection of nothing but plain fields
becomes a plan, once per request, that reads attributes and nothing else. Whatever a plan cannot do, an error above all,
is left to graphql-core, which does it again and says where it happened. A test compares the two.

Rests on internals of graphql-core 3.3 (``execute_fields``, ``collect_subfields``) and of Strawberry 0.341 (where a
field's definition hangs); both are pinned.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final

from graphql import (
    GraphQLBoolean,
    GraphQLField,
    GraphQLID,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLString,
    is_leaf_type,
)
from graphql.execution import Executor
from graphql.pyutils import AwaitableOrValue, Path, Undefined

Read = Callable[[Any], Any]
"""From a value to what the answer holds of it."""

_DEFINITION: Final = "strawberry-definition"
_AS_IT_IS: Final[dict[object, type]] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}
"""Scalars whose own type in Python needs no coercion."""


class _NotPlain(Exception):
    """The plan does not fit the value: graphql-core has to look at it."""


class PlainExecutor(Executor[Any]):
    """Executes one operation."""

    _plans: dict[int, tuple[Any, Read | None]] | None = None

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: Any,
        position_context: Any,
    ) -> AwaitableOrValue[dict[str, Any]]:
        if source_value is not None:
            read = self._plan(parent_type, grouped_field_set)
            if read is not None:
                try:
                    return read(source_value)  # type: ignore[no-any-return]
                except (_NotPlain, AttributeError, TypeError, ValueError):
                    pass  # not lost: the long way meets it again and reports it with its place
        return super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)

    def _plan(self, parent_type: GraphQLObjectType, grouped: Any) -> Read | None:
        plans = self._plans
        if plans is None:
            plans = self._plans = {}
        known = plans.get(id(grouped))
        if known is None:
            # The fields are kept beside their plan, so that their id is not given to others meanwhile.
            known = plans[id(grouped)] = (grouped, self._read_object(parent_type, grouped))
        return known[1]

    def _read_object(self, parent_type: GraphQLObjectType, grouped: Any) -> Read | None:
        members: list[tuple[str, Read]] = []
        for name, details in grouped.items():
            read = self._read_field(parent_type, details)
            if read is None:
                return None
            members.append((name, read))

        def read_object(source: Any) -> dict[str, Any]:
            return {name: read(source) for name, read in members}

        return read_object

    def _read_field(self, parent_type: GraphQLObjectType, details: Any) -> Read | None:
        name = details[0].node.name.value
        if name == "__typename":
            typename = parent_type.name
            return lambda _: typename
        field = self.schema.get_field(parent_type, name)
        attribute = _attribute(field)
        if field is None or attribute is None:
            return None
        complete = self._complete(field.type, details)
        if complete is None:
            return None
        get = attrgetter(attribute)
        return lambda source: complete(get(source))

    def _complete(self, type_: GraphQLOutputType, details: Any) -> Read | None:
        if isinstance(type_, GraphQLNonNull):
            inner = self._complete(type_.of_type, details)
            return None if inner is None else _never_null(inner)
        if isinstance(type_, GraphQLList):
            item = self._complete(type_.of_type, details)
            return None if item is None else _each(item)
        if isinstance(type_, GraphQLObjectType):
            return _or_null(self._plan(type_, self.collect_subfields(type_, details).grouped_field_set))
        return _leaf(type_) if is_leaf_type(type_) else None


def _attribute(field: GraphQLField | None) -> str | None:
    """The attribute that a field shows, if it does nothing else."""
    definition = None if field is None or field.args else field.extensions.get(_DEFINITION)
    if definition is None or definition.base_resolver is not None or definition.extensions:
        return None
    name: str = definition.python_name
    return None if definition.permission_classes else name


def _leaf(type_: Any) -> Read:
    as_it_is, coerce = _AS_IT_IS.get(type_), type_.coerce_output_value

    def read_leaf(value: Any) -> Any:
        if type(value) is as_it_is or value is None:
            return value
        coerced = coerce(value)
        if coerced is None or coerced is Undefined:
            raise _NotPlain
        return coerced

    return read_leaf


def _or_null(inner: Read | None) -> Read | None:
    if inner is None:
        return None
    return lambda value: None if value is None else inner(value)


def _never_null(inner: Read) -> Read:
    def read_something(value: Any) -> Any:
        found = inner(value)
        if found is None:
            raise _NotPlain
        return found

    return read_something


def _each(item: Read) -> Read:
    def read_list(values: Any) -> Any:
        if values is None:
            return None
        if type(values) is not list:
            raise _NotPlain
        return [item(value) for value in values]

    return read_list
