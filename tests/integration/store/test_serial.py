"""Whatever meets in batches and between two writers, the outcome is that of some order one after another."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from uuid import UUID, uuid4

import asyncpg
import pytest

from registry.store import (
    Answer,
    Command,
    EventStore,
    ExclusiveNames,
    Idempotency,
    NewDataKey,
    NewEvent,
    Outcome,
    PrivatePart,
    SourceRecord,
    StreamVersion,
)
from tests.integration.store.conftest import event

OWNER = uuid4()
STREAMS = [uuid4() for _ in range(6)]
ROUNDS, COMMANDS = 12, 40


@dataclass
class Model:
    """What the store holds, as plain mappings; commands go in one after another."""

    versions: dict[UUID, int] = field(default_factory=dict)
    keys: dict[str, tuple[bytes, tuple[UUID, ...]]] = field(default_factory=dict)
    records: dict[str, tuple[bytes, tuple[UUID, ...]]] = field(default_factory=dict)
    subjects: dict[str, bytes] = field(default_factory=dict)
    names: dict[str, UUID] = field(default_factory=dict)

    def objections(self, command: Command) -> Iterator[Outcome]:
        """All that stands against a command, the first that counts in front."""
        if (key := command.idempotency) and key.key in self.keys:
            yield Outcome.REPLAYED if self.keys[key.key][0] == key.body else Outcome.KEY_REUSED
        for record in command.source_records:
            if record.source_record_id in self.records:
                same = self.records[record.source_record_id][0] == record.content
                yield Outcome.RECORD_REPLAYED if same else Outcome.RECORD_DIFFERS
        versions = self.versions.copy()
        if any(versions.get(read.stream_id, 0) != read.version for read in command.reads):
            yield Outcome.CONFLICT
        for one in command.events:
            if one.version != versions.get(one.stream_id, 0) + 1:
                yield Outcome.CONFLICT
            versions[one.stream_id] = one.version
        giving = {holder.stream_id for holder in command.exclusive}
        for name in (name for holder in command.exclusive for name in holder.names):
            if self.names.get(name) not in {None, *giving}:
                yield Outcome.CONFLICT
        if any(key.subject in self.subjects for key in command.data_keys):
            yield Outcome.CONFLICT

    def store(self, command: Command) -> None:
        ids = _ids(command.events)
        self.versions.update((one.stream_id, one.version) for one in command.events)
        if key := command.idempotency:
            self.keys[key.key] = key.body, ids
        for record in command.source_records:
            self.records[record.source_record_id] = (
                record.content,
                ids[record.first_event : record.last_event + 1],
            )
        self.subjects.update((key.subject, key.wrapped) for key in command.data_keys)
        giving = {holder.stream_id for holder in command.exclusive}
        self.names = {name: stream for name, stream in self.names.items() if stream not in giving}
        self.names.update((name, holder.stream_id) for holder in command.exclusive for name in holder.names)

    def copy(self) -> "Model":
        return Model(*(mapping.copy() for mapping in vars(self).values()))


def _ids(events: Sequence[NewEvent]) -> tuple[UUID, ...]:
    return tuple(one.event_id for one in events)


def _any_command(random: Random, known: Model, number: int) -> Command:
    """One that could be stored as things stand, mostly, but that much else of its round gets in the way of."""

    def often(share: float) -> bool:
        return random.random() < share

    streams = random.sample([*STREAMS, uuid4(), uuid4()], random.choice([1, 1, 2]))
    events = []
    for stream in streams:
        version = known.versions.get(stream, 0) + (1 if often(0.9) else random.choice([0, 2]))
        events += [event(stream, max(version, 1) + n) for n in range(random.choice([1, 1, 2]))]
    read = random.choice([stream for stream in STREAMS if stream not in streams])
    key, record, subject = (f"{kind}{number}-{random.randrange(12)}" for kind in "krs")
    part = PrivatePart(subject, b"sealed")
    content = random.choice([b"a", b"a", b"b"]) * 32
    reading = often(0.3) and read in known.versions
    return Command(
        tuple(NewEvent(*_fields(one), private_parts=(part,)) for one in events),
        Idempotency(OWNER, key, content) if often(0.3) else None,
        (SourceRecord(OWNER, record, content, 0, random.randrange(len(events))),) if often(0.3) else (),
        (NewDataKey(subject, uuid4().bytes),) if often(0.3) else (),
        (StreamVersion(read, known.versions[read]),) if reading else (),
        tuple(
            ExclusiveNames(stream, tuple(name)) if name else ExclusiveNames(stream, ())
            for stream, name in zip(
                streams, random.sample(["a", "b", "c", "", ""], len(streams)), strict=True
            )
        )
        if often(0.4)
        else (),
    )


def _fields(one: NewEvent) -> tuple[UUID, UUID, int, str, bytes, bytes, bytes]:
    return one.event_id, one.stream_id, one.version, one.type, one.state, one.leaf, one.leaf_hash


@pytest.mark.parametrize("seed", [0, 1, 103])
async def test_outcomes_are_those_of_one_order(store: EventStore, pool: asyncpg.Pool, seed: int) -> None:
    random, other = Random(seed), EventStore(pool)
    states = [Model()]  # after each stored command
    sent: list[Command] = []
    outcomes = set()
    for number in range(ROUNDS):
        before = len(states) - 1
        commands = [_any_command(random, states[-1], number) for _ in range(COMMANDS)]
        commands += random.sample(sent, min(3, len(sent)))  # of a lost reply, say
        answers = await asyncio.gather(
            *(random.choice([store, other]).append(command) for command in commands)
        )
        answered = list(zip(commands, answers, strict=True))
        stored = [one for one in answered if one[1].outcome is Outcome.STORED]
        for command, answer in sorted(stored, key=lambda one: one[1].positions):
            assert list(states[-1].objections(command)) == []
            assert answer.positions == tuple(range(answer.positions[0], answer.positions[-1] + 1))
            states.append(states[-1].copy())
            states[-1].store(command)
        for command, answer in answered:
            outcomes.add(answer.outcome)
            if answer.outcome is not Outcome.STORED:
                assert _justified(command, answer, states[before:])
        sent += commands
        events = await store.read(0, 10_000)
        assert [one.position for one in events] == list(range(await store.size()))
    await other.close()
    assert outcomes == set(Outcome)
    await _is_stored(pool, states[-1])


def _justified(command: Command, answer: Answer, states: Sequence[Model]) -> bool:
    """Whether a refusal is right at some moment of its round."""
    if answer.outcome is Outcome.DUPLICATE:
        return answer.event_ids == _ids(command.events) and len(answer.positions) == len(command.events)
    earlier = {Outcome.REPLAYED: "keys", Outcome.RECORD_REPLAYED: "records"}.get(answer.outcome)
    return any(
        next(state.objections(command), None) is answer.outcome
        and (earlier is None or answer.event_ids in [ids for _, ids in getattr(state, earlier).values()])
        for state in states
    )


async def _is_stored(pool: asyncpg.Pool, model: Model) -> None:
    """The tables say what the model says: nothing of what was refused or rolled back is in them."""

    async def rows(query: str) -> dict[str, object]:
        return {key: tuple(value) if len(value) > 1 else value[0] for key, *value in await pool.fetch(query)}

    assert await rows("SELECT stream_id, max(version) FROM events GROUP BY 1") == model.versions
    assert await rows("SELECT subject, wrapped FROM vault.data_keys") == model.subjects
    assert await rows("SELECT name, stream_id FROM exclusive_names") == model.names
    for table, name, value, known in (
        ("idempotency_keys", "key", "body", model.keys),
        ("source_records", "source_record_id", "content", model.records),
    ):
        stored = await rows(f"SELECT {name}, {value}, event_ids FROM {table}")
        assert stored == {key: (said, list(ids)) for key, (said, ids) in known.items()}
    strays = "SELECT count(*) FROM private_parts p FULL JOIN events e USING (event_id) WHERE p IS NULL OR e IS NULL"
    assert await pool.fetchval(strays) == 0
