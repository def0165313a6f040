"""From a request to its result: prepared, held to the limits, executed, with no error that tells too much."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from inspect import isawaitable
from typing import Any, NamedTuple

import orjson
from graphql import ExecutionResult, GraphQLError, OperationDefinitionNode, execute, subscribe

from api.counts.answer import Backing
from api.graphql.asking import Asking
from api.graphql.documents import Prepared, is_subscription, prepare, syntax
from api.graphql.errors import shown
from api.graphql.executor import PlainExecutor, Plans
from api.graphql.readers import Reader
from api.graphql.schema import SCHEMA


class Operation(NamedTuple):
    """What a client sent, by whatever way (GraphQL over HTTP, section 5.1)."""

    query: str
    variables: Mapping[str, Any]
    name: str | None


class Result(NamedTuple):
    """``executed`` is False where the operation was refused before anything was asked: then there is no data."""

    body: Mapping[str, Any]
    executed: bool

    def encode(self) -> bytes:
        return orjson.dumps(self.body)

    @property
    def flawless(self) -> bool:
        return "errors" not in self.body


class Ready(NamedTuple):
    """An operation that may be executed."""

    prepared: Prepared
    node: OperationDefinitionNode
    asked: Operation

    @property
    def plans(self) -> Plans:
        return {} if self.prepared.document is None else self.prepared.document.plans()

    @property
    def streams(self) -> bool:
        return is_subscription(self.node)


def ready(asked: Operation) -> Ready | Result:
    """The operation if the document is valid and within the limits, else the result that says what is wrong."""
    prepared = prepare(asked.query)
    if prepared.document is None:
        return refused(*prepared.errors)
    try:
        node = prepared.operation(asked.name)
    except GraphQLError as error:
        return refused(error)
    beyond = prepared.document.check(node, asked.variables)
    return refused(beyond) if beyond is not None else Ready(prepared, node, asked)


async def run(operation: Ready, backing: Backing, reader: Reader | None = None) -> Result:
    """Execute a query, for ``reader`` where it may ask for what is restricted."""
    result = execute(
        SCHEMA,
        syntax(operation.prepared),
        context_value=Asking(backing, operation.plans, reader),
        variable_values=dict(operation.asked.variables),
        operation_name=operation.asked.name,
        executor_class=PlainExecutor,
    )
    return _result(await result if isawaitable(result) else result)


async def follow(operation: Ready, backing: Backing) -> AsyncGenerator[Result, None]:
    """Execute a subscription: a result for each event, or one that says why there is none."""
    stream = subscribe(
        SCHEMA,
        syntax(operation.prepared),
        context_value=Asking(backing, operation.plans),
        variable_values=dict(operation.asked.variables),
        operation_name=operation.asked.name,
        executor_class=PlainExecutor,
    )
    if isawaitable(stream):
        stream = await stream
    if isinstance(stream, ExecutionResult):
        yield _result(stream)
        return
    async with aclosing(stream):  # type: ignore[type-var]
        async for result in stream:
            yield _result(result)


def refused(*errors: GraphQLError) -> Result:
    """Nothing was executed, and this is why."""
    return Result({"errors": [error.formatted for error in errors]}, executed=False)


def _result(result: ExecutionResult) -> Result:
    errors = [shown(error) for error in result.errors or ()]
    # Variables that do not fit are told by errors without a path; then nothing was executed.
    if result.data is None and errors and not any(error.path for error in errors):
        return refused(*errors)
    if errors:
        return Result({"errors": [error.formatted for error in errors], "data": result.data}, executed=True)
    return Result({"data": result.data}, executed=True)
