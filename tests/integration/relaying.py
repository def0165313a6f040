"""The relay in a process of its own that is killed as soon as so many events have been sent.

python -m tests.integration.relaying DATABASE NATS ORIGIN COUNT
"""

import asyncio
import os
import signal
import sys

from api.delivery.relay.publishing import Publishing
from api.delivery.relay.relaying import Relay
from api.streams.following import Following, StreamedEvent
from api.streams.streams import Streams
from registry.database import connect_pool


async def main(database: str, nats: str, origin: str, count: int) -> None:
    publish, sent = Publishing.publish, 0

    async def counted(publishing: Publishing, event: StreamedEvent) -> None:
        nonlocal sent
        await publish(publishing, event)
        sent += 1
        if sent == count:
            await asyncio.sleep(0.05)  # so that some of them have left
            os.kill(os.getpid(), signal.SIGKILL)

    Publishing.publish = counted  # type: ignore[assignment,method-assign]
    pool = await connect_pool(database)
    following = Following(Streams(pool), origin)
    await Relay((nats,), "constancia", 1, following).run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
