"""Where in a TOML text a key stands: the parser says for syntax, and keeps no places for what it has read."""

import re
from typing import Final

_HEADER: Final = re.compile(r"^\s*(\[{1,2})\s*([^\]]+?)\s*\]{1,2}\s*(#.*)?$")
_KEY: Final = re.compile(
    r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_PART: Final = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")
_STEP: Final = re.compile(r"\[([0-9]*)\]|([^.\[\]]+)")


def line_of(text: str, key: str) -> int | None:
    """The line, from 1, of the key with this path (``record[0].fields.kind``), or of what it stands in.

    None where not even its table is there: what is missing has no place.
    """
    wanted = _steps(key)
    best, found = 0, None
    table: tuple[str, ...] = ()
    counts: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if header := _HEADER.match(line):
            names = _names(header[2])
            if header[1] == "[[":
                counts[names] = counts.get(names, -1) + 1
                for below in [one for one in counts if len(one) > len(names) and one[: len(names)] == names]:
                    del counts[below]
            table = _numbered(names, counts)
            path = table
        elif assigned := _KEY.match(line):
            path = (*table, *_names(assigned[1]))
        else:
            continue
        steps = _steps(".".join(path))
        if len(steps) > best and steps == wanted[: len(steps)]:
            best, found = len(steps), number
    return found


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(text))


def _numbered(names: tuple[str, ...], counts: dict[tuple[str, ...], int]) -> tuple[str, ...]:
    """The names, with the number of the element behind each that is a list of tables."""
    path: list[str] = []
    for length, name in enumerate(names, start=1):
        path.append(name)
        if names[:length] in counts:
            path.append(str(counts[names[:length]]))
    return tuple(path)


def _steps(key: str) -> tuple[str, ...]:
    # A field is itself a path (where.state, victims[0].role), which its key writes in quotes.
    return tuple(index or name for index, name in _STEP.findall(key))
