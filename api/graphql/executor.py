"""graphql-core's executor with a short way for what has no resolver.

Most of an answer is plain: objects whose fields are attributes. graphql-core takes each of them through the machinery
that arguments, resolvers and promises need, some ten microseconds a field. Here a selection of nothing but plain fields
becomes a plan, once per document, that reads attributes and nothing else. What a plan cannot do, an error above all,
is left to graphql-core, which does it again and says where it happened. A test compares the two.

Rests on internals of graphql-core 3.3 (``execute_fields``, ``collect_subfields``) and of Strawberry 0.341 (where a
field's definition hangs); both are pinned.
"""

from collections.abc import Callable, Sequence
from itertools import chain, islice, repeat
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

Read = Callable[[Sequence[Any]], Sequence[Any]]
"""From values to what the answer holds of each: together, since a step of Python for each adds up in long lists."""

Plans = dict[tuple[Any, ...], Read | None]
"""Of one document; None where a selection is not plain."""

_DEFINITION: Final = "strawberry-definition"
_AS_THEY_ARE: Final = frozenset({GraphQLString, GraphQLID, GraphQLBoolean})
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
                    return read([source_value])[0]  # type: ignore[no-any-return]
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
                plans[nodes] = self._read_objects(parent_type, grouped)
            # The fields are kept beside their plan, so that their id is not given to others meanwhile.
            known = met[id(grouped)] = (grouped, plans[nodes])
        return known[1]

    def _read_objects(self, parent_type: GraphQLObjectType, grouped: Any) -> Read | None:
        names: list[str] = []
        attributes: list[str] = []
        required: list[int] = []
        completions: list[tuple[int, Read]] = []
        for number, (name, details) in enumerate(grouped.items()):
            field = self.schema.get_field(parent_type, details[0].node.name.value)
            attribute = _attribute(field)
            complete = None if field is None else self._complete(field.type, details)
            if field is None or attribute is None or complete is None:
                return None
            names.append(name)
            attributes.append(attribute)
            if complete is not _as_they_are:
                completions.append((number, complete))
            elif isinstance(field.type, GraphQLNonNull):
                required.append(number)
        read = _object(names, attributes, required, completions)
        return _once_each(read) if parent_type.name in _SHARED else read

    def _complete(self, type_: GraphQLOutputType, details: Any) -> Read | None:
        """How values become part of the answer. None among them is for ``required`` to find where it must not be, and
        is otherwise met by what cannot read it."""
        if isinstance(type_, GraphQLNonNull):
            return self._complete_something(type_.of_type, details)
        inner = self._complete_something(type_, details)
        return inner if inner is None or inner is _as_they_are else _or_none(inner)

    def _complete_something(self, type_: GraphQLOutputType, details: Any) -> Read | None:
        if isinstance(type_, GraphQLList):
            item = self._complete(type_.of_type, details)
            return None if item is None else _each(item)
        if isinstance(type_, GraphQLObjectType):
            return self._plan(type_, self.collect_subfields(type_, details).grouped_field_set)
        return _leaves(type_) if is_leaf_type(type_) else None


def _attribute(field: GraphQLField | None) -> str | None:
    """The attribute that a field shows, if it does nothing else."""
    definition = None if field is None or field.args else field.extensions.get(_DEFINITION)
    if definition is None or definition.base_resolver is not None or definition.extensions:
        return None
    name: str = definition.python_name
    return None if definition.permission_classes else name


def _object(
    names: list[str],
    attributes: list[str],
    required: list[int],
    completions: list[tuple[int, Read]],
) -> Read:
    """All attributes of each in one call, then those that are not given as they are, attribute by attribute."""
    get = attrgetter(*attributes) if len(attributes) > 1 else _tuple_of(attributes[0])

    def read_objects(sources: Sequence[Any]) -> list[Any]:
        columns: list[Sequence[Any]] = list(zip(*map(get, sources), strict=True)) or [() for _ in names]
        for number in required:
            if None in columns[number]:
                raise _NotPlain
        for number, complete in completions:
            columns[number] = complete(columns[number])
        # Without a step of Python for each object; columns are as many as names and of one length.
        return list(map(dict, map(zip, repeat(names), zip(*columns, strict=True))))

    return read_objects


def _tuple_of(attribute: str) -> Callable[[Any], tuple[Any]]:
    get = attrgetter(attribute)
    return lambda source: (get(source),)


def _once_each(read: Read) -> Read:
    known: dict[int, Any] = {}
    held: list[Any] = []  # what was read, so that its id is nobody else's meanwhile

    def read_once(sources: Sequence[Any]) -> list[Any]:
        ids = list(map(id, sources))
        try:
            return list(map(known.__getitem__, ids))
        except KeyError:
            new = {id(source): source for source in sources if id(source) not in known}
        if len(known) + len(new) > _KEPT:
            known.clear()
            held.clear()
            new = dict(zip(ids, sources, strict=True))
        found = read(list(new.values()))
        held.extend(new.values())
        known.update(zip(new, found, strict=True))
        return list(map(known.__getitem__, ids))

    return read_once


def _as_they_are(values: Sequence[Any]) -> Sequence[Any]:
    return values


def _leaves(type_: Any) -> Read:
    if type_ in _AS_THEY_ARE:
        return _as_they_are
    if type_ is GraphQLInt:
        return _integers

    def coerced(values: Sequence[Any]) -> list[Any]:
        return [_coerced(type_.coerce_output_value, value) for value in values]

    if isinstance(type_, GraphQLEnumType):
        return _once_each(coerced)  # members of an enum are never made anew
    return coerced


def _integers(values: Sequence[Any]) -> Sequence[Any]:
    if values and not (
        set(map(type, values)) == {int} and min(values) >= -_MAX_INT and max(values) < _MAX_INT
    ):
        raise _NotPlain
    return values


def _coerced(coerce: Callable[[Any], Any], value: Any) -> Any:
    coerced = None if value is None else coerce(value)
    if coerced is None or coerced is Undefined:
        raise _NotPlain
    return coerced


def _or_none(read: Read) -> Read:
    def read_given(values: Sequence[Any]) -> list[Any]:
        found = iter(read([value for value in values if value is not None]))
        return [None if value is None else next(found) for value in values]

    return read_given


def _each(read: Read) -> Read:
    """Lists of values: those of all lists are read together."""

    def read_lists(values: Sequence[Any]) -> list[Any]:
        if not set(map(type, values)) <= {list, tuple}:
            raise _NotPlain
        together = list(chain.from_iterable(values))
        if read is _as_they_are and None in together:
            raise _NotPlain
        found = iter(read(together))
        lengths = set(map(len, values))
        if len(lengths) == 1 and 0 not in lengths:  # in most answers: cut without a step of Python for each
            return list(map(list, zip(*[found] * lengths.pop(), strict=True)))
        return [list(islice(found, len(value))) for value in values]

    return read_lists
