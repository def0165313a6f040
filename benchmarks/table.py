"""Comparisons as the Markdown table of docs/performance.md."""

from collections.abc import Iterable

from benchmarks.harness import Comparison, Timed, percentile

_HEAD = (
    "| figure | ours | against | ratio: median (min to max) | reach | p50 / p99 ours | p50 / p99 theirs |",
    "|---|---|---|---|---|---|---|",
)


def table(comparisons: Iterable[Comparison]) -> str:
    """One line per comparison. Latencies in milliseconds, over all rounds."""
    return "\n".join([*_HEAD, *map(_line, comparisons)])


def _line(comparison: Comparison) -> str:
    ours, theirs = zip(*comparison.rounds, strict=True)
    ratios = comparison.ratios
    reach = "" if comparison.reach is None else f"≥ {comparison.reach:g}"
    cells = [
        comparison.figure,
        f"{comparison.sides[0]}: {_rate(ours, comparison.unit + comparison.per)}",
        f"{comparison.sides[1]}: {_rate(theirs, comparison.unit + comparison.per)}",
        f"**{comparison.ratio:.3g}** ({min(ratios):.3g} to {max(ratios):.3g})",
        reach,
        _latencies(ours),
        _latencies(theirs),
    ]
    return f"| {' | '.join(cells)} |"


def _rate(rounds: tuple[Timed, ...], unit: str) -> str:
    middle = sorted(timed.rate for timed in rounds)[len(rounds) // 2]
    return f"{middle:,.0f} {unit}"


def _latencies(rounds: tuple[Timed, ...]) -> str:
    latencies = [latency for timed in rounds for latency in timed.latencies]
    if not latencies:
        return ""
    return " / ".join(f"{percentile(latencies, share) * 1_000:.3g}" for share in (0.5, 0.99)) + " ms"
