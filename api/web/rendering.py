"""Pages from templates: Jinja with autoescape, where a name that nobody gave is an error and not an empty place."""

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from api.web.pages import LANGUAGES, address
from api.web.static import static_address, static_files
from api.web.texts import texts
from registry.text import Language

NAVIGATION: Final = ("front", "explore", "incidents", "changes", "method", "verify", "data")
"""The pages that every page leads to."""


@cache
def environment(language: Language) -> Environment:
    """The templates in one language."""
    words = texts(language)
    made = Environment(
        loader=PackageLoader("api.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_translations(words.translations, newstyle=True)  # type: ignore[attr-defined]
    made.globals.update(language=language, static=static_address, address=address, navigation=NAVIGATION)
    made.filters.update(number=words.number, signed=words.signed, day=words.day, moment=words.moment)
    return made


def render(template: str, language: Language, page: str, context: Mapping[str, Any]) -> str:
    """``page``: its name in ``PAGES``, or nothing for a page that has no address of its own."""
    return environment(language).get_template(template).render(page=page, **context)


@cache
def looks() -> str:
    """A digest of all that pages are made with: another release words a page anew."""
    digest = hashlib.sha256()
    for name in sorted(environment("es").list_templates()):
        digest.update(files("api.web").joinpath("templates", name).read_bytes())
    digest.update(files("api.web").joinpath("locale", "en.po").read_bytes())
    for name, file in sorted(static_files().items()):
        digest.update(f"{name} {file.version}".encode())
    return digest.hexdigest()


def prepare() -> None:
    """Compile every template in both languages: the first reader waits no longer than the others."""
    for language in LANGUAGES:
        made = environment(language)
        for name in made.list_templates():
            made.get_template(name)
    looks()
