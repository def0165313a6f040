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

from typing import NamedTuple
from uuid import UUID

from projections.counting.disclosure import FACETS, Disclosure
from projections.verification.errors import VerificationFailed
from registry.errors import MalformedLog
from registry.log.lines import read_base64
from registry.privacy.sealing import verify_opening


class Seal(NamedTuple):
    """A commitment and the event id of the leaf that made it."""

    commitment: str
    sealed_in: str


class Shown(NamedTuple):
    """An incident as one leaf shows it.

    Values may be compared as they are: ``disclosure`` was read strictly, so equal values are equal bytes.
    """

    leaf: int
    event_id: str
    disclosure: Disclosure

    def seal(self, name: str) -> Seal | None:
        """How the facet is sealed, None where it is open."""
        facet = self.disclosure.facets[name]
        return None if facet.commitment is None else Seal(facet.commitment, facet.sealed_in or self.event_id)

    def fail(self, name: str, es: str, en: str) -> VerificationFailed:
        """A failure that names leaf, incident and facet."""
        return VerificationFailed(
            f"Hoja {self.leaf}, incidente {self.disclosure.incident}, faceta «{name}»: {es}",
            f"Leaf {self.leaf}, incident {self.disclosure.incident}, facet “{name}”: {en}",
        )


class Openings:
    """Follows all incidents through the leaves in order. ``opened`` is a count for the report."""

    def __init__(self) -> None:
        self._shown: dict[str, Shown] = {}
        self.opened = 0

    @property
    def incidents(self) -> int:
        """Incidents seen so far."""
        return len(self._shown)

    def shown(self, incident: str) -> Shown:
        """An incident as its last leaf shows it."""
        return self._shown[incident]

    @property
    def sealed(self) -> int:
        """Facets that are sealed now."""
        return sum(
            facet.sealed for shown in self._shown.values() for facet in shown.disclosure.facets.values()
        )

    def follow(self, index: int, event_id: str, disclosure: Disclosure) -> None:
        """The next disclosure of the log. Raises VerificationFailed, naming leaf, incident and facet."""
        shown = Shown(index, event_id, disclosure)
        last = self._shown.get(disclosure.incident)
        for name in FACETS:
            facet = disclosure.facets[name]
            if facet.commitment is not None:
                _check_sealed(shown, name, last)
            elif facet.key is not None:
                _check_opening(shown, name, last)
                self.opened += 1
            elif last is not None:
                _check_open(shown, name, last)
        if last is not None:
            _check_correction(last, shown)
        self._shown[disclosure.incident] = shown


def _check_open(shown: Shown, name: str, last: Shown) -> None:
    """A value without a key: rule 3."""
    before = last.seal(name)
    if before is not None:
        raise shown.fail(
            name,
            f"estaba sellada desde el evento {before.sealed_in} y aparece abierta sin su clave. No se puede saber si "
            "el valor es el que se selló.",
            f"was sealed since event {before.sealed_in} and appears open without its key. Nobody can tell whether the "
            "value is the one that was sealed.",
        )
    now, then = shown.disclosure, last.disclosure
    if now.reason is None and now.facets[name].value != then.facets[name].value:
        raise shown.fail(
            name,
            "su valor público cambió sin que la hoja diga por qué (reason). Un valor abierto solo cambia con una "
            "corrección.",
            "its public value changed and the leaf gives no reason. An open value changes only by a correction.",
        )


def _check_sealed(shown: Shown, name: str, last: Shown | None) -> None:
    """A commitment: rule 2, and where it is a new one, rule 4."""
    facet = shown.disclosure.facets[name]
    before = None if last is None else last.seal(name)
    if facet.sealed_in is not None:
        if before != (facet.commitment, facet.sealed_in):
            raise shown.fail(
                name,
                f"dice seguir sellada como en el evento {facet.sealed_in}, pero ahí no está este compromiso.",
                f"claims to be sealed still as in event {facet.sealed_in}, but this commitment does not stand there.",
            )
    elif last is not None and shown.disclosure.reason is None:
        if before is not None:
            raise shown.fail(
                name,
                f"se selló por segunda vez sin que la hoja diga por qué (reason). Vale el compromiso del evento "
                f"{before.sealed_in}.",
                f"was sealed a second time and the leaf gives no reason. The commitment of event {before.sealed_in} "
                "holds.",
            )
        raise shown.fail(
            name,
            "estaba abierta y aparece sellada sin que la hoja diga por qué (reason).",
            "was open and appears sealed, and the leaf gives no reason.",
        )
    elif before is not None and before.commitment == facet.commitment:
        raise shown.fail(
            name,
            "dice estar sellada de nuevo, pero repite el compromiso anterior.",
            "claims to be sealed anew but repeats the earlier commitment.",
        )


def _check_opening(shown: Shown, name: str, last: Shown | None) -> None:
    """A value with the key of its commitment: rule 1."""
    facet = shown.disclosure.facets[name]
    before = None if last is None else last.seal(name)
    if before is None:
        raise shown.fail(
            name,
            "se abre con una clave, pero la hoja anterior de este incidente no la tenía sellada.",
            "is opened with a key, but the earlier leaf of this incident did not have it sealed.",
        )
    if before.sealed_in != facet.sealed_in:
        raise shown.fail(
            name,
            f"se abre como sellada en el evento {facet.sealed_in}, pero se selló en el evento {before.sealed_in}.",
            f"is opened as sealed in event {facet.sealed_in}, but it was sealed in event {before.sealed_in}.",
        )
    try:
        key = read_base64(facet.key or "", "clave / key")
        verify_opening(before.commitment, key, UUID(before.sealed_in), name, facet.value)
    except MalformedLog as error:
        raise shown.fail(
            name,
            f"el valor y la clave con que se abre no dan el compromiso del evento {before.sealed_in}. Se publicó otro "
            f"valor que el que se había sellado, o la clave es otra. {error.text.es}",
            f"the value and key that open it do not give the commitment of event {before.sealed_in}. Another value "
            f"was published than the one that had been sealed, or the key is another. {error.text.en}",
        ) from error


def _check_correction(last: Shown, shown: Shown) -> None:
    """Rule 3 for the class, and the second half of rule 4."""
    now, then = shown.disclosure, last.disclosure
    if now.reason is None:
        if now.incident_class != then.incident_class:
            raise shown.fail(
                "class",
                f"cambió de {then.incident_class} a {now.incident_class} sin que la hoja diga por qué (reason).",
                f"changed from {then.incident_class} to {now.incident_class} and the leaf gives no reason.",
            )
        return
    kept = [name for name in FACETS if now.facets[name].sealed and shown.seal(name) == last.seal(name)]
    changed = [name for name in FACETS if _says_more(last, shown, name)]
    if kept and changed:
        raise shown.fail(
            kept[0],
            f"conserva su compromiso mientras «{changed[0]}» cambió: una corrección sella de nuevo todo lo que no "
            "abre, para que no se sepa qué más cambió.",
            f"keeps its commitment while “{changed[0]}” changed: a correction seals anew all that it does not open, "
            "so that nobody learns what else changed.",
        )


def _says_more(last: Shown, shown: Shown, name: str) -> bool:
    """Whether the facet was changed or sealed anew; an opening that matches its commitment changes nothing."""
    now, then = shown.disclosure.facets[name], last.disclosure.facets[name]
    if now.sealed:
        return shown.seal(name) != last.seal(name)
    return not then.sealed and now.value != then.value
