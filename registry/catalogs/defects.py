"""What is wrong with, or worth knowing about, the rows of a catalogue: one line of a table each. Pure."""

import csv
from collections.abc import Iterable
from enum import StrEnum
from io import StringIO
from typing import Final, NamedTuple

from registry.text import Text


class Severity(StrEnum):
    """REJECTED: the row is not taken, nor is its file unless such rows may be left out. DOUBTFUL: it is taken, and
    somebody should look. NOTED: no fault.
    """

    REJECTED = "REJECTED"
    DOUBTFUL = "DOUBTFUL"
    NOTED = "NOTED"


class Defect(NamedTuple):
    """``row`` counts from 1 below the heading (None: the row is in another catalogue). ``kind`` is a stable code."""

    row: int | None
    code: str
    kind: str
    severity: Severity
    detail: Text


COLUMNS: Final = ("row", "code", "kind", "severity", "detalle", "detail")

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def as_csv(defects: Iterable[Defect]) -> str:
    """The table as UTF-8 text with a byte order mark, so that spreadsheets read accents; formulas made harmless."""
    lines = StringIO(newline="")
    writer = csv.writer(lines)
    writer.writerow(COLUMNS)
    for one in defects:
        row = "" if one.row is None else str(one.row)
        texts = (one.code, one.kind, one.severity.value, one.detail.es, one.detail.en)
        writer.writerow((row, *(f"'{text}" if text.startswith(_FORMULA) else text for text in texts)))
    return "\ufeff" + lines.getvalue()


def doubt(row: int | None, code: str, kind: str, es: str, en: str) -> Defect:
    """Something that somebody should look at."""
    return Defect(row, code, kind, Severity.DOUBTFUL, Text(es, en))


def note(row: int | None, code: str, kind: str, es: str, en: str) -> Defect:
    """Something that is as it should be, and worth knowing."""
    return Defect(row, code, kind, Severity.NOTED, Text(es, en))
