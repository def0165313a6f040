"""Where things lie in a mirror. Beside the log (c2sp.org/tlog-tiles) the counts, one directory for each size.

A directory of counts is never changed: who cites the counts as of a size finds them there for ever.
"""

from typing import Final

COUNTS: Final = "counts"
CSV: Final = "csv"
PARQUET: Final = "parquet"
TABLES: Final = ("totals", "counts", "excluded")
"""The names of ``projections.counting.tables``, in order."""


def table_path(size: int, name: str, form: str) -> str:
    """``counts/<size>/<name>.<form>``, relative to the mirror."""
    return f"{COUNTS}/{size}/{name}.{form}"
