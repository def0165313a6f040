"""Every opening against its commitment, and every facet against what earlier leaves said of it.

A sealed facet is a promise about a value that nobody outside can see. What keeps the promise is checked here, leaf
by leaf, per incident and facet:

1. A facet that an earlier leaf sealed is opened with its key, names the leaf that sealed it, and the key, the event
   id of that leaf, the facet's name and the value give exactly the commitment that stands there.
2. A facet that stays sealed repeats the same commitment bytes and the leaf that they come from.
3. A value that is open stays as it is, and so does the class.
4. Only a leaf that carries a reason may do otherwise: change or close an open value, or seal anew. If it does, it
   seals anew all facets that it does not open, so that nobody learns from the commitments which one was corrected.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from projections.counting.disclosure import FACETS, Disclosure, Facet
from projections.verification.errors import VerificationFailed
from registry.domain.codes import IncidentClass
from registry.errors import MalformedLog
from registry.log.canonical import JSON, encode
from registry.log.lines import read_base64
from registry.privacy.sealing import verify_opening


class Seal(NamedTuple):
    """A commitment and the event id of the leaf that made it."""

    commitment: str
    sealed_in: str


@dataclass(frozen=True, slots=True)
class Shown:
    """How an incident stood in its last leaf: each facet a value (canonical JSON) or a seal."""

    index: int
    incident_class: IncidentClass
    facets: Mapping[str, bytes | Seal]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the log a facet stands."""

    index: int
    incident: str
    facet: str

    def fail(self, es: str, en: str) -> VerificationFailed:
        return VerificationFailed(
            f"Hoja {self.index}, incidente {self.incident}, faceta «{self.facet}»: {es}",
            f"Leaf {self.index}, incident {self.incident}, facet “{self.facet}”: {en}",
        )


class Openings:
    """Follows all incidents through the leaves in order. ``opened`` and ``sealed`` are counts for the report."""

    def __init__(self) -> None:
        self._shown: dict[str, Shown] = {}
        self.opened = 0

    @property
    def incidents(self) -> int:
        """Incidents seen so far."""
        return len(self._shown)

    @property
    def sealed(self) -> int:
        """Facets that are sealed now."""
        return sum(
            isinstance(facet, Seal) for shown in self._shown.values() for facet in shown.facets.values()
        )

    def follow(self, index: int, event_id: str, disclosure: Disclosure) -> None:
        """The next disclosure of the log. Raises VerificationFailed, naming leaf, incident and facet."""
        last = self._shown.get(disclosure.incident)
        facets: dict[str, bytes | Seal] = {}
        for name in FACETS:
            place = Place(index, disclosure.incident, name)
            before = None if last is None else last.facets[name]
            facets[name] = self._step(place, event_id, disclosure.facets[name], before, disclosure.reason)
        shown = Shown(index, disclosure.incident_class, facets)
        if last is not None:
            _check_correction(last, shown, disclosure)
        self._shown[disclosure.incident] = shown

    def _step(
        self, place: Place, event_id: str, facet: Facet, before: bytes | Seal | None, reason: str | None
    ) -> bytes | Seal:
        if facet.commitment is not None:
            return _sealed(place, event_id, facet, before, reason)
        value = encode(facet.value)
        if facet.key is not None:
            _check_opening(place, facet.value, facet.key, facet.sealed_in, before)
            self.opened += 1
        elif isinstance(before, Seal):
            raise place.fail(
                f"estaba sellada desde el evento {before.sealed_in} y aparece abierta sin su clave. No se puede saber "
                "si el valor es el que se selló.",
                f"was sealed since event {before.sealed_in} and appears open without its key. Nobody can tell whether "
                "the value is the one that was sealed.",
            )
        elif before is not None and before != value and reason is None:
            raise place.fail(
                "su valor público cambió sin que la hoja diga por qué (reason). Un valor abierto solo cambia con una "
                "corrección.",
                "its public value changed and the leaf gives no reason. An open value changes only by a correction.",
            )
        return value


def _sealed(
    place: Place, event_id: str, facet: Facet, before: bytes | Seal | None, reason: str | None
) -> Seal:
    assert facet.commitment is not None  # noqa: S101 - told apart by the caller
    seal = Seal(facet.commitment, facet.sealed_in or event_id)
    if facet.sealed_in is not None:
        if seal != before:
            raise place.fail(
                f"dice seguir sellada como en el evento {facet.sealed_in}, pero ahí no está este compromiso.",
                f"claims to be sealed still as in event {facet.sealed_in}, but this commitment does not stand there.",
            )
    elif before is not None and reason is None:
        if isinstance(before, Seal):
            raise place.fail(
                f"se selló por segunda vez sin que la hoja diga por qué (reason). Vale el compromiso del evento "
                f"{before.sealed_in}.",
                f"was sealed a second time and the leaf gives no reason. The commitment of event {before.sealed_in} "
                "holds.",
            )
        raise place.fail(
            "estaba abierta y aparece sellada sin que la hoja diga por qué (reason).",
            "was open and appears sealed, and the leaf gives no reason.",
        )
    elif isinstance(before, Seal) and before.commitment == facet.commitment:
        raise place.fail(
            "dice estar sellada de nuevo, pero repite el compromiso anterior.",
            "claims to be sealed anew but repeats the earlier commitment.",
        )
    return seal


def _check_opening(
    place: Place, value: JSON, key: str, sealed_in: str | None, before: bytes | Seal | None
) -> None:
    if not isinstance(before, Seal):
        raise place.fail(
            "se abre con una clave, pero la hoja anterior de este incidente no la tenía sellada.",
            "is opened with a key, but the earlier leaf of this incident did not have it sealed.",
        )
    if before.sealed_in != sealed_in:
        raise place.fail(
            f"se abre como sellada en el evento {sealed_in}, pero se selló en el evento {before.sealed_in}.",
            f"is opened as sealed in event {sealed_in}, but it was sealed in event {before.sealed_in}.",
        )
    try:
        opening_key = read_base64(key, "clave / key")
        verify_opening(before.commitment, opening_key, UUID(before.sealed_in), place.facet, value)
    except MalformedLog as error:
        raise place.fail(
            f"el valor y la clave con que se abre no dan el compromiso del evento {before.sealed_in}. Se publicó otro "
            f"valor que el que se había sellado, o la clave es otra. {error.text.es}",
            f"the value and key that open it do not give the commitment of event {before.sealed_in}. Another value "
            f"was published than the one that had been sealed, or the key is another. {error.text.en}",
        ) from error


def _check_correction(last: Shown, shown: Shown, disclosure: Disclosure) -> None:
    """Rule 3 for the class, and the second half of rule 4."""
    if disclosure.reason is None:
        if shown.incident_class != last.incident_class:
            raise Place(shown.index, disclosure.incident, "class").fail(
                f"cambió de {last.incident_class} a {shown.incident_class} sin que la hoja diga por qué (reason).",
                f"changed from {last.incident_class} to {shown.incident_class} and the leaf gives no reason.",
            )
        return
    kept = [
        name
        for name in FACETS
        if isinstance(shown.facets[name], Seal) and shown.facets[name] == last.facets[name]
    ]
    changed = [
        name for name in FACETS if shown.facets[name] != last.facets[name] and _says_more(last, shown, name)
    ]
    if kept and changed:
        raise Place(shown.index, disclosure.incident, kept[0]).fail(
            f"conserva su compromiso mientras «{changed[0]}» cambió: una corrección sella de nuevo todo lo que no "
            "abre, para que no se sepa qué más cambió.",
            f"keeps its commitment while “{changed[0]}” changed: a correction seals anew all that it does not open, "
            "so that nobody learns what else changed.",
        )


def _says_more(last: Shown, shown: Shown, name: str) -> bool:
    """Whether the facet was changed or sealed anew; an opening that matches its commitment changes nothing."""
    return isinstance(shown.facets[name], Seal) or not isinstance(last.facets[name], Seal)
