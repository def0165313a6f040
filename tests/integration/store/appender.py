"""A process that appends to the store and says what was acknowledged, for tests that need real processes.

    python -m tests.integration.store.appender ADDRESS SUBMITTERS COMMANDS [STREAM]

Brings the schema up to date, then says "ready" and waits for a line. Each submitter appends COMMANDS commands of two
events in streams of their own (0 = without end); a line "<event id> <position>" is written as soon as an event is
acknowledged. With STREAM, each submitter instead appends COMMANDS events to that stream, trying again after a conflict.
"""

import asyncio
import sys
from uuid import UUID

import uvloop

from registry.database import connect_pool, migrate
from registry.store import Answer, EventStore, Outcome
from tests.integration.store.conftest import command, event


async def main(address: str, submitters: int, commands: int, stream: UUID | None) -> None:
    await migrate(address)
    pool = await connect_pool(address, max_size=2)
    store = EventStore(pool)
    say("ready")
    await asyncio.to_thread(sys.stdin.readline)

    async def submit() -> None:
        done = 0
        while not commands or done < commands:
            if stream is None:
                answer = await store.append(command(event(), event()))
            else:
                newest = await store.read_stream(stream)
                answer = await store.append(command(event(stream, len(newest) + 1)))
            if answer.outcome is not Outcome.CONFLICT:
                acknowledge(answer)
                done += 1

    async with asyncio.TaskGroup() as tasks:
        for _ in range(submitters):
            tasks.create_task(submit())
    await store.close()
    await pool.close()


def acknowledge(answer: Answer) -> None:
    for event_id, position in zip(answer.event_ids, answer.positions, strict=True):
        say(f"{event_id} {position}")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(
        main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), UUID(sys.argv[4]) if sys.argv[4:] else None)
    )
