"""The executable schema, and its export into the repository (``docs/schema.graphql``)."""

import sys
from functools import lru_cache
from typing import Final

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter

from api.graphql.query import Query
from api.graphql.scalars import SCALARS
from api.graphql.subscription import Subscription


class _Names(NameConverter):
    """Strawberry works out the names of arguments anew at every call; each is always the same."""

    @lru_cache  # noqa: B019 - there is one, for as long as the program runs
    def apply_naming_config(self, name: str) -> str:
        return super().apply_naming_config(name)


_SCHEMA: Final = strawberry.Schema(
    query=Query,
    subscription=Subscription,
    config=StrawberryConfig(scalar_map=SCALARS, name_converter=_Names()),
)

SCHEMA: Final[GraphQLSchema] = _SCHEMA._schema
"""What documents are validated against and executed on. Strawberry makes it; it is executed by ``execution``."""


def exported() -> str:
    """The schema in GraphQL's own language, as ``docs/schema.graphql`` holds it."""
    return _SCHEMA.as_str() + "\n"


if __name__ == "__main__":
    sys.stdout.write(exported())
