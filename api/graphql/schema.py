"""The executable schema, and its export into the repository (``docs/schema.graphql``)."""

import sys
from typing import Final

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from api.graphql.query import Query
from api.graphql.scalars import SCALARS
from api.graphql.subscription import Subscription

_SCHEMA: Final = strawberry.Schema(
    query=Query, subscription=Subscription, config=StrawberryConfig(scalar_map=SCALARS)
)

SCHEMA: Final[GraphQLSchema] = _SCHEMA._schema
"""What documents are validated against and executed on. Strawberry makes it; it is executed by ``execution``."""


def exported() -> str:
    """The schema in GraphQL's own language, as ``docs/schema.graphql`` holds it."""
    return _SCHEMA.as_str() + "\n"


if __name__ == "__main__":
    sys.stdout.write(exported())
