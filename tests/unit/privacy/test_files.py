"""Files in sealed chunks: cut alike however they come in, and no chunk opens anywhere but in its place."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from registry.privacy.files import CHUNK_BYTES, chunk_count, chunked, open_chunk, seal_chunk
from registry.privacy.vault import OtherKey

KEY = bytes(range(32))
FILE = UUID(int=7)


def cut(parts: list[bytes]) -> list[tuple[int, bytes, bool]]:
    async def received() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    async def collect() -> list[tuple[int, bytes, bool]]:
        return [chunk async for chunk in chunked(received())]

    return asyncio.run(collect())


@given(
    st.sampled_from(
        [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES + 9]
    ),
    st.lists(st.integers(0, 2 * CHUNK_BYTES + 9), max_size=4),
)
def test_a_file_is_cut_alike_however_it_comes_in(size: int, cuts: list[int]) -> None:
    content = bytes(size)
    edges = [0, *sorted(min(one, size) for one in cuts), size]
    chunks = cut([content[start:end] for start, end in pairwise(edges)])
    assert chunks == cut([content])
    assert b"".join(chunk for _, chunk, _ in chunks) == content
    assert [number for number, _, _ in chunks] == list(range(chunk_count(size)))
    assert [last for _, _, last in chunks] == [False] * (len(chunks) - 1) + [True]
    assert all(len(chunk) == CHUNK_BYTES for _, chunk, last in chunks if not last)


def test_a_chunk_opens_in_its_place_only() -> None:
    sealed = seal_chunk(KEY, FILE, 1, b"chunk", last=False)
    assert open_chunk(KEY, FILE, 1, sealed, last=False) == b"chunk"
    for file, number, last in ((uuid4(), 1, False), (FILE, 2, False), (FILE, 1, True)):
        with pytest.raises(InvalidTag):
            open_chunk(KEY, file, number, sealed, last=last)
    with pytest.raises(OtherKey):
        open_chunk(bytes(32), FILE, 1, sealed, last=False)


def test_a_file_of_any_size_is_cut_in_the_same_memory() -> None:
    part = bytes(64 << 10)

    async def received() -> AsyncIterator[bytes]:
        for _ in range(512):
            yield part

    async def seal() -> int:
        return sum(
            [
                len(seal_chunk(KEY, FILE, number, chunk, last=last)) > 0
                async for number, chunk, last in chunked(received())
            ]
        )

    tracemalloc.start()
    chunks = asyncio.run(seal())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert chunks == 512 * len(part) // CHUNK_BYTES
    assert peak < 8 * CHUNK_BYTES
