"""Figures as pages show them: never a bare number, always with what it counts, as of when, and how it is checked."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from api import labels
from api.counts.answer import Answer
from api.web import questions
from api.web.embedding import FIGURE, taken
from api.web.pages import CERTIFICATE, address
from api.web.texts import Texts
from api.web.visit import Visit
from projections.counting.count import Cell, CellState, Exclusion, Row
from projections.counting.disclosure import Bounds
from projections.counting.query import CountQuery, Dimension, Period, Unit
from registry.text import Text


class Figure(NamedTuple):
    """A count and what stands around it.

    ``link`` and ``certificate`` are paths as of the size, and whole addresses together with ``base``; ``commands``
    check the certificate; ``frame`` is the code that shows it in another page.
    """

    name: str
    sentence: str
    bounds: Bounds
    disputed: int
    waiting: int
    excluded: Sequence[tuple[str, int]]
    citation: str
    base: str
    link: str
    certificate: str
    verify: str
    commands: Sequence[str]
    frame: str


class Line(NamedTuple):
    """A row of a table. ``link`` asks about it alone, where its value is known."""

    labels: tuple[str, ...]
    bounds: Bounds
    known: bool
    link: str | None


class Openness(NamedTuple):
    """How much of what may count is known in one dimension."""

    name: str
    known: int
    unknown: int
    undisclosed: int


def figure(visit: Visit, answer: Answer) -> Figure:
    """Of an answer, with or without rows: its certificate is the one with them."""
    query, checkpoint, base = answer.query, answer.checkpoint, visit.site.backing.base_url
    asked = questions.write(query, checkpoint.size)
    certificate = f"{CERTIFICATE}?{asked}"
    return Figure(
        name=unit_name(query.unit, visit.texts),
        sentence=sentence(query, visit.texts),
        bounds=answer.counted.bounds,
        disputed=answer.counted.disputed,
        waiting=answer.waiting,
        excluded=[_excluded(item, visit.texts) for item in answer.counted.excluded],
        citation=visit.warned(answer.citation(visit.language)),
        base=base,
        link=address("explore", visit.language, asked),
        certificate=certificate,
        verify=address("verify", visit.language, asked),
        commands=commands(visit, base + certificate),
        frame=taken(visit, FIGURE, unit_name(query.unit, visit.texts), query).frame,
    )


def commands(visit: Visit, certificate: str) -> tuple[str, str]:
    """What somebody types to check it without this site."""
    keys = " ".join(f"--vkey '{key}'" for purpose in ("log", "count") for key in visit.site.vkeys()[purpose])
    base = visit.site.backing.base_url
    return (
        f"curl -fo certificado '{certificate}'",
        f"constancia verify {base} {keys} --certificate certificado",
    )


def unit_name(unit: Unit, texts: Texts) -> str:
    """What is counted, as a heading."""
    return labels.UNITS[unit].in_(texts.language).capitalize()


def sentence(query: CountQuery, texts: Texts) -> str:
    """What the figure counts, in one sentence."""
    says = {
        Unit.INCIDENTS: texts.gettext(
            "Hechos en los que al menos una persona pasante de medicina fue amenazada o agredida %(nexus)s"
        ),
        Unit.VICTIMISATIONS: texts.gettext(
            "Víctimas de cada hecho que son pasantes de medicina, sumadas, %(nexus)s: quien sufrió dos hechos cuenta "
            "dos veces"
        ),
        Unit.DEATHS: texts.gettext(
            "Pasantes de medicina que murieron en un hecho de este registro, %(nexus)s: cada muerte cuenta una vez, en "
            "la fecha del ataque"
        ),
    }
    whole = says[query.unit] % {"nexus": labels.NEXUS[query.nexus].in_(texts.language)}
    narrowed = "; ".join(conditions(query, texts))
    if not narrowed:
        return f"{whole}."
    only = texts.gettext("Solo lo que consta como:")
    return f"{whole}. {only} {narrowed}."


def conditions(query: CountQuery, texts: Texts) -> Iterator[str]:
    """What a question filters by, in words."""
    for dimension, values in (
        (Dimension.CLASS, query.classes),
        (Dimension.KIND, query.kinds),
        (Dimension.STATE, query.states),
        (Dimension.MUNICIPALITY, query.municipalities),
    ):
        if values:
            named = ", ".join(value_label(dimension, value).in_(texts.language) for value in values)
            yield f"{labels.DIMENSIONS[dimension].in_(texts.language)}: {named}"
    if query.period is not None:
        yield period_label(query.period, texts)


def period_label(period: Period, texts: Texts) -> str:
    """A year where it is one, else its first and last month."""
    first, last = (labels.month(month).in_(texts.language) for month in period)
    if period.whole_years and period.first[:4] == period.last[:4]:
        return f"{labels.DIMENSIONS['YEAR'].in_(texts.language)}: {period.first[:4]}"
    if first == last:
        return f"{labels.DIMENSIONS['MONTH'].in_(texts.language)}: {first}"
    return texts.gettext("de %(first)s a %(last)s") % {"first": first, "last": last}


def value_label(dimension: str, value: str) -> Text:
    """A code that may be filtered by, UNKNOWN among them."""
    return labels.unknown(dimension) if value == "UNKNOWN" else labels.cell(dimension, value)


def cell_label(cell: Cell) -> Text:
    """A coordinate of a row."""
    if cell.state is CellState.UNDISCLOSED:
        return labels.UNDISCLOSED_CELL
    return labels.unknown(cell.dimension) if cell.value is None else labels.cell(cell.dimension, cell.value)


def lines(visit: Visit, answer: Answer, rows: Sequence[Row] | None = None) -> list[Line]:
    """The rows of an answer, or some of them, in its order."""
    return [_line(visit, answer.query, row) for row in (answer.counted.rows if rows is None else rows)]


def largest_first(rows: Sequence[Row]) -> list[Row]:
    """Known values by their size; what is not known stays at the end."""
    return sorted(rows, key=lambda row: (not _known(row), *(-number for number in reversed(row.bounds))))


def openness(answer: Answer, texts: Texts) -> Openness:
    """Of the first dimension of an answer, by what may count at most."""
    (dimension, *_) = answer.query.group_by
    counted = dict.fromkeys(CellState, 0)
    for key, bounds in answer.counted.rows:
        counted[key[0].state] += bounds.high
    name = labels.DIMENSIONS[dimension].in_(texts.language)
    return Openness(
        name, counted[CellState.KNOWN], counted[CellState.UNKNOWN], counted[CellState.UNDISCLOSED]
    )


def _excluded(item: Exclusion, texts: Texts) -> tuple[str, int]:
    return labels.EXCLUSIONS[item.reason].in_(texts.language), item.incidents


def _line(visit: Visit, query: CountQuery, row: Row) -> Line:
    narrowed = _narrowed(query, row.key)
    return Line(
        labels=tuple(cell_label(cell).in_(visit.language) for cell in row.key),
        bounds=row.bounds,
        known=_known(row),
        link=None if narrowed is None else visit.link("explore", narrowed),
    )


def _known(row: Row) -> bool:
    return all(cell.state is CellState.KNOWN for cell in row.key)


def _narrowed(query: CountQuery, key: Sequence[Cell]) -> CountQuery | None:
    """The question about one row alone, as a whole; None where no filter says it."""
    narrowed = query.whole()
    for cell in key:
        if cell.value is None:
            return None
        match cell.dimension:
            case Dimension.CLASS:
                narrowed = narrowed._replace(classes=(cell.value,))
            case Dimension.KIND:
                narrowed = narrowed._replace(kinds=(cell.value,))
            case Dimension.STATE:
                narrowed = narrowed._replace(states=(cell.value,))
            case Dimension.MUNICIPALITY:
                narrowed = narrowed._replace(municipalities=(cell.value,))
            case Dimension.MONTH:
                narrowed = narrowed._replace(period=Period(cell.value, cell.value))
            case Dimension.YEAR if query.period is None and Dimension.MONTH not in query.group_by:
                narrowed = narrowed._replace(period=Period(f"{cell.value}-01", f"{cell.value}-12"))
            case Dimension.YEAR if Dimension.MONTH in query.group_by:
                continue
            case _:
                return None
    return narrowed
