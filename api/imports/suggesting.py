"""Proposes a profile from a file: its headings, and what stands below them. A person then reads and mends it."""

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from api.imports.dates import fold, parse_format
from api.imports.fields import Field
from api.imports.records import Records
from api.imports.tables import Row, Table
from api.imports.template_fields import FIELDS, codes_of
from registry.catalogs.states import STATES

SAMPLE_ROWS: Final = 500
_MOST_WORDS: Final = 30
"""Different words of a column of codes; with more it is no such column."""

_FORMATS: Final = (
    "YYYY-MM-DD",
    "DD/MM/YYYY",
    "D/M/YYYY",
    "MM/DD/YYYY",
    "M/D/YYYY",
    "DD-MM-YYYY",
    "D de MONTH de YYYY",
    "MONTH de YYYY",
    "D/M/YY",
    "M/D/YY",
    "YYYY-MM",
    "YYYY",
)

_CODE: Final = re.compile(r"[0-9]{4,5}")

_STATES: Final = {fold(name) for state in STATES for name in (state.name, state.code)}


class Found(NamedTuple):
    """A field, the column that seems to hold it, and how sure the headings are of it (3 the same, 1 alike)."""

    field: Field
    heading: str
    likeness: int


def guess_records(headings: Sequence[str]) -> Records:
    """Whose fields the headings name best; reports, when they name none."""
    scores = {records: sum(one.likeness for one in match(records, headings)) for records in FIELDS}
    best = max(scores, key=lambda records: scores[records])
    return best if scores[best] else Records.REPORTS


def match(records: Records, headings: Sequence[str]) -> list[Found]:
    """Fields with their columns, each column once, the likeliest pairs first taken."""
    pairs = [
        Found(field, heading, likeness)
        for field in FIELDS.get(records, ())
        for heading in headings
        if (likeness := _likeness(field, heading))
    ]
    pairs.sort(key=lambda pair: -pair.likeness)
    taken: list[Found] = []
    for pair in pairs:
        if all(pair.field is not one.field and pair.heading != one.heading for one in taken):
            taken.append(pair)
    return taken


def suggest(table: Table, records: Records | None = None) -> str:
    """A profile in TOML, with comments on what could not be known. Raises FileRefused."""
    kind = records or guess_records(table.headings)
    rows = list(itertools.islice(table.rows, SAMPLE_ROWS))
    samples = {heading: _words(rows, heading) for heading in table.headings}
    found = _coded({one.field.path: one.heading for one in match(kind, table.headings)}, samples)
    return "\n".join(_profile(kind, table, samples, found)) + "\n"


def _coded(found: Mapping[str, str], samples: Mapping[str, Sequence[str]]) -> Mapping[str, str]:
    """A column "Municipio" holds names or codes: what stands in it tells."""
    heading = found.get("where.place")
    words = samples[heading] if heading is not None else ()
    if not words or not all(_CODE.fullmatch(word) for word in words) or "where.cvegeo" in found:
        return found
    return {"where.cvegeo" if path == "where.place" else path: name for path, name in found.items()}


def _profile(
    kind: Records, table: Table, samples: Mapping[str, Sequence[str]], found: Mapping[str, str]
) -> Iterator[str]:
    yield "# Propuesta: revise cada línea y pruébela con --mode dry-run."
    yield "# A proposal: read each line, and try it with --mode dry-run."
    yield f"records = {_quoted(kind)}"
    yield ""
    yield "[[record]]"
    yield "[record.fields]"
    tables: list[tuple[Field, str]] = []
    days: dict[tuple[str, ...], str] = {}
    implied = _implied(found)
    for field in FIELDS.get(kind, ()):
        heading = found.get(field.path)
        if heading is not None:
            source = _source(kind, field, heading, samples[heading], days)
            if "table" in source:
                tables.append((field, heading))
            given = ", ".join(f"{name} = {value}" for name, value in source.items())
            yield f"{_quoted(field.path)} = {{ {given} }}"
        elif field.required:
            yield f"# {field.path} = ?   # obligatorio · required: {field.note.es} · {field.note.en}"
        elif field.path in implied:
            yield f"{_quoted(field.path)} = {_quoted(implied[field.path])}   # revise · check"
    for formats, name in days.items():
        yield ""
        yield f"[dates.{name}]"
        yield f"formats = [{', '.join(map(_quoted, formats))}]"
    for field, heading in tables:
        yield from _value_table(kind, field, samples[heading])
    unused = [heading for heading in table.headings if heading not in found.values()]
    if unused:
        yield ""
        yield "# Columnas sin usar · Columns left out: " + ", ".join(map(_quoted, unused))


def _implied(found: Mapping[str, str]) -> dict[str, str]:
    """Precisions, which few lists have: the finest that the columns can hold."""
    implied = {"when.precision": "DAY"} if {"when.earliest", "when.latest"} & found.keys() else {}
    for path, precision in (
        ("where.site.source_record_id", "SITE"),
        ("where.place", "MUNICIPALITY"),
        ("where.cvegeo", "MUNICIPALITY"),
        ("where.state", "STATE"),
    ):
        if path in found:
            return {**implied, "where.precision": precision}
    return implied


def _source(
    kind: Records, field: Field, heading: str, words: Sequence[str], days: dict[tuple[str, ...], str]
) -> dict[str, str]:
    """The keys of a source, as TOML. ``days`` are the readings of dates so far, by their formats."""
    source = {"column": _quoted(heading)}
    if field.day:
        if capture := _capture(words):
            source["capture"] = f"'{capture}'"
        name = days.setdefault(_formats(_captured(words)), f"day{len(days) + 1}" if days else "day")
        source["day"] = _quoted(name)
    elif field.path == "where.state" and any(fold(word) in _STATES for word in words):
        source["state"] = "true"
    elif codes_of(kind, field):
        source["table"] = _quoted(_table_name(field))
    elif ".count." in field.path:
        source["number"] = "true"
    if field.required:
        source["required"] = "true"
    return source


def _value_table(kind: Records, field: Field, words: Sequence[str]) -> Iterator[str]:
    codes = codes_of(kind, field)
    by_name = {fold(name): code for code, label in codes for name in (code, *(label or ()))}
    by_name |= {fold(code.replace("_", " ")): code for code, _ in codes}
    yield ""
    yield f"# {', '.join(code for code, _ in codes)}"
    yield f"[tables.{_table_name(field)}.exact]"
    for word in words[:_MOST_WORDS]:
        code = by_name.get(fold(word))
        yield f"{_quoted(word)} = {_quoted(code)}" if code else f"# {_quoted(word)} = ?"
    if len(words) > _MOST_WORDS:
        yield f"# … y {len(words) - _MOST_WORDS} más · and {len(words) - _MOST_WORDS} more"


def _likeness(field: Field, heading: str) -> int:
    name = fold(heading.replace("_", " ").replace(".", " "))
    names = {fold(field.heading.es), fold(field.heading.en), field.path.replace("_", " ")}
    if heading == field.path or name in names:
        return 3
    synonyms = {fold(one) for one in field.synonyms}
    if name in synonyms:
        return 2
    words = set(name.split())
    return int(any(len(one) > 3 and set(one.split()) <= words for one in synonyms | names))


def _formats(words: Sequence[str]) -> tuple[str, ...]:
    """The formats that together read all samples; one that reads them all is enough."""
    readers = {text: parse_format(text) for text in _FORMATS}
    read = {text: [reader.read(word) is not None for word in words] for text, reader in readers.items()}
    for text in _FORMATS:
        if words and all(read[text]):
            return (text,)
    useful = tuple(text for text in _FORMATS if any(read[text]) and not text.startswith("M"))
    return useful or ("YYYY-MM-DD",)


_TIMED: Final = re.compile(r"(?P<day>\S+)[ T][0-9]{1,2}:[0-9]{2}.*")


def _capture(words: Sequence[str]) -> str | None:
    """What cuts the time of day off, where cells have one."""
    return r"^(\S+)" if words and all(_TIMED.fullmatch(word) for word in words) else None


def _captured(words: Sequence[str]) -> list[str]:
    if _capture(words) is None:
        return list(words)
    return [match["day"] for word in words if (match := _TIMED.fullmatch(word))]


def _words(rows: Sequence[Row], heading: str) -> list[str]:
    """The different cells of a column that are not empty, in their order."""
    return list(dict.fromkeys(word for row in rows if (word := row.cells.get(heading, ""))))


def _table_name(field: Field) -> str:
    return "".join(c if c.isalnum() else "_" for c in field.path).strip("_")


def _quoted(text: str) -> str:
    """A basic string of TOML 1.0: its escapes are those of JSON."""
    return json.dumps(str(text), ensure_ascii=False).replace("\x7f", "\\u007f")
