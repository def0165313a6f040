"""The OpenAPI document (3.1) as a reference to read: operations by tag, what each takes, answers and refuses."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from api.auth.scopes import ANY, FOR_AN_INSTITUTION, KEYLESS, REQUIRED
from api.problems import MEDIA_TYPE, PROBLEMS
from api.web.developers.schemas import Field, Schemas, Shape
from api.web.developers.wording import Said, plain, said
from api.web.texts import Texts

Document = Mapping[str, Any]

_JSON: Final = "application/json"


class Line(NamedTuple):
    """An operation in the index. ``id``: its operationId, which is its anchor."""

    id: str
    method: str
    path: str
    summary: str


class Group(NamedTuple):
    """The operations of one tag."""

    tag: str
    title: str
    lines: Sequence[Line]


class Body(NamedTuple):
    """What is sent. ``media_types``: any of these."""

    media_types: Sequence[str]
    required: bool
    said: Said | None
    fields: Sequence[Field]


class Answer(NamedTuple):
    """An answer that is no problem. ``shapes``: what its body is, where that has a name; else its ``fields``."""

    status: str
    said: Said
    media_types: Sequence[str]
    shapes: Sequence[str]
    fields: Sequence[Field]
    headers: Sequence[Field]


class Refusal(NamedTuple):
    """A problem type that may be the answer."""

    status: str
    slug: str
    title: str


class Operation(NamedTuple):
    """One operation with all that is to be known of it. ``access``: which key it takes, in words.

    ``example``: a command for the shell.
    """

    line: Line
    said: Said | None
    access: str
    scopes: Sequence[str]
    parameters: Sequence[tuple[str, Field]]
    body: Body | None
    answers: Sequence[Answer]
    refusals: Sequence[Refusal]
    example: str


class Reference:
    """The document in one language."""

    def __init__(self, document: Document, words: Texts) -> None:
        self._document, self._words = document, words
        self._schemas = Schemas(document, words)

    def groups(self) -> list[Group]:
        """Every operation, by tag, in the document's order of tags."""
        lines: dict[str, list[Line]] = {tag["name"]: [] for tag in self._document["tags"]}
        for path, method, operation in self._operations():
            lines[operation["tags"][0]].append(self._line(path, method, operation))
        titles = {
            tag["name"]: plain(tag["description"], self._words.language) for tag in self._document["tags"]
        }
        return [Group(tag, titles[tag], listed) for tag, listed in lines.items()]

    def operations(self, tag: str) -> list[Operation]:
        """Those of one tag."""
        return [
            self._operation(path, method, operation)
            for path, method, operation in self._operations()
            if operation["tags"][0] == tag
        ]

    def shapes(self, operations: Sequence[Operation]) -> list[Shape]:
        """What the answers of the operations are made of."""
        wanted = [
            {"$ref": f"#/components/schemas/{name}"}
            for operation in operations
            for answer in operation.answers
            for name in answer.shapes
        ]
        return [self._schemas.shape(name) for name in self._schemas.named(wanted)]

    def problem(self) -> Shape:
        """What every problem is like; its parts are within."""
        name = "Problem"
        schema = {"$ref": f"#/components/schemas/{name}"}
        return Shape(name, self._schemas.said(schema), self._schemas.fields(schema, within=True))

    def refusals(self) -> list[Refusal]:
        """Every problem type there is."""
        return [self._refusal(slug) for slug in PROBLEMS]

    def _operations(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        for path, methods in self._document["paths"].items():
            for method, operation in methods.items():
                yield path, method, operation

    def _line(self, path: str, method: str, operation: Mapping[str, Any]) -> Line:
        summary = plain(operation["summary"], self._words.language)
        return Line(operation["operationId"], method.upper(), path, summary)

    def _operation(self, path: str, method: str, operation: Mapping[str, Any]) -> Operation:
        line = self._line(path, method, operation)
        access, scopes = self._access(line)
        description = operation.get("description")
        return Operation(
            line,
            said(description, self._words.language) if description else None,
            access,
            scopes,
            [(one["in"], self._parameter(one)) for one in operation.get("parameters", ())],
            self._body(operation.get("requestBody")),
            [
                self._answer(status, one)
                for status, one in operation["responses"].items()
                if _is_success(status)
            ],
            [
                self._refusal(slug)
                for _, one in sorted(operation["responses"].items())
                for slug in one.get("content", {}).get(MEDIA_TYPE, {}).get("examples", ())
            ],
            example(line, operation, keyed=bool(access)),
        )

    def _access(self, line: Line) -> tuple[str, Sequence[str]]:
        _ = self._words.gettext
        scopes = REQUIRED.get((line.method, line.path))
        if scopes is None:
            return "", ()
        if scopes == ANY:
            return _("Cualquier clave."), ()
        if scopes == FOR_AN_INSTITUTION:
            return _("Cualquier clave de una institución."), ()
        if (line.method, line.path) in KEYLESS:
            return _("Sin clave, lo que es público; con una, además lo propio. La clave necesita:"), sorted(
                scopes
            )
        return _("Una clave con uno de estos permisos:") if len(scopes) > 1 else _("Una clave con:"), sorted(
            scopes
        )

    def _parameter(self, parameter: Mapping[str, Any]) -> Field:
        schema = parameter["schema"]
        if "anyOf" in schema:  # null is how FastAPI says that a parameter may be absent: nobody can send it
            schema = {**schema, "anyOf": [one for one in schema["anyOf"] if one != {"type": "null"}]}
        described = {"description": parameter["description"]} if "description" in parameter else {}
        return self._schemas.field(
            parameter["name"],
            {**schema, **described},
            required=parameter.get("required", False),
            within=True,
        )

    def _body(self, body: Mapping[str, Any] | None) -> Body | None:
        if body is None:
            return None
        schema = body["content"].get(_JSON, {}).get("schema", {})
        return Body(
            list(body["content"]),
            body.get("required", False),
            self._schemas.said(schema),
            self._schemas.fields(schema, within=True),
        )

    def _answer(self, status: str, answer: Mapping[str, Any]) -> Answer:
        content = answer.get("content", {})
        schemas = [one["schema"] for one in content.values() if "schema" in one]
        shapes = list(dict.fromkeys(name for schema in schemas for name in self._schemas.objects(schema)))
        return Answer(
            status,
            said(answer["description"], self._words.language),
            list(content),
            shapes,
            []
            if shapes
            else [field for schema in schemas for field in self._schemas.fields(schema, within=True)],
            [
                self._schemas.field(
                    name,
                    {**header["schema"], "description": header.get("description", "")},
                    required=False,
                    within=True,
                )
                for name, header in answer.get("headers", {}).items()
            ],
        )

    def _refusal(self, slug: str) -> Refusal:
        kind = PROBLEMS[slug]
        return Refusal(str(kind.status), slug, kind.title.in_(self._words.language))


def example(line: Line, operation: Mapping[str, Any], *, keyed: bool) -> str:
    """The operation as a command of curl, with the document's own example of a body."""
    parts = [f'curl "$CONSTANCIA_URL{_filled(line.path)}{_asked(operation)}"']
    sent = _sent(operation.get("requestBody"))
    if line.method != ("POST" if sent else "GET"):  # which curl says by itself
        parts.append(f"--request {line.method}")
    if keyed:
        parts.append('--header "Authorization: Bearer $CONSTANCIA_KEY"')
    headers = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "header"]
    if "If-Match" in headers:
        parts.append("--header 'If-Match: \"1\"'")
    parts += sent
    return " \\\n  ".join(parts)


def _filled(path: str) -> str:
    """With places that a reader fills in, as variables of the shell: no address is made up."""
    return re.sub(r"\{(\w+)\}", lambda found: f"${found[1].upper()}", path)


def _asked(operation: Mapping[str, Any]) -> str:
    names = [
        one["name"] for one in operation.get("parameters", ()) if one["in"] == "query" and one.get("required")
    ]
    return f"?{'&'.join(f'{name}=${name.upper()}' for name in names)}" if names else ""


def _sent(body: Mapping[str, Any] | None) -> list[str]:
    if body is None:
        return []
    for media_type, content in body["content"].items():
        if media_type == _JSON and "example" in content:
            text = json.dumps(content["example"], ensure_ascii=False, indent=2)
            # Not --json, which curl has since 7.82 only: stable systems come with older ones.
            return [_content_type(_JSON), "--data '{}'".format(text.replace("'", "'\\''"))]
        if media_type != _JSON:
            return [_content_type(media_type), '--data-binary "@$FILE"']
    return []


def _content_type(media_type: str) -> str:
    return f"--header 'Content-Type: {media_type}'"


def _is_success(status: str) -> bool:
    return status.startswith(("2", "3"))
