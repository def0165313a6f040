"""What a reader of a stream wants of what it may see."""

from typing import Final, NamedTuple
from uuid import UUID

from api.streams.envelope import Shown


class Wanted(NamedTuple):
    """Filters, both of which an event passes; None passes all. They see what the reader sees, and nothing behind it.

    ``types`` are names as in the envelope, ``subjects`` are ``<kind of record>/<id>``.
    """

    types: frozenset[str] | None = None
    subjects: frozenset[str] | None = None

    @property
    def streams(self) -> list[UUID] | None:
        """Of the subjects, which are in their form. Whether a stream is of that kind is seen when it is read."""
        if self.subjects is None:
            return None
        return [UUID(subject.partition("/")[2]) for subject in self.subjects]

    def passes(self, shown: Shown) -> bool:
        """Whether an event is wanted that is shown so."""
        return (self.types is None or shown.type in self.types) and (
            self.subjects is None or shown.subject in self.subjects
        )


ALL: Final = Wanted()
