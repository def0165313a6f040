"""Where the program's log goes: standard error, one line per entry, nothing private."""

import logging
from typing import Final

_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s %(message)s"


def log_to_stderr() -> None:
    """For a process that runs on. Libraries speak only of what is wrong: at INFO some quote requests."""
    logging.basicConfig(level=logging.WARNING, format=_FORMAT)
    for name in ("constancia", "registry", "projections", "api"):
        logging.getLogger(name).setLevel(logging.INFO)
    # uvicorn and asyncio report the exceptions that get past the app, whose text may hold values.
    for name in ("uvicorn.error", "asyncio"):
        logging.getLogger(name).addFilter(_without_traceback)


def _without_traceback(record: logging.LogRecord) -> bool:
    record.exc_info = None
    record.exc_text = None
    return True
