"""SQL in named blocks, in a ``.sql`` file beside the module that runs it.

A block starts with a line ``-- name: words_with_underscores`` and ends where the next one starts::

    -- name: latest_checkpoint
    -- The note that readers see now.
    SELECT size, root, note FROM checkpoints ORDER BY size DESC LIMIT 1;

A file that breaks these rules is a mistake in the program, so it fails at import with ``ValueError``.
"""

import re
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

_NAME = re.compile(r"^-- name:[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_WORD = re.compile(r"[a-z][a-z0-9_]*")
_COMMENT = re.compile(r"--.*$", re.MULTILINE)


def load_queries(package: str, file: str) -> Mapping[str, str]:
    """The named blocks of ``file`` in ``package`` (``"registry.log"``, ``"storage.sql"``), name to SQL."""
    return parse_queries(
        files(package).joinpath(file).read_text(encoding="utf-8"), source=f"{package}/{file}"
    )


def parse_queries(text: str, *, source: str) -> Mapping[str, str]:
    """The named blocks of ``text``; ``source`` is only for messages."""
    preamble, *parts = _NAME.split(text)
    if _COMMENT.sub("", preamble).strip():
        raise ValueError(f"{source}: SQL before the first “-- name:” line; give it a name")
    queries: dict[str, str] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        if not _WORD.fullmatch(name):
            raise ValueError(f"{source}: “{name}” is no name; use lower-case letters, digits and underscores")
        if name in queries:
            raise ValueError(f"{source}: two blocks are named “{name}”; rename one")
        if not _COMMENT.sub("", body).strip():
            raise ValueError(f"{source}: block “{name}” is empty; write its SQL or remove the name")
        queries[name] = body.strip()
    return MappingProxyType(queries)
