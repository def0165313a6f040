"""A text that people see: Spanish first, English second, both always present."""

from typing import Literal, NamedTuple

Language = Literal["es", "en"]


class Text(NamedTuple):
    """One message in both languages of the register."""

    es: str
    en: str

    def in_(self, language: Language) -> str:
        """The text in one language."""
        return self.es if language == "es" else self.en

    def __str__(self) -> str:
        """Both, Spanish first: for a terminal or a log, where nobody negotiated a language."""
        return f"{self.es}\n{self.en}"
