"""The words of the pages in both languages: msgids are Spanish, ``locale/en.po`` holds the English.

The catalogue is read once at the start. Numbers and dates are written as each language writes them in Mexico.
"""

from collections.abc import Sequence
from datetime import date, datetime
from functools import cache
from gettext import NullTranslations
from importlib.resources import files
from io import BytesIO
from typing import Final

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from registry.text import Language

_LOCALES: Final = {"es": Locale("es", "MX"), "en": Locale("en")}
_DAYS: Final = {"es": "d 'de' MMMM 'de' y", "en": "d MMMM y"}


class Texts:
    """The words of one language."""

    def __init__(self, language: Language, translations: NullTranslations) -> None:
        self.language: Language = language
        self.translations = translations
        self.gettext = translations.gettext
        self.ngettext = translations.ngettext

    def number(self, value: int) -> str:
        """Thousands are told apart by a comma in both languages; a minus is a minus."""
        return f"{value:,}".replace("-", "−")

    def signed(self, value: int) -> str:
        """A difference, with its sign."""
        return f"+{value:,}" if value > 0 else self.number(value)

    def interval(self, bounds: Sequence[int]) -> str:
        """Of low, best and high: ``12``, or ``12 (9–14)`` where low and high differ."""
        low, best, high = (self.number(number) for number in bounds)
        return best if low == high else f"{best} ({low}–{high})"

    def day(self, day: date) -> str:
        """``22 de noviembre de 2026``."""
        return format_date(day, _DAYS[self.language], locale=_LOCALES[self.language])

    def moment(self, moment: datetime) -> str:
        """With the time in UTC: the register has one clock."""
        return format_datetime(moment, f"{_DAYS[self.language]}, HH:mm 'UTC'", locale=_LOCALES[self.language])


@cache
def texts(language: Language) -> Texts:
    """Spanish needs no catalogue: the msgids are what is said."""
    return Texts(language, NullTranslations() if language == "es" else catalogue("en.po", "en"))


def catalogue(name: str, language: Language) -> NullTranslations:
    """The translations into a language that a file of ``locale`` holds."""
    with files("api.web").joinpath("locale", name).open("rb") as file:
        read = read_po(file, locale=language, abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, read)
    compiled.seek(0)
    return Translations(compiled)
