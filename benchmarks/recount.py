"""A recount of leaves as it should be done, against one as a newcomer writes it: ``json.loads`` and a dict, no checks.

Both are given the same leaves in memory, one in a hundred an incident disclosed, and count the incidents that stand, by
year. Ours also holds every leaf to its one form, opens every seal, and checks releases and crowds as ``constancia
verify`` does; the newcomer believes what it reads.
"""

import json
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.harness import Bench, Comparison, Side, Timed, stopwatch
from benchmarks.log_mirror import write_mirror
from projections.counting.query import ask
from projections.verification.recount import Recount

LEAVES, QUICK_LEAVES = 100_000, 2_000


async def run(bench: Bench) -> list[Comparison]:
    """Leaves recounted per second."""
    size = bench.size(LEAVES, QUICK_LEAVES)
    with tempfile.TemporaryDirectory() as directory:
        leaves = write_mirror(Path(directory), size)
    if _strict(leaves) != _naive(leaves):
        raise RuntimeError("The two sides do not agree: they do not do the same work.")

    async def ours(_: int) -> Timed:
        with stopwatch() as seconds:
            _strict(leaves)
            took = seconds()
        return Timed(size, took, [took])

    async def theirs(_: int) -> Timed:
        with stopwatch() as seconds:
            _naive(leaves)
            took = seconds()
        return Timed(size, took, [took])

    return [
        await bench.compare(
            "recount from leaves",
            Side("strict, with openings", size, ours),
            Side("json.loads and a dict, without checks", size, theirs),
            unit="leaves",
            reach=1.5,
        )
    ]


def _strict(leaves: list[bytes]) -> dict[str, int]:
    recount = Recount()
    for index, leaf in enumerate(leaves):
        recount.add(index, leaf)
    rows = recount.fold.count(ask(group_by=["YEAR"])).rows
    return {row.key[0].value or "": row.bounds.low for row in rows}


def _naive(leaves: list[bytes]) -> dict[str, int]:
    incidents = {}
    for line in leaves:
        leaf = json.loads(line)
        if leaf["type"] == "incident.disclosed":
            incidents[leaf["public"]["incident"]] = leaf["public"]
    years: Counter[str] = Counter()
    for incident in incidents.values():
        if incident["status"] == "ACTIVE" and incident["certainty"] == "CONFIRMED":
            years[incident["facets"]["year"].get("value", "")] += 1
    return dict(years)
