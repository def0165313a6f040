"""Dates as sources write them, and what becomes of those that are none."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.imports.dates import BadFormat, parse_format
from api.imports.errors import RowRefused
from api.imports.occurrence import Occurrence, Reader
from api.imports.profile import DateReading, Start, YearShift
from registry.domain.codes import DatePrecision

DAY, MONTH, YEAR, INTERVAL = (
    DatePrecision.DAY,
    DatePrecision.MONTH,
    DatePrecision.YEAR,
    DatePrecision.INTERVAL,
)
READING = DateReading(
    formats=[
        "YYYY-MM-DD",
        "YYYY-MM",
        "YYYY",
        "D/M/YYYY",
        "WEEKDAY D de MONTH de YYYY",
        "WEEKDAY D de MONTH",
        "D de MONTH",
        "D MONTH",
        "MONTH D",
        "MONTH de YYYY",
        "finales de MONTH de YYYY",
        "WEEKDAY de MONTH de YYYY",
    ],
    since=["desde el WEEKDAY D de MONTH"],
    starts=[Start(matches=r"primavera de (\d{4})", earliest=r"\1-03-01")],
    published="published",
    years=[YearShift(column="note", matches="un año después", add=-1)],
    otherwise="INTERVAL",
)


def read(text: str, published: str = "2022-07-20", note: str = "") -> Occurrence:
    found = Reader(READING).read(text, "when", {"published": published, "note": note})
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "published", "earliest", "latest", "precision"),
    [
        ("2022-07-15", "", "2022-07-15", "2022-07-15", DAY),
        ("2022-07", "", "2022-07-01", "2022-07-31", MONTH),
        ("2024-02", "", "2024-02-01", "2024-02-29", MONTH),
        ("2022", "", "2022-01-01", "2022-12-31", YEAR),
        ("3/2/2026", "", "2026-02-03", "2026-02-03", DAY),
        ("15 de julio", "2022-07-20", "2022-07-15", "2022-07-15", DAY),
        ("15 de junio", "2022-07", "2022-06-15", "2022-06-15", DAY),
        ("July 15", "2022-07-21", "2022-07-15", "2022-07-15", DAY),
        ("15 julio", "2022", "2022-07-15", "2022-07-15", DAY),
        ("28 de diciembre", "2022-01-04", "2021-12-28", "2021-12-28", DAY),
        ("29 de febrero", "2023-05-01", "2020-02-29", "2020-02-29", DAY),
        ("jueves 28 de enero", "2021-01-29", "2021-01-28", "2021-01-28", DAY),
        ("Miércoles 24 de Agosto", "2022-08", "2022-08-24", "2022-08-24", DAY),
        ("julio de 2015", "2021-07-23", "2015-07-01", "2015-07-31", MONTH),
        ("finales de junio de 2021", "2021-07-23", "2021-06-01", "2021-06-30", MONTH),
        ("sábado de noviembre de 2013", "2019-01-18", "2013-11-01", "2013-11-30", MONTH),
        # The source gave all of it: that its weekday is another is the source's, and stays.
        ("lunes 15 de julio de 2022", "2022-07-20", "2022-07-15", "2022-07-15", DAY),
    ],
)
def test_an_absolute_date_keeps_its_precision(
    text: str, published: str, earliest: str, latest: str, precision: DatePrecision
) -> None:
    found = read(text, published)
    assert found.earliest is not None
    assert (found.earliest.isoformat(), found.latest.isoformat(), found.precision) == (
        earliest,
        latest,
        precision,
    )


@pytest.mark.parametrize(
    ("text", "published", "latest"),
    [
        ("viernes", "2022-07", "2022-07-31"),
        ("el pasado jueves", "2021-01-31", "2021-01-31"),
        ("hace una semana", "2015-11-01", "2015-11-01"),
        ("hace unas semanas", "2022", "2022-12-31"),
        ("", "2022-07-15", "2022-07-15"),
        ("31 de febrero", "2022-07-15", "2022-07-15"),
        # The year is not said, and in no near year is that day a Monday: then it is not known.
        ("lunes 15 de julio", "2022-07-20", "2022-07-20"),
    ],
)
def test_what_is_not_absolute_happened_before_it_was_published(
    text: str, published: str, latest: str
) -> None:
    found = read(text, published)
    assert found == Occurrence(None, date.fromisoformat(latest), INTERVAL, text or None)


def test_words_may_tell_when_the_interval_starts() -> None:
    assert read("primavera de 2020", "2022-07-25") == Occurrence(
        date(2020, 3, 1), date(2022, 7, 25), INTERVAL, "primavera de 2020"
    )
    assert read("desde el domingo 11 de julio", "2021-07-13")[:3] == (
        date(2021, 7, 11),
        date(2021, 7, 13),
        INTERVAL,
    )


def test_a_start_after_the_publication_is_none() -> None:
    assert read("primavera de 2023", "2022-07-25").earliest is None


def test_a_source_that_looks_back_a_year_means_the_year_before() -> None:
    assert read("15 de julio", "2023-07", "un año después sin sentencia").latest == date(2022, 7, 15)
    assert read("15 de julio", "2023-07").latest == date(2023, 7, 15)
    assert read("28 de febrero", "2024-02-29", "un año después").latest == date(2023, 2, 28)


@pytest.mark.parametrize(
    ("text", "wording"),
    [("2022-07-15", None), ("15 de julio", "15 de julio"), ("julio de 2015", "julio de 2015"), ("", None)],
)
def test_the_wording_is_kept_where_the_date_alone_would_lose_it(text: str, wording: str | None) -> None:
    assert read(text).wording == wording


def test_a_date_in_words_needs_the_publication() -> None:
    with pytest.raises(RowRefused) as caught:
        read("viernes", published="")
    assert caught.value.problem.columns == ("published",)


def test_a_publication_that_is_no_date_is_refused_with_what_is_accepted() -> None:
    with pytest.raises(RowRefused) as caught:
        read("viernes", published="s. f.")
    assert caught.value.problem.value == "s. f."
    assert "YYYY-MM-DD" in caught.value.problem.detail.en


def test_nothing_said_and_nothing_published_is_no_date_at_all() -> None:
    assert Reader(READING).read("", "when", {"published": "", "note": ""}) is None


def test_a_strict_reading_refuses_what_is_no_date() -> None:
    strict = Reader(DateReading(formats=["D/M/YYYY"]))
    with pytest.raises(RowRefused) as caught:
        strict.read("ayer", "starts", {})
    assert caught.value.problem.columns == ("starts",)
    assert "D/M/YYYY" in caught.value.problem.detail.es


@pytest.mark.parametrize("text", ["", "DD", "D de YYYY", "YYYY YYYY", "M MM YYYY", "WEEKDAY", "fecha"])
def test_a_format_that_names_no_date_is_refused(text: str) -> None:
    with pytest.raises(BadFormat):
        parse_format(text)


def test_punctuation_in_a_format_stands_for_itself() -> None:
    dotted = parse_format("D.M.YYYY")
    assert dotted.read("1.2.2026") is not None
    assert dotted.read("1x2x2026") is None


@given(st.dates(date(1990, 1, 1), date(2035, 12, 31)), st.integers(0, 364))
def test_a_day_without_its_year_is_the_last_such_day_before_publication(day: date, later: int) -> None:
    published = day + timedelta(days=later)
    found = parse_format("D/M").read(f"{day.day}/{day.month}", published=published)
    assert found is not None
    # Over a leap day a year has 366 days; the 29th of February itself may lie further back.
    assert found.latest <= published
    assert found.latest >= day


@given(st.dates(date(1990, 1, 1), date(2035, 12, 31)))
def test_every_iso_day_is_read_as_itself(day: date) -> None:
    assert parse_format("YYYY-MM-DD").read(day.isoformat()) == (day, day, DAY)
