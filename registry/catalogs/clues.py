"""CLUES: the official code of a health establishment, and what can be checked without the catalogue.

``MNIMB001234``: two letters of the state, three of the institution, five digits, and a check digit.

The rule of the check digit is published nowhere. It was found in the data, 2·(N − Σ letters) mod 7 with N the five
digits as a number and A=1 … Z=26, and holds for all 10,573 codes of IMSS-Bienestar (institution IMB) of 2026. For
other institutions it is likely and not established: what breaks it there is doubtful, not wrong.
"""

import re
from typing import NamedTuple

from registry.catalogs.states import BY_CLUES, BY_CODE
from registry.errors import InvalidInput
from registry.text import Text

_FORM = re.compile(r"[A-Z]{5}[0-9]{6}")
_CERTAIN = "IMB"
"""The institution for whose codes every rule is known to hold."""


class Clues(NamedTuple):
    """A code that may be accepted. ``warnings`` say what is doubtful about it."""

    code: str
    warnings: tuple[Text, ...]

    @property
    def institution(self) -> str:
        return self.code[2:5]


def check_digit(code: str) -> int:
    """The last digit that the first ten characters call for, 0 to 6."""
    letters = sum(ord(letter) - ord("A") + 1 for letter in code[:5])
    return 2 * (int(code[5:10]) - letters) % 7


def check(code: str, cvegeo: str | None = None, *, field: str = "clues") -> Clues:
    """Check a code, against its municipality where that is known. Raises InvalidInput, naming the field."""
    if not _FORM.fullmatch(code):
        raise InvalidInput(
            field,
            "La CLUES tiene cinco letras mayúsculas y seis dígitos, como MNIMB001234. Cópiela del catálogo oficial.",
            "A CLUES has five capital letters and six digits, like MNIMB001234. Copy it from the official catalogue.",
        )
    found = doubts(code, cvegeo)
    if found and code[2:5] == _CERTAIN:
        raise InvalidInput(field, *found[0])
    return Clues(code, found)


def doubts(code: str, cvegeo: str | None = None) -> tuple[Text, ...]:
    """What is doubtful about a code of the right form."""
    return tuple(doubt for doubt in (_digit(code), _state(code, cvegeo)) if doubt is not None)


def _digit(code: str) -> Text | None:
    if int(code[-1]) == check_digit(code):
        return None
    return Text(
        "El último dígito de la CLUES no corresponde a los demás. Revise si hay letras o dígitos cambiados.",
        "The last digit of the CLUES does not fit the others. Check whether letters or digits were swapped.",
    )


def _state(code: str, cvegeo: str | None) -> Text | None:
    state = BY_CLUES.get(code[:2])
    if state is None:
        return Text(
            "Las dos primeras letras de la CLUES no son de ningún estado. Cópiela del catálogo oficial.",
            "The first two letters of the CLUES are those of no state. Copy it from the official catalogue.",
        )
    if cvegeo is None or cvegeo[:2] == state.code:
        return None
    place = BY_CODE.get(cvegeo[:2])
    elsewhere = (place.name if place else cvegeo[:2], state.name)
    return Text(
        "El municipio es de {} y la CLUES empieza con las letras de {}. Corrija el que esté mal.".format(
            *elsewhere
        ),
        "The municipality is in {} and the CLUES begins with the letters of {}. Correct the wrong one.".format(
            *elsewhere
        ),
    )
