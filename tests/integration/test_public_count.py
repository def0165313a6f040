"""The public count as SQL: for every history, question and size, what the pure fold says."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projections.counting.count import count as fold_count
from projections.counting.definition import DEFINITION_ID, definition_sha256
from projections.counting.disclosure import parse
from projections.counting.query import CountQuery, read
from projections.errors import CatchingUp, DefinitionNotAdopted
from projections.models.public_count import PublicCount
from projections.models.public_figures import count, matching
from projections.models.public_incidents import page
from projections.models.standing import standing
from projections.models.waiting import Waiting
from projections.runner import Runner
from tests.events import Leaf, store_leaves
from tests.histories import Public, histories, queries


def disclosed(publics: Sequence[Public]) -> list[Leaf]:
    return [Leaf("incident.disclosed", public, UUID(public["incident"])) for public in publics]


VECTORS = Path(__file__).parents[1] / "vectors" / "counting"
RELEASED = Leaf("release.published", {})
ADOPTED = Leaf("definition.adopted", {"id": DEFINITION_ID, "sha256": definition_sha256()})


def test_sql_and_fold_agree_on_every_question_at_every_size(database_url: str) -> None:
    """One loop for all examples: a database per example would take minutes.

    Releases end anywhere: what they fold into cells must answer as single disclosures do.
    """

    async def compare(history: list[Public], ends: set[int], asked: list[CountQuery], batch: int) -> None:
        connection = await asyncpg.connect(database_url)
        pool = await asyncpg.create_pool(database_url, min_size=1, max_size=2)
        try:
            await connection.execute(
                "TRUNCATE events, public_count.disclosures, public_count.deaths_by_sex, public_count.adoptions,"
                " public_count.cells, public_count.releases, projections.positions CASCADE; UPDATE head SET size = 0"
            )
            leaves = [
                leaf
                for number, leaf in enumerate(disclosed(history))
                for leaf in ([leaf, RELEASED] if number in ends else [leaf])
            ]
            await store_leaves(connection, leaves)
            await Runner(pool, [PublicCount()], batch=batch).catch_up()
            for size in range(len(leaves) + 1):
                shown = [leaf.public for leaf in leaves[:size] if leaf is not RELEASED and leaf.public]
                last = {public["incident"]: parse(public) for public in shown}.values()
                for query in asked:
                    assert await count(connection, query, size) == fold_count(last, query)
                    listed = await page(connection, query, size, after=None, limit=20)
                    assert len(listed) == await matching(connection, query, size)
        finally:
            await pool.close()
            await connection.close()

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        histories,
        st.sets(st.integers(0, 11)),
        st.lists(queries(), min_size=1, max_size=4),
        st.sampled_from([1, 3, 1000]),
    )
    def agree(history: list[Public], ends: set[int], asked: list[CountQuery], batch: int) -> None:
        asyncio.run(compare(history, ends, asked, batch))

    agree()


@pytest.mark.parametrize("path", sorted(VECTORS.glob("*.json")), ids=lambda path: path.stem)
async def test_the_tables_answer_as_the_vectors_say(pool: asyncpg.Pool, path: Path) -> None:
    vector = json.loads(path.read_text(encoding="utf-8"))
    async with pool.acquire() as connection:
        await store_leaves(connection, [Leaf(leaf["type"], leaf.get("public")) for leaf in vector["leaves"]])
        await Runner(pool, [PublicCount()]).catch_up()

        for question in vector["questions"]:
            answer = await count(connection, read(question["query"]), question["as_of"])
            assert answer.canonical() == question["result"], question["why"]


async def test_a_size_that_the_tables_do_not_cover_is_not_answered_for(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        await store_leaves(connection, [ADOPTED])
        with pytest.raises(CatchingUp):
            await standing(connection, 1)

        await Runner(pool, [PublicCount(), Waiting()]).catch_up()
        assert (await standing(connection, 1)).waiting == 0


async def test_nothing_is_counted_under_a_definition_that_is_not_in_force(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        await store_leaves(
            connection, [Leaf("definition.adopted", {"id": "other/1", "sha256": "00" * 32}), ADOPTED]
        )
        await Runner(pool, [PublicCount(), Waiting()]).catch_up()

        with pytest.raises(DefinitionNotAdopted, match="other/1"):
            await standing(connection, 1)
        assert (await standing(connection, 2)).waiting == 0
