"""The ``public`` object of an ``incident.disclosed`` leaf, and the keys of what it seals.

Every leaf names all facets. An open facet shows its value; one that an earlier leaf sealed is opened with the key of
that leaf's commitment. A facet that stays sealed repeats its commitment and names the leaf that made it. A leaf with
a reason is a correction (or a retraction, a merge, a reinstatement): values may change, and everything that is not
open is sealed anew, so that nobody can tell which of the sealed values was corrected.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, cast
from uuid import UUID

import msgspec

from registry.disclosure.facets import FACETS, Facets
from registry.disclosure.ladder import Opened
from registry.domain.codes import Certainty, CorrectionReason, IncidentClass
from registry.errors import RuleViolated
from registry.log.canonical import JSON
from registry.log.lines import write_base64
from registry.privacy.sealing import commitment, new_key


class Seal(NamedTuple):
    """What a commitment of an earlier leaf holds. ``key`` has 32 bytes."""

    value: JSON
    key: bytes


class NewSeal(NamedTuple):
    """A commitment made in this leaf under its event id: keep value and key, or the facet can never be opened."""

    field: str
    value: JSON
    key: bytes


class Previous(NamedTuple):
    """The incident's last leaf: its event id, its ``public`` object, and the seals of its sealed facets.

    A seal that is missing was erased: its facet can only be repeated, or replaced by a correction.
    """

    event_id: UUID
    public: Mapping[str, JSON]
    seals: Mapping[str, Seal]

    def facet(self, name: str) -> Mapping[str, JSON]:
        facets = cast("Mapping[str, Mapping[str, JSON]]", self.public["facets"])
        return facets[name]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """An incident as this release shows it; ``open`` and ``waived`` as was decided."""

    incident: UUID
    status: str
    merged_into: UUID | None
    certainty: Certainty
    disputed: bool
    incident_class: IncidentClass
    facets: Facets
    open: frozenset[str]
    waived: frozenset[str] = frozenset()

    def heading(self) -> dict[str, JSON]:
        """What a leaf says beside the facets and the reason."""
        return {
            "incident": str(self.incident),
            "status": self.status,
            "merged_into": None if self.merged_into is None else str(self.merged_into),
            "certainty": str(self.certainty),
            "disputed": self.disputed,
            "class": str(self.incident_class),
            "waived": list[JSON](sorted(self.waived)),
        }


class Disclosure(NamedTuple):
    """The public object, and what the leaf newly seals."""

    public: dict[str, JSON]
    sealed: tuple[NewSeal, ...]


def opened(previous: Previous, facets: Facets) -> Opened:
    """What the last leaf shows of an incident whose facets are now these, as the ladder wants to know it."""
    values = {name: facet["value"] for name in FACETS if "value" in (facet := previous.facet(name))}
    openable = {name for name, seal in previous.seals.items() if seal.value == facets.value(name)}
    return Opened(
        incident_class=IncidentClass(cast("str", previous.public["class"])),
        values=values,
        waived=frozenset(cast("list[str]", previous.public["waived"])),
        locked=frozenset(FACETS).difference(values, openable),
    )


def changed(now: Standing, previous: Previous | None) -> bool:
    """Whether this release owes the incident a leaf: anything is new, also behind a seal."""
    if previous is None or any(previous.public[field] != value for field, value in now.heading().items()):
        return True
    newly_open = any(name in now.open and "value" not in previous.facet(name) for name in FACETS)
    return newly_open or _corrected(now, previous)


def disclose(
    event_id: UUID,
    now: Standing,
    previous: Previous | None,
    reason: CorrectionReason | None,
    key: Callable[[], bytes] = new_key,
) -> Disclosure:
    """The leaf with id ``event_id``.

    ``reason`` is that of the last correction, retraction, merge or reinstatement, if there was one since the previous
    leaf; it is shown only where something public changed for it. A value that changed without one carries
    NEW_EVIDENCE. ``key`` makes the 32 random bytes of each new commitment. Raises RuleViolated where a facet would be
    opened that no key opens.
    """
    shown = _reason(now, previous, reason)
    facets: dict[str, JSON] = {}
    sealed: list[NewSeal] = []
    for name in FACETS:
        facet = _continued(name, now, previous, correction=shown is not None)
        if facet is None:
            seal = NewSeal(name, now.facets.value(name), key())
            sealed.append(seal)
            facet = {"sealed": commitment(seal.key, event_id, name, seal.value)}
        facets[name] = facet
    return Disclosure({**now.heading(), "reason": shown, "facets": facets}, tuple(sealed))


def _reason(now: Standing, previous: Previous | None, given: CorrectionReason | None) -> str | None:
    corrected = previous is not None and _corrected(now, previous)
    stood = previous is None or previous.public["status"] == "ACTIVE"
    if not corrected and stood and now.status == "ACTIVE":
        return None
    if given is not None:
        return given.public
    if corrected:
        return CorrectionReason.NEW_EVIDENCE.public
    # A tombstone keeps its reason in every later leaf, for whoever reads only the last one.
    if previous is None or previous.public["status"] != now.status:
        return None
    return cast("str | None", previous.public["reason"])


def _corrected(now: Standing, previous: Previous) -> bool:
    """Whether the class or any value differs from the last leaf, or what was open closes."""
    if previous.public["class"] != str(now.incident_class):
        return True
    for name in FACETS:
        before, value = previous.facet(name), now.facets.value(name)
        if "value" in before:
            if name not in now.open or before["value"] != value:
                return True
        elif name in previous.seals and previous.seals[name].value != value:
            return True
    return False


def _continued(
    name: str, now: Standing, previous: Previous | None, *, correction: bool
) -> dict[str, JSON] | None:
    """The facet as it follows from the last leaf; None where this leaf must seal it."""
    value = now.facets.value(name)
    before: Mapping[str, JSON] = {} if previous is None else previous.facet(name)
    if previous is None or "value" in before:
        return {"value": value} if name in now.open else None
    sealed_in = before.get("sealed_in", str(previous.event_id))
    if name not in now.open:
        return None if correction else {"sealed": before["sealed"], "sealed_in": sealed_in}
    seal = previous.seals.get(name)
    if seal is None or seal.value != value:
        raise RuleViolated(
            "opening-needs-its-key",
            f"«{name}» no puede abrirse: la clave de su compromiso fue borrada, o se selló otro valor. Publique antes "
            "una corrección que la selle de nuevo.",
            f"“{name}” cannot be opened: the key of its commitment was erased, or another value was sealed. First "
            "release a correction that seals it anew.",
        )
    return {"value": value, "key": write_base64(seal.key), "sealed_in": sealed_in}
