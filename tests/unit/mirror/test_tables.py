"""Counts as flat tables: every number follows from the fold, and no cell runs in a spreadsheet."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from projections.counting.disclosure import NexusScope
from projections.counting.fold import Fold
from projections.counting.query import Unit, ask
from projections.counting.tables import Column, Kind, Table, Value, tables
from projections.mirror.layout import TABLES
from projections.mirror.parquet import read_parquet, write_parquet
from projections.mirror.spreadsheet import cell, read_csv, write_csv
from registry.text import Text
from tests.histories import Public, histories


def folded(history: list[Public]) -> Fold:
    fold = Fold()
    for position, public in enumerate(history):
        fold.add_open(position, "incident.disclosed", public)
    return fold


def table(*rows: tuple[Value, ...]) -> Table:
    columns = (Column("text", Kind.STRING, Text("", "")), Column("number", Kind.INTEGER, Text("", "")))
    return Table("any", Text("", ""), columns, rows)


@given(histories)
def test_the_rows_of_a_unit_and_nexus_sum_to_its_total(history: list[Public]) -> None:
    fold = folded(history)
    totals, counts, excluded = tables(fold)

    for unit in Unit:
        for nexus in NexusScope:
            rows = [row for row in counts.rows if row[:2] == (unit, nexus)]
            summed = tuple(sum(int(row[place]) for row in rows) for place in (-3, -2, -1))
            assert (unit, nexus, *summed) in [row[:5] for row in totals.rows]
            assert summed == fold.count(ask(unit, nexus=nexus)).bounds
    assert all(isinstance(row[-1], int) and row[-1] > 0 for row in excluded.rows)


@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(histories)
def test_csv_and_parquet_hold_the_same_cells(history: list[Public]) -> None:
    for one in tables(folded(history)):
        names, rows = read_parquet(write_parquet(one))
        assert rows == list(one.rows)
        assert read_csv(write_csv(one)) == [names, *([str(value) for value in row] for row in rows)]


def test_the_layout_names_every_table() -> None:
    assert tuple(one.name for one in tables(Fold())) == TABLES


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_that_begins_like_a_formula_is_neutralised(text: str) -> None:
    assert cell(text) == f"'{text}"
    assert read_csv(write_csv(table((text, 1))))[1] == [f"'{text}", "1"]


def test_a_number_stays_a_number_whatever_its_sign() -> None:
    assert cell(-1) == "-1"


def test_the_same_table_gives_the_same_bytes() -> None:
    one = table(("ROBBERY", 1), ("a,b\"c'\n", 2))
    assert write_parquet(one) == write_parquet(one)
    assert read_parquet(write_parquet(one))[1] == list(one.rows)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1PAR1", b"unit,nexus\n"])
def test_what_is_not_parquet_is_an_error_of_its_own(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_parquet(content)


@pytest.mark.parametrize("content", [b'"', b"\xff", b'a,"b" c\n'])
def test_what_is_not_csv_is_an_error_of_its_own(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_csv(content)


def test_a_facet_that_is_not_open_is_told_from_one_that_nobody_knows() -> None:
    scope = {"victims": [1, 1, 1], "deaths": [0, 0, 0]}
    facets: dict[str, Any] = {
        "tally": {"value": {"strict": scope, "broad": scope}},
        "year": {"value": "2020"},
        "month": {"value": "UNKNOWN"},
        "state": {"value": "09"},
        "municipality": {"sealed": "3q2+7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
        "kind": {"value": "NOT_REPORTED"},
        "sex": {"value": "NOT_APPLICABLE"},
    }
    public: dict[str, Any] = {
        "incident": "00000001-0000-4000-8000-000000000000",
        "status": "ACTIVE",
        "merged_into": None,
        "certainty": "PROBABLE",
        "disputed": True,
        "class": "THREAT",
        "reason": None,
        "waived": [],
        "facets": facets,
    }
    totals, counts, _ = tables(folded([public]))

    assert write_csv(counts).decode().splitlines()[1] == (
        "INCIDENTS,STRICT,THREAT,NOT_REPORTED,2020,UNKNOWN,09,UNDISCLOSED,PROBABLE,0,1,1"
    )
    assert totals.rows[0] == ("INCIDENTS", "STRICT", 0, 1, 1, 1)
