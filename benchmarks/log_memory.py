"""What memory it takes to check a whole log: the peak of a process that does nothing else, for a log ten times as long.

``python -m benchmarks.log_memory DIRECTORY`` is that process.
"""

import asyncio
import re
import sys
import tempfile
from pathlib import Path

from benchmarks.harness import Bench, Comparison, Timed
from benchmarks.log_audit import Silent
from benchmarks.log_mirror import KEY, write_mirror
from projections.verification.sources import Directory
from projections.verification.verifier import Options, verify_log

_ROOT = Path(__file__).parents[1]


async def run(bench: Bench) -> list[Comparison]:
    """One figure, over two mirrors in directories. One round: a peak hardly varies."""
    sizes = bench.size(1_000_000, 2_000), bench.size(100_000, 1_000)
    large, small = [await _measured(size) for size in sizes]
    names = f"{sizes[0]:,} leaves", f"{sizes[1]:,} leaves"
    return [
        Comparison(
            "peak memory of constancia verify: large to small log",
            "MiB",
            None,
            names,
            [(large, small)],
            per="",
        )
    ]


async def _measured(size: int) -> Timed:
    with tempfile.TemporaryDirectory(prefix="constancia-mirror-") as place:
        await asyncio.to_thread(write_mirror, Path(place), size)
        return Timed(await peak_of_checking(Path(place)) >> 20, 1, [])


async def peak_of_checking(mirror: Path) -> int:
    """Bytes of the peak, the program itself included. Linux only."""
    command = sys.executable, "-m", "benchmarks.log_memory", str(mirror)
    process = await asyncio.create_subprocess_exec(*command, cwd=_ROOT, stdout=asyncio.subprocess.PIPE)
    printed, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"checking the mirror ended with exit code {process.returncode}")
    return int(printed)


def _peak() -> int:
    # Not ru_maxrss: that begins with the peak of the process that started this one.
    found = re.search(r"VmHWM:\s+([0-9]+) kB", Path("/proc/self/status").read_text())
    if found is None:
        raise RuntimeError("/proc/self/status tells no peak of memory: measure on Linux")
    return int(found[1]) << 10


def main() -> None:
    """Checks the mirror that was named; prints the peak in bytes."""
    verify_log(Directory(Path(sys.argv[1])), Options(vkeys=(KEY.verifier.vkey(),)), Silent())
    print(_peak())


if __name__ == "__main__":
    main()
