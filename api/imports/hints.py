"""What has most likely happened to a value that cannot be taken: spreadsheets drop zeros, and store days as numbers.

A hint says what to do and repeats nothing of the value, so that a server may give it, too.
"""

import re
from datetime import date
from typing import Final

from registry.text import Text

_DATE_FIELDS: Final = frozenset(
    {"earliest", "latest", "starts", "planned_end", "effective", "on", "valid_from"}
)
_SERIAL: Final = re.compile(r"[2-6][0-9]{4}(\.[0-9]+)?")
"""Days since 1900 as spreadsheets count them, from 1954 to 2091."""

_ISO: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})([ T].*)?")
_SLASHED: Final = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{2,4})")


def hint_for(field: str | None, value: object) -> Text | None:
    """About the value of a field of a record."""
    name = re.sub(r"\[[0-9]*\]$", "", (field or "").rpartition(".")[2])
    text = str(value)
    if name == "cvegeo" and re.fullmatch(r"[1-9][0-9]{3}", text):
        return _ZERO_LOST
    if name == "state" and re.fullmatch(r"[1-9]", text):
        return _ZERO_LOST
    return hint_for_date(text) if name in _DATE_FIELDS else None


def hint_for_date(text: str) -> Text | None:
    """About a text that should have been a date."""
    if _SERIAL.fullmatch(text):
        return _SERIAL_NUMBER
    if iso := _ISO.fullmatch(text):
        return None if _is_day(iso[1], iso[2], iso[3]) else _NO_SUCH_DAY
    if slashed := _SLASHED.fullmatch(text):
        first, second = int(slashed[1]), int(slashed[2])
        if first > 12 and second > 12:
            return _NO_SUCH_DAY
        if first <= 12 and second <= 12 and first != second:
            return _AMBIGUOUS
        year = slashed[3] if len(slashed[3]) == 4 else f"20{slashed[3]:0>2}"
        day, month = (slashed[1], slashed[2]) if second <= 12 else (slashed[2], slashed[1])
        return _OTHER_ORDER if _is_day(year, month, day) else _NO_SUCH_DAY
    return None


def _is_day(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


_ZERO_LOST: Final = Text(
    "Le falta el cero inicial, que las hojas de cálculo quitan: dé a la columna formato de texto y escríbalo de nuevo.",
    "Its leading zero is missing, which spreadsheets drop: format the column as text and type it anew.",
)
_SERIAL_NUMBER: Final = Text(
    "Parece el número con que una hoja de cálculo guarda un día: dé a la columna formato de fecha.",
    "It looks like the number as which a spreadsheet stores a day: format the column as a date.",
)
_NO_SUCH_DAY: Final = Text("Ese día no existe en el calendario.", "There is no such day in the calendar.")
_AMBIGUOUS: Final = Text(
    "No se sabe qué es el día y qué el mes: escriba AAAA-MM-DD, o diga el orden en el perfil.",
    "Which is the day and which the month is unknown: write YYYY-MM-DD, or tell the order in the profile.",
)
_OTHER_ORDER: Final = Text(
    "Día y mes vienen en otro orden, o invertidos: escriba AAAA-MM-DD, o diga el orden en el perfil.",
    "Day and month come in another order, or swapped: write YYYY-MM-DD, or tell the order in the profile.",
)
