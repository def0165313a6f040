"""Reads spreadsheets (XLSX, XLS, ODS) as tables, by calamine in a process of its own.

A sheet's cells become text as a CSV export would have it: dates as ISO 8601, whole numbers without a fraction. A cell
whose meaning is more than its value is an error of its row: a formula (what it showed when the file was last saved may
be stale, or nothing), an error value, a merged cell, a number with more digits than spreadsheets keep.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import IO, Any, Final

from api.imports.errors import FileRefused, RowProblem
from api.imports.tables import Layout, Limits, Row, Table, headings_of, row_of
from registry.text import Text

ZIP: Final = b"PK\x03\x04"
COMPOUND: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How XLSX and ODS begin, and how XLS does."""

_PIECE: Final = 1 << 18


def is_workbook(beginning: bytes) -> bool:
    """Whether a file that begins with these bytes is a spreadsheet, or something packed like one."""
    return beginning.startswith((ZIP, COMPOUND))


def open_workbook(file: IO[bytes], layout: Layout, limits: Limits) -> Table:
    """The one sheet of a workbook that holds the list. Raises FileRefused."""
    lines = _lines(file, layout, limits)
    next(lines, None)
    marked: dict[str, str] = {}
    for line, cells, marked in lines:  # noqa: B007 - the heading's marks are looked at below
        if layout.heading is None or line >= layout.heading:
            break
    else:
        raise _refused("empty", [])
    offset = next((index for index, cell in enumerate(cells) if cell.strip()), 0)
    for column, mark in marked.items():
        raise _heading_marked(int(column) + 1 - offset, mark)
    headings = headings_of(cells[offset:])
    return Table(headings, _rows(lines, headings, offset, limits))


def _rows(lines: Iterator[Any], headings: tuple[str, ...], offset: int, limits: Limits) -> Iterator[Row]:
    for number, (line, cells, marked) in enumerate(lines, start=1):
        values = cells[offset:]
        # Cells that are empty at the end of a row are not there in a sheet.
        row = row_of(number, headings, values + [""] * (len(headings) - len(values)), limits)
        problems = list(row.problems)
        if any(cell.strip() for cell in cells[:offset]):
            problems.append(_outside(line))
        for column, mark in marked.items():
            place = int(column) - offset
            heading = headings[place] if 0 <= place < len(headings) else None
            problems.append(_marked(mark, heading, line))
        yield row._replace(problems=tuple(problems))


def _lines(file: IO[bytes], layout: Layout, limits: Limits) -> Iterator[Any]:
    """What the process says, line by line."""
    order = {"sheet": layout.sheet, "expansion": limits.expansion, "preferred": layout.preferred}
    command = [sys.executable, "-m", "api.imports.workbook_process", json.dumps(order)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a process was started without its pipes")
        try:
            file.seek(0)
            # It reads everything before it says anything, so the two never wait for each other.
            with suppress(BrokenPipeError):
                while piece := file.read(_PIECE):
                    process.stdin.write(piece)
            with suppress(BrokenPipeError):
                process.stdin.close()
            for line in process.stdout:
                said = json.loads(line)
                if isinstance(said, dict) and "refused" in said:
                    raise _refused(said["refused"], said["names"])
                yield said
        except BaseException:
            process.kill()
            raise
        if process.wait() != 0:
            # Killed by a limit of memory or time, or gone down over the file: all the same, it cannot be read.
            raise _refused("memory", [])


def _marked(mark: str, heading: str | None, line: int) -> RowProblem:
    said = _MARKS[mark]
    detail = Text(f"Renglón {line} de la hoja: {said.es}", f"Line {line} of the sheet: {said.en}")
    return RowProblem(None, mark, detail, (heading,) if heading is not None else ())


def _heading_marked(column: int, mark: str) -> FileRefused:
    said = _MARKS[mark]
    return FileRefused(
        f"Encabezado, columna {column}: {said.es} Si la tabla empieza más abajo, indique su renglón (heading).",
        f"Heading, column {column}: {said.en} If the table begins further down, name its line (heading).",
        place=f"columns[{column}]",
    )


def _outside(line: int) -> RowProblem:
    detail = Text(
        f"Renglón {line} de la hoja: hay una celda a la izquierda de la tabla. Bórrela o dele encabezado.",
        f"Line {line} of the sheet: there is a cell to the left of the table. Clear it or give it a heading.",
    )
    return RowProblem(None, "ragged-row", detail)


_MARKS: Final = {
    "formula": Text(
        "la celda es una fórmula, y lo que muestra puede cambiar. Cópiela y péguela como valor.",
        "the cell is a formula, and what it shows may change. Copy it and paste it as a value.",
    ),
    "cell-error": Text(
        "la celda muestra un error (#N/A, #REF!…). Escriba el valor, o déjela vacía.",
        "the cell shows an error (#N/A, #REF!…). Type the value, or leave it empty.",
    ),
    "merged-cells": Text(
        "la celda está combinada con otras, y no se sabe a cuáles filas vale. Separe las celdas y repita el valor.",
        "the cell is merged with others, so for which rows it holds is unknown. Unmerge and repeat the value.",
    ),
    "inexact-number": Text(
        "el número tiene más de 15 cifras y la hoja perdió las últimas. Dé formato de texto y escríbalo de nuevo.",
        "the number has more than 15 digits, and the sheet lost the last ones. Format as text and type it anew.",
    ),
}


def _refused(code: str, names: Sequence[str]) -> FileRefused:
    es, en = _REFUSALS[code](len(names))
    return FileRefused(es, en, place="sheet" if names else "", column=", ".join(names) or None)


_REFUSALS: Final[dict[str, Callable[[int], tuple[str, str]]]] = {
    "damaged": lambda _: (
        "El archivo está dañado o incompleto, o no es una hoja de cálculo. Ábralo, guárdelo de nuevo y repita.",
        "The file is damaged or incomplete, or is no spreadsheet. Open it, save it again and repeat.",
    ),
    "binary": lambda _: (
        "El archivo es XLSB, el formato binario de Excel, que no se recibe. Guárdelo como XLSX.",
        "The file is XLSB, Excel's binary format, which is not taken. Save it as XLSX.",
    ),
    "encrypted": lambda _: (
        "El archivo está protegido con contraseña. Guárdelo sin contraseña.",
        "The file is protected by a password. Save it without one.",
    ),
    "expansion": lambda _: (
        "Descomprimido, el archivo pasa del límite. Borre hojas y formatos que sobren, o guárdelo como CSV.",
        "Unpacked, the file is beyond the limit. Delete superfluous sheets and formats, or save it as CSV.",
    ),
    "memory": lambda _: (
        "La hoja no cabe en la memoria permitida, o está dañada. Borre celdas lejanas que sobren, o guárdela como CSV.",
        "The sheet does not fit into the memory allowed, or is damaged. Delete cells far out, or save it as CSV.",
    ),
    "no-such-sheet": lambda count: (
        f"Ninguna de las {count} hojas tiene ese nombre.",
        f"None of the {count} sheets has that name.",
    ),
    "several-sheets": lambda count: (
        f"{count} hojas tienen datos. Indique cuál (sheet), o deje una sola.",
        f"{count} sheets hold data. Name one (sheet), or leave only one.",
    ),
    "hidden-sheet": lambda _: (
        "Hay hojas ocultas con datos. Muéstrelas y decida: bórrelas, o indique cuál hoja se importa (sheet).",
        "There are hidden sheets with data. Show them and decide: delete them, or name the one to import (sheet).",
    ),
    "formulas": lambda _: (
        "La hoja tiene demasiadas fórmulas, errores o celdas combinadas. Cópiela y péguela como valores.",
        "The sheet has too many formulas, errors or merged cells. Copy it and paste it as values.",
    ),
    "empty": lambda _: (
        "La hoja está vacía. Su primer renglón con texto debe nombrar las columnas.",
        "The sheet is empty. Its first line with text must name the columns.",
    ),
}
