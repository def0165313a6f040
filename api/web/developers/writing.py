"""Each of the pages for developers as HTML, from the documents and files that it is about."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from api.graphql.http import PATH as GRAPHQL
from api.graphql.ide.page import PATH as GRAPHIQL
from api.labels import INVENTED
from api.streams import asyncapi
from api.web.developers import events, operations
from api.web.developers.guides import GUIDES, examples, key_commands
from api.web.pages import address
from api.web.rendering import render
from api.web.texts import texts
from registry.text import Language

INDEX: Final = "developers"
API: Final = "api"
OPERATIONS: Final = "operations"
EVENTS: Final = "events"
NAMES: Final = (INDEX, *GUIDES, API, OPERATIONS, EVENTS)
"""The pages, by their names in ``PAGES``."""

OPENAPI_PATH: Final = "/openapi.json"
SCHEMA_PATH: Final = "/schema.graphql"


class Desk(NamedTuple):
    """What the pages rest on. ``invented``: whether the register is a demonstration."""

    base_url: str
    invented: bool
    openapi: Callable[[], Mapping[str, Any]]


class NoSuchPage(LookupError):
    """There are no operations of that tag."""


def write(desk: Desk, name: str, language: Language, parts: Mapping[str, str]) -> str:
    """A page. Raises NoSuchPage."""
    made = _Writing(desk, language, name, parts)
    match name:
        case "developers":
            return made.index()
        case "api":
            return made.api()
        case "operations":
            return made.operations(parts["tag"])
        case "events":
            return made.streams()
        case _:
            return made.render(f"{name}.html", examples=examples(name), key_commands=key_commands)


class _Writing:
    """One page in one language."""

    def __init__(self, desk: Desk, language: Language, name: str, parts: Mapping[str, str]) -> None:
        self._desk, self._language, self._name, self._parts = desk, language, name, parts
        self._words = texts(language)

    def index(self) -> str:
        return self.render(
            "developers.html",
            guides=tuple(GUIDES),
            graphiql=GRAPHIQL,
            documents=(OPENAPI_PATH, asyncapi.PATH, SCHEMA_PATH),
        )

    def api(self) -> str:
        reference = operations.Reference(self._desk.openapi(), self._words)
        return self.render(
            "reference.html",
            document=OPENAPI_PATH,
            groups=reference.groups(),
            problem=reference.problem(),
            refusals=reference.refusals(),
        )

    def operations(self, tag: str) -> str:
        reference = operations.Reference(self._desk.openapi(), self._words)
        groups = {group.tag: group for group in reference.groups()}
        if tag not in groups:
            raise NoSuchPage
        listed = reference.operations(tag)
        return self.render(
            "operations.html", group=groups[tag], operations=listed, shapes=reference.shapes(listed)
        )

    def streams(self) -> str:
        reference = events.Reference(asyncapi.document(), self._words)
        return self.render(
            "events.html",
            document=asyncapi.PATH,
            channels=reference.channels(),
            envelope=reference.envelope(),
            groups=reference.groups(),
        )

    def render(self, template: str, **context: Any) -> str:
        """With what all of these pages show."""
        base = {
            "base_url": self._desk.base_url,
            "invented": INVENTED.in_(self._language) if self._desk.invented else None,
            "graphql": GRAPHQL,
            "here": {tongue: address(self._name, tongue, **self._parts) for tongue in ("es", "en")},
        }
        return render(template, self._language, self._name, {**base, **context})
