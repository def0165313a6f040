"""The format of Excel 97 to 2003: what its cells are besides their values, and files that are none."""

import io
import random
import struct
import zipfile
from typing import Any

import pytest
import xlwt
from xlwt.CompoundDoc import XlsDoc

from api.imports.errors import FileRefused
from api.imports.reading import open_table
from api.imports.tables import Layout, Limits, Row
from api.imports.workbook_marks import MOST, DamagedSheet, TooManyMarks
from api.imports.workbook_records import EncryptedWorkbook, XlsWorkbook

HEADINGS = ("Folio", "Municipio", "Fecha", "Nota")
NOT_AVAILABLE = 0x2A


def book() -> tuple[Any, Any]:
    made = xlwt.Workbook()
    sheet = made.add_sheet("Hoja1")
    for column, heading in enumerate(HEADINGS):
        sheet.write(0, column, heading)
    return made, sheet


def saved(made: Any) -> bytes:
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def compound(stream: bytes) -> bytes:
    """A compound file with this stream of records."""
    buffer = io.BytesIO()
    XlsDoc().save(buffer, stream)
    return buffer.getvalue()


def record(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


BOF, EOF = record(0x0809, struct.pack("<HH", 0x0600, 0x0010) + bytes(12)), record(0x000A)


def workbook_of(*records: bytes) -> bytes:
    """A workbook of one sheet with these records."""
    name = b"\0\0\x01\0H"
    begins = len(BOF) + len(record(0x0085, bytes(4) + name)) + len(EOF)
    bound = record(0x0085, struct.pack("<I", begins) + name)
    return compound(b"".join((BOF, bound, EOF, BOF, *records, EOF)))


def rows(content: bytes, sheet: str | None = None) -> list[Row]:
    return list(open_table(io.BytesIO(content), Layout(sheet=sheet), Limits()).rows)


def codes(row: Row) -> list[tuple[str, tuple[str, ...]]]:
    return [(problem.code, problem.columns) for problem in row.problems]


def test_formulas_errors_and_merged_cells_are_named_by_row_and_column_and_hidden_sheets_by_name() -> None:
    made, sheet = book()
    sheet.write(1, 0, "1")
    sheet.write(1, 3, xlwt.Formula("1+1"))
    sheet.write(2, 0, "2")
    sheet.row(2).set_cell_error(1, NOT_AVAILABLE)
    sheet.write_merge(3, 4, 1, 1, "01001")
    sheet.write(4, 0, "4")
    sheet.write(5, 0, 12345678901234567890)
    sheet.row(6).set_cell_boolean(3, True)
    # Saved without a value, below the last cell that has one.
    sheet.write(8, 2, xlwt.Formula("A2"))
    found = rows(saved(made))
    assert [codes(row) for row in found] == [
        [("formula", ("Nota",))],
        [("cell-error", ("Municipio",))],
        [("merged-cells", ("Municipio",))],
        [("merged-cells", ("Municipio",))],
        [("inexact-number", ("Folio",))],
        [],
        [("formula", ("Fecha",))],
    ]
    assert "Renglón 9 de la hoja: la celda es una fórmula" in found[-1].problems[0].detail.es

    hidden = made.add_sheet("Oculta")
    hidden.write(0, 0, xlwt.Formula("1+1"))
    hidden.write(1, 0, "x")
    hidden.visibility = 2
    with pytest.raises(FileRefused, match="ocultas") as caught:
        rows(saved(made))
    assert caught.value.column == "Oculta"
    # The marks are those of the sheet that is read.
    assert len(rows(saved(made), "Hoja1")) == len(found)


def test_a_formula_that_came_to_an_error_is_an_error_and_a_chart_within_a_sheet_is_none_of_its_cells() -> (
    None
):
    def formula(row: int, value: bytes) -> bytes:
        return record(0x0006, struct.pack("<3H", row, 2, 0) + value + bytes(8))

    content = workbook_of(
        formula(1, struct.pack("<d", 2.0)),
        formula(2, b"\x02\0\x07\0\0\0\xff\xff"),
        BOF,
        formula(3, bytes(8)),
        EOF,
        record(0x00E5, struct.pack("<5H", 1, 4, 4, 0, 1)),
    )
    assert XlsWorkbook(content).marks(0) == {
        1: {2: "formula"},
        2: {2: "cell-error"},
        4: {0: "merged-cells", 1: "merged-cells"},
    }


@pytest.mark.parametrize("kind", [0, 1])
def test_a_workbook_with_a_password_is_refused_however_weak_its_encryption(kind: int) -> None:
    made, _ = book()
    stream = bytes(made.get_biff_data())
    start = 4 + struct.unpack_from("<H", stream, 2)[0]
    content = compound(stream[:start] + record(0x002F, struct.pack("<3H", kind, 1, 2)) + stream[start:])
    with pytest.raises(FileRefused, match="contraseña"):
        rows(content)


def test_a_workbook_in_the_binary_format_of_excel_is_to_be_saved_as_xlsx() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("xl/workbook.bin", b"\x83\x01\x00")
    with pytest.raises(FileRefused, match=r"XLSB.+Guárdelo como XLSX"):
        rows(buffer.getvalue())


@pytest.mark.parametrize(
    "records",
    [
        (record(0x0006, b"\0"),),
        (record(0x00E5, b"\x01\0\0\0"),),
        (record(0x0006, bytes(20))[:-4],),
        (BOF,),
    ],
)
def test_records_that_contradict_themselves_are_a_damaged_sheet(records: tuple[bytes, ...]) -> None:
    with pytest.raises(DamagedSheet):
        XlsWorkbook(workbook_of(*records)).marks(0)


def test_a_sheet_of_nothing_but_marks_is_refused_before_they_fill_the_memory() -> None:
    everything = record(0x00E5, struct.pack("<5H", 1, 0, 65535, 0, 255))
    for content in ((everything,), (record(0x0006, bytes(20)),) * (MOST + 1)):
        with pytest.raises(TooManyMarks):
            XlsWorkbook(workbook_of(*content)).marks(0)


def test_a_damaged_or_truncated_file_is_refused_and_never_something_else() -> None:
    made, sheet = book()
    for row in range(1, 200):
        sheet.write(row, 0, f"folio {row}")
    whole = saved(made)
    with pytest.raises(FileRefused, match="dañado"):
        rows(whole[: len(whole) // 2])
    chance = random.Random(7)
    for _ in range(300):
        content = bytearray(whole)
        for _ in range(8):
            # Mostly where the file says how it is laid out.
            content[chance.randrange(chance.choice((512, len(content))))] = chance.randrange(256)
        try:
            XlsWorkbook(bytes(content)).marks(0)
        except (DamagedSheet, EncryptedWorkbook, TooManyMarks, IndexError):
            continue
