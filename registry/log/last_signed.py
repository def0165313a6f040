"""What was last signed: the log's memory outside its database.

A log that signs two roots for one size, or lets its tree shrink, is a log that lied. A database restored from
a backup would do both without knowing. So size and root of the newest checkpoint are kept in
``<data>/last_signed.json``, which must not be restored together with the database, and are durable there
*before* the signature exists.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from pathlib import Path

from registry.errors import PublisherRefused
from registry.log.durable import exclusively, write_durably
from registry.log.merkle import EMPTY_ROOT, HASH_SIZE

FILE = "last_signed.json"


@dataclass(frozen=True, slots=True)
class TreeHead:
    """A tree's size and root."""

    size: int
    root: bytes


EMPTY_TREE = TreeHead(0, EMPTY_ROOT)


class LastSigned:
    """The file, for any number of processes on one machine. Every write holds the directory's lock."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / FILE

    def read(self) -> TreeHead | None:
        """What was last signed; None when the file is missing. PublisherRefused when it cannot be read."""
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            content = json.loads(text)
            head = TreeHead(content["size"], base64.b64decode(content["root"], validate=True))
            sound = type(head.size) is int and head.size >= 0 and len(head.root) == HASH_SIZE
        except (ValueError, KeyError, TypeError, binascii.Error):
            sound, head = False, EMPTY_TREE
        if not sound:
            raise PublisherRefused(
                f"{FILE} está dañado, así que no se sabe qué se firmó por última vez. Restaure la última "
                "copia de ese archivo; si no hay, escriba en él el tamaño y la raíz del último checkpoint "
                "publicado, tomados de una copia ajena al servidor.",
                f"{FILE} is damaged, so it is unknown what was last signed. Restore the newest copy of that "
                "file; if there is none, write into it size and root of the last published checkpoint, taken "
                "from a copy outside this server.",
            )
        return head

    def create(self) -> None:
        """Begin with the empty tree, unless the file exists. Only at a log's first start."""
        with exclusively(self._directory):
            if not self._path.exists():
                self._write(EMPTY_TREE)

    def compare_and_swap(self, expected: TreeHead, new: TreeHead) -> bool:
        """Make ``new`` durable if ``expected`` still stands there; False when another publisher was faster.

        ValueError for a step that no honest log takes: a smaller size, or another root for the same size.
        """
        if new.size < expected.size or (new.size == expected.size and new.root != expected.root):
            raise ValueError(f"{new} does not extend {expected}")
        with exclusively(self._directory):
            if self.read() != expected:
                return False
            if new != expected:
                self._write(new)
            return True

    def _write(self, head: TreeHead) -> None:
        content = {"size": head.size, "root": base64.b64encode(head.root).decode()}
        write_durably(self._path, (json.dumps(content) + "\n").encode())
