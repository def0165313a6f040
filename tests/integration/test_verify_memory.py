"""Checking a log takes memory for its incidents, not for its leaves: a log ten times as long fits as well."""

from pathlib import Path

import pytest

from benchmarks.log_memory import peak_of_checking
from benchmarks.log_mirror import write_mirror

SMALL, LARGE = 10_000, 100_000


@pytest.mark.slow
async def test_the_peak_of_memory_hardly_grows_with_the_log(tmp_path: Path) -> None:
    peaks, lengths = [], []
    for size in (SMALL, LARGE):
        lengths.append(sum(map(len, write_mirror(tmp_path / str(size), size))))
        peaks.append(await peak_of_checking(tmp_path / str(size)))
    # One leaf in a hundred discloses an incident: what stands open and sealed of it is remembered, nothing else is.
    assert peaks[1] - peaks[0] < (lengths[1] - lengths[0]) / 2
