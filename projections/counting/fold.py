"""The fold that every public count rests on: leaves in, the last disclosure of each incident out.

It reads open leaves only; entry leaves say nothing and move nothing but the position. The count says what the log
says; whether the log keeps its word (openings against commitments, corrections with a reason) is the verifier's to
check, in ``projections.verification``.
"""

from collections.abc import Iterable
from typing import NamedTuple

from projections.counting.count import Count, count
from projections.counting.disclosure import Disclosure, parse
from projections.counting.query import CountQuery
from registry.errors import MalformedLog
from registry.log.canonical import JSON
from registry.log.leaf import OpenLeaf, parse_leaf


class Adoption(NamedTuple):
    """A definition or a policy that the register adopted, by its id and the sha256 of its text."""

    position: int
    id: str
    sha256: str
    policy: JSON = None


class Fold:
    """Feed it every leaf in order, from position 0; ask it at any point.

    ``size`` is the asOf that it answers for; ``disclosures`` holds the last one of every incident below it.
    """

    def __init__(self) -> None:
        self.size = 0
        self.disclosures: dict[str, Disclosure] = {}
        self.definition: Adoption | None = None
        self.policy: Adoption | None = None

    def add(self, position: int, leaf: bytes) -> None:
        """Take the next leaf as bytes. Raises MalformedLog for bytes that are not a leaf, or out of turn."""
        parsed = parse_leaf(leaf)
        if isinstance(parsed, OpenLeaf):
            self.add_open(position, parsed.type, parsed.public)
        else:
            self.add_entry(position)

    def add_entry(self, position: int) -> None:
        """Take an entry leaf: it has a position and nothing else to count."""
        self.add_entries(position, 1)

    def add_entries(self, position: int, count: int) -> None:
        """Take so many entry leaves, the first of them at ``position``."""
        if position != self.size:
            raise MalformedLog(
                f"Se esperaba la hoja {self.size} y llegó la {position}: el orden es parte de lo que se cuenta.",
                f"Leaf {self.size} was expected and {position} came: the order is part of what is counted.",
            )
        self.size = position + count

    def add_open(self, position: int, event: str, public: JSON) -> None:
        """Take an open leaf that was parsed already: the name of its event and its ``public`` object."""
        self.add_entry(position)
        if event == "incident.disclosed":
            disclosure = parse(public)
            self.disclosures[disclosure.incident] = disclosure
        elif event == "definition.adopted":
            self.definition = read_adoption(position, public)
        elif event == "policy.adopted":
            self.policy = read_adoption(position, public)

    def count(self, query: CountQuery) -> Count:
        """The answer as of ``size``."""
        return count(self.disclosures.values(), query)


def fold(leaves: Iterable[bytes]) -> Fold:
    """Fold the first leaves of a log. Give exactly ``asOf`` of them to answer as of that size."""
    result = Fold()
    for position, leaf in enumerate(leaves):
        result.add(position, leaf)
    return result


def read_adoption(position: int, public: JSON) -> Adoption:
    """Read ``definition.adopted`` or ``policy.adopted``. Raises MalformedLog."""
    if (
        isinstance(public, dict)
        and isinstance(public.get("id"), str)
        and isinstance(public.get("sha256"), str)
    ):
        return Adoption(position, str(public["id"]), str(public["sha256"]), public.get("policy"))
    raise MalformedLog(
        "Una hoja de adopción debe nombrar «id» y «sha256».",
        "A leaf of adoption must name “id” and “sha256”.",
    )
