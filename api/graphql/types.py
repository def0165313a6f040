"""The types that clients rely on: a journalist reads their descriptions, so they say what each number means."""

from __future__ import annotations

import base64
import enum
from collections.abc import Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Literal, NamedTuple, cast

import strawberry
from strawberry import Private

from api import labels
from api.counts.answer import Answer
from api.graphql.scalars import LogSize, Month
from projections.counting import count as counting
from projections.counting.definition import DEFINITION_ID, definition_sha256
from projections.models.checkpoints import PublishedCheckpoint
from registry.text import Text

CHECKPOINTS_KEPT = 100
"""Checkpoints that are kept ready, with their notes of some 200 bytes and a signature for each witness."""

CELLS_KEPT = 10_000
"""Coordinates that are kept ready: more than there are municipalities and months."""


@strawberry.enum(description="Idioma. Language: Spanish or English.")
class Language(enum.Enum):
    ES = "es"
    EN = "en"


@strawberry.enum(description="Clase de incidente. A threat announces harm; an attack does it.")
class IncidentClass(enum.Enum):
    THREAT = "THREAT"
    ATTACK = "ATTACK"


@strawberry.enum(description="Qué se cuenta. What is counted: one incident may have several victims.")
class Unit(enum.Enum):
    INCIDENTS = strawberry.enum_value("INCIDENTS", description="Occurrences that reviewers established.")
    VICTIMISATIONS = strawberry.enum_value(
        "VICTIMISATIONS",
        description="Victims of each incident, added up: a person harmed twice counts twice.",
    )
    DEATHS = strawberry.enum_value("DEATHS", description="Students killed, at the date of the attack.")


@strawberry.enum(
    description="Vínculo con el servicio. The link between the victim's situation and the service."
)
class Nexus(enum.Enum):
    STRICT = strawberry.enum_value(
        "STRICT",
        description="On duty, in transfer, in the living quarters or commuting. The headline figure.",
    )
    BROAD = strawberry.enum_value("BROAD", description="STRICT and everything off duty.")


@strawberry.enum(
    description="Dimensión. What a count can be broken down by. MONTH is year and month. SEX only with unit DEATHS."
)
class Dimension(enum.Enum):
    CLASS = "CLASS"
    KIND = "KIND"
    YEAR = "YEAR"
    MONTH = "MONTH"
    STATE = "STATE"
    MUNICIPALITY = "MUNICIPALITY"
    CERTAINTY = "CERTAINTY"
    SEX = "SEX"


@strawberry.enum(description="Estado de un dato. Whether the value of a cell is known to the public.")
class CellState(enum.Enum):
    KNOWN = strawberry.enum_value("KNOWN", description="The value is open to the public.")
    UNKNOWN = strawberry.enum_value("UNKNOWN", description="Nobody knows it, or only a coarser one is known.")
    UNDISCLOSED = strawberry.enum_value(
        "UNDISCLOSED", description="It exists and is not public yet, to protect the people concerned."
    )


@strawberry.enum(description="Cómo se comprueba. How a figure can be checked.")
class Verification(enum.Enum):
    RECOUNTABLE = strawberry.enum_value(
        "RECOUNTABLE", description="Anyone folds it from the leaves of the log."
    )
    ATTESTED = strawberry.enum_value(
        "ATTESTED", description="Computed by the registry; its file's hash is in the release."
    )


@strawberry.input(description="Periodo. Months of occurrence, both ends included.")
class Period:
    from_: Month = strawberry.field(name="from", description='First month, "2020-01".')
    to: Month = strawberry.field(description='Last month, "2020-12".')


@strawberry.input(
    description=(
        "Filtro. An incident is counted only where its public facts prove that it belongs; where they cannot "
        "decide, it is under `excluded`. A field that is left out filters nothing."
    )
)
class CountFilter:
    class_: list[IncidentClass] | None = strawberry.field(
        name="class", default=strawberry.UNSET, description="One of these classes."
    )
    kind: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="One of these kinds, as codes: ROBBERY, VERBAL, …"
    )
    state: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description='State of occurrence: INEGI\'s codes "01" to "32", or UNKNOWN.'
    )
    municipality: list[str] | None = strawberry.field(
        default=strawberry.UNSET,
        description='Municipality of occurrence: five digits of INEGI, "01001", or UNKNOWN.',
    )
    period: Period | None = strawberry.field(default=strawberry.UNSET, description="Months of occurrence.")
    nexus: Nexus | None = strawberry.field(
        default=Nexus.STRICT, description="The link to the service that a victim must have."
    )


@strawberry.type(
    description="Punto de control. A signed statement of what the log holds at one size: what a figure is cited as of."
)
class Checkpoint:
    size: LogSize = strawberry.field(description="Number of leaves of the log.")
    root: str = strawberry.field(description="Root hash of the tree of these leaves, in base64.")
    published_at: datetime = strawberry.field(description="When this size was first published.")
    witnesses: list[str] = strawberry.field(description="Names of the keys of witnesses that signed it too.")
    note: str = strawberry.field(description="The signed note itself (c2sp.org/tlog-checkpoint).")

    @classmethod
    def of(cls, checkpoint: PublishedCheckpoint) -> Checkpoint:
        return cls(
            size=LogSize(checkpoint.size),
            root=base64.b64encode(checkpoint.root).decode(),
            published_at=checkpoint.published_at,
            witnesses=list(checkpoint.witnesses),
            note=checkpoint.note,
        )


@strawberry.type(description="Un punto de control en una lista. A checkpoint in a list.")
class CheckpointEdge:
    cursor: str = strawberry.field(description="Give it as `after` to continue behind this one.")
    node: Checkpoint = strawberry.field(description="The checkpoint.")


@strawberry.type(description="Página. Where a page of a list ends.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether there are more.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last one on this page.")

    @classmethod
    def of(cls, cursors: Sequence[str], more: bool) -> PageInfo:
        return cls(has_next_page=more, end_cursor=cursors[-1] if cursors else None)


@strawberry.type(description="Puntos de control, el más reciente primero. Checkpoints, newest first.")
class CheckpointConnection:
    edges: list[CheckpointEdge] = strawberry.field(description="This page.")
    page_info: PageInfo = strawberry.field(description="Where it ends.")


@strawberry.type(
    description="Definición. The published text by which the count is made, named by its sha256."
)
class Definition:
    id: str = strawberry.field(description="Name and version, national-count/1.")
    sha256: str = strawberry.field(description="SHA-256 of the text, in hexadecimal.")


@strawberry.type(
    description="Excluidos. Incidents that are not in the count, by the first reason that applies."
)
class Exclusion:
    reason: str = strawberry.field(
        description="RETRACTED, MERGED, REFUTED, RUMOUR, NO_IN_SCOPE_VICTIM, UNDISCLOSED, UNKNOWN or NOT_REPORTED."
    )
    incidents: int = strawberry.field(description="How many.")

    @strawberry.field(description="The reason in words.")
    def label(self, lang: Language | None = Language.ES) -> str:
        return labels.EXCLUSIONS[self.reason].in_(_language(lang))


@strawberry.type(
    description="Cita. How to cite the figure: question, definition and size of the log are pinned."
)
class Citation:
    answer: Private[Answer]

    @strawberry.field(description="The citation in words.")
    def text(self, lang: Language | None = Language.ES) -> str:
        return self.answer.citation(_language(lang))

    @strawberry.field(description="A link that gives the same answer for ever.")
    def url(self) -> str:
        return self.answer.permalink()


@strawberry.type(
    description=(
        "Cuenta. A number with everything it needs to be cited and checked. `low` counts what is confirmed, `best` "
        "adds what is probable, `high` what is possible: bounds, not a confidence interval."
    )
)
class Count:
    answer: Private[Answer]
    unit: Unit = strawberry.field(description="What is counted.")
    low: int = strawberry.field(description="Confirmed.")
    best: int = strawberry.field(description="Confirmed or probable.")
    high: int = strawberry.field(description="Confirmed, probable or possible.")
    disputed: int = strawberry.field(description="How many of the counted incidents an institution disputes.")
    excluded: list[Exclusion] = strawberry.field(description="What is not in the count, and why.")
    waiting: int = strawberry.field(description="Incidents adjudicated and not yet in a release (attested).")
    verification: Verification = strawberry.field(description="A count is always RECOUNTABLE.")
    definition: Definition = strawberry.field(description="What exactly was counted.")
    as_of: Checkpoint = strawberry.field(description="The state of the log that was counted.")

    @strawberry.field(description="Question, answer, definition and tree, signed (docs/counting.md).")
    def certificate(self) -> str:
        return self.answer.certificate()

    @strawberry.field(description="How to cite it.")
    def citation(self) -> Citation:
        return Citation(answer=self.answer)

    @classmethod
    def of(cls, answer: Answer) -> Count:
        bounds = answer.counted.bounds
        return cls(
            answer=answer,
            unit=Unit[answer.query.unit.name],
            low=bounds.low,
            best=bounds.best,
            high=bounds.high,
            disputed=answer.counted.disputed,
            excluded=[
                Exclusion(reason=item.reason.value, incidents=item.incidents)
                for item in answer.counted.excluded
            ],
            waiting=answer.waiting,
            verification=Verification.RECOUNTABLE,
            definition=_definition(),
            as_of=_shown(answer.checkpoint),
        )


@strawberry.type(description="Celda. One coordinate of a row.")
class Cell:
    dimension: Dimension = strawberry.field(description="Which dimension.")
    state: CellState = strawberry.field(description="Whether the value is known to the public.")
    value: str | None = strawberry.field(description="The code, where it is known.")

    @strawberry.field(description="The value in words.")
    def label(self, lang: Language | None = Language.ES) -> str:
        return self._text().in_(_language(lang))

    def _text(self) -> Text:
        if self.state is CellState.UNDISCLOSED:
            return labels.UNDISCLOSED_CELL
        return (
            labels.unknown(self.dimension.value)
            if self.value is None
            else labels.cell(self.dimension.value, self.value)
        )


@strawberry.type(description="Fila. One line of a table; rows that would be zero throughout are left out.")
class CountRow:
    key: list[Cell] = strawberry.field(description="One cell for each dimension asked for.")
    low: int = strawberry.field(description="Confirmed.")
    best: int = strawberry.field(description="Confirmed or probable.")
    high: int = strawberry.field(description="Confirmed, probable or possible.")


class _ShownRow(NamedTuple):
    """What is read as a CountRow: a tuple takes a third of the time that an object does."""

    key: tuple[Cell, ...]
    low: int
    best: int
    high: int


@strawberry.type(description="Tabla. A count broken down; its rows sum to the total, component by component.")
class CountTable:
    answer: Private[Answer]
    rows: list[CountRow] = strawberry.field(
        description="Known values by code, then unknown, then undisclosed."
    )
    total: Count = strawberry.field(description="The whole.")

    @strawberry.field(description="Question, rows, definition and tree, signed (docs/counting.md).")
    def certificate(self) -> str:
        return self.answer.certificate()

    @strawberry.field(description="How to cite it.")
    def citation(self) -> Citation:
        return Citation(answer=self.answer)

    @classmethod
    def of(cls, answer: Answer) -> CountTable:
        rows: list[CountRow] = []
        if answer.counted.rows:
            # Column by column, without a step of Python for each: tables are long.
            keys, bounds = zip(*answer.counted.rows, strict=True)
            cells = map(_shown_cells, zip(*keys, strict=True))
            shown = map(_ShownRow, zip(*cells, strict=True), *zip(*bounds, strict=True))
            rows = cast(list[CountRow], list(shown))
        return cls(answer=answer, rows=rows, total=Count.of(answer.whole()))


@lru_cache(maxsize=CHECKPOINTS_KEPT)
def _shown(checkpoint: PublishedCheckpoint) -> Checkpoint:
    """Most answers are as of the same few."""
    return Checkpoint.of(checkpoint)


@cache
def _definition() -> Definition:
    return Definition(id=DEFINITION_ID, sha256=definition_sha256())


_CELLS: dict[int, Cell] = {}
"""Equal coordinates are one object, here as in the read model, by whose id they are known."""

_TOLD: list[counting.Cell] = []
"""Those of the read model, held so that their ids stay their own."""


def _shown_cells(column: Sequence[counting.Cell]) -> list[Cell]:
    try:
        return list(map(_CELLS.__getitem__, map(id, column)))
    except KeyError:
        new = [cell for cell in column if id(cell) not in _CELLS]
    if len(_CELLS) >= CELLS_KEPT:
        _CELLS.clear()
        _TOLD.clear()
        new = list(column)
    for cell in new:
        _TOLD.append(cell)
        _CELLS[id(cell)] = Cell(
            dimension=Dimension[cell.dimension.name], state=CellState[cell.state.name], value=cell.value
        )
    return list(map(_CELLS.__getitem__, map(id, column)))


def _language(lang: Language | None) -> Literal["es", "en"]:
    return "en" if lang is Language.EN else "es"
