"""Reading somebody's CSV: what spreadsheets really write, and everything that could be read in two ways."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.imports.errors import FileRefused, FileTooLarge
from api.imports.tables import Limits, clean, require_columns
from tests.unit.imports.reading import read_table

ROWS = "municipio,año\nOcosingo,2021\nValparaíso,2022\n"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (ROWS.encode("utf-8"), "utf-8"),
        (ROWS.encode("utf-8-sig"), "utf-8"),
        (ROWS.encode("cp1252"), "cp1252"),
        (ROWS.replace("\n", "\r\n").encode("cp1252"), "cp1252"),
    ],
)
def test_each_encoding_that_spreadsheets_write_is_found_out(data: bytes, encoding: str) -> None:
    table = read_table(data)
    assert table.encoding == encoding
    assert table.headings == ("municipio", "año")
    assert [row.cells["municipio"] for row in table.rows] == ["Ocosingo", "Valparaíso"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found_out_from_the_heading(delimiter: str) -> None:
    table = read_table(f'"a,b;c"{delimiter}d{delimiter}e\n1{delimiter}2{delimiter}3\n'.encode())
    assert table.delimiter == delimiter
    assert table.rows[0].cells == {"a,b;c": "1", "d": "2", "e": "3"}


def test_a_given_delimiter_is_not_second_guessed() -> None:
    assert read_table(b"a;b,c\n1;2,3\n", delimiter=",").headings == ("a;b", "c")


def test_a_single_column_needs_no_delimiter() -> None:
    assert read_table(b"a\n1\n").rows[0].cells == {"a": "1"}


def test_a_quoted_cell_may_hold_newlines_quotes_and_delimiters() -> None:
    table = read_table('a,b\n"dos\nlíneas","dijo ""no"", y se fue"\n'.encode())
    assert table.rows[0].cells == {"a": "dos\nlíneas", "b": 'dijo "no", y se fue'}


def test_letters_are_brought_to_one_form_and_blanks_cut() -> None:
    assert read_table("a\n  cafe\u0301 \n".encode()).rows[0].cells == {"a": "café"}


def test_empty_lines_are_no_rows_and_do_not_shift_the_numbers() -> None:
    table = read_table(b"a,b\n1,2\n\n,\n3,4\n")
    assert [(row.number, row.cells["a"]) for row in table.rows] == [(1, "1"), (2, "3")]


def test_a_column_named_twice_is_refused_by_its_places() -> None:
    with pytest.raises(FileRefused, match="2 y 3") as caught:
        read_table(b"a,kind,kind\n1,2,3\n")
    assert caught.value.column == "kind"


def test_a_column_without_a_name_is_refused() -> None:
    with pytest.raises(FileRefused, match="columna 2"):
        read_table(b"a,,c\n1,2,3\n")


@pytest.mark.parametrize("data", [b"", b"\n", b"\xef\xbb\xbf", b" , \n"])
def test_an_empty_file_is_refused(data: bytes) -> None:
    with pytest.raises(FileRefused, match="vac"):
        read_table(data)


def test_a_missing_column_is_named_with_those_that_are_there() -> None:
    with pytest.raises(FileRefused, match=r"(?s)«outlet».*tiene: a, b") as caught:
        require_columns(("a", "b"), ("a", "outlet"))
    assert caught.value.column == "outlet"


def test_a_damaged_utf8_cell_is_named_by_row_and_column_and_shown_to_the_sender_only() -> None:
    data = "a,ciudad\n1,León\n2,Le".encode() + b"\xf3n\n"
    with pytest.raises(FileRefused, match="Fila 2, columna 2") as caught:
        read_table(data)
    assert (caught.value.column, caught.value.value) == ("ciudad", "Le\\xf3n")
    assert "Le" not in str(caught.value.text.en)


def test_utf8_that_is_declared_is_held_to_it() -> None:
    with pytest.raises(FileRefused, match="no son UTF-8"):
        read_table(b"a\nLe\xf3n\n", encoding="utf-8")


def test_a_heading_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(FileRefused, match="columna 2"):
        read_table("ñ,a".encode() + b"\xf1o\n1,2\n")


def test_a_byte_that_the_windows_code_page_lacks_is_refused() -> None:
    with pytest.raises(FileRefused, match="Línea 2"):
        read_table(b"a\n\x81\n", encoding="cp1252")


@pytest.mark.parametrize("data", [b"a,b\n1,\x002\n", ROWS.encode("utf-16")])
def test_a_null_byte_is_refused_with_its_line(data: bytes) -> None:
    with pytest.raises(FileRefused, match="byte nulo"):
        read_table(data)


def test_an_encoding_that_we_do_not_read_is_refused() -> None:
    with pytest.raises(FileRefused, match="utf-8, cp1252"):
        read_table(b"a\n", encoding="utf-7")


@pytest.mark.parametrize("data", [b'a,b\n"1,2\n', b'a,b\n"1"x,2\n'])
def test_quotes_that_do_not_close_are_refused(data: bytes) -> None:
    with pytest.raises(FileRefused, match="comillas"):
        read_table(data)


def test_a_ragged_row_is_that_rows_problem_and_no_others() -> None:
    table = read_table(b"a,b\n1,2\n1\n1,2,privado\n3,4\n")
    problems = [row.problems for row in table.rows]
    assert [len(found) for found in problems] == [0, 1, 1, 0]
    assert problems[1][0].columns == ("b",)
    assert problems[2][0].value == "privado"
    assert "privado" not in str(problems[2][0].detail)
    assert "1 celdas y el encabezado 2" in problems[1][0].detail.es


def test_more_rows_than_one_import_takes_are_refused() -> None:
    assert len(read_table(b"a\n1\n2\n", limits=Limits(rows=2)).rows) == 2
    with pytest.raises(FileTooLarge, match="pasa de 2 filas"):
        read_table(b"a\n1\n2\n3\n", limits=Limits(rows=2))


def test_a_cell_that_is_too_long_is_that_rows_problem() -> None:
    table = read_table(b"a,b\n1,22222\n1,2222\n", limits=Limits(cell=4))
    assert [[one.code for one in row.problems] for row in table.rows] == [["cell-too-long"], []]
    assert table.rows[0].problems[0].columns == ("b",)


def test_the_apostrophe_before_what_would_be_a_formula_is_no_part_of_the_cell() -> None:
    assert list(read_table(b"a,b,c\n'=1+1,'abc,'+52 1\n").rows[0].cells.values()) == ["=1+1", "'abc", "+52 1"]


cells = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12).map(clean)


@given(st.lists(st.tuples(cells, cells), max_size=8), st.sampled_from([",", ";", "\t"]))
def test_what_a_spreadsheet_writes_is_read_back(rows: list[tuple[str, str]], delimiter: str) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter).writerows([("one", "two"), *rows])
    table = read_table(buffer.getvalue().encode("utf-8-sig"))
    kept = [row for row in rows if any(row)]
    normal = read_table(buffer.getvalue().encode(), delimiter=delimiter)
    assert len(table.rows) == len(kept)
    assert table.rows == normal.rows
