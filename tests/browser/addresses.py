"""Every page of the site that a browser shows, from the table that the routes are made of."""

import re
from functools import cache
from html import unescape
from typing import NamedTuple

import httpx

from api.web.pages import LANGUAGES, PAGES
from registry.text import Language

QUESTIONS = {"explore": ("by=STATE", "unit=VICTIMISATIONS&nexus=BROAD&state=12&state=16&by=CLASS&by=YEAR")}
"""What pages are asked besides what they show unasked."""


class Place(NamedTuple):
    """A page in a language, and what it is asked."""

    name: str
    language: Language
    query: str = ""

    def __str__(self) -> str:
        return "-".join(filter(None, self))

    def address(self, site: str) -> str:
        """Where it is; if its path holds a part, the first such page that another page links to."""
        path = PAGES[self.name].path(self.language)
        if "{" not in path:
            return f"{path}?{self.query}" if self.query else path
        pattern = re.compile(re.sub(r"\\{\w+\\}", "[^/?]+", re.escape(path)) + r"(\?.*)?")
        return next(link for link in _links(site) if pattern.fullmatch(link))


PLACES = [
    Place(name, language, query)
    for name, page in PAGES.items()
    for language in LANGUAGES
    for query in ("", *QUESTIONS.get(name, ()))
    if "." not in page.path(language)  # feeds and pictures are files
]


@cache
def _links(site: str) -> list[str]:
    """All addresses of the site that pages of a known address link to, or give away to be copied."""
    paths = [page.path(language) for page in PAGES.values() for language in LANGUAGES]
    pages = [httpx.get(site + path, timeout=30).text for path in paths if "{" not in path]
    found = [link for text in pages for link in re.findall(r'"(?:https?://[^/"]+)?(/[^"]*)"', unescape(text))]
    return [unescape(link) for link in found]  # what is copied is HTML within HTML
