"""For whom events are streamed: what a reader sees of an event depends on nothing else.

Everybody sees the leaves that a checkpoint covers. A key with ``events:read`` sees the events of its institution's own
streams in full and at once, and of all others what is open to everybody; one that also verifies or analyses sees all.
"""

from typing import Final, NamedTuple
from uuid import UUID

from api.auth.scopes import Scope
from registry.application.execution.unit import Actor
from registry.domain.codes import ReadPurpose

_ALL: Final = frozenset({Scope.INCIDENTS_VERIFY, Scope.RESTRICTED_READ})


class Audience(NamedTuple):
    """``institution`` reads its own streams in full; ``everything`` is read by verifiers and analysts.

    ``key`` and ``purpose`` are what the audit of private reads says about the reader.
    """

    institution: UUID | None = None
    everything: bool = False
    key: UUID | None = None
    purpose: ReadPurpose | None = None

    @property
    def public(self) -> bool:
        """Whether it sees what everybody sees, and no more."""
        return self.institution is None and not self.everything


PUBLIC: Final = Audience()


def audience_of(actor: Actor) -> Audience:
    """What a key is shown. Who has not ``events:read`` is shown what is public."""
    if Scope.EVENTS_READ not in actor.scopes:
        return PUBLIC
    return Audience(actor.institution, not _ALL.isdisjoint(actor.scopes), actor.key, actor.purpose)
