"""Restricted counts as SQL: for every register and question, what the pure definition says."""

import asyncio
from collections.abc import Sequence

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projections.counting.restricted import CODES, Dimension, Question, Unit
from projections.counting.restricted import count as fold_count
from projections.counting.victimisations import victimisations
from projections.models.restricted import RestrictedProjection, count, place
from projections.runner import Runner
from registry.domain.incident import Incident
from tests.incidents import ASSIGNMENTS, SITES, registers


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """Any question; mostly not filtered by much, since filters that all apply rule nearly everything out."""
    values = {dimension: sorted(CODES[dimension]) for dimension in Dimension}
    values[Dimension.YEAR] += ["2020"]
    values[Dimension.SITE] += [str(site) for site in SITES]
    dimensions = st.sampled_from(Dimension)
    return Question(
        draw(st.sampled_from(Unit)),
        tuple(draw(st.lists(dimensions, max_size=3, unique=True))),
        tuple(
            (one, tuple(draw(st.lists(st.sampled_from(values[one]), min_size=1, max_size=4, unique=True))))
            for one in draw(st.lists(dimensions, max_size=2, unique=True))
        ),
    )


def test_sql_and_definition_agree_on_every_question(database_url: str) -> None:
    """One loop for all examples: a database per example would take minutes."""

    async def compare(incidents: list[Incident], asked: Sequence[Question]) -> None:
        pool = await asyncpg.create_pool(database_url, min_size=1, max_size=2)
        try:
            await Runner(pool, [RestrictedProjection()]).catch_up()
            lines = [line for one in incidents for line in victimisations(one, ASSIGNMENTS)]
            async with pool.acquire() as connection:
                await connection.execute("SET search_path TO restricted, public; TRUNCATE victimisations")
                await place(connection, [one.id for one in incidents], lines)
                for question in asked:
                    answer = await count(connection, question)
                    assert (answer.rows, answer.at) == (fold_count(lines, question), 0), question
        finally:
            await pool.close()

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(registers, st.lists(questions(), min_size=1, max_size=8))
    def agree(incidents: list[Incident], asked: list[Question]) -> None:
        asyncio.run(compare(incidents, asked))

    agree()
