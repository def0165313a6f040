"""Every benchmark runs and fills its table. How fast anything is, no test says."""

import asyncio
import tempfile
from pathlib import Path

import pytest

from benchmarks.__main__ import BENCHMARKS, measure


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_measures_both_sides(name: str) -> None:
    # Not `tmp_path`: its parents are closed to the database's user.
    with tempfile.TemporaryDirectory(prefix="constancia-bench-") as directory:
        table = asyncio.run(measure([name], Path(directory), quick=True))
    rows = table.splitlines()[2:]
    assert rows
    assert all(row.count("|") == rows[0].count("|") for row in rows)
