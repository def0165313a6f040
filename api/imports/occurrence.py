"""When something happened, from a cell and the date on which the source was published."""

import re
from datetime import date
from typing import NamedTuple

from api.imports.dates import Format, Span, parse_format
from api.imports.errors import RowProblem, RowRefused
from api.imports.hints import hint_for_date
from api.imports.profile import DateReading
from registry.domain.codes import DatePrecision
from registry.text import Text


class Occurrence(NamedTuple):
    """``wording`` keeps the source's own words wherever the date alone would lose them."""

    earliest: date | None
    latest: date
    precision: DatePrecision
    wording: str | None

    def document(self) -> dict[str, object]:
        """As the field ``when`` of a record."""
        when: dict[str, object] = {
            "earliest": None if self.earliest is None else self.earliest.isoformat(),
            "latest": self.latest.isoformat(),
            "precision": self.precision.value,
        }
        return when if self.wording is None else {**when, "wording": self.wording}


class Reader:
    """One profile's way of reading one kind of date column."""

    def __init__(self, reading: DateReading) -> None:
        self._reading = reading
        self._formats = [parse_format(text) for text in reading.formats]
        self._since = [parse_format(text) for text in reading.since]
        self._published = [parse_format(text) for text in reading.published_formats]

    @property
    def columns(self) -> tuple[str, ...]:
        """What it needs beside the cell."""
        published = (self._reading.published,) if self._reading.published else ()
        return (*published, *(shift.column for shift in self._reading.years))

    def read(self, text: str, column: str, cells: dict[str, str]) -> Occurrence | None:
        """None for an empty cell that nothing bounds. Raises RowRefused."""
        published = self._publication(cells)
        for format_ in self._formats:
            span = format_.read(text, published=self._shifted(published, cells))
            if span is not None:
                return Occurrence(*span, wording=None if format_.wordless else text)
        if not text and published is None:
            return None
        if self._reading.otherwise == "ERROR":
            raise RowRefused(self._not_a_date(text, column))
        if published is None:
            raise RowRefused(self._unpublished(cells))
        start = self._start(text, published, column)
        return Occurrence(start, published, DatePrecision.INTERVAL, text or None)

    def _publication(self, cells: dict[str, str]) -> date | None:
        """The last day on which it can have been published: a month or a year ends with its last day."""
        column = self._reading.published
        if column is None or not cells[column]:
            return None
        span = _first(self._published, cells[column])
        if span is None:
            raise RowRefused(self._not_published(cells[column], column))
        return span.latest

    def _shifted(self, published: date | None, cells: dict[str, str]) -> date | None:
        if published is None:
            return None
        for shift in self._reading.years:
            if re.search(shift.matches, cells[shift.column], re.IGNORECASE):
                # 29 February has no anniversary; the day before is as good a bound.
                day = 28 if (published.month, published.day) == (2, 29) else published.day
                return published.replace(year=published.year + shift.add, day=day)
        return published

    def _start(self, text: str, published: date, column: str) -> date | None:
        """Where the words tell it: "desde el domingo 11 de julio", "primavera de 2020"."""
        span = next((s for f in self._since if (s := f.read(text, published=published))), None)
        if span is not None:
            return span.earliest if span.earliest <= published else None
        for start in self._reading.starts:
            match = re.search(start.matches, text, re.IGNORECASE)
            if match is not None:
                try:
                    earliest = date.fromisoformat(match.expand(start.earliest))
                except (ValueError, re.error) as error:
                    raise RowRefused(self._not_a_date(text, column)) from error
                return earliest if earliest <= published else None
        return None

    def _not_a_date(self, text: str, column: str) -> RowProblem:
        formats = ", ".join(self._reading.formats)
        hint = hint_for_date(text) or Text("", "")
        return RowProblem(
            field=None,
            code="not-a-date",
            detail=Text(
                f"No es una fecha. Se acepta: {formats}. {hint.es}".rstrip(),
                f"Not a date. Accepted: {formats}. {hint.en}".rstrip(),
            ),
            columns=(column,),
            value=text,
        )

    def _not_published(self, text: str, column: str) -> RowProblem:
        formats = ", ".join(self._reading.published_formats)
        return RowProblem(
            field=None,
            code="not-a-date",
            detail=Text(
                f"No es una fecha de publicación. Se acepta: {formats}.",
                f"Not a date of publication. Accepted: {formats}.",
            ),
            columns=(column,),
            value=text,
        )

    def _unpublished(self, cells: dict[str, str]) -> RowProblem:
        column = self._reading.published or ""
        return RowProblem(
            field=None,
            code="not-a-date",
            detail=Text(
                "La fecha está en palabras y falta la de publicación, con la que termina el intervalo. Complete la "
                "columna.",
                "The date is in words, and the date of publication is missing, with which its interval ends. Fill "
                "in the column.",
            ),
            columns=(column,),
            value=cells.get(column, ""),
        )


def _first(formats: list[Format], text: str) -> Span | None:
    return next((span for one in formats if (span := one.read(text))), None)
