"""Restricted counts as tables: a line for each victim of what may count, and one statement for each question. Private.

A line follows from an incident and from the assignments that its victims name, both folded by the domain's own code;
what changes either puts the lines of the incident in place anew.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, NamedTuple, TypeVar
from uuid import UUID

import asyncpg
import msgspec

from projections.counting.disclosure import Bounds
from projections.counting.restricted import (
    BROAD,
    OPEN_ANSWERS,
    Dimension,
    Question,
    Row,
    Unit,
    in_order,
    rank_of,
)
from projections.counting.victimisations import Victimisation, victimisations
from projections.errors import CatchingUp, InvalidQuery, TookTooLong
from projections.tables import Connection, columns
from registry.domain.assignment import Assignment
from registry.domain.codes import IN_SCOPE, Outcome
from registry.domain.event import Aggregate
from registry.domain.incident import Incident
from registry.domain.incident_events import IncidentDisclosed
from registry.domain.institution import InstitutionRegistered, InstitutionRenamed
from registry.domain.mapper import AGGREGATES, decode_event
from registry.domain.site import SiteRegistered
from registry.sql import load_queries
from registry.store import Recorded

MAX_ROWS: Final = 10_000
"""Of one answer: by state, month and kind there are fewer."""

MAX_SECONDS: Final = 10
"""Of one question: over a million victims it takes about one."""

_NAMING: Final = frozenset({InstitutionRegistered.TOPIC, InstitutionRenamed.TOPIC, SiteRegistered.TOPIC})
_NAMED: Final = frozenset({Dimension.INSTITUTION, Dimension.SITE})

_SQL = load_queries("projections.models", "restricted.sql")
_encode = msgspec.msgpack.Encoder().encode
_incident = msgspec.msgpack.Decoder(Incident).decode
_assignment = msgspec.msgpack.Decoder(Assignment).decode

_EXPANDED: Final = {Dimension.MEANS: ("each_means", "mean"), Dimension.SCOPE: ("each_scope", "scope")}
"""Dimensions in which a victim has several values: what makes a line of each, and the column that it is in."""

_SEVERITIES: Final = [str(outcome) for outcome in Outcome]

A = TypeVar("A", bound=Aggregate)


class RestrictedProjection:
    """Keeps ``restricted.incidents``, ``.assignments``, ``.victimisations`` and the ``.names`` of sites and others."""

    name = "restricted"
    version = 1

    async def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Folds what a batch is about from how it stood before; a few statements in all."""
        await _keep_names(connection, events)
        # What a release shows of an incident changes nothing that is known of it.
        about = [event for event in events if event.type != IncidentDisclosed.TOPIC]
        assigned = [event for event in about if AGGREGATES.get(event.type) is Assignment]
        happened = [event for event in about if AGGREGATES.get(event.type) is Incident]
        if not assigned and not happened:
            return
        assignments = await _assignments(connection, {event.stream_id for event in assigned})
        _fold(Assignment, assignments, assigned)
        if assignments:
            await connection.execute(
                _SQL["keep_assignments"], list(assignments), [_encode(one) for one in assignments.values()]
            )
        touched = {event.stream_id for event in happened}
        if assignments:
            rows = await connection.fetch(_SQL["about"], list(assignments))
            touched |= {row["incident"] for row in rows}
        rows = await connection.fetch(_SQL["incidents"], list(touched))
        incidents = {row["incident"]: _incident(row["state"]) for row in rows}
        _fold(Incident, incidents, happened)
        changed = {event.stream_id for event in happened}
        if changed:
            await connection.execute(
                _SQL["keep_incidents"], list(changed), [_encode(incidents[one]) for one in changed]
            )
        named = {
            victim.assignment for one in incidents.values() for victim in one.victims if victim.assignment
        }
        assignments |= await _assignments(connection, named - assignments.keys())
        lines = [line for one in incidents.values() for line in victimisations(one, assignments)]
        await place(connection, incidents, lines)


class Counted(NamedTuple):
    """The answer to a question, as of so many leaves of the log; ``names``: of institutions and sites in its rows."""

    rows: list[Row]
    at: int
    names: dict[str, str]


async def place(connection: Connection, incidents: Collection[UUID], lines: Sequence[Victimisation]) -> None:
    """Puts these lines in place of those of some incidents."""
    await connection.execute(_SQL["clear"], list(incidents))
    if lines:
        await connection.execute(_SQL["place"], *columns(_columns(line) for line in lines))


async def count(connection: Connection, question: Question) -> Counted:
    """What ``counting.restricted.count`` says of all lines.

    Raises CatchingUp before the tables exist as this program has them, InvalidQuery for more than MAX_ROWS rows, and
    TookTooLong after ``MAX_SECONDS``.
    """
    statement, parameters = _statement(question)
    try:
        async with connection.transaction(readonly=True):
            await connection.execute(_SQL["in_time"], f"{MAX_SECONDS}s")
            found = await connection.fetch(statement, RestrictedProjection.version, MAX_ROWS + 1, *parameters)
    except asyncpg.QueryCanceledError:
        raise TookTooLong(MAX_SECONDS) from None
    size, position = found[0]["size"], found[0]["position"]
    if position is None:
        raise CatchingUp(size, 0)
    if len(found) > MAX_ROWS:
        raise InvalidQuery(
            "groupBy",
            f"La tabla pasa de {MAX_ROWS} renglones. Filtre, o pida menos dimensiones.",
            f"The table has more than {MAX_ROWS} rows. Filter, or ask for fewer dimensions.",
        )
    rows = [
        Row(
            _key(line["key"], line["severity"], question),
            Bounds(line["low"], line["best"], line["high"]),
            line["disputed"],
        )
        for line in found
        if line["high"] is not None
    ]
    return Counted(in_order(rows, question), position, await _names(connection, question, rows))


async def _names(connection: Connection, question: Question, rows: Sequence[Row]) -> dict[str, str]:
    places = [number for number, dimension in enumerate(question.group_by) if dimension in _NAMED]
    ids = {UUID(row.key[place_]) for row in rows for place_ in places if row.key[place_] not in OPEN_ANSWERS}
    if not ids:
        return {}
    return {row["id"]: row["name"] for row in await connection.fetch(_SQL["names"], list(ids))}


async def _keep_names(connection: Connection, events: Sequence[Recorded]) -> None:
    names: dict[UUID, str] = {}
    for event in events:
        if event.type in _NAMING:
            named = decode_event(event.type, event.state)
            if isinstance(named, InstitutionRegistered | InstitutionRenamed | SiteRegistered):
                names[event.stream_id] = named.name
    if names:
        await connection.execute(_SQL["keep_names"], list(names), list(names.values()))


def _key(values: Sequence[str], severity: int | None, question: Question) -> tuple[str, ...]:
    if severity is None:
        return tuple(values)
    place_ = question.group_by.index(Dimension.OUTCOME)
    return (*values[:place_], _SEVERITIES[severity], *values[place_:])


def _statement(question: Question) -> tuple[str, list[Any]]:
    """The SQL of a question and its lists: names of columns come from this program, values are parameters."""
    parameters: list[Any] = []
    wanted = dict(question.filters)
    outcomes = wanted.pop(Dimension.OUTCOME, None) if question.headline else None
    conditions = ["true"]
    if question.in_scope_only:
        conditions.append(f"role = '{IN_SCOPE.value}'")
    if question.strict_only:
        conditions.append("strict")
    if question.unit is Unit.DEATHS:
        conditions.append(f"outcome = '{Outcome.KILLED.value}'")
    for dimension, values in wanted.items():
        parameters.append(values)
        conditions.append(_condition(dimension, question, f"${len(parameters) + 2}::text[]"))
    by_headline = question.headline and Dimension.OUTCOME in question.group_by
    shown = [one for one in question.group_by if not (by_headline and one is Dimension.OUTCOME)]
    block = "victims"
    if question.unit is Unit.PERSONS:
        block = "persons"
    elif question.unit is Unit.INCIDENTS:
        block = "incidents_by_outcome" if question.headline else "incidents_of"
    if outcomes is not None:
        parameters.append([rank_of(outcome) for outcome in outcomes])
    put_in = {
        "$rows": _SQL[block],
        "$severity": "severity" if by_headline else "NULL::smallint",
        "$outcomes": "true" if outcomes is None else f"severity = ANY (${len(parameters) + 2}::smallint[])",
        "$lines": "\n".join(
            [_SQL["lines"], *(_SQL[_EXPANDED[one][0]] for one in question.group_by if one in _EXPANDED)]
        ),
        "$key": f"ARRAY[{', '.join(_column(one) for one in shown)}]::text[]",
        "$belongs": " AND ".join(conditions),
    }
    statement = _SQL["answer"]
    for name, text in put_in.items():
        statement = statement.replace(name, text)
    return statement, parameters


def _condition(dimension: Dimension, question: Question, values: str) -> str:
    if dimension in question.group_by or dimension not in _EXPANDED:
        return f"{_column(dimension)} = ANY ({values})"
    return f"means && {values}" if dimension is Dimension.MEANS else f"(strict OR '{BROAD}' = ANY ({values}))"


def _column(dimension: Dimension) -> str:
    return _EXPANDED[dimension][1] if dimension in _EXPANDED else dimension.value.lower()


def _fold(kind: type[A], known: dict[UUID, A], events: Iterable[Recorded]) -> None:
    for event in events:
        known.setdefault(event.stream_id, kind(id=event.stream_id)).fold(
            decode_event(event.type, event.state)
        )


async def _assignments(connection: Connection, ids: Collection[UUID]) -> dict[UUID, Assignment]:
    if not ids:
        return {}
    rows = await connection.fetch(_SQL["assignments"], list(ids))
    return {row["assignment"]: _assignment(row["state"]) for row in rows}


def _columns(line: Victimisation) -> tuple[object, ...]:
    return (
        line.incident,
        line.number,
        line.incident_class,
        line.kind,
        line.year,
        line.quarter,
        line.month,
        line.state,
        line.municipality,
        line.certainty,
        line.disputed,
        " ".join(line.means),
        line.perpetrator,
        line.role,
        line.sex,
        line.outcome,
        rank_of(line.outcome),
        line.manner,
        line.nexus,
        line.strict,
        line.person,
        line.assignment,
        line.institution,
        line.site,
        line.plaza_type,
        line.promotion,
        *line.bounds,
    )
