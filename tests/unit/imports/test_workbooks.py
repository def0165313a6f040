"""Spreadsheets as people keep them, and everything in them that could be read in two ways."""

import io
import re
import zipfile
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import pytest
import xlsxwriter

from api.imports.errors import FileRefused
from api.imports.lines import open_fields
from api.imports.reading import open_table
from api.imports.records import Records
from api.imports.suggesting import suggest
from api.imports.tables import Layout, Limits, Row, Table
from api.imports.template_fields import FIELDS, codes_of
from api.imports.templates import SHEETS, TEMPLATES, template
from registry.text import Language

HEADINGS = ("Folio", "Municipio", "Fecha", "Nota")


def workbook(fill: Callable[[Any, Any], None], **options: Any) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, **options})
    sheet = book.add_worksheet("Hoja1")
    sheet.write_row(0, 0, HEADINGS)
    fill(book, sheet)
    book.close()
    return buffer.getvalue()


def opened(content: bytes, layout: Layout | None = None, limits: Limits | None = None) -> Table:
    return open_table(io.BytesIO(content), layout or Layout(), limits or Limits())


def rows(content: bytes, layout: Layout | None = None) -> list[Row]:
    return list(opened(content, layout).rows)


def codes(row: Row) -> list[tuple[str, tuple[str, ...]]]:
    return [(problem.code, problem.columns) for problem in row.problems]


def altered(content: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """The same workbook with one of its parts written otherwise."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, change(data) if name == part else data)
    return buffer.getvalue()


def ods(cells: str) -> bytes:
    """A sheet of OpenDocument with one heading line and this one."""
    buffer = io.BytesIO()
    names = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{h}</text:p></table:table-cell>' for h in "abc"
    )
    spaces = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
        for short, long in (("office", "office"), ("table", "table"), ("text", "text"))
    )
    content = (
        f'<?xml version="1.0"?><office:document-content {spaces}><office:body><office:spreadsheet>'
        f'<table:table table:name="H"><table:table-row>{names}</table:table-row>'
        f"<table:table-row>{cells}</table:table-row></table:table></office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
    return buffer.getvalue()


def test_cells_are_read_as_they_are_shown_dates_and_numbers_too() -> None:
    def fill(book: Any, sheet: Any) -> None:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet.write_row(1, 0, ("1", "01001", None, " año "))
        sheet.write_datetime(1, 2, datetime(2023, 2, 1), day)  # noqa: DTZ001 - a civil date
        sheet.write_row(3, 0, (2, 1001, 44927, 0.5))

    first, second = rows(workbook(fill))
    assert list(first.cells.values()) == ["1", "01001", "2023-02-01", "año"]
    # Text as a number and a day as a serial number stay what they are: the field's own check names them.
    assert list(second.cells.values()) == ["2", "1001", "44927", "0.5"]
    assert (second.number, second.problems) == (2, ())


def test_formulas_errors_merged_cells_and_lost_digits_are_named_by_row_and_column() -> None:
    def fill(_: Any, sheet: Any) -> None:
        sheet.write_row(1, 0, ("1", "01001"))
        sheet.write_formula(1, 3, "=1+1", None, 2)
        sheet.write_row(2, 0, ("2",))
        sheet.write_formula(2, 1, "=1/0", None, "#DIV/0!")
        sheet.merge_range(3, 1, 4, 1, "01001")
        sheet.write_number(5, 0, 12345678901234567890)
        sheet.write_row(6, 0, ("6", "a\x00b"))
        sheet.write_formula(8, 2, "=A2", None, "")

    found = rows(workbook(fill))
    assert codes(found[0]) == [("formula", ("Nota",))]
    assert codes(found[1]) == [("cell-error", ("Municipio",))]
    assert codes(found[2]) == codes(found[3]) == [("merged-cells", ("Municipio",))]
    assert codes(found[4]) == [("inexact-number", ("Folio",))]
    assert codes(found[5]) in ([("null-character", ("Municipio",))], [])
    assert codes(found[6]) == [("formula", ("Fecha",))]
    assert "Line 2 of the sheet" in found[0].problems[0].detail.en


def test_formulas_and_merged_cells_of_opendocument_are_named_as_well() -> None:
    text = '<table:table-cell {} office:value-type="string"><text:p>x</text:p></table:table-cell>'
    cells = text.format('table:formula="of:=1"') + text.format('table:number-columns-spanned="2"')
    (row,) = rows(ods(cells))
    assert codes(row) == [("formula", ("a",)), ("merged-cells", ("b",)), ("merged-cells", ("c",))]
    (row,) = rows(ods(text.format('table:formula="of:=1" table:number-columns-repeated="3"')))
    assert codes(row) == [("formula", (heading,)) for heading in "abc"]


def test_hidden_sheets_and_several_sheets_are_not_guessed_about() -> None:
    def hidden(book: Any, sheet: Any) -> None:
        sheet.write_row(1, 0, ("1",))
        other = book.add_worksheet("Oculta")
        other.write_row(0, 0, ("Folio",))
        other.hide()

    content = workbook(hidden)
    with pytest.raises(FileRefused, match="ocultas") as caught:
        opened(content)
    assert caught.value.column == "Oculta"
    assert "Oculta" not in str(caught.value)
    assert len(rows(content, Layout(sheet="Hoja1"))) == 1

    def several(book: Any, _: Any) -> None:
        book.add_worksheet("Otra").write_row(0, 0, ("Folio",))

    with pytest.raises(FileRefused, match="2 hojas tienen datos"):
        opened(workbook(several))
    with pytest.raises(FileRefused, match="Ninguna de las 2"):
        opened(workbook(several), Layout(sheet="Tercera"))
    assert opened(workbook(several), Layout(preferred=("Otra",))).headings == ("Folio",)


def test_a_table_may_begin_further_down() -> None:
    def fill(_: Any, sheet: Any) -> None:
        sheet.merge_range(0, 0, 0, 3, "Universidad de Ejemplo")
        sheet.write_row(2, 1, ("Folio", "Nota"))
        sheet.write_row(3, 1, ("1", "x"))
        sheet.write_row(4, 0, ("¿?", "2", "y"))

    content = workbook(fill)
    with pytest.raises(FileRefused, match="heading"):
        opened(content)
    first, second = rows(content, Layout(heading=3))
    assert (dict(first.cells), first.problems) == ({"Folio": "1", "Nota": "x"}, ())
    assert [problem.code for problem in second.problems] == ["ragged-row"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04" + b"x" * 100, "dañado"),
        (workbook(lambda *_: None)[:3000], "dañado"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "dañado|memoria"),
        (
            altered(workbook(lambda *_: None), "xl/worksheets/sheet1.xml", lambda _: b"<worksheet>"),
            "dañado|vac",
        ),
        (
            altered(
                workbook(lambda *_: None),
                "xl/worksheets/sheet1.xml",
                lambda xml: re.sub(rb"(<\?xml.*?\?>)", rb'\1<!DOCTYPE x [<!ENTITY a "b">]>', xml),
            ),
            "dañado",
        ),
    ],
)
def test_a_truncated_or_damaged_workbook_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(FileRefused, match=says):
        rows(content)


def test_an_empty_sheet_and_doubled_or_missing_headings_are_refused() -> None:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.add_worksheet()
    book.close()
    with pytest.raises(FileRefused, match="vacía"):
        opened(buffer.getvalue())
    for heading, says in (("Folio", "se llaman igual"), (" ", "no tiene un nombre")):
        with pytest.raises(FileRefused, match=says):
            opened(workbook(partial(_headed, heading)))


def _headed(heading: str, _: Any, sheet: Any) -> None:
    sheet.write(0, 1, heading)


def test_a_bomb_is_refused_before_it_unpacks_and_a_sheet_without_end_ends_its_own_process() -> None:
    bomb = altered(workbook(lambda *_: None), "xl/worksheets/sheet1.xml", lambda xml: xml + b" " * (64 << 20))
    assert len(bomb) < 1 << 20
    with pytest.raises(FileRefused, match="pasa del límite"):
        opened(bomb, limits=Limits(expansion=16 << 20))
    far = workbook(lambda _, sheet: sheet.write(1_048_575, 16_383, "x"))
    with pytest.raises(FileRefused, match=r"memoria|dañado"):
        rows(far, Layout())


@pytest.mark.parametrize("records", TEMPLATES)
@pytest.mark.parametrize("language", ["es", "en"])
def test_a_filled_template_is_read_without_a_profile(records: Records, language: Language) -> None:
    content = template(records, language)
    body = open_fields(io.BytesIO(content), records, Layout(preferred=SHEETS))
    assert list(body.table.headings) == [field.heading.in_(language) for field in FIELDS[records]]
    assert list(body.table.rows) == []
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        data, listed = (archive.read(f"xl/worksheets/sheet{n}.xml").decode() for n in (1, 2))
        strings = archive.read("xl/sharedStrings.xml").decode()
    fields = [field for field in FIELDS[records] if codes_of(records, field)]
    assert data.count('<dataValidation type="list"') == len(fields)
    assert all(f">{code}<" in strings for field in fields for code, _ in codes_of(records, field))
    assert listed


def test_a_profile_is_proposed_from_headings_in_either_language_with_accents_and_synonyms() -> None:
    table = "No.;CLUES;PROMOCION;Tipo de Plaza;Fecha de inicio;Fecha de término;Número de cuenta;Color\n"
    table += "1;MSIMB000001;2026-1;A;1/2/2026;31/1/2027;A-17;azul\n"
    profile = suggest(open_table(io.BytesIO(table.encode("cp1252"))))
    assert 'records = "assignments"' in profile
    for line in (
        '"site.source_record_id" = { column = "CLUES", required = true }',
        '"student.internal_id" = { column = "Número de cuenta" }',
        '"plaza_type" = { column = "Tipo de Plaza", table = "plaza_type", required = true }',
        'formats = ["D/M/YYYY"]',
        '"A" = "A"',
        '# Columnas sin usar · Columns left out: "Color"',
    ):
        assert line in profile


@pytest.mark.parametrize(("cell", "path"), [("Ocosingo", "where.place"), ("07059", "where.cvegeo")])
def test_a_column_of_municipalities_is_one_of_names_or_of_codes(cell: str, path: str) -> None:
    table = f"No.;Fecha del hecho;Municipio;Clase\n1;2026-01-05;{cell};amenaza\n"
    profile = suggest(open_table(io.BytesIO(table.encode())), Records.REPORTS)
    assert f'"{path}" = {{ column = "Municipio" }}' in profile
    assert '"where.precision" = "MUNICIPALITY"' in profile
    assert '"when.precision" = "DAY"' in profile
