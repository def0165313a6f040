"""The schema is what clients rely on: exported into the repository, and containing all that was promised."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, build_schema
from graphql.language import print_ast

from api.graphql import schema as module
from api.graphql.schema import exported

PROMISED_FIELDS = ["count", "counts", "checkpoint", "checkpoints"]
PROMISED_TYPES = [
    "CountFilter", "Period", "Count", "Exclusion", "Definition", "Citation", "CountTable", "CountRow", "Cell",
    "Checkpoint", "CheckpointConnection", "CheckpointEdge", "PageInfo",
    "Language", "IncidentClass", "Unit", "Nexus", "Dimension", "CellState", "Verification",
]  # fmt: skip
_DESCRIPTION = re.compile(r'"""(?:.|\n)*?"""\s*|"(?:[^"\\]|\\.)*"\n\s*')


@pytest.fixture(scope="module")
def ours() -> GraphQLSchema:
    return build_schema(exported())


@pytest.fixture(scope="module")
def promised(shared_data: Path) -> GraphQLSchema:
    return build_schema((shared_data.parent / "schema.graphql").read_text(encoding="utf-8"))


def described(schema: GraphQLSchema, name: str) -> dict[str, str]:
    """Each member of a type as it is written, without its description."""
    node = schema.type_map[name].ast_node
    members: Sequence[Any] = getattr(node, "values", ()) or getattr(node, "fields", ())
    return {member.name.value: re.sub(_DESCRIPTION, "", print_ast(member)) for member in members}


def test_the_exported_schema_is_that_of_the_program() -> None:
    stored = Path(module.__file__).with_name("schema.graphql").read_text(encoding="utf-8")

    assert stored == exported(), "run: python -m api.graphql.schema > api/graphql/schema.graphql"


@pytest.mark.parametrize("name", PROMISED_TYPES)
def test_a_type_holds_everything_that_was_promised(
    ours: GraphQLSchema, promised: GraphQLSchema, name: str
) -> None:
    assert type(ours.type_map[name]) is type(promised.type_map[name])
    assert described(promised, name).items() <= described(ours, name).items()


@pytest.mark.parametrize("name", PROMISED_FIELDS)
def test_a_question_is_asked_as_promised(ours: GraphQLSchema, promised: GraphQLSchema, name: str) -> None:
    assert described(ours, "Query")[name] == described(promised, "Query")[name]


def test_every_type_and_field_is_described(ours: GraphQLSchema) -> None:
    for name, type_ in ours.type_map.items():
        if name.startswith("__") or name in ("Boolean", "Float", "ID", "Int", "String"):
            continue
        assert type_.description, name
        for field, definition in getattr(type_, "fields", {}).items():
            assert definition.description, f"{name}.{field}"
