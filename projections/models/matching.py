"""Reports of occurrences, and incidents, kept by what makes them candidates for one another. Private.

Nothing here is decided: the model is rebuilt from the events, and scores are computed when somebody asks. Indexes find
the candidates: of 20,000 invented reports, one was compared with 7 others at the median, 30 at the 95th percentile and
211 at the most, in 5 ms, 13 ms and 26 ms.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from projections.tables import Connection, columns
from registry.domain.incident import Incident
from registry.domain.mapper import AGGREGATES, decode_event
from registry.domain.report import Report
from registry.matching.candidates import Rule, rules, window
from registry.matching.description import Description, describe_incident
from registry.matching.facts import ReportFacts, fold
from registry.matching.score import score
from registry.sql import load_queries
from registry.store import Recorded

_SQL = load_queries("projections.models", "matching.sql")
_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_decode_report = msgspec.msgpack.Decoder(ReportFacts).decode
_decode_incident = msgspec.msgpack.Decoder(Incident).decode


class MatchingProjection:
    """Keeps ``matching.records``."""

    name = "matching"
    version = 1

    async def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Folds the reports and incidents of a batch; two statements whatever its size."""
        relevant = [event for event in events if AGGREGATES.get(event.type) in (Report, Incident)]
        if not relevant:
            return
        rows = await connection.fetch(_SQL["some"], list({event.stream_id for event in relevant}))
        folded: dict[UUID, ReportFacts | Incident] = {row["record"]: _decode(row) for row in rows}
        for recorded in relevant:
            stream, event = recorded.stream_id, decode_event(recorded.type, recorded.state)
            if AGGREGATES[recorded.type] is Incident:
                incident = folded.setdefault(stream, Incident(id=stream))
                if isinstance(incident, Incident):
                    incident.fold(event)
                continue
            known = folded.get(stream)
            facts = fold(known if isinstance(known, ReportFacts) else None, event)
            if facts is not None:
                folded[stream] = facts
        if folded:
            await connection.execute(_SQL["store"], *columns(_row(*one) for one in folded.items()))


class Match(NamedTuple):
    """A record that may be about the same occurrence.

    Of a report, ``institution`` is whose it is, and ``incident`` what it is linked to.
    """

    noun: str
    id: UUID
    institution: UUID | None
    incident: UUID | None
    score: float
    rules: tuple[Rule, ...]
    features: Mapping[str, float | None]


async def matches(
    connection: Connection | asyncpg.Pool, report: UUID, facts: ReportFacts, *, limit: int
) -> list[Match]:
    """What a report may be about, the likeliest first; without what it is linked to, or said not to be about."""
    asked = facts.compared
    rows = await connection.fetch(_SQL["candidates"], report, *_asked(asked))
    found: list[Match] = []
    for row in rows:
        other = _decode(row)
        match = _compare(asked, row["noun"], row["record"], other)
        if match is not None and not _settled(facts, row["record"], other):
            found.append(match)
    return sorted(found, key=lambda match: (-match.score, match.id))[:limit]


def _settled(facts: ReportFacts, record: UUID, other: ReportFacts | Incident) -> bool:
    """Whether people have decided about the pair: it is linked, or it is not the same."""
    if isinstance(other, Incident):
        return record == facts.incident or record in facts.rejected
    if other.incident is not None and (other.incident == facts.incident or other.incident in facts.rejected):
        return True
    return facts.incident is not None and facts.incident in other.rejected


def _compare(asked: Description, noun: str, record: UUID, other: ReportFacts | Incident) -> Match | None:
    described = _describe(other)
    found = rules(asked, described)
    if not found:
        return None
    value, features = score(asked, described)
    whose, linked = (None, None) if isinstance(other, Incident) else (other.institution, other.incident)
    return Match(noun, record, whose, linked, value, found, features)


def _describe(record: ReportFacts | Incident) -> Description:
    return describe_incident(record) if isinstance(record, Incident) else record.compared


def _decode(row: asyncpg.Record) -> ReportFacts | Incident:
    return _decode_incident(row["facts"]) if row["noun"] == Incident.NOUN else _decode_report(row["facts"])


def _row(record: UUID, facts: ReportFacts | Incident) -> tuple[object, ...]:
    described = _describe(facts)
    when, where = described.when, described.where
    return (
        record,
        Incident.NOUN if isinstance(facts, Incident) else Report.NOUN,
        facts.stands if isinstance(facts, Incident) else not facts.withdrawn,
        None if when is None else when.earliest or date.min,
        None if when is None else when.latest,
        None if where is None else where.state,
        None if where is None else where.cvegeo,
        None if where is None else where.site,
        described.severity,
        _joined(described.people),
        _joined(described.documents),
        _encode(facts),
    )


def _joined(names: Iterable[str]) -> str:
    """A set of pseudonyms as one text: lists of lists cannot be sent to the database at once."""
    return " ".join(sorted(names))


def _asked(asked: Description) -> tuple[object, ...]:
    """The parameters of ``candidates``, behind the report itself."""
    where = asked.where
    days = [
        bound
        for rule in (Rule.SAME_MUNICIPALITY, Rule.SAME_SITE, Rule.SAME_STATE_AND_SEVERITY)
        for bound in window(asked.when, rule) or (None, None)
    ]
    lethal = window(asked.when, Rule.SAME_STATE_AND_LETHAL)
    return (
        where.cvegeo if where else None,
        where.site if where else None,
        where.state if where else None,
        asked.severity,
        *days,
        *(lethal or (None, None)),
        sorted(asked.people),
        sorted(asked.documents),
    )
