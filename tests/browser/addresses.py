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
        """Where it is; if its path holds a part, the first such page that another page links to.

        Raises LookupError if none does.
        """
        path = PAGES[self.name].path(self.language)
        if "{" not in path:
            return f"{path}?{self.query}" if self.query else path
        pattern = re.compile(re.sub(r"\\{\w+\\}", "[^/?]+", re.escape(path)) + r"(\?.*)?")
        for page in PAGES.values():
            if "{" not in (known := page.path(self.language)):
                for link in _links(site + known):
                    if pattern.fullmatch(link):
                        return link
        raise LookupError(f"no page leads to {path}")


PLACES = [
    Place(name, language, query)
    for name, page in PAGES.items()
    for language in LANGUAGES
    for query in ("", *QUESTIONS.get(name, ()))
    if "." not in page.path(language)  # feeds and pictures are files
]


@cache
def _links(url: str) -> list[str]:
    """All addresses of the site that a page links to, or gives away to be copied."""
    text = unescape(httpx.get(url, timeout=30).text)
    found = re.findall(r'"(?:https?://[^/"]+)?(/[^"]*)"', text)
    return [unescape(link) for link in found]  # what is copied is HTML within HTML
