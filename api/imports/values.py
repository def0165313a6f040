"""Value tables and patterns: what a cell's words mean in the codes of the register."""

import re
import unicodedata
from typing import Final

from api.imports.profile import Condition, Scalar, ValueTable
from registry.text import Text

_SHOWN: Final = 30


def holds(condition: Condition, cell: str) -> bool:
    """Whether the condition holds for its column's cell."""
    if condition.equals is not None:
        held = same(cell, condition.equals)
    elif condition.empty is not None:
        held = (cell == "") is condition.empty
    else:
        held = found(cell, condition.matches, condition.contains)
    return held is not condition.negated


def found(cell: str, matches: str | None, contains: str | None) -> bool:
    """Whether the cell has the expression, or the words, anywhere in it; case plays no part."""
    if matches is not None:
        return re.search(matches, cell, re.IGNORECASE) is not None
    return contains is not None and _plain(contains) in _plain(cell)


def same(one: str, other: str) -> bool:
    """Equal but for case and the blanks around it."""
    return _plain(one) == _plain(other)


def look_up(table: ValueTable, cell: str) -> Scalar | None:
    """The value of a cell: exact ones first, then patterns in their order, then the default."""
    if cell == "":
        return table.empty
    for words, value in table.exact.items():
        if same(words, cell):
            return value
    for pattern in table.patterns:
        if found(cell, pattern.matches, pattern.contains):
            return pattern.value
    return table.default


def accepted(table: ValueTable) -> Text:
    """What a table knows, for the person whose cell it does not."""
    words = [f"«{one}»" for one in table.exact]
    words += [f"/{one.matches}/" if one.matches else f"…{one.contains}…" for one in table.patterns]
    listed = ", ".join(words[:_SHOWN]) + (", …" if len(words) > _SHOWN else "")
    return Text(
        f"El perfil no dice qué significa. Conoce: {listed}.",
        f"The profile does not say what this means. It knows: {listed}.",
    )


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip()).casefold()
