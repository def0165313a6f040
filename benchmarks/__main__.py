"""``python -m benchmarks [names] [--quick] [--directory D]``: measures, and prints the table of docs/performance.md."""

import argparse
import importlib
import sys
import tempfile
from pathlib import Path

import uvloop

from benchmarks.harness import DURABLE, Bench
from benchmarks.table import table
from registry.embedded import EmbeddedServer

BENCHMARKS = (
    "appends",
    "commands",
    "bulk",
    "replay",
    "projection",
    "growth",
    "log_audit",
    "log_memory",
    "recount",
    "log_publish",
    "graphql",
    "feed",
    "imports",
    "relay",
    "releases",
    "streams",
    "site",
)
OPT_IN = ("umadb", "site_verifier")
"""What they measure against, or in, has to be installed apart."""


async def measure(names: list[str], directory: Path, *, quick: bool) -> str:
    """The table of the named benchmarks, on a server of their own in ``directory``."""
    comparisons = []
    async with EmbeddedServer(directory, DURABLE) as address:
        bench = Bench(address, quick=quick)
        await bench.make_log_files()
        for name in names:
            for comparison in await importlib.import_module(f"benchmarks.{name}").run(bench):
                print(table([comparison]), file=sys.stderr, flush=True)
                comparisons.append(comparison)
    return table(comparisons)


def main() -> None:
    """Parses the command line, measures, prints."""
    parser = argparse.ArgumentParser("benchmarks", description="Each figure against its named alternative.")
    names = [*BENCHMARKS, *OPT_IN, []]
    parser.add_argument("names", nargs="*", choices=names, help=f"default: all but {', '.join(OPT_IN)}")
    parser.add_argument(
        "--quick", action="store_true", help="tiny sizes: proves that they run, measures nothing"
    )
    parser.add_argument(
        "--directory", type=Path, help="where the server's files go for a while: on a real disk"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="constancia-bench-", dir=given.directory) as directory:
        print(uvloop.run(measure(given.names or list(BENCHMARKS), Path(directory), quick=given.quick)))


if __name__ == "__main__":
    main()
