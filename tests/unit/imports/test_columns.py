"""Headings as fields, and records built from them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.imports.columns import Columns
from api.imports.errors import FileRefused
from api.imports.explaining import types_at
from api.imports.paths import BadPath, Path, build, parse_path, show_path
from api.imports.records import Records
from registry.application.drafts import IncidentDraft, ReportDraft
from tests.unit.imports.reading import read_table

names = st.from_regex(r"[a-z_][a-z0-9_]{0,6}", fullmatch=True)
paths = st.lists(st.tuples(names, st.lists(st.integers(0, 99), max_size=2)), min_size=1, max_size=4).map(
    lambda steps: tuple(part for name, indexes in steps for part in (name, *indexes))
)


@given(paths)
def test_a_path_is_written_as_it_is_read(path: Path) -> None:
    assert parse_path(show_path(path)) == path


@pytest.mark.parametrize("text", ["", ".", "a.", "a..b", "[0]", "a[x]", "a[-1]", "a[100]", "a b", "a[0"])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(BadPath):
        parse_path(text)


def test_lists_keep_their_order_and_have_no_holes() -> None:
    values = [(parse_path("v[7].a"), 1), (parse_path("v[2].a"), 2), (parse_path("v[2].b.c"), 3)]
    assert build(values) == {"v": [{"a": 2, "b": {"c": 3}}, {"a": 1}]}


@pytest.mark.parametrize("pair", [("a", "a"), ("a", "a.b"), ("a.b", "a"), ("a[0]", "a.b"), ("a.b", "a[0]")])
def test_one_field_is_not_two_things(pair: tuple[str, str]) -> None:
    with pytest.raises(BadPath):
        build([(parse_path(one), 1) for one in pair])


@pytest.mark.parametrize(
    ("path", "types"),
    [
        ("class", {"string"}),
        ("low", {"integer"}),
        ("victims[0].count.high", {"integer"}),
        ("where.state", {"string"}),
        ("where[3].state", {"string"}),
        ("means[0]", {"string"}),
        ("when", set()),
        ("nombre", set()),
        ("when.year", set()),
    ],
)
def test_the_types_of_a_reports_fields(path: str, types: set[str]) -> None:
    assert types_at(ReportDraft, parse_path(path)) == types


def test_the_types_of_an_incidents_fields() -> None:
    assert types_at(IncidentDraft, parse_path("findings[0].already_public")) == {"boolean"}
    assert types_at(IncidentDraft, parse_path("reports[0].source_record_id")) == {"string"}
    assert types_at(IncidentDraft, parse_path("certainty.basis[0]")) == {"string"}


def test_cells_are_read_as_what_their_field_takes() -> None:
    table = read_table(
        b"class,findings[0].already_public,victims[0].count.low,source_record_id,certainty.level\n"
        b"ATTACK,TRUE,2,7,\n"
        b"ATTACK,tal vez,dos,8,RUMOUR\n"
    )
    columns = Columns(table.headings, Records.INCIDENTS)
    first, second = (json.loads(columns.line(row)) for row in table.rows)
    assert first["findings"] == [{"already_public": True}]
    assert first["victims"] == [{"count": {"low": 2}}]
    assert first["source_record_id"] == "7"
    assert "certainty" not in first
    # Left as they are, for the refusal to name their fields.
    assert (second["findings"], second["victims"]) == (
        [{"already_public": "tal vez"}],
        [{"count": {"low": "dos"}}],
    )


@pytest.mark.parametrize("heading", ["nombre", "when", "victims", "victims.role", "a b"])
def test_a_heading_that_is_no_field_is_refused_by_its_place(heading: str) -> None:
    table = read_table(f"class,{heading}\nTHREAT,1\n".encode())
    with pytest.raises(FileRefused) as caught:
        Columns(table.headings, Records.REPORTS)
    assert caught.value.place == "columns[2]"
    assert caught.value.column == heading
