"""A file on its way in: sealed as it comes, in a temporary file that has no name and ends with the process.

Whatever is left of it on the disk cannot be read: its key is never written.
"""

import io
import os
import struct
import tempfile
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import IO, Final
from uuid import uuid4

from registry.privacy.files import CHUNK_BYTES, chunk_count, chunked, open_chunk, seal_chunk
from registry.privacy.master import KEY_BYTES

_LENGTH: Final = struct.Struct(">I")


class Spool:
    """Receives a file, then reads it any number of times. Owns the temporary file until ``close``."""

    def __init__(self) -> None:
        self._key = os.urandom(KEY_BYTES)
        self._file_id = uuid4()
        self._sealed: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close
        self._offsets: list[int] = []
        self._digest = sha256()
        self.size = 0

    async def receive(self, stream: AsyncIterator[bytes]) -> None:
        """Reads the stream to its end, in constant memory."""
        async for number, chunk, last in chunked(stream):
            self._digest.update(chunk)
            self.size += len(chunk)
            self._offsets.append(self._sealed.tell())
            sealed = seal_chunk(self._key, self._file_id, number, chunk, last=last)
            self._sealed.write(_LENGTH.pack(len(sealed)) + sealed)

    @property
    def digest(self) -> bytes:
        """SHA-256 of what came."""
        return self._digest.digest()

    def open(self) -> IO[bytes]:
        """The file from its beginning, to be read in order; ``seek(0)`` begins anew."""
        return io.BufferedReader(_Reader(self), CHUNK_BYTES)

    def chunk(self, number: int) -> bytes:
        """One chunk; empty behind the last."""
        if number >= chunk_count(self.size):
            return b""
        self._sealed.seek(self._offsets[number])
        (length,) = _LENGTH.unpack(self._sealed.read(_LENGTH.size))
        last = number == chunk_count(self.size) - 1
        return open_chunk(self._key, self._file_id, number, self._sealed.read(length), last=last)

    def close(self) -> None:
        """Lets go of the temporary file."""
        self._sealed.close()


class _Reader(io.RawIOBase):
    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._position = 0
        self._held: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._spool.size}[whence]
        self._position = origin + offset
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        number, offset = divmod(self._position, CHUNK_BYTES)
        if self._held[0] != number:
            self._held = (number, self._spool.chunk(number))
        piece = self._held[1][offset : offset + len(buffer)]
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)
