"""Files of tables: nothing in them computes, nothing is cut off, and the same table gives the same bytes."""

import csv
import io
import json
from typing import IO

import pytest
from python_calamine import CalamineWorkbook

from api.problems import Problem
from api.web.downloads import writing
from api.web.downloads.contents import PIECE, Content, pieces
from api.web.downloads.writing import FORMS, made
from projections.counting.tables import Column, Kind
from projections.mirror.parquet import read_parquet
from registry.text import Text

NOTHING = Text("", "")
COLUMNS = (Column("text", Kind.STRING, NOTHING), Column("number", Kind.INTEGER, NOTHING))
DESCRIBED = {"asOf": {"publishedAt": "2026-03-02T12:00:00+00:00"}, "citation": "=1+1"}
HOSTILE = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "https://example.org", "a,b\"c'\n", "007")


async def file(form: str, *rows: tuple[str | None, int | None]) -> IO[bytes]:
    return await made(form, Content("any", NOTHING, COLUMNS, pieces(iter(rows))), DESCRIBED, "es")


async def test_text_that_begins_like_a_formula_stays_text() -> None:
    rows = [(text, 1) for text in HOSTILE]
    with await file("csv", *rows) as found:
        cells = [row[0] for row in csv.reader(io.StringIO(found.read().decode(), newline=""))][1:]
    assert cells[:6] == [f"'{text}" for text in HOSTILE[:6]]
    with await file("xlsx", *rows) as found:
        content = found.read()
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert [row[0] for row in sheet[1:]][:4] == list(HOSTILE[:4])
    assert sheet[-1] == ["007", 1.0]
    assert b"<f>" not in content


async def test_every_form_keeps_what_is_empty_apart_and_gives_the_same_bytes() -> None:
    rows: list[tuple[str | None, int | None]] = [(None, 1), ("a", None), *(("b", n) for n in range(PIECE))]
    for form in FORMS:
        with await file(form, *rows) as one, await file(form, *rows) as other:
            content = one.read()
            assert content == other.read()
        if form == "parquet":
            assert read_parquet(content)[1] == rows
        elif form == "json":
            assert [tuple(row.values()) for row in json.loads(content)["rows"]] == rows
    with await file("json") as empty:
        assert json.loads(empty.read())["rows"] == []


async def test_a_table_too_long_for_a_sheet_is_refused_and_not_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writing, "SHEET_ROWS", 1)
    with pytest.raises(Problem, match="invalid-input"):
        await file("xlsx", ("a", 1), ("b", 2))
