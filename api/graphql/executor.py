"""graphql-core's executor with a short way for what has no resolver.

Most of an answer is plain: objects whose fields are attributes. graphql-core takes each of them through the machinery
that arguments, resolvers and promises need, some ten microseconds a field. Here a selection of nothing but plain fields
becomes a plan, once per document, that reads attributes and nothing else. What a plan cannot do, an error above all,
is left to graphql-core, which does it again and says where it happened. A test compares the two.

Rests on internals of graphql-core 3.3 (``execute_fields``, ``collect_subfields``) and of Strawberry 0.341 (where a
field's definition hangs); both are pinned.
"""

from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import Any, Final

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLID,
    GraphQLInt,
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

Plans = dict[tuple[Any, ...], Read | None]
"""Of one document; None where a selection is not plain."""

_DEFINITION: Final = "strawberry-definition"
_AS_IT_IS: Final = frozenset({GraphQLString, GraphQLID, GraphQLBoolean})
"""Scalars whose own type in Python needs no coercion; that a field of theirs holds it, the type checker sees to."""

_SHARED: Final = frozenset({"Cell", "Facet"})
"""Types whose equal objects are one object, made once and never changed: each is read once."""

_KEPT: Final = 2_000
"""Such objects of one selection."""

_MAX_INT: Final = 2**31


class _NotPlain(Exception):
    """The plan does not fit the value: graphql-core has to look at it."""


class PlainExecutor(Executor[Any]):
    """Executes one operation."""

    _met: dict[int, tuple[Any, Read | None]] | None = None

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
                except (_NotPlain, AttributeError, TypeError, ValueError, GraphQLError):
                    pass  # not lost: the long way meets it again and reports it with its place
        return super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)

    def _plan(self, parent_type: GraphQLObjectType, grouped: Any) -> Read | None:
        met = self._met
        if met is None:
            met = self._met = {}
        known = met.get(id(grouped))
        if known is None:
            # By the nodes that are selected: they live as long as the document, to which the plans belong.
            plans: Plans = self.context_value.plans
            nodes = (parent_type.name, *[id(one.node) for details in grouped.values() for one in details])
            if nodes not in plans:
                plans[nodes] = self._read_object(parent_type, grouped)
            # The fields are kept beside their plan, so that their id is not given to others meanwhile.
            known = met[id(grouped)] = (grouped, plans[nodes])
        return known[1]

    def _read_object(self, parent_type: GraphQLObjectType, grouped: Any) -> Read | None:
        names: list[str] = []
        attributes: list[str] = []
        required: list[str] = []
        completions: list[tuple[str, Read]] = []
        for name, details in grouped.items():
            field = self.schema.get_field(parent_type, details[0].node.name.value)
            attribute = _attribute(field)
            complete = None if field is None else self._complete(field.type, details)
            if field is None or attribute is None or complete is None:
                return None
            names.append(name)
            attributes.append(attribute)
            if complete is not _as_it_is:
                completions.append((name, complete))
            elif isinstance(field.type, GraphQLNonNull):
                required.append(name)
        read = _object(names, attributes, required, completions)
        return _once_each(read) if parent_type.name in _SHARED else read

    def _complete(self, type_: GraphQLOutputType, details: Any) -> Read | None:
        """How a value becomes part of the answer. None among them is for ``required`` to find where it must not be, and
        is otherwise met by what cannot read it."""
        if isinstance(type_, GraphQLNonNull):
            return self._complete_something(type_.of_type, details)
        inner = self._complete_something(type_, details)
        if inner is None or inner is _as_it_is:
            return inner
        return lambda value: None if value is None else inner(value)

    def _complete_something(self, type_: GraphQLOutputType, details: Any) -> Read | None:
        if isinstance(type_, GraphQLList):
            item = self._complete(type_.of_type, details)
            return None if item is None else _each(item)
        if isinstance(type_, GraphQLObjectType):
            return self._plan(type_, self.collect_subfields(type_, details).grouped_field_set)
        return _leaf(type_) if is_leaf_type(type_) else None


def _attribute(field: GraphQLField | None) -> str | None:
    """The attribute that a field shows, if it does nothing else."""
    definition = None if field is None or field.args else field.extensions.get(_DEFINITION)
    if definition is None or definition.base_resolver is not None or definition.extensions:
        return None
    name: str = definition.python_name
    return None if definition.permission_classes else name


def _object(
    names: list[str], attributes: list[str], required: list[str], completions: list[tuple[str, Read]]
) -> Read:
    """All attributes in one call, then those that are not given as they are."""
    get = attrgetter(*attributes) if len(attributes) > 1 else _tuple_of(attributes[0])

    def read_object(source: Any) -> dict[str, Any]:
        found = dict(zip(names, get(source), strict=True))
        for name in required:
            if found[name] is None:
                raise _NotPlain
        for name, complete in completions:
            found[name] = complete(found[name])
        return found

    return read_object


def _tuple_of(attribute: str) -> Read:
    get = attrgetter(attribute)
    return lambda source: (get(source),)


def _once_each(read: Read) -> Read:
    known: dict[
        int, tuple[Any, Any]
    ] = {}  # the object beside what was read: its id is nobody else's meanwhile

    def read_once(source: Any) -> Any:
        found = known.get(id(source))
        if found is None:
            if len(known) >= _KEPT:
                known.clear()
            found = known[id(source)] = (source, read(source))
        return found[1]

    return read_once


def _as_it_is(value: Any) -> Any:
    return value


def _leaf(type_: Any) -> Read:
    if type_ in _AS_IT_IS:
        return _as_it_is
    if type_ is GraphQLInt:
        return _int
    if isinstance(type_, GraphQLEnumType):
        return _code(type_.coerce_output_value)
    return partial(_coerced, type_.coerce_output_value)


def _int(value: Any) -> Any:
    if type(value) is int and -_MAX_INT <= value < _MAX_INT:
        return value
    raise _NotPlain


def _code(coerce: Read) -> Read:
    known: dict[int, Any] = {}  # members of an enum are never made anew

    def read_code(value: Any) -> Any:
        found = known.get(id(value))
        if found is None:
            found = known[id(value)] = _coerced(coerce, value)
        return found

    return read_code


def _coerced(coerce: Read, value: Any) -> Any:
    coerced = None if value is None else coerce(value)
    if coerced is None or coerced is Undefined:
        raise _NotPlain
    return coerced


def _each(item: Read) -> Read:
    def read_list(values: Any) -> Any:
        if type(values) is not list or (item is _as_it_is and None in values):
            raise _NotPlain
        return list(values) if item is _as_it_is else [item(value) for value in values]

    return read_list
