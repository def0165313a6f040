"""Where each page of the site lies: Spanish at the root, English under ``/en``. Both are complete."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from registry.text import Language

LANGUAGES: Final[tuple[Language, Language]] = ("es", "en")

CERTIFICATE: Final = "/certificado"
"""The signed certificate of a figure: one file, whatever the reader's language."""


class Page(NamedTuple):
    """A page's paths. They may hold ``{id}`` and ``{name}``."""

    es: str
    en: str

    def path(self, language: Language) -> str:
        return self.es if language == "es" else self.en


PAGES: Final[Mapping[str, Page]] = {
    "front": Page("/", "/en"),
    "explore": Page("/explorar", "/en/explore"),
    "incidents": Page("/incidentes", "/en/incidents"),
    "incident": Page("/incidentes/{id}", "/en/incidents/{id}"),
    "changes": Page("/cambios", "/en/changes"),
    "feed": Page("/cambios.atom", "/en/changes.atom"),
    "method": Page("/metodo", "/en/method"),
    "verify": Page("/verificar", "/en/verify"),
    "data": Page("/datos", "/en/data"),
    "developers": Page("/desarrollo", "/en/developers"),
    "first-submission": Page("/desarrollo/primer-envio", "/en/developers/first-submission"),
    "first-query": Page("/desarrollo/primera-consulta", "/en/developers/first-query"),
    "first-subscription": Page("/desarrollo/primera-suscripcion", "/en/developers/first-subscription"),
    "api": Page("/desarrollo/api", "/en/developers/api"),
    "operations": Page("/desarrollo/api/{tag}", "/en/developers/api/{tag}"),
    "events": Page("/desarrollo/eventos", "/en/developers/events"),
    "picture": Page("/graficas/{name}.svg", "/en/charts/{name}.svg"),
    "embed": Page("/insertar/{name}", "/en/embed/{name}"),
}


def address(page: str, language: Language, query: str = "", /, **parts: str) -> str:
    """The path of a page, with its query."""
    path = PAGES[page].path(language).format(**parts)
    return f"{path}?{query}" if query else path
