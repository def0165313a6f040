"""One call of the SQL function ``append``: commands as its arrays of rows, and what its answer says of each. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from registry.store.records import Answer, Command, Outcome

_NO_VERSION = -1
"""Expected of a stream whose events in one command do not follow one another: no stream has it."""


def _expected(command: Command) -> list[tuple[UUID, int]]:
    """The versions that streams must have for the command's events to follow on."""
    expected = [(read.stream_id, read.version) for read in command.reads]
    last: dict[int, int] = {}
    for event in command.events:
        stream, before = event.stream_id.int, event.version - 1
        if stream not in last:
            if before:  # that a stream is new needs no asking: its first version would be taken
                expected.append((event.stream_id, before))
        elif last[stream] != before:
            expected.append((event.stream_id, _NO_VERSION))
        last[stream] = event.version
    return expected


def to_arguments(commands: Sequence[Command]) -> tuple[Any, ...]:
    """The commands as the arrays of rows of the SQL function ``append``."""
    events: list[tuple[Any, ...]] = []
    expected: list[tuple[int, UUID, int]] = []
    parts: list[tuple[Any, ...]] = []
    keys: list[tuple[Any, ...]] = []
    idempotency: list[tuple[Any, ...]] = []
    records: list[tuple[Any, ...]] = []
    data_keys: list[tuple[int, str, bytes]] = []
    holders: list[tuple[Any, ...]] = []
    for number, command in enumerate(commands):
        if follows_on := _expected(command):
            expected += [(number, *version) for version in follows_on]
        for event in command.events:
            event_id = event.event_id
            events.append(
                (
                    number,
                    event_id,
                    event.stream_id,
                    event.version,
                    event.type,
                    event.state,
                    event.leaf,
                    event.leaf_hash,
                )
            )
            if event.private_parts:
                parts += [(number, event_id, part.subject, part.ciphertext) for part in event.private_parts]
            if event.commitment_keys:
                keys += [
                    (number, event_id, key.field, key.subjects, key.wrapped) for key in event.commitment_keys
                ]
        if known := command.idempotency:
            event_ids = [event.event_id for event in command.events]
            idempotency.append((number, known.institution, known.key, known.body, event_ids))
        for record in command.source_records:
            made = command.events[record.first_event : record.last_event + 1]
            event_ids = [event.event_id for event in made]
            records.append(
                (
                    number,
                    record.institution,
                    record.source_record_id,
                    record.content,
                    made[0].stream_id,
                    event_ids,
                )
            )
        if command.data_keys:
            data_keys += [(number, key.subject, key.wrapped) for key in command.data_keys]
        if command.exclusive:
            holders += [(number, holder.stream_id, holder.names) for holder in command.exclusive]
    return len(commands), events, expected, parts, keys, idempotency, records, data_keys, holders


def to_answers(commands: Sequence[Command], rows: Iterable[asyncpg.Record]) -> list[Answer]:
    """What the SQL function ``append`` says: where the stored events begin, and what became of all others."""
    (_, _, _, (position,)), *others = rows
    told = {
        command: Answer(Outcome(outcome), tuple(event_ids), tuple(positions))
        for command, outcome, event_ids, positions in others
    }
    answers = []
    for number, command in enumerate(commands):
        answer = told.get(number)
        if answer is None:
            events = command.events
            past = position + len(events)
            event_ids = tuple([event.event_id for event in events])
            answer = Answer(Outcome.STORED, event_ids, tuple(range(position, past)))
            position = past
        answers.append(answer)
    return answers
