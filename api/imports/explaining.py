"""What a type takes at a path, from its schema: to word refusals of a profile, and to read cells as what they are.

The decoder's own messages quote values and are in one language; only the path and the kind of a refusal are taken
from them.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from api.imports.errors import RowProblem
from api.imports.paths import Path
from api.patterns import PATTERNS
from registry.text import Text

_AT: Final = re.compile(r"^(?P<said>.*?)(?: - at `(?:key in )?\$(?P<path>[^`]*)`)?$", re.DOTALL)
_UNKNOWN_FIELD: Final = re.compile(r"Object contains unknown field `(?P<name>[^`]*)`")
_MISSING_FIELD: Final = re.compile(r"Object missing required field `(?P<name>[^`]*)`")
_STEP: Final = re.compile(r"\.(?P<name>[A-Za-z_][A-Za-z0-9_]*)|\[(?P<index>[0-9]+|\.\.\.)\]")
_MAX_SHOWN: Final = 40

_FORMATS: Final = {
    "date": Text("una fecha AAAA-MM-DD", "a date YYYY-MM-DD"),
    "uuid": Text("un identificador UUID", "a UUID"),
}
_TYPES: Final = {
    "string": Text("texto", "text"),
    "integer": Text("un número entero", "a whole number"),
    "boolean": Text("true o false", "true or false"),
    "object": Text("un objeto", "an object"),
    "array": Text("una lista", "a list"),
}


class _Schema(NamedTuple):
    root: dict[str, object]
    definitions: dict[str, dict[str, object]]

    def resolve(self, node: object) -> list[dict[str, object]]:
        """The alternatives that a node of the schema stands for."""
        if not isinstance(node, dict):
            return []
        if isinstance(node.get("$ref"), str):
            return self.resolve(self.definitions.get(str(node["$ref"]).rsplit("/", 1)[-1]))
        alternatives = node.get("anyOf")
        if isinstance(alternatives, list):
            return [one for alternative in alternatives for one in self.resolve(alternative)]
        return [node]

    def below(self, nodes: list[dict[str, object]], name: str | None) -> list[dict[str, object]]:
        """One step down: to the field ``name``, or (None) to the elements of a list or the values of a table."""
        found: list[dict[str, object]] = []
        for node in nodes:
            if name is None:
                found += [*self.resolve(node.get("items")), *self.resolve(node.get("additionalProperties"))]
                continue
            properties = node.get("properties")
            if isinstance(properties, dict) and name in properties:
                found += self.resolve(properties[name])
            else:
                found += self.resolve(node.get("additionalProperties"))
        return found


@lru_cache(maxsize=32)
def _schema(type_: type) -> _Schema:
    # No reference template: definitions are found by the last part of the reference.
    (root,), definitions = msgspec.json.schema_components([type_])
    return _Schema(root, definitions)


def explain(error: msgspec.ValidationError, type_: type) -> RowProblem:
    """The first thing wrong with a document that should have been a ``type_``."""
    match = _AT.match(str(error))
    said, path = (match["said"], match["path"] or "") if match else (str(error), "")
    schema = _schema(type_)
    nodes = schema.resolve(schema.root)
    for step in _STEP.finditer(path):
        nodes = schema.below(nodes, step["name"])
    field = path.removeprefix(".").replace("[...]", "[]") or None
    if unknown := _UNKNOWN_FIELD.search(said):
        names = _listed(sorted({name for node in nodes for name in _names(node)}))
        # The name itself is what somebody sent; only a plausible one is repeated.
        name = unknown["name"] if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,40}", unknown["name"]) else "?"
        return RowProblem(
            field=_joined(field, name),
            code="unknown-field",
            detail=Text(f"Campo desconocido. Se aceptan: {names}.", f"Unknown field. Accepted: {names}."),
        )
    if missing := _MISSING_FIELD.search(said):
        wanted = _accepted(schema.below(nodes, missing["name"]))
        return RowProblem(
            field=_joined(field, missing["name"]),
            code="missing-field",
            detail=Text(f"Falta. Se acepta {wanted.es}.", f"Missing. Accepted is {wanted.en}."),
        )
    wanted = _accepted(nodes)
    return RowProblem(
        field=field,
        code="not-accepted",
        detail=Text(f"No se acepta. Se acepta {wanted.es}.", f"Not accepted. Accepted is {wanted.en}."),
    )


def types_at(type_: type, path: Path) -> frozenset[str]:
    """The JSON types that the field at ``path`` takes; none where there is no such field, or only a branch."""
    types = frozenset(str(node.get("type", "string")) for node in _nodes_at(type_, path))
    return types - {"object", "array", "null"}


def is_field(type_: type, path: Path) -> bool:
    """Whether there is a field at ``path``, be it a branch."""
    return bool(_nodes_at(type_, path))


def codes_at(type_: type, path: Path) -> tuple[str, ...]:
    """The codes that the field at ``path`` takes; none where it takes other values."""
    for node in _nodes_at(type_, path):
        codes = node.get("enum")
        if isinstance(codes, list):
            return tuple(str(code) for code in codes)
    return ()


def _nodes_at(type_: type, path: Path) -> list[dict[str, object]]:
    schema = _schema(type_)
    nodes = schema.resolve(schema.root)
    for step in path:
        nodes = schema.below(nodes, step if isinstance(step, str) else None)
    return nodes


def _joined(field: str | None, name: str) -> str:
    return f"{field}.{name}" if field else name


def _names(node: dict[str, object]) -> list[str]:
    properties = node.get("properties")
    return list(properties) if isinstance(properties, dict) else []


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:_MAX_SHOWN])
    return shown if len(names) <= _MAX_SHOWN else shown + ", …"


def _accepted(nodes: list[dict[str, object]]) -> Text:
    texts = [_one(node) for node in nodes if node.get("type") != "null"]
    distinct = list(dict.fromkeys(texts)) or [Text("otro valor", "another value")]
    return Text(" o ".join(text.es for text in distinct), " or ".join(text.en for text in distinct))


def _one(node: dict[str, object]) -> Text:
    codes = node.get("enum")
    if isinstance(codes, list):
        listed = _listed([str(code) for code in codes])
        return Text(f"uno de {listed}", f"one of {listed}")
    if "const" in node:
        return Text(str(node["const"]), str(node["const"]))
    if isinstance(node.get("pattern"), str):
        return PATTERNS[str(node["pattern"])]
    if str(node.get("format")) in _FORMATS:
        return _FORMATS[str(node["format"])]
    if node.get("type") == "object" and _names(node):
        names = _listed(_names(node))
        return Text(f"un objeto con {names}", f"an object with {names}")
    text = _TYPES.get(str(node.get("type")), Text("otro valor", "another value"))
    limits = ", ".join(
        f"{sign} {node[key]}" for key, sign in _LIMITS.items() if isinstance(node.get(key), int)
    )
    return Text(f"{text.es} ({limits})", f"{text.en} ({limits})") if limits else text


_LIMITS: Final = {"minimum": "≥", "maximum": "≤", "minLength": "≥", "maxLength": "≤", "minItems": "≥"}
