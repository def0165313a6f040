"""Each figure against its named alternative, in one run. ``python -m benchmarks --help``."""
