"""What one public ``incident.disclosed`` leaf says, read strictly.

A facet is open (its value can be read, and may be UNKNOWN) or sealed (a commitment to a value that nobody outside
can read). Once sealed, it is opened later by value and key. Anything else is refused: a leaf that two readers could
understand differently must not be counted by either.
"""

import re
from collections.abc import Container, Iterable, Mapping, Set
from enum import StrEnum
from typing import NamedTuple, TypeVar

import msgspec

from registry.domain.codes import KINDS, NOT_APPLICABLE, STATES, UNKNOWN, Certainty, IncidentClass, Sex
from registry.errors import MalformedLog
from registry.log.canonical import JSON

FACETS = ("tally", "year", "state", "kind", "municipality", "month", "sex")
"""The facets of an incident; every disclosure has all of them, open or sealed."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_YEAR = re.compile(r"[0-9]{4}")
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_MUNICIPALITY = re.compile(r"[0-9]{5}")
_STATES = frozenset({*STATES, UNKNOWN})
_SEXES = frozenset(Sex)
_COUNT_LIMIT = 2**53

_MEMBERS = frozenset(
    {"incident", "status", "merged_into", "certainty", "disputed", "class", "reason", "facets", "waived"}
)
_FACETS = frozenset(FACETS)
_OPEN = frozenset({"value"})
_OPENED = frozenset({"value", "key", "sealed_in"})
_SEALED = frozenset({"sealed"})
_STILL_SEALED = frozenset({"sealed", "sealed_in"})
_BOTH = frozenset({"strict", "broad"})
_SCOPE = frozenset({"victims", "deaths"})

E = TypeVar("E", bound=StrEnum)


class Status(StrEnum):
    """Whether the incident still stands by itself. Merged and retracted ones stay visible and count 0."""

    ACTIVE = "ACTIVE"
    MERGED = "MERGED"
    RETRACTED = "RETRACTED"


class NexusScope(StrEnum):
    """STRICT: on duty, in transfer, in quarters, commuting. BROAD includes STRICT and off-duty."""

    STRICT = "STRICT"
    BROAD = "BROAD"


class Bounds(NamedTuple):
    """A number that is known only as a range: at least ``low``, most likely ``best``, at most ``high``."""

    low: int
    best: int
    high: int

    def plus(self, other: "Bounds") -> "Bounds":
        """Component by component: sums of bounds are bounds, not confidence intervals."""
        return Bounds(self.low + other.low, self.best + other.best, self.high + other.high)


NOTHING = Bounds(0, 0, 0)


class Scope(NamedTuple):
    """In-scope victims of one nexus, and the dead among them."""

    victims: Bounds
    deaths: Bounds


class Facet(msgspec.Struct, frozen=True, gc=False):
    """How a facet stands in one leaf. ``commitment`` is set when sealed; ``sealed_in`` names an earlier leaf."""

    # There are seven for each incident of a log: a Struct is made in a quarter of a tuple's time, and what never holds
    # a cycle need not be collected.

    value: JSON = None
    commitment: str | None = None
    key: str | None = None
    sealed_in: str | None = None

    @property
    def sealed(self) -> bool:
        return self.commitment is not None


class Disclosure(NamedTuple):
    """One incident as one leaf shows it. A facet's field is None where it is sealed."""

    incident: str
    status: Status
    merged_into: str | None
    certainty: Certainty
    disputed: bool
    incident_class: IncidentClass
    reason: str | None
    tally: Mapping[NexusScope, Scope] | None
    year: str | None
    month: str | None
    state: str | None
    municipality: str | None
    kind: str | None
    sex: Mapping[NexusScope, Mapping[str, Bounds]] | None
    facets: Mapping[str, Facet]
    waived: tuple[str, ...] = ()
    """Open facets whose crowd is smaller than usual: their opening rests on an exemption of the policy."""


_CLASSES = {code.value: code for code in IncidentClass}
_STATUSES = {code.value: code for code in Status}
_CERTAINTIES = {code.value: code for code in Certainty}
_NO_DEATHS: Mapping[NexusScope, Mapping[str, Bounds]] = {nexus: {} for nexus in NexusScope}


def parse(public: JSON) -> Disclosure:
    """Read the ``public`` object of an ``incident.disclosed`` leaf. Raises MalformedLog, naming the field."""
    fields = _object(public, _MEMBERS, "public")
    incident_class = _code(fields["class"], _CLASSES, "class")
    status = _code(fields["status"], _STATUSES, "status")
    merged_into = None if fields["merged_into"] is None else _uuid(fields["merged_into"], "merged_into")
    if (status is Status.MERGED) != (merged_into is not None):
        raise _malformed("merged_into", "is set exactly when the status is MERGED")
    disputed = fields["disputed"]
    if not isinstance(disputed, bool):
        raise _malformed("disputed", "is true or false")
    reason = fields["reason"]
    if reason is not None and not isinstance(reason, str):
        raise _malformed("reason", "is a code or null")
    facets = {
        name: _facet(facet, name) for name, facet in _object(fields["facets"], _FACETS, "facets").items()
    }
    disclosure = Disclosure(
        incident=_uuid(fields["incident"], "incident"),
        status=status,
        merged_into=merged_into,
        certainty=_code(fields["certainty"], _CERTAINTIES, "certainty"),
        disputed=disputed,
        incident_class=incident_class,
        reason=reason,
        tally=_tally(facets["tally"]),
        year=_matching(facets["year"], _YEAR, "year"),
        month=_matching(facets["month"], _MONTH, "month"),
        state=_among(facets["state"], _STATES, "state"),
        municipality=_matching(facets["municipality"], _MUNICIPALITY, "municipality"),
        kind=_among(facets["kind"], KINDS[incident_class], "kind"),
        sex=_sexes(facets["sex"]),
        facets=facets,
        waived=_waived(fields["waived"], facets),
    )
    _check_agreement(disclosure)
    return disclosure


def _facet(facet: JSON, name: str) -> Facet:
    if not isinstance(facet, dict):
        raise _malformed(name, "is an object")
    keys = facet.keys()
    if keys == _OPEN:
        return Facet(value=facet["value"])
    if keys == _OPENED:
        key, sealed_in = _text(facet["key"], name), _uuid(facet["sealed_in"], name)
        return Facet(value=facet["value"], key=key, sealed_in=sealed_in)
    if keys == _SEALED:
        return Facet(commitment=_text(facet["sealed"], name))
    if keys == _STILL_SEALED:
        return Facet(commitment=_text(facet["sealed"], name), sealed_in=_uuid(facet["sealed_in"], name))
    raise _malformed(name, "is value, value with key and sealed_in, sealed, or sealed with sealed_in")


def _waived(value: JSON, facets: Mapping[str, Facet]) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _malformed("waived", "is a list")
    if not value:
        return ()
    names = tuple(_text(name, "waived") for name in value)
    if list(names) != sorted(set(names)) or any(name not in facets or facets[name].sealed for name in names):
        raise _malformed("waived", "names open facets, each once, in the order of the characters' codes")
    return names


def _tally(facet: Facet) -> dict[NexusScope, Scope] | None:
    if facet.sealed:
        return None
    fields = _object(facet.value, _BOTH, "tally")
    return {
        NexusScope.STRICT: _scope(fields["strict"], "tally.strict"),
        NexusScope.BROAD: _scope(fields["broad"], "tally.broad"),
    }


def _scope(value: JSON, name: str) -> Scope:
    fields = _object(value, _SCOPE, name)
    scope = Scope(_bounds(fields["victims"], name, "victims"), _bounds(fields["deaths"], name, "deaths"))
    if not _within(scope.deaths, scope.victims):
        raise _malformed(name, "has at most as many deaths as victims")
    return scope


def _sexes(facet: Facet) -> Mapping[NexusScope, Mapping[str, Bounds]] | None:
    if facet.sealed:
        return None
    if facet.value == NOT_APPLICABLE:
        return _NO_DEATHS
    fields = _object(facet.value, _BOTH, "sex")
    return {
        NexusScope.STRICT: _by_sex(fields["strict"], "sex.strict"),
        NexusScope.BROAD: _by_sex(fields["broad"], "sex.broad"),
    }


def _by_sex(value: JSON, name: str) -> dict[str, Bounds]:
    if not isinstance(value, dict):
        raise _malformed(name, "is an object")
    return {_one_of(sex, _SEXES, name): _bounds(bounds, name, sex) for sex, bounds in value.items()}


def _bounds(value: JSON, name: str, part: str) -> Bounds:
    if not isinstance(value, list) or len(value) != 3:
        raise _malformed(f"{name}.{part}", "is [low, best, high]")
    low, best, high = value
    # bool is an int to Python, and not a count.
    if not (
        type(low) is int
        and type(best) is int
        and type(high) is int
        and 0 <= low <= best <= high < _COUNT_LIMIT
    ):
        raise _malformed(f"{name}.{part}", "is three integers with 0 ≤ low ≤ best ≤ high")
    return Bounds(low, best, high)


def _check_agreement(disclosure: Disclosure) -> None:
    """Open facets must not contradict each other: then the parts of a count would not sum to the whole."""
    if disclosure.tally is not None:
        strict, broad = disclosure.tally[NexusScope.STRICT], disclosure.tally[NexusScope.BROAD]
        if not (_within(strict.victims, broad.victims) and _within(strict.deaths, broad.deaths)):
            raise _malformed("tally", "counts in strict at most what it counts in broad")
        if disclosure.sex is not None:
            for nexus, scope in disclosure.tally.items():
                if total(disclosure.sex[nexus].values()) != scope.deaths:
                    raise _malformed("sex", "sums to the deaths of the tally")
    if _contradict(disclosure.state, disclosure.municipality, 2):
        raise _malformed("municipality", "lies in the state")
    if _contradict(disclosure.year, disclosure.month, 4):
        raise _malformed("month", "lies in the year")


def total(parts: Iterable[Bounds]) -> Bounds:
    """The sum of bounds, component by component."""
    result = NOTHING
    for part in parts:
        result = result.plus(part)
    return result


def _within(part: Bounds, whole: Bounds) -> bool:
    return part.low <= whole.low and part.best <= whole.best and part.high <= whole.high


def _contradict(parent: str | None, part: str | None, prefix: int) -> bool:
    """Whether a known part lies outside its known parent, or inside a parent that is said to be unknown."""
    return parent is not None and part is not None and part != UNKNOWN and part[:prefix] != parent


def _object(value: JSON, keys: Set[str], name: str) -> dict[str, JSON]:
    if not isinstance(value, dict) or value.keys() != keys:
        raise _malformed(name, f"is an object with exactly {', '.join(sorted(keys))}")
    return value


def _text(value: JSON, name: str) -> str:
    if not isinstance(value, str):
        raise _malformed(name, "is text")
    return value


def _uuid(value: JSON, name: str) -> str:
    text = _text(value, name)
    if not _UUID.fullmatch(text):
        raise _malformed(name, "names a UUID")
    return text


def _matching(facet: Facet, pattern: re.Pattern[str], name: str) -> str | None:
    if facet.sealed:
        return None
    text = _text(facet.value, name)
    if text != UNKNOWN and not pattern.fullmatch(text):
        raise _malformed(name, "has its documented form or is UNKNOWN")
    return text


def _among(facet: Facet, codes: Container[str], name: str) -> str | None:
    return None if facet.sealed else _one_of(facet.value, codes, name)


def _one_of(value: JSON, codes: Container[str], name: str) -> str:
    text = _text(value, name)
    if text not in codes:
        raise _malformed(name, "is one of its codes")
    return text


def _code(value: JSON, codes: Mapping[str, E], name: str) -> E:
    code = codes.get(_text(value, name))
    if code is None:
        raise _malformed(name, "is one of its codes")
    return code


def _malformed(name: str, must: str) -> MalformedLog:
    # The value itself is left out: a leaf that is malformed may hold what was never meant to be public.
    return MalformedLog(
        f"Una hoja incident.disclosed no sigue su forma: «{name}» ({must}). No se cuenta nada hasta resolverlo.",
        f"An incident.disclosed leaf does not have its form: “{name}” {must}. Nothing is counted until it is resolved.",
    )
