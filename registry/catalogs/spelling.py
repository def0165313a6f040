"""One spelling for what people write in many: case, accents, punctuation, abbreviations. Pure."""

import re
import unicodedata
from typing import Final

_WORDS = re.compile(r"[a-z0-9]+")

ABBREVIATIONS: Final = {
    "sta": "santa",
    "sto": "santo",
    "sn": "san",
    "gral": "general",
    "dr": "doctor",
    "prof": "profesor",
    "ing": "ingeniero",
    "lic": "licenciado",
    "cd": "ciudad",
    "ma": "maria",
    "fco": "francisco",
    "mpio": "municipio",
    "mun": "municipio",
    "edo": "estado",
    "mex": "mexico",
}
"""Written-out forms, without accents."""


def folded(text: str) -> str:
    """Words in small letters without accents or punctuation, one blank between them: ``Álamos.`` is ``alamos``."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(_WORDS.findall("".join(letter for letter in plain if not unicodedata.combining(letter))))


def written_out(text: str) -> str:
    """Folded, and with abbreviations written out: ``Sta. María`` is ``santa maria``."""
    return " ".join(ABBREVIATIONS.get(word, word) for word in folded(text).split())


def trigrams(text: str) -> frozenset[str]:
    """Groups of three letters of a folded text, its beginning and end marked by blanks."""
    padded = f"  {text} "
    return frozenset(padded[start : start + 3] for start in range(len(padded) - 2))


def likeness(one: str, other: str) -> float:
    """How alike two folded texts are, from 0 to 1 (the same): one less the edits by the longer one's length.

    An edit inserts, removes or replaces a letter, or swaps two neighbours (Damerau-Levenshtein, each letter once).
    """
    if one == other:
        return 1.0
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        above, row, before_that = row, [i], before
        before = above
        for j, counterpart in enumerate(other, start=1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != counterpart))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == counterpart:
                cost = min(cost, before_that[j - 2] + 1)
            row.append(cost)
    return 1 - row[-1] / max(len(one), len(other), 1)
