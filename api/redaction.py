"""What may be said of an unexpected exception in a log: its type and where it arose, never its words.

Messages of drivers and decoders quote the values they tripped over ("Key (curp)=(…) already exists").
"""

import traceback


def describe(error: BaseException) -> str:
    """Type and place of an exception and of what caused it, e.g. ``KeyError at store.py:120 in append``."""
    parts: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(parts) < 5:
        frames = traceback.extract_tb(seen.__traceback__)
        place = (
            f" at {_short(frames[-1].filename)}:{frames[-1].lineno} in {frames[-1].name}" if frames else ""
        )
        parts.append(type(seen).__qualname__ + place + _members(seen))
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return ", because of ".join(parts)


def _members(error: BaseException) -> str:
    if not isinstance(error, BaseExceptionGroup):
        return ""
    return f" [{'; '.join(describe(member) for member in error.exceptions)}]"


def _short(filename: str) -> str:
    return "/".join(filename.split("/")[-2:])
