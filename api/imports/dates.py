"""Dates as sources write them: absolute ones with their precision, all others as an interval with their wording.

A format is a text in which YYYY, YY, MM, M, DD, D, MONTH and WEEKDAY stand for parts of a date (month and weekday by
name, Spanish or English) and everything else for itself. What the format names is the precision: a day, a month, a
year. A date without a year takes the latest year that does not lie after the publication. What no format matches
("viernes", "primavera de 2020", an empty cell) happened before it was published, and that is all that is known.
"""

import calendar
import re
import unicodedata
from datetime import date
from typing import Final, NamedTuple

from registry.domain.codes import DatePrecision

_SPANISH_MONTHS: Final = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)
_ENGLISH_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
MONTHS: Final[dict[str, int]] = {
    **{
        name: number
        for names in (_SPANISH_MONTHS, _ENGLISH_MONTHS)
        for number, name in enumerate(names, start=1)
    },
    "setiembre": 9,
}
_SPANISH_DAYS: Final = ("lunes", "martes", "miercoles", "jueves", "viernes", "sabado", "domingo")
_ENGLISH_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEKDAYS: Final[dict[str, int]] = {
    name: number for names in (_SPANISH_DAYS, _ENGLISH_DAYS) for number, name in enumerate(names)
}

_TOKENS: Final = {
    "YYYY": ("year", r"(?P<year>[0-9]{4})"),
    "YY": ("year", r"(?P<year>[0-9]{2})"),
    "MONTH": ("month", rf"(?P<month>{'|'.join(sorted(MONTHS, key=len, reverse=True))})"),
    "WEEKDAY": ("weekday", rf"(?P<weekday>{'|'.join(WEEKDAYS)})"),
    "MM": ("month", r"(?P<month>[0-9]{2})"),
    "DD": ("day", r"(?P<day>[0-9]{2})"),
    "M": ("month", r"(?P<month>[0-9]{1,2})"),
    "D": ("day", r"(?P<day>[0-9]{1,2})"),
}
CENTURY: Final = 2000
"""Of a year in two digits (YY): the register's own, and its sources'."""

_TOKEN: Final = re.compile(r"YYYY|YY(?![A-Z])|MONTH|WEEKDAY|MM|DD|M(?![A-Z])|D(?![A-Z])")


class BadFormat(ValueError):
    """A format without a date in it, or with the same part twice."""


class Span(NamedTuple):
    """A date as precise as it was given; both ends included."""

    earliest: date
    latest: date
    precision: DatePrecision


def fold(text: str) -> str:
    """For comparing words: lower case, without accents, single blanks."""
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return " ".join(bare.casefold().split())


class Format(NamedTuple):
    """One way of writing a date."""

    pattern: re.Pattern[str]
    parts: frozenset[str]
    wordless: bool
    """Whether it is figures only, so that nothing of the source's own words is lost when the date is kept."""

    def read(self, text: str, *, published: date | None = None) -> Span | None:
        """The date that ``text`` is, or None. ``published`` is the last day on which it can have been written."""
        match = self.pattern.fullmatch(fold(text))
        if match is None:
            return None
        said = match.groupdict()
        month, day = _month(said.get("month")), _number(said.get("day"))
        if "year" in said:
            year = int(said["year"])
            return _span(year if len(said["year"]) == 4 else CENTURY + year, month, day)
        if published is None:
            return None
        # 29 February may lie up to eight years back (1900 was no leap year).
        for year in range(published.year, published.year - 9, -1):
            span = _span(year, month, day)
            if span is not None and span.earliest <= published:
                # A weekday that disagrees shows that the year is not the one meant: then it is not known.
                agrees = "weekday" not in said or span.earliest.weekday() == WEEKDAYS[said["weekday"]]
                return span if agrees else None
        return None


def parse_format(text: str) -> Format:
    """Raises BadFormat."""
    parts: list[str] = []
    pattern, rest = "", 0
    for token in _TOKEN.finditer(text):
        name, expression = _TOKENS[token[0]]
        parts.append(name)
        pattern += _literal(text[rest : token.start()]) + expression
        rest = token.end()
    pattern += _literal(text[rest:])
    given = frozenset(parts)
    if len(given) != len(parts) or not given & {"year", "month"} or ("day" in given and "month" not in given):
        raise BadFormat(text)
    if "weekday" in given and "day" not in given:
        # "sábado de noviembre": which Saturday is not said, so the weekday adds nothing to the month.
        pattern = pattern.replace("?P<weekday>", "?:")
        given -= {"weekday"}
    wordless = "year" in given and not re.search(r"[^\W\d_]", _TOKEN.sub("", text)) and "MONTH" not in text
    return Format(re.compile(pattern), given, wordless)


def _literal(text: str) -> str:
    # Blanks at the ends of a literal matter here, so it is not folded as a whole.
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return re.sub(r"(\\ )+", " ", re.escape(bare.casefold()))


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


def _month(text: str | None) -> int | None:
    if text is None:
        return None
    return MONTHS[text] if text in MONTHS else int(text)


def _span(year: int, month: int | None, day: int | None) -> Span | None:
    """None where there is no such day (30 February) or month (13)."""
    if year < 1 or (month is not None and not 1 <= month <= 12):
        return None
    if month is None:
        return Span(date(year, 1, 1), date(year, 12, 31), DatePrecision.YEAR)
    length = calendar.monthrange(year, month)[1]
    if day is None:
        return Span(date(year, month, 1), date(year, month, length), DatePrecision.MONTH)
    if not 1 <= day <= length:
        return None
    return Span(date(year, month, day), date(year, month, day), DatePrecision.DAY)
