"""What the machine-readable documents say, in the reader's language.

They are written either ``Spanish · English`` or, where they come from the models, in English alone; the Spanish of the
latter is in ``locale/references.es.po``, by the English text with its white space folded.
"""

import re
from functools import cache
from gettext import NullTranslations
from typing import Final, NamedTuple

from markupsafe import Markup, escape

from api.web.texts import catalogue
from registry.text import Language

_BOTH: Final = " · "
_CODE: Final = re.compile(r"``(.+?)``|`(.+?)`")


class Said(NamedTuple):
    """A text, as HTML, and the language that it is in."""

    text: Markup
    language: Language


def said(text: str, language: Language) -> Said:
    """In the language asked for; where nobody has translated it, in English."""
    words, spoken = _spoken(fold(text), language)
    return Said(Markup(_CODE.sub(_code, str(escape(words)))), spoken)


def plain(text: str, language: Language) -> str:
    """The same without markup, for titles."""
    return _spoken(fold(text), language)[0]


def fold(text: str) -> str:
    """On one line."""
    return " ".join(text.split())


def is_bilingual(text: str) -> bool:
    """Whether it says the same in both languages."""
    return _BOTH in text


def _spoken(text: str, language: Language) -> tuple[str, Language]:
    if is_bilingual(text):
        spanish, _, english = text.partition(_BOTH)
        return (spanish, "es") if language == "es" else (english, "en")
    if language == "es":
        translated = _spanish().gettext(text)
        return (text, "en") if translated == text else (translated, "es")
    return text, "en"


def _code(found: re.Match[str]) -> str:
    return f"<code>{found[1] or found[2]}</code>"


@cache
def _spanish() -> NullTranslations:
    return catalogue("references.es.po", "es")
