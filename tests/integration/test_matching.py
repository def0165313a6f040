"""Candidates found by indexes are those that the rules name; what people have decided is proposed no more."""

from random import Random
from uuid import UUID

import asyncpg
import msgspec
import pytest

from projections.models.matching import MatchingProjection, matches
from projections.runner import Runner
from registry.domain.incident import Incident
from registry.domain.mapper import decode_event, noun_of
from registry.domain.report import Report
from registry.matching.candidates import rules
from registry.matching.description import describe_incident
from registry.matching.facts import ReportFacts, facts_of
from tests.lives import Life, store_life


@pytest.mark.parametrize("seed", [1, 2])
async def test_candidates_are_exactly_the_standing_undecided_pairs_that_a_rule_names(
    pool: asyncpg.Pool, seed: int
) -> None:
    life = Life(Random(seed), most=12)
    async with pool.acquire() as connection:
        await store_life(connection, life.go_on(400))
    await Runner(pool, [MatchingProjection()], batch=50).catch_up()

    reports, incidents = _folded(life)
    proposed = 0
    for asked, facts in reports.items():
        expected = {
            incident.id
            for incident in incidents
            if incident.stands
            and rules(facts.compared, describe_incident(incident))
            and incident.id != facts.incident
            and incident.id not in facts.rejected
        } | {
            other
            for other, said in reports.items()
            if other != asked
            and not said.withdrawn
            and rules(facts.compared, said.compared)
            and (said.incident is None or said.incident not in facts.rejected | {facts.incident})
            and (facts.incident is None or facts.incident not in said.rejected)
        }
        found = await matches(pool, asked, facts, limit=10_000)
        assert {match.id for match in found} == expected
        assert [match.score for match in found] == sorted((match.score for match in found), reverse=True)
        proposed += len(found)
    assert proposed > 50


def _folded(life: Life) -> tuple[dict[UUID, ReportFacts], list[Incident]]:
    streams: dict[UUID, list[tuple[str, bytes]]] = {}
    for event in life.events:
        streams.setdefault(event.stream_id, []).append((event.type, event.state))
    reports, incidents = {}, []
    for stream, history in streams.items():
        events = [decode_event(*one) for one in history]
        if noun_of(history[0][0]) == Report.NOUN and (facts := facts_of(events)) is not None:
            reports[stream] = facts
        if noun_of(history[0][0]) == Incident.NOUN:
            incident = Incident(id=stream)
            for one in events:
                incident.fold(one)
            incidents.append(incident)
    return reports, incidents


async def test_what_is_kept_is_what_the_events_fold_to(pool: asyncpg.Pool) -> None:
    life = Life(Random(3), most=12)
    async with pool.acquire() as connection:
        await store_life(connection, life.go_on(300))
    await Runner(pool, [MatchingProjection()]).catch_up()
    stored = await pool.fetch("SELECT record, facts, severity FROM matching.records WHERE noun = 'report'")
    kept = {row["record"]: msgspec.msgpack.decode(row["facts"], type=ReportFacts) for row in stored}
    assert kept == _folded(life)[0]
    assert all(row["severity"] == kept[row["record"]].description.severity for row in stored)
