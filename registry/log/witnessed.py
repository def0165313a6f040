"""What each witness cosigned last, so that the next proof starts there: ``<data>/witnesses.json``.

A convenience only: a witness that has another size says so. So a lost or damaged file costs one more request each.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from registry.log.cosignature import WitnessKey
from registry.log.durable import write_durably

FILE = "witnesses.json"


class Witnessed:
    """The file. One publisher writes it; a second one's older sizes do no harm."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE

    def sizes(self) -> dict[str, int]:
        """By vkey, the size that the witness cosigned last; without an entry it is unknown."""
        try:
            content = json.loads(self._path.read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        if not isinstance(content, dict):
            return {}
        return {key: size for key, size in content.items() if type(size) is int and size >= 0}

    def cosigned(self, size: int, by: Iterable[WitnessKey]) -> None:
        """These witnesses have cosigned ``size``; durable on return."""
        sizes = self.sizes() | {key.vkey(): size for key in by}
        write_durably(self._path, (json.dumps(sizes, indent=2, sort_keys=True) + "\n").encode())
