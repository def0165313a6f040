"""What it costs to check a whole log, against a plain loop of SHA-256 over the same leaves in memory.

The loop is what nobody can do without: a hash of each leaf. The audit reads every bundle from its file, hashes every
leaf and every node of the tree, and compares every tile. ``constancia verify`` also reads every leaf strictly, checks
every opening and counts.
"""

import tempfile
import time
from hashlib import sha256
from pathlib import Path

from benchmarks.harness import Bench, Comparison, Side, Timed
from benchmarks.log_mirror import KEY, write_mirror
from projections.verification.audit import audit
from projections.verification.sources import Directory
from projections.verification.trust import gather, open_signed
from projections.verification.verifier import Options, verify_log
from registry.text import Text


class Silent:
    """A report to nobody."""

    def step(self, text: Text) -> None:
        """Says nothing."""

    def remark(self, text: Text) -> None:
        """Says nothing."""

    def progress(self, done: int, total: int) -> None:
        """Says nothing."""


async def run(bench: Bench) -> list[Comparison]:
    """Two figures, over one mirror in a directory."""
    with tempfile.TemporaryDirectory(prefix="constancia-mirror-") as place:
        size = bench.size(1_000_000, 2_000)
        leaves = write_mirror(Path(place), size)
        source = Directory(Path(place))
        options = Options(vkeys=(KEY.verifier.vkey(),))
        checkpoint = open_signed(
            (Path(place) / "checkpoint").read_text(), gather(source, options.vkeys, None, False)
        )

        async def hash_plainly(_: int) -> Timed:
            started = time.perf_counter()
            for leaf in leaves:
                sha256(b"\0" + leaf).digest()
            return _timed(size, started)

        async def audit_all(_: int) -> Timed:
            started = time.perf_counter()
            audit(source, checkpoint, (), Silent()).entries.__exit__(None, None, None)
            return _timed(size, started)

        async def verify(_: int) -> Timed:
            started = time.perf_counter()
            verify_log(source, options, Silent())
            return _timed(size, started)

        plain = Side("hashlib, a loop over leaves in memory", size, hash_plainly)
        return [
            await bench.compare(
                "audit of a log",
                Side("audit of a mirror", size, audit_all),
                plain,
                unit="leaves",
                reach=1 / 3,
            ),
            await bench.compare(
                "audit, openings, recount",
                Side("constancia verify", size, verify),
                plain,
                unit="leaves",
                reach=1 / 5,
            ),
        ]


def _timed(size: int, started: float) -> Timed:
    seconds = time.perf_counter() - started
    return Timed(size, seconds, [seconds])
