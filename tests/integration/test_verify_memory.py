"""Checking a log takes memory for its incidents, not for its leaves: a log ten times as long fits as well."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.log_mirror import KEY, write_mirror

ROOT = Path(__file__).parents[2]
SMALL, LARGE = 10_000, 100_000

CHECK = r"""
import re, sys
from pathlib import Path
from benchmarks.log_audit import Silent
from projections.verification.sources import Directory
from projections.verification.verifier import Options, verify_log


def peak():
    # Not ru_maxrss: that begins with the peak of the process that started this one.
    return int(re.search(r"VmHWM:\s+([0-9]+)", Path("/proc/self/status").read_text())[1])

before = peak()
verify_log(Directory(Path(sys.argv[1])), Options(vkeys=(sys.argv[2],)), Silent())
print(peak() - before)
"""


@pytest.mark.slow
def test_the_peak_of_memory_hardly_grows_with_the_log(tmp_path: Path) -> None:
    peaks, lengths = [], []
    for size in (SMALL, LARGE):
        lengths.append(sum(map(len, write_mirror(tmp_path / str(size), size))))
        command = [sys.executable, "-c", CHECK, str(tmp_path / str(size)), KEY.verifier.vkey()]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        peaks.append(int(run.stdout) * 1024)
    # One leaf in a hundred discloses an incident: what stands open and sealed of it is remembered, nothing else is.
    assert peaks[1] - peaks[0] < (lengths[1] - lengths[0]) / 2
