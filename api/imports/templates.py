"""Template spreadsheets: a sheet to fill in, the codes behind its drop-downs, and what to do with it."""

import io
from typing import Any, Final

import xlsxwriter

from api.imports.annotating import TEXT_ONLY
from api.imports.fields import Field
from api.imports.records import Records
from api.imports.template_fields import FIELDS, codes_of
from registry.text import Language, Text

SHEETS: Final = ("Datos", "Data")
"""Where the list stands in a workbook made from one of our templates."""

TEMPLATES: Final = tuple(FIELDS)
"""The kinds of records that have one."""

_NAMES: Final[dict[str, Text]] = {
    "data": Text(*SHEETS),
    "codes": Text("Códigos", "Codes"),
    "instructions": Text("Instrucciones", "Instructions"),
}

_ROWS: Final = 2_000
"""Rows with drop-downs; further rows are read as well."""

_WIDTH: Final = 24

_STEPS: Final = (
    Text("Llene la hoja Datos, una fila por registro.", "Fill in the sheet Data, one row per record."),
    Text(
        "No cambie los encabezados. Puede quitar columnas que no estén marcadas como obligatorias.",
        "Do not change the headings. You may remove columns that are not marked as required.",
    ),
    Text(
        "Sin fórmulas ni celdas combinadas. Las fechas, como fecha o AAAA-MM-DD.",
        "No formulas, no merged cells. Dates as dates, or YYYY-MM-DD.",
    ),
    Text(
        "Compruebe, sin guardar nada: constancia import archivo.xlsx --records {records}",
        "Check, storing nothing: constancia import file.xlsx --records {records}",
    ),
    Text(
        "Envíe: añada --mode partial --url https://… y la clave en CONSTANCIA_KEY. Repetir no duplica nada.",
        "Send: add --mode partial --url https://… and the key in CONSTANCIA_KEY. Repeating doubles nothing.",
    ),
)


def template(records: Records, language: Language) -> bytes:
    """An XLSX file. Raises KeyError for records that have no template."""
    fields = FIELDS[records]
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, **TEXT_ONLY})
    formats = {
        "heading": book.add_format({"bold": True, "bottom": 1, "num_format": "@"}),
        "required": book.add_format({"bold": True, "bottom": 1, "num_format": "@", "bg_color": "#E8EEF7"}),
        "text": book.add_format({"num_format": "@"}),
        "day": book.add_format({"num_format": "yyyy-mm-dd"}),
        "wrapped": book.add_format({"text_wrap": True, "valign": "top"}),
    }
    data, codes, instructions = (
        book.add_worksheet(_NAMES[name].in_(language)) for name in ("data", "codes", "instructions")
    )
    data.freeze_panes(1, 0)
    used = 0
    for column, field in enumerate(fields):
        data.write_string(
            0, column, field.heading.in_(language), formats["required" if field.required else "heading"]
        )
        data.set_column(column, column, _WIDTH, formats["day" if field.day else "text"])
        if codes_of(records, field):
            used = _codes(codes, used, records, field, language, formats, data, column)
    _instructions(instructions, records, fields, language, formats)
    book.close()
    return out.getvalue()


def _codes(
    sheet: Any,
    column: int,
    records: Records,
    field: Field,
    language: Language,
    formats: dict[str, Any],
    data: Any,
    target: int,
) -> int:
    """A list of codes with their names, and the drop-down that offers them; the next free column."""
    listed = codes_of(records, field)
    sheet.write_string(0, column, field.heading.in_(language), formats["heading"])
    sheet.set_column(column, column + 1, _WIDTH, formats["text"])
    for row, (code, label) in enumerate(listed, start=1):
        sheet.write_string(row, column, code, formats["text"])
        if label is not None:
            sheet.write_string(row, column + 1, label.in_(language), formats["text"])
    letters = xlsxwriter.utility.xl_col_to_name(column, True)
    source = f"='{sheet.get_name()}'!{letters}$2:{letters}${len(listed) + 1}"
    # A warning, not a prohibition: what is not in the list is refused by its row, with the reason.
    data.data_validation(
        1, target, _ROWS, target, {"validate": "list", "source": source, "error_type": "warning"}
    )
    return column + 3


def _instructions(
    sheet: Any, records: Records, fields: tuple[Field, ...], language: Language, formats: dict[str, Any]
) -> None:
    sheet.set_column(0, 0, _WIDTH + 8, formats["wrapped"])
    sheet.set_column(1, 1, 80, formats["wrapped"])
    row = 0
    for number, step in enumerate(_STEPS, start=1):
        sheet.write_string(row, 0, f"{number}.", formats["wrapped"])
        sheet.write_string(row, 1, step.in_(language).format(records=records), formats["wrapped"])
        row += 1
    row += 1
    required = Text("obligatorio", "required").in_(language)
    for field in fields:
        name = field.heading.in_(language)
        sheet.write_string(row, 0, f"{name} ({required})" if field.required else name, formats["heading"])
        sheet.write_string(row, 1, field.note.in_(language), formats["wrapped"])
        row += 1
