"""One request for a page: who answers, what was asked, and the checkpoint that everything on the page is as of."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from api.counts.answer import Answer, Backing
from api.counts.counts import Pin
from api.labels import INVENTED
from api.web import questions
from api.web.charts.geography import Outlines
from api.web.pages import address
from api.web.rendering import render
from api.web.texts import Texts, texts
from projections.counting.query import CountQuery
from registry.text import Language

_STATE: Final = (*questions.NAMES, "after", "page", "since", "until")
"""The parameters that say what a page shows."""


class Site(NamedTuple):
    """What pages rest on. ``vkeys``: the public keys by purpose, as ``/log/keys`` shows them. ``invented``: whether the
    register is a demonstration. ``outlines``: of the states, where the operator has given them."""

    backing: Backing
    vkeys: Callable[[], Mapping[str, list[str]]]
    invented: bool = False
    outlines: Outlines | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """``page``: its name in ``PAGES``. ``asked``: the question of the address, pinned to no size yet."""

    site: Site
    page: str
    language: Language
    parameters: questions.Parameters
    parts: Mapping[str, str]
    asked: CountQuery
    pinned: Pin

    @property
    def texts(self) -> Texts:
        return texts(self.language)

    @property
    def size(self) -> int:
        """Of the checkpoint."""
        return self.pinned.checkpoint.size

    async def count(self, query: CountQuery, pinned: Pin | None = None) -> Answer:
        """As of the page's checkpoint, unless another one is given."""
        pinned = pinned or self.pinned
        backing = self.site.backing
        counted = await backing.counts.count(query, pinned)
        return Answer(backing, query, counted, pinned.checkpoint, pinned.waiting)

    @property
    def warning(self) -> str | None:
        """What everything of a demonstration begins with."""
        return INVENTED.in_(self.language) if self.site.invented else None

    def warned(self, text: str) -> str:
        """A text that is taken away from here."""
        return text if self.warning is None else f"{self.warning} {text}"

    def link(self, page: str, query: CountQuery | None = None, /, **more: str) -> str:
        """A page in the same language that asks this as of this checkpoint."""
        return address(page, self.language, questions.write(query or CountQuery(), self.size, **more))

    def incident(self, id_: UUID) -> str:
        """The page of one incident as of this checkpoint."""
        return address("incident", self.language, f"as_of={self.size}", id=str(id_))

    def here(self, language: Language) -> str:
        """This page, in the same state, in a language."""
        return address(self.page, language, urlencode(self._stated(_STATE)), **self.parts)

    @property
    def lasting(self) -> str:
        """This page, in the same state, as of this checkpoint: it stays as it is."""
        stated = self._stated(name for name in _STATE if name != "as_of")
        return address(
            self.page, self.language, urlencode([*stated, ("as_of", str(self.size))]), **self.parts
        )

    def _stated(self, names: Iterable[str]) -> list[tuple[str, str]]:
        return [(name, value) for name in names for value in self.parameters.getlist(name) if value]

    def render(self, template: str, **context: Any) -> str:
        """The page, with what every page shows."""
        base = {
            "visit": self,
            "checkpoint": self.pinned.checkpoint,
            "base_url": self.site.backing.base_url,
            "invented": self.warning,
        }
        return render(template, self.language, self.page, {**base, **context})
