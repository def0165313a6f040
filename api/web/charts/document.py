"""A picture as a file of its own: beside the shapes, everything that says what they are, as of when, and from whom.

SVG 1.1; its metadata are Dublin Core terms (ISO 15836). It holds no reference to anything else but the links that a
reader may follow.
"""

import textwrap
from collections.abc import Sequence
from typing import Final, NamedTuple

from markupsafe import Markup

from api.web.charts import style
from api.web.charts.bars import WIDTH
from api.web.charts.svg import NAMESPACE, Picture, element
from registry.text import Language

MARGIN: Final = 24

_HEADING: Final = 32
_STRONG: Final = 50
_LINE: Final = 57
_SMALL: Final = 61
"""Characters that fit on a line of each kind in the widest of usual fonts, DejaVu."""

_ADDRESS: Final = 56


class Caption(NamedTuple):
    """The words of a picture. ``legend``: classes and what they mean. ``warning``: what nobody may overlook."""

    language: Language
    title: str
    sentence: str
    total: str
    legend: Sequence[tuple[str, str]]
    note: str | None
    warning: str | None
    as_of: str
    source: str
    link: str
    citation: str
    licence: str


def document(pictures: Sequence[Picture], caption: Caption) -> str:
    """The file, as XML."""
    below = _Column(MARGIN)
    if caption.warning is not None:
        below.write(caption.warning, "strong", _STRONG, 18)
        below.top += 8
    below.write(caption.title, "heading", _HEADING, 26)
    below.top += 4
    below.write(caption.sentence, "", _LINE, 18)
    below.top += 4
    below.write(caption.total, "strong", _STRONG, 18)
    if caption.legend:
        below.legend(caption.legend)
    if caption.note is not None:
        below.top += 4
        below.write(caption.note, "soft", _SMALL, 17)
    for number, picture in enumerate(pictures):
        below.draw(picture, f"picture{number}")
    below.rule()
    below.write(caption.as_of, "soft", _SMALL, 17)
    below.write(caption.source, "soft", _SMALL, 17)
    below.link(caption.link)
    width, height = WIDTH + 2 * MARGIN, below.top + MARGIN - 8
    root = element(
        "svg",
        element("title", caption.title, id="title"),
        element("desc", f"{caption.sentence} {caption.as_of}", id="desc"),
        _metadata(caption),
        element("style", Markup(style.dark())),
        element("rect", width=width, height=height, class_="paper"),
        *below.parts,
        xmlns=NAMESPACE,
        lang=caption.language,
        class_="document",
        width=width,
        height=height,
        viewBox=f"0 0 {width} {height}",
        aria_labelledby="title desc",
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{style.with_attributes(root)}\n'


class _Column:
    """What has been put one below the other, and where the next begins. Lines of a text are one text when copied."""

    def __init__(self, top: int) -> None:
        self.top = top
        self.parts: list[Markup] = []

    def write(self, text: str, class_: str, characters: int, height: int) -> None:
        *before, last = textwrap.wrap(text, characters, break_on_hyphens=False)
        self.parts.append(self._text([*(f"{line} " for line in before), last], height, class_))

    def link(self, address: str) -> None:
        """Cut where a line is full."""
        lines = [address[start : start + _ADDRESS] for start in range(0, len(address), _ADDRESS)]
        self.parts.append(element("a", self._text(lines, 17, ""), href=address))

    def legend(self, given: Sequence[tuple[str, str]]) -> None:
        self.top += 8
        shapes = []
        left = 0
        for class_, said in given:
            room = 20 + round(len(said) * 6.8) + 12
            if left and left + room > WIDTH + 14:
                left, self.top = 0, self.top + 18
            shapes += [
                element("rect", x=MARGIN + left + 0.5, y=self.top + 2.5, width=11, height=11, class_=class_),
                element("text", said, x=MARGIN + left + 18, y=self.top + 12),
            ]
            left += room
        self.parts.append(element("g", *shapes, class_="legend"))
        self.top += 20

    def draw(self, picture: Picture, id_: str) -> None:
        self.top += 12
        left = MARGIN + (WIDTH - picture.width) // 2
        self.parts.append(
            element(
                "g",
                *picture.named(id_),
                picture.shapes,
                class_=picture.kind,
                transform=f"translate({left} {self.top})",
                role="img",
                aria_labelledby=f"{id_}-title {id_}-desc",
            )
        )
        self.top += picture.height + 8

    def rule(self) -> None:
        self.top += 10
        self.parts.append(
            element("line", x1=MARGIN, y1=self.top, x2=MARGIN + WIDTH, y2=self.top, class_="rule")
        )
        self.top += 6

    def _text(self, lines: Sequence[str], height: int, class_: str) -> Markup:
        written = []
        for line in lines:
            self.top += height
            written.append(element("tspan", line, x=MARGIN, y=self.top - round(height * 0.25)))
        return element("text", *written, class_=class_) if class_ else element("text", *written)


def _metadata(caption: Caption) -> Markup:
    terms = {
        "title": caption.title,
        "publisher": "Constancia",
        "identifier": caption.link,
        "rights": caption.licence,
        "source": caption.citation,
    }
    return element(
        "metadata",
        *(element(f"dc:{name}", said) for name, said in terms.items()),
        **{"xmlns:dc": "http://purl.org/dc/elements/1.1/"},
    )
