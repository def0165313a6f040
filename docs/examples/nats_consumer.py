"""Keep a register's public events from NATS in an SQLite file: python nats_consumer.py nats://localhost:4222 events.db

Needs nats-py. May be killed at any moment and started again: what is stored says where to go on, so NATS is asked to
remember nothing. A durable consumer would be, but after a kill it gives the newest messages first, and those that were
not acknowledged half a minute later.
"""

import asyncio
import hashlib
import json
import sqlite3
import sys

import nats
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

STREAM, ALL = "constancia", "constancia.>"


async def main(url: str, path: str, until: int | None) -> None:
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE IF NOT EXISTS events (position INTEGER PRIMARY KEY, type TEXT, leaf TEXT)")
    client = await nats.connect(url, max_reconnect_attempts=-1)
    while until is None or size(database) < until:
        try:
            await follow(client.jetstream(), database, until)
        except nats.errors.Error as error:
            print(repr(error), file=sys.stderr)  # a server restarts, or a cluster elects
            await asyncio.sleep(1)
    await client.close()


async def follow(
    jetstream: "nats.js.JetStreamContext", database: sqlite3.Connection, until: int | None
) -> None:
    """From what is stored on, until nothing has come for a while, or something was lost on the way: then begin anew."""
    begin = ConsumerConfig(
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=size(database) + 1,
        ack_policy=AckPolicy.NONE,
    )
    messages = await jetstream.pull_subscribe(ALL, stream=STREAM, config=begin)
    first = True
    try:
        while until is None or size(database) < until:
            batch = await messages.fetch(256, timeout=30)
            came = [message.metadata.sequence.stream for message in batch]
            if first and came[0] != size(database) + 1:
                sys.exit(
                    f"position {size(database)} is missing: this is no relay's stream, or one that was trimmed"
                )
            if came != list(range(size(database) + 1, size(database) + 1 + len(batch))):
                return
            first = False
            with database:  # all of the batch, or none of it
                for message in batch:
                    take(database, message)
    except nats.errors.TimeoutError:
        return
    finally:
        await messages.unsubscribe()


def take(database: sqlite3.Connection, message: "nats.aio.msg.Msg") -> None:
    event = json.loads(message.data)
    position, leaf = event["position"], event["data"]["leaf"]
    if message.metadata.sequence.stream != position + 1:
        sys.exit(
            f"sequence {message.metadata.sequence.stream} holds position {position}: this is no relay's stream"
        )
    text = json.dumps(leaf, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if hashlib.sha256(b"\0" + text.encode()).hexdigest() != event["leafhash"]:
        sys.exit(f"the leaf at {position} is not what its hash says")
    database.execute("INSERT INTO events VALUES (?, ?, ?)", (position, event["type"], text))


def size(database: sqlite3.Connection) -> int:
    return int(database.execute("SELECT coalesce(max(position) + 1, 0) FROM events").fetchone()[0])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else None))
