"""SVG 1.1 as text. What is written into it is escaped; colours and fonts come from ``pictures.css``, by class."""

from collections.abc import Iterable
from functools import cache
from html import escape
from typing import NamedTuple

from markupsafe import Markup

NAMESPACE = "http://www.w3.org/2000/svg"


class Picture(NamedTuple):
    """A drawing that is not yet anywhere: on a page, or in a file of its own. ``kind``: its class in the style."""

    kind: str
    title: str
    description: str
    width: int
    height: int
    shapes: Markup

    def inline(self, id_: str) -> Markup:
        """On a page. It reads out its title and description (WAI-ARIA: one image, its parts are not gone through)."""
        return element(
            "svg",
            *self.named(id_),
            self.shapes,
            xmlns=NAMESPACE,
            class_=self.kind,
            viewBox=f"0 0 {self.width} {self.height}",
            role="img",
            aria_labelledby=f"{id_}-title {id_}-desc",
        )

    def named(self, id_: str) -> tuple[Markup, Markup]:
        """Title and description, to be pointed at."""
        return (
            element("title", self.title, id=f"{id_}-title"),
            element("desc", self.description, id=f"{id_}-desc"),
        )


def element(name: str, *children: str, **attributes: str | int | float) -> Markup:
    """One element. A trailing underscore of an attribute is dropped, others become hyphens; text is escaped."""
    # A page has hundreds of elements: so no Markup is made of what is inside of one.
    written = "".join([f' {_name(attribute)}="{_shown(value)}"' for attribute, value in attributes.items()])
    inside = "".join(map(_escaped, children))
    return Markup(f"<{name}{written}>{inside}</{name}>") if inside else Markup(f"<{name}{written}/>")


def together(parts: Iterable[str]) -> Markup:
    """One after the other; text is escaped."""
    return Markup("".join(map(_escaped, parts)))


@cache
def _name(attribute: str) -> str:
    return attribute.rstrip("_").replace("_", "-")


def _shown(value: str | int | float) -> str:
    if isinstance(value, str):
        return _escaped(value)
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _escaped(text: str) -> str:
    return text if isinstance(text, Markup) else escape(text)
