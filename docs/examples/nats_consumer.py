"""Keep a register's public events from NATS in an SQLite file: python nats_consumer.py nats://localhost:4222 events.db

Needs nats-py. May be killed at any moment and started again: the durable consumer remembers what was acknowledged, the
file what was stored, and what comes twice is known by its position.
"""

import asyncio
import hashlib
import json
import sqlite3
import sys

import nats

STREAM, CONSUMER, ALL = "constancia", "example", "constancia.>"


async def main(url: str, path: str, until: int | None) -> None:
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE IF NOT EXISTS events (position INTEGER PRIMARY KEY, type TEXT, leaf TEXT)")
    client = await nats.connect(url, max_reconnect_attempts=-1)
    messages = await client.jetstream().pull_subscribe(ALL, durable=CONSUMER, stream=STREAM)
    while until is None or size(database) < until:
        try:
            batch = await messages.fetch(256, timeout=30)
        except nats.errors.TimeoutError:
            continue  # nothing new
        with database:  # all of the batch, or none of it
            for message in batch:
                take(database, message)
        for message in batch:  # only now: what is not acknowledged comes again
            await message.ack()
    await client.drain()


def take(database: sqlite3.Connection, message: "nats.aio.msg.Msg") -> None:
    event = json.loads(message.data)
    position, leaf = event["position"], event["data"]["leaf"]
    if message.metadata.sequence.stream != position + 1:
        sys.exit(
            f"sequence {message.metadata.sequence.stream} holds position {position}: this is no relay's stream"
        )
    if position < size(database):
        return  # came again
    if position > size(database):
        sys.exit(
            f"position {size(database)} is missing: delete the consumer {CONSUMER}, and it begins from the first"
        )
    text = json.dumps(leaf, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if hashlib.sha256(b"\0" + text.encode()).hexdigest() != event["leafhash"]:
        sys.exit(f"the leaf at {position} is not what its hash says")
    database.execute("INSERT INTO events VALUES (?, ?, ?)", (position, event["type"], text))


def size(database: sqlite3.Connection) -> int:
    return int(database.execute("SELECT coalesce(max(position) + 1, 0) FROM events").fetchone()[0])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else None))
