"""A profile that cannot be understood is refused by the name of its key, before any row is read."""

import re

import pytest

from api.imports.errors import ProfileRefused
from api.imports.loading import check_fields, load_profile
from api.imports.profile import Source
from api.imports.records import Records
from api.imports.template_fields import FIELDS

RECORD = '[[record]]\nfields = { class = "THREAT" }\n'


SPLIT_ELSEWHERE = """
records = "reports"
[[record]]
fields = { a = { column = "p" } }
[[record.items]]
into = "where"
fields = {}
split = { column = "c", by = "|", as = "p" }
"""

CONDITION = 'fields = { a = 1 }\nonly_if = [{ column = "p", empty = true }]'
PUBLISHED = "[dates.d]\nformats = []\npublished = 'p'"
SHIFT_FORWARD = "[dates.d]\nformats = []\nyears = [{ column = 'c', matches = 'x', add = 1 }]"


def profile(text: str) -> str:
    return f'records = "reports"\n{text}\n{RECORD}'


def test_the_smallest_profile() -> None:
    loaded = load_profile(profile(""))
    assert loaded.records is Records.REPORTS
    assert loaded.record[0].fields == {"class": "THREAT"}


def test_shorthand_and_source_are_told_apart() -> None:
    fields = load_profile(
        'records = "reports"\n[[record]]\n[record.fields]\nlow = 3\nclass = { column = "c" }\n'
    )
    assert fields.record[0].fields == {"low": 3, "class": Source(column="c")}


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("records = \n", "line 1", "TOML"),
        ('records = "persons"\n' + RECORD, "records", "assignments"),
        ('records = "reports"', "record", "Falta"),
        ('records = "reports"\nrecord = []', "record", "lista"),
        (profile("tabels = {}"), "tabels", "tables"),
        (profile('[file]\nencoding = "utf-16"'), "file.encoding", "cp1252"),
        (profile('[file]\ndelimiter = "|"'), "file.delimiter", ";"),
        (profile("[columns.a]\ncolum = 'x'"), "columns.a.colum", "template"),
        (profile("[columns.a]"), "columns.a", "exactamente uno"),
        (profile("[columns.a]\ncolumn = 'x'\ntemplate = 'y'"), "columns.a", "exactamente uno"),
        (
            profile("[columns.a]\ncolumn = 'x'\ntable = 't'\nstate = true\n[tables.t]"),
            "columns.a",
            "solo uno",
        ),
        (profile("[columns.a]\ncolumn = 'x'\ntable = 't'"), "columns.a.table", "Existen: —"),
        (profile("[columns.a]\ncolumn = 'x'\ndate = 't'"), "columns.a.date", "no existe"),
        (profile("[columns.a]\ncolumn = 'x'\ncapture = '('"), "columns.a.capture", "expresión"),
        (profile("[columns.a]\ncolumn = 'x'\ncapture = 'x'"), "columns.a.capture", "grupo"),
        (profile("[columns.a]\nfirst = [{ column = 'x' }, {}]"), "columns.a.first[1]", "exactamente uno"),
        (profile("[columns.a]\ncolumn = 'b'\n[columns.b]\ncolumn = 'c'"), "columns.a", "más adelante"),
        (profile("[tables.t]\npatterns = [{ value = 1 }]"), "tables.t.patterns[0]", "matches, contains"),
        (
            profile("[tables.t]\npatterns = [{ matches = '[', value = 1 }]"),
            "tables.t.patterns[0].matches",
            "regular",
        ),
        (profile("[tables.t]\npatterns = [{ matches = 'a' }]"), "tables.t.patterns[0].value", "Falta"),
        (profile("[dates.d]"), "dates.d.formats", "Falta"),
        (profile("[dates.d]\nformats = ['DD']"), "dates.d.formats[0]", "MONTH"),
        (profile("[dates.d]\nformats = []\nsince = ['x']"), "dates.d.since[0]", "formato"),
        (profile("[dates.d]\nformats = []\notherwise = 'INTERVAL'"), "dates.d.published", "publicación"),
        (profile("[dates.d]\nformats = []\notherwise = 'GUESS'"), "dates.d.otherwise", "INTERVAL"),
        (
            profile("[dates.d]\nformats = []\nyears = [{ column = 'c', matches = 'x', add = 1 }]"),
            "dates.d.years[0].add",
            "0",
        ),
        (
            'records = "reports"\n[[record]]\nfields = { "a..b" = 1 }',
            "record[0].fields.a..b",
            "when.earliest",
        ),
        ('records = "reports"\n[[record]]\nfields = { a = 1.5 }', "record[0].fields.a", "texto"),
        (
            'records = "reports"\n[[record]]\nfields = { a = 1 }\nonly_if = [{ column = "c" }]',
            "record[0].only_if[0]",
            "equals, matches",
        ),
        (
            SPLIT_ELSEWHERE.replace('fields = { a = { column = "p" } }', CONDITION),
            "record[0].only_if[0]",
            "otra parte",
        ),
        (SPLIT_ELSEWHERE.replace('column = "p"', 'column = "c"') + PUBLISHED, "dates.d", "otra parte"),
        (SPLIT_ELSEWHERE, "record[0].fields.a", "otra parte"),
    ],
)
def test_what_is_wrong_is_named_with_what_would_be_accepted(text: str, key: str, says: str) -> None:
    with pytest.raises(ProfileRefused) as caught:
        load_profile(text)
    assert key in caught.value.key
    assert says in caught.value.text.es
    assert re.match(r"Profile, (line [0-9]+, )?key", caught.value.text.en)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('records = "reports"\n[[record]\n', 2),
        ('records = "persons"\n' + RECORD, 1),
        (profile("\n[file]\nencoding = 'utf-16'"), 4),
        (profile("[tables.t]\nexact = {}\npatterns = [\n  { value = 1 },\n]"), 4),
        (
            'records = "reports"\n[[record]]\nfields = {}\n[[record]]\n[record.fields]\n"a.b" = { colum = "x" }',
            6,
        ),
        ('records = "reports"', None),
    ],
)
def test_the_line_of_the_key_is_told(text: str, line: int | None) -> None:
    with pytest.raises(ProfileRefused) as caught:
        load_profile(text)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ('"where.stat" = "16"', 5),
        ('class = "THREAT"\n"victims[0].rol" = "STAFF"', 6),
        ('class = "THREAT"\n[[record.items]]\ninto = "victims"\n[record.items.fields]\nrol = "STAFF"', 9),
    ],
)
def test_what_is_no_field_of_the_records_is_named_with_its_line(fields: str, line: int) -> None:
    text = f'records = "reports"\n\n[[record]]\n[record.fields]\n{fields}\n'
    with pytest.raises(ProfileRefused, match="no es un campo") as caught:
        check_fields(load_profile(text), text)
    assert caught.value.line == line


def test_every_kind_of_record_has_fields_that_its_drafts_know() -> None:
    for records, fields in FIELDS.items():
        for field in fields:
            text = f'records = "{records}"\n[[record]]\n[record.fields]\n"{field.path}" = "x"\n'
            check_fields(load_profile(text), text)
