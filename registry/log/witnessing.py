"""Being a witness: cosign what extends what was cosigned before, and nothing else. c2sp.org/tlog-witness@v1.0.0,
with 422 for another root as later drafts have it.

All that is remembered of a log is the last checkpoint cosigned, in ``<SHA-256 of the origin>.checkpoint``, with the
log's signatures and ours: what monitors are shown and what the next request is held against are one file. Losing it
would mean to vouch for whatever the log shows next, so a damaged one stops that log instead.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from registry.errors import MalformedLog
from registry.log.checkpoint import Checkpoint
from registry.log.cosignature import Cosigner
from registry.log.durable import exclusively, write_durably
from registry.log.lines import read_hash
from registry.log.merkle import EMPTY_ROOT, verify_consistency
from registry.log.note import Note, Verifier, open_note, split_note
from registry.log.submission import SIZE_MEDIA_TYPE, Submission, shown_at, write_size

TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes
    media_type: str = TEXT


class Witness:
    """Cosigns for the logs of the given keys. Any number of threads and processes may share the directory."""

    def __init__(
        self,
        cosigner: Cosigner,
        logs: Collection[Verifier],
        directory: Path,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """A log is known by its origin, the name of its keys; one may have several, while it rotates them."""
        self._cosigner = cosigner
        self._logs = {name: [key for key in logs if key.name == name] for name in {key.name for key in logs}}
        self._directory = directory
        self._clock = clock

    def add_checkpoint(self, body: bytes) -> Answer:
        """``POST add-checkpoint``. MalformedLog when what is remembered cannot be read: then nothing is signed."""
        try:
            submission = Submission.parse(body)
            text, _ = split_note(submission.note)
        except MalformedLog as error:
            return _refused(400, error)
        # 1. The origin is known.
        origin = text.partition("\n")[0]
        if origin not in self._logs:
            return Answer(404, b"unknown log\n")
        # 2. One of its keys signed, and no known key's signature is false.
        try:
            note = open_note(submission.note, self._logs[origin])
        except MalformedLog as error:
            return _refused(403, error)
        # 3. It is a checkpoint, and of size 0 only with the root of the empty tree.
        try:
            checkpoint = Checkpoint.parse(text)
        except MalformedLog as error:
            return _refused(422 if _is_false_empty_tree(text) else 400, error)
        # 4. The old size is not beyond it.
        if submission.old > checkpoint.size:
            return Answer(400, b"the old size is larger than the checkpoint\n")
        # Check and persist as one: otherwise a slower request could roll back a faster one.
        with exclusively(self._directory):
            return self._advance(submission, checkpoint, note)

    def shown(self, path: str) -> str | None:
        """The note at ``path`` for monitors, ``<SHA-256 of the origin>/checkpoint``; None when there is none."""
        for origin in self._logs:
            if shown_at(origin) == path:
                return self._read(origin)
        return None

    def _advance(self, submission: Submission, checkpoint: Checkpoint, note: Note) -> Answer:
        last = self._last(checkpoint.origin)
        # 5. The old size is the one of the last checkpoint cosigned.
        if submission.old != last.size:
            return Answer(409, write_size(last.size), SIZE_MEDIA_TYPE)
        # 6. The proof leads from there to here; the same size has the same root.
        try:
            verify_consistency(last.size, checkpoint.size, last.root, checkpoint.root, submission.proof)
        except MalformedLog as error:
            return _refused(422, error)
        # 7. Persist, then answer.
        cosignature = self._cosigner.cosign(note.text, int(self._clock()))
        lines = "".join(each.line() for each in (*note.verified, cosignature))
        write_durably(self._path(checkpoint.origin), f"{note.text}\n{lines}".encode())
        return Answer(200, cosignature.line().encode())

    def _last(self, origin: str) -> Checkpoint:
        """The checkpoint cosigned last; the empty tree before the first."""
        note = self._read(origin)
        if note is None:
            return Checkpoint(origin, 0, EMPTY_ROOT)
        checkpoint = Checkpoint.parse(open_note(note, [self._cosigner.key]).text)
        if checkpoint.origin != origin:
            raise MalformedLog(
                f"{self._path(origin)} es de otra bitácora. Restaure el archivo original.",
                f"{self._path(origin)} is of another log. Restore the original file.",
            )
        return checkpoint

    def _read(self, origin: str) -> str | None:
        try:
            return self._path(origin).read_bytes().decode(errors="surrogateescape")
        except FileNotFoundError:
            return None

    def _path(self, origin: str) -> Path:
        return self._directory / shown_at(origin).replace("/", ".")


def _is_false_empty_tree(text: str) -> bool:
    lines = text.split("\n")
    try:
        return lines[1] == "0" and read_hash(lines[2], "root") != EMPTY_ROOT
    except (IndexError, MalformedLog):
        return False


def _refused(status: int, error: MalformedLog) -> Answer:
    return Answer(status, f"{error.text.en}\n".encode(errors="replace"))
