"""How far apart two kinds are: the same, of one family, of one class, of different classes."""

from typing import Final

from registry.domain.codes import AttackKind, ThreatKind

FAMILIES: Final[tuple[frozenset[str], ...]] = (
    # Threats: in words, in deeds, to drive somebody out.
    frozenset({ThreatKind.VERBAL, ThreatKind.MESSAGE, ThreatKind.WRITTEN}),
    frozenset({ThreatKind.SURVEILLANCE, ThreatKind.ARMED_INTIMIDATION, ThreatKind.LYNCHING_THREAT}),
    frozenset({ThreatKind.ORDER_TO_LEAVE, ThreatKind.AGAINST_FAMILY}),
    # Attacks: on life and limb, on liberty, sexual, on property, on the service.
    frozenset({AttackKind.PHYSICAL_ASSAULT, AttackKind.ARMED_ATTACK, AttackKind.DEATH_UNDETERMINED}),
    frozenset({AttackKind.ABDUCTION, AttackKind.COERCED_CARE, AttackKind.DISAPPEARANCE}),
    frozenset({AttackKind.SEXUAL_VIOLENCE, AttackKind.HARASSMENT}),
    frozenset({AttackKind.EXTORTION, AttackKind.ROBBERY}),
    frozenset({AttackKind.SITE_ATTACK, AttackKind.OBSTRUCTION}),
)
"""Kinds that sources take for one another. Each kind belongs to one family."""

_FAMILY: Final = {kind: number for number, family in enumerate(FAMILIES) for kind in family}
_THREATS: Final = frozenset(ThreatKind)


def distance(one: str, other: str) -> int:
    """0 the same, 1 one family, 2 one class, 3 different classes. KeyError for what is no kind."""
    if one == other:
        return 0
    if _FAMILY[one] == _FAMILY[other]:
        return 1
    return 2 if (one in _THREATS) == (other in _THREATS) else 3
