"""Counts over private facets, for keys with the scope ``restricted:read``: audited, never certified, never cached."""

from __future__ import annotations

import enum

import strawberry
from strawberry import Private

from api import private_labels
from api.graphql.asking import Context
from api.graphql.readers import Reader, let_in
from api.graphql.scalars import LogSize
from api.graphql.types import Language
from projections.counting import restricted as counting
from projections.models import restricted as model
from registry.domain.codes import UNKNOWN


@strawberry.enum(description="Qué se cuenta. What is counted, for restricted readers.")
class RestrictedUnit(enum.Enum):
    INCIDENTS = strawberry.enum_value("INCIDENTS", description="Occurrences that reviewers established.")
    VICTIMISATIONS = strawberry.enum_value(
        "VICTIMISATIONS",
        description="Victims of each incident, added up: a person harmed twice counts twice.",
    )
    DEATHS = strawberry.enum_value("DEATHS", description="Victims killed, at the date of the attack.")
    PERSONS = strawberry.enum_value(
        "PERSONS",
        description=(
            "People, each once however often they were harmed. A victim whom nobody identified is one more person in "
            "best and high, and none in low. The rows do not sum."
        ),
    )


@strawberry.enum(
    description=(
        "Dimensión. What a restricted count can be broken down and filtered by. Unless a question names SCOPE, ROLE or "
        "NEXUS it is about medical students with a strict link to the service."
    )
)
class RestrictedDimension(enum.Enum):
    CLASS = strawberry.enum_value("CLASS", description="THREAT or ATTACK.")
    KIND = strawberry.enum_value("KIND", description="The kind of threat or attack.")
    YEAR = strawberry.enum_value("YEAR", description='Of occurrence, "2026".')
    QUARTER = strawberry.enum_value("QUARTER", description='Of occurrence, "2026-Q1".')
    MONTH = strawberry.enum_value("MONTH", description='Of occurrence, "2026-02".')
    STATE = strawberry.enum_value("STATE", description='Of occurrence, INEGI\'s code "01" to "32".')
    MUNICIPALITY = strawberry.enum_value("MUNICIPALITY", description='Of occurrence, five digits, "01001".')
    CERTAINTY = strawberry.enum_value("CERTAINTY", description="POSSIBLE, PROBABLE or CONFIRMED.")
    SCOPE = strawberry.enum_value(
        "SCOPE", description="STRICT, and BROAD, which includes it: the two rows do not sum."
    )
    SEX = strawberry.enum_value("SEX", description="Of the victim.")
    ROLE = strawberry.enum_value("ROLE", description="Of the victim; naming it asks about all of them.")
    OUTCOME = strawberry.enum_value(
        "OUTCOME", description="What became of the victim; of an incident, the most severe outcome."
    )
    MANNER = strawberry.enum_value("MANNER", description="Of death; NOT_APPLICABLE to the living.")
    NEXUS = strawberry.enum_value(
        "NEXUS", description="The link to the service; naming it asks about any link."
    )
    MEANS = strawberry.enum_value(
        "MEANS", description="Used; an incident has a row for each of its means, so they do not sum."
    )
    PERPETRATOR = strawberry.enum_value("PERPETRATOR", description="A group, never a person.")
    INSTITUTION = strawberry.enum_value("INSTITUTION", description="That assigned the victim, as an id.")
    SITE = strawberry.enum_value(
        "SITE",
        description="Of occurrence, as an id: as found, or where who was on duty at the own site served.",
    )
    PLAZA_TYPE = strawberry.enum_value("PLAZA_TYPE", description="Of the victim's assignment.")
    PROMOTION = strawberry.enum_value("PROMOTION", description='Of the victim\'s assignment, "2026-1".')


@strawberry.input(description="Filtro. Counted is only whoever has one of these values in this dimension.")
class RestrictedFilter:
    dimension: RestrictedDimension = strawberry.field(description="Which dimension.")
    in_: list[str] = strawberry.field(
        name="in",
        description="Its values, as codes; UNKNOWN, NOT_REPORTED and NOT_APPLICABLE are three of them.",
    )


@strawberry.type(description="Celda. One coordinate of a restricted row.")
class RestrictedCell:
    name: Private[str | None]
    dimension: RestrictedDimension = strawberry.field(description="Which dimension.")
    value: str | None = strawberry.field(
        description="The code; UNKNOWN, NOT_REPORTED and NOT_APPLICABLE are different answers."
    )

    @strawberry.field(description="The value in words; of an institution and a site, what it is called now.")
    def label(self, lang: Language | None = Language.ES) -> str:
        if self.name is not None:
            return self.name
        text = private_labels.cell(self.dimension.name, self.value or UNKNOWN)
        return text.in_("en" if lang is Language.EN else "es")


@strawberry.type(description="Fila. One line of a restricted table; rows that would be zero are left out.")
class RestrictedRow:
    key: list[RestrictedCell] = strawberry.field(description="One cell for each dimension asked for.")
    low: int = strawberry.field(description="Confirmed.")
    best: int = strawberry.field(description="Confirmed or probable.")
    high: int = strawberry.field(description="Confirmed, probable or possible.")
    disputed: int = strawberry.field(description="How many of its incidents an institution disputes.")


@strawberry.type(
    description=(
        "Tabla restringida. Counts over private facets: never certified, and not to be published. Without dimensions "
        "it is one row, the whole."
    )
)
class RestrictedTable:
    rows: list[RestrictedRow] = strawberry.field(description="Values by code, those that name none last.")
    at: LogSize = strawberry.field(description="The size of the log that was counted, published or not.")


@strawberry.type(
    description="Restringido. What only keys with the scope restricted:read may ask; every answer is audited."
)
class Restricted:
    reader: Private[Reader]

    @strawberry.field(
        description="¿Cuántos de cada uno? How many, over private facets, by any of the dimensions; or by none."
    )
    async def counts(
        self,
        info: Context,
        group_by: list[RestrictedDimension],
        unit: RestrictedUnit = RestrictedUnit.INCIDENTS,
        filters: list[RestrictedFilter] | None = strawberry.UNSET,
    ) -> RestrictedTable:
        wanted = filters if isinstance(filters, list) else []
        question = counting.ask(
            unit.name,
            [dimension.name for dimension in group_by],
            [(one.dimension.name, one.in_) for one in wanted],
        )
        async with info.context.backing.pool.acquire() as connection:
            counted = await model.count(connection, question)
        await self.reader.note(_names(question))
        return RestrictedTable(
            rows=[
                RestrictedRow(
                    key=[
                        RestrictedCell(
                            dimension=RestrictedDimension[dimension.name],
                            value=value,
                            name=counted.names.get(value),
                        )
                        for dimension, value in zip(question.group_by, key, strict=True)
                    ],
                    low=low,
                    best=best,
                    high=high,
                    disputed=disputed,
                )
                for key, (low, best, high), disputed in counted.rows
            ],
            at=LogSize(counted.at),
        )


async def restricted(info: Context) -> Restricted:
    """Whoever asks, if they may. Raises Forbidden."""
    reader = let_in(info.context.reader)
    await reader.actor()
    return Restricted(reader=reader)


def _names(question: counting.Question) -> list[str]:
    """What the audit keeps of a question: names of dimensions, never the values that were asked about."""
    return [
        f"counts.{question.unit.value}",
        *(f"group_by.{dimension.value}" for dimension in question.group_by),
        *(f"filters.{dimension.value}" for dimension, _ in question.filters),
    ]
