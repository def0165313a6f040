"""Files under a data key, in chunks, so that neither storing nor serving one ever holds it whole.

Each chunk is sealed as any private value is (``vault``), bound to the file, to its place and to whether it is the
last: chunks cannot be moved, repeated, left out or cut off unnoticed. The scheme is STREAM (Hoang, Reyhanitabar,
Rogaway, Vizár 2015), with random nonces in place of counters.
"""

from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

from registry.privacy.vault import decrypt, encrypt

CHUNK_BYTES: Final = 256 << 10
"""Large enough that a row's overhead is nothing, small enough that a hundred uploads at once are no memory."""


async def chunked(received: AsyncIterator[bytes]) -> AsyncIterator[tuple[int, bytes, bool]]:
    """(number, chunk, whether it is the last) of a file as it comes in; an empty file is one empty chunk."""
    number = 0
    waiting = bytearray()
    async for part in received:
        waiting += part
        # A full chunk is kept back until it is known whether it is the last.
        while len(waiting) > CHUNK_BYTES:
            yield number, bytes(waiting[:CHUNK_BYTES]), False
            del waiting[:CHUNK_BYTES]
            number += 1
    yield number, bytes(waiting), True


def chunk_count(size: int) -> int:
    """How many chunks a file of so many bytes has."""
    return max(1, -(-size // CHUNK_BYTES))


def seal_chunk(key: bytes, file: UUID, number: int, chunk: bytes, *, last: bool) -> bytes:
    """One chunk as it is stored."""
    return encrypt(key, chunk, _place(file, number, last))


def open_chunk(key: bytes, file: UUID, number: int, sealed: bytes, *, last: bool) -> bytes:
    """Raises OtherKey if it was sealed under another key, InvalidTag if it is not this chunk of this file."""
    return decrypt(key, sealed, _place(file, number, last))


def _place(file: UUID, number: int, last: bool) -> str:
    return f"file/{file}/{number}/{'last' if last else 'more'}"
