"""The log read once, in order: every leaf parsed strictly, every promise kept, everything folded into counts.

Only entries whose root was proved come here (``audit``), so whatever is wrong with a leaf was signed that way.
The fold and the definition are the published ones of ``projections.counting``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from projections.counting.definition import definition_sha256
from projections.counting.fold import Fold
from projections.verification.audit import Entries
from projections.verification.crowds import Crowds
from projections.verification.errors import VerificationFailed
from projections.verification.openings import Openings
from projections.verification.releases import Releases
from registry.errors import MalformedLog
from registry.log.leaf import OpenLeaf, is_entry_leaf, parse_leaf

OPEN_TYPES: Final = frozenset(
    {
        "institution.registered",
        "institution.renamed",
        "site.registered",
        "site.recoded",
        "definition.adopted",
        "policy.adopted",
        "catalog.adopted",
        "release.published",
        "incident.disclosed",
    }
)
"""The events that everyone may read; any other name in an open leaf is refused, never skipped."""


@dataclass
class Recount:
    """What the leaves say together. ``fold`` answers every question as of the last leaf."""

    fold: Fold = field(default_factory=Fold)
    openings: Openings = field(default_factory=Openings)
    releases: Releases = field(default_factory=Releases)
    crowds: Crowds = field(default_factory=Crowds)
    open_leaves: int = 0

    def add(self, index: int, entry: bytes) -> None:
        """The next leaf. Raises VerificationFailed, naming it."""
        try:
            if is_entry_leaf(entry):
                self.fold.add_entries(index, 1)
            elif isinstance(leaf := parse_leaf(entry), OpenLeaf):
                self._add_open(index, leaf)
            else:
                self.fold.add_entry(index)
        except MalformedLog as error:
            raise VerificationFailed(
                f"La hoja {index} se firmó así, pero no es válida. {error.text.es}",
                f"Leaf {index} was signed like this, but it is not valid. {error.text.en}",
            ) from error

    def _add_open(self, index: int, leaf: OpenLeaf) -> None:
        event_id = str(leaf.event_id)
        if leaf.type not in OPEN_TYPES:
            raise VerificationFailed(
                f"La hoja {index} es de un tipo que este programa no conoce ({leaf.type}). Actualice el programa.",
                f"Leaf {index} is of a type that this program does not know ({leaf.type}). Upgrade the program.",
            )
        self.open_leaves += 1
        self.releases.identify(index, event_id, leaf.type)
        match leaf.type:
            case "definition.adopted":
                self.releases.adopt_definition(index, leaf.public)
            case "policy.adopted":
                self.releases.adopt_policy(index, leaf.public)
                self.crowds.adopt(index, leaf.public["policy"])
            case "release.published":
                disclosed = self.releases.pending
                self.releases.publish(index, leaf.public)
                self.crowds.release(leaf.recorded, map(self.openings.shown, disclosed))
        self.fold.add_open(index, leaf.type, leaf.public)
        if leaf.type == "incident.disclosed":
            disclosure = self.fold.disclosures[str(leaf.public["incident"])]
            self.releases.disclose(index, disclosure.incident)
            self.openings.follow(index, event_id, disclosure)


def recount(entries: Entries, pauses: Mapping[int, Sequence[Callable[[Fold], None]]]) -> Recount:
    """Reads all entries; on the way, after so many of them, each of the ``pauses`` for that size is called."""
    result = Recount()
    for width, leaves in entries.bundles():
        first = result.fold.size
        if leaves is None:
            _add_entries(result.fold, width, pauses)
            continue
        for index, entry in enumerate(leaves, first):
            _pause(result.fold, pauses)
            result.add(index, entry)
    _pause(result.fold, pauses)
    return result


def _add_entries(fold: Fold, count: int, pauses: Mapping[int, Sequence[Callable[[Fold], None]]]) -> None:
    """So many entry leaves, with the pauses on the way, that at the end left to who adds the next."""
    end = fold.size + count
    for size in sorted(size for size in pauses if fold.size <= size < end):
        fold.add_entries(fold.size, size - fold.size)
        _pause(fold, pauses)
    fold.add_entries(fold.size, end - fold.size)


def _pause(fold: Fold, pauses: Mapping[int, Sequence[Callable[[Fold], None]]]) -> None:
    for look in pauses.get(fold.size, ()):
        look(fold)


def check_definition(result: Recount) -> None:
    """Whether the log is counted by the definition that this program holds. Raises VerificationFailed."""
    adopted, ours = result.releases.definition, definition_sha256()
    if adopted is None:
        raise VerificationFailed(
            "La bitácora está íntegra, pero no ha adoptado ninguna definición: no hay con qué contarla.",
            "The log is intact, but it has adopted no definition: there is nothing to count it by.",
        )
    if adopted != ours:
        raise VerificationFailed(
            f"La bitácora está íntegra, pero no se puede recontar: adoptó la definición {adopted} y este programa "
            f"contiene {ours}. Use la versión del programa que contiene la adoptada.",
            f"The log is intact, but it cannot be recounted: it adopted definition {adopted} and this program holds "
            f"{ours}. Use the version of the program that holds the adopted one.",
        )
