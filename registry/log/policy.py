"""Policies: which logs and witnesses somebody trusts, and how many of them must agree. Pure. c2sp.org/tlog-policy.

::

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> <k>|all|any <member>...
    quorum <name>|none

A file is octets. Names are compared as such: bytes that are no UTF-8 are kept, and nothing is normalised.
"""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from registry.errors import MalformedLog
from registry.log.checkpoint import Checkpoint, open_checkpoint
from registry.log.cosignature import WitnessKey, time_of
from registry.log.note import Key, Verifier, open_note

MAX_BYTES = 1 << 20
"""The specification asks for 32 logs, witnesses and groups at least; a file this large holds thousands."""

NONE = "none"

K = TypeVar("K")

_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_WHITESPACE = re.compile(r"[ \t]+")  # str.split would also part at Unicode's spaces
_THRESHOLD = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class Log:
    """A log whose checkpoints are accepted. Its key is named like its origin."""

    key: Verifier
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness under the name that this policy gives it. ``url`` is its submission prefix."""

    name: str
    key: WitnessKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """It witnesses a checkpoint when ``threshold`` of its members do. Members are witnesses and earlier groups."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A note under a policy: the checkpoint in it, and when each of the policy's witnesses cosigned it.

    ``times`` are POSIX seconds by the witness's name in the policy.
    """

    checkpoint: Checkpoint
    times: dict[str, int]


@dataclass(frozen=True, slots=True)
class Policy:
    """What ``parse`` has accepted. ``quorum`` is the name of a witness or group; None asks for no witness."""

    logs: tuple[Log, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    groups: tuple[Group, ...] = ()
    quorum: str | None = None

    @classmethod
    def parse(cls, data: bytes) -> "Policy":
        """Read a policy file; MalformedLog, naming the line, for whatever the specification does not allow."""
        return _Reader().read(data)

    def serialise(self) -> bytes:
        """The policy as a file. Comments and the spelling of ``all`` and ``any`` are not kept."""
        lines = [_line("log", log.key.vkey(), log.url) for log in self.logs]
        lines += [_line("witness", each.name, each.key.vkey(), each.url) for each in self.witnesses]
        lines += [_line("group", each.name, str(each.threshold), *each.members) for each in self.groups]
        lines.append(_line("quorum", self.quorum or NONE))
        return "".join(lines).encode(errors="surrogateescape")

    def with_logs(self, logs: Iterable[Log]) -> "Policy":
        """The same, these logs first; those of ``logs`` whose keys stand in it already are not repeated."""
        known = {log.key.public_key for log in self.logs}
        return replace(self, logs=(*(log for log in logs if log.key.public_key not in known), *self.logs))

    def met_by(self, names: Collection[str]) -> bool:
        """Whether cosignatures by the witnesses of these names are a quorum."""
        if self.quorum is None:
            return True
        witnessing = {each.name for each in self.witnesses if each.name in names}
        for group in self.groups:
            if sum(member in witnessing for member in group.members) >= group.threshold:
                witnessing.add(group.name)
        return self.quorum in witnessing

    def smallest_quorum(self, names: Collection[str]) -> frozenset[str] | None:
        """The fewest of the witnesses ``names`` that are a quorum; None when all of them are not.

        Each name is a member of one group at most, so groups never share a witness and the smallest ones add up.
        """
        if self.quorum is None:
            return frozenset()
        fewest = {each.name: frozenset({each.name}) for each in self.witnesses if each.name in names}
        for group in self.groups:
            able = sorted((fewest[member] for member in group.members if member in fewest), key=len)
            if len(able) >= group.threshold:
                fewest[group.name] = frozenset[str]().union(*able[: group.threshold])
        return fewest.get(self.quorum)

    def quorum_time(self, times: dict[str, int]) -> int | None:
        """Since when, in POSIX seconds, a quorum vouches: the latest time at or after which enough cosigned.

        Without a quorum that asks for witnesses, the newest of their times; None when there is none. A single
        witness whose clock is ahead cannot make a checkpoint younger than its quorum.
        """
        newest_first = sorted(times, key=lambda name: times[name], reverse=True)
        for count in range(1, len(newest_first) + 1):
            if self.met_by(newest_first[:count]):
                return times[newest_first[count - 1]]
        return None

    def open(self, note: str, origin: str) -> Cosigned:
        """The checkpoint of ``origin`` in ``note``, signed by one of the policy's logs, with its cosignatures.

        Whether they are a quorum is the caller's to ask. MalformedLog when no such log signed, and when any
        signature by a key of this policy is false.
        """
        # 1. One of the logs of this name signed.
        logs: list[Key] = [log.key for log in self.logs if log.key.name == origin]
        checkpoint, _ = open_checkpoint(note, origin, logs)
        # 2. No signature by a known key is false. Separately, so that no witness's key passes for a log's.
        opened = open_note(note, [*logs, *(each.key for each in self.witnesses)])
        # 3. Name and id tell whose each is; by (1) and the file's rules no two keys share both.
        by_identity = {(each.key.name, each.key.key_id): each.name for each in self.witnesses}
        times = {
            by_identity[identity]: time_of(signature)
            for signature in opened.verified
            if (identity := (signature.name, signature.key_id)) in by_identity
        }
        return Cosigned(checkpoint, times)


class _Reader:
    """One pass over the lines of a policy file. ``_line`` is the number of the one at hand, for messages."""

    def __init__(self) -> None:
        self._line = 0
        self._logs: list[Log] = []
        self._witnesses: list[Witness] = []
        self._groups: list[Group] = []
        self._names: set[str] = set()
        self._members: set[str] = set()
        self._keys: set[bytes] = set()
        self._identities: set[tuple[str, bytes]] = set()
        self._quorum: list[str] = []

    def read(self, data: bytes) -> Policy:
        if len(data) > MAX_BYTES:
            raise self._refused("el archivo es demasiado grande", "the file is too large")
        readers: dict[str, Callable[[list[str]], None]] = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._quorum_line,
        }
        for self._line, line in enumerate(data.decode(errors="surrogateescape").split("\n"), 1):
            if _FORBIDDEN.search(line):
                raise self._refused("hay un carácter de control", "there is a control character")
            keyword, *items = [item for item in _WHITESPACE.split(line) if item] or [""]
            if not keyword or keyword.startswith("#"):
                continue
            if keyword not in readers:
                raise self._refused(
                    "no empieza por log, witness, group ni quorum",
                    "it starts with none of log, witness, group, quorum",
                )
            readers[keyword](items)
        if not self._quorum:
            raise self._refused(
                "falta la línea «quorum»; escriba «quorum none» si no se exige ningún testigo",
                "the line “quorum” is missing; write “quorum none” if no witness is required",
            )
        quorum = None if self._quorum == [NONE] else self._quorum[0]
        return Policy(tuple(self._logs), tuple(self._witnesses), tuple(self._groups), quorum)

    def _log(self, items: list[str]) -> None:
        if len(items) not in (1, 2):
            raise self._refused("se espera «log <vkey> [<url>]»", "expected “log <vkey> [<url>]”")
        key = self._key(Verifier.parse, items[0])
        self._new_key(key, key.public_key)
        self._logs.append(Log(key, *items[1:]))

    def _witness(self, items: list[str]) -> None:
        if len(items) not in (2, 3):
            raise self._refused(
                "se espera «witness <nombre> <vkey> [<url>]»", "expected “witness <name> <vkey> [<url>]”"
            )
        name = self._new_name(items[0])
        key = self._key(WitnessKey.parse, items[1])
        self._new_key(key, key.public_key)
        self._witnesses.append(Witness(name, key, *items[2:]))

    def _group(self, items: list[str]) -> None:
        if len(items) < 3:
            raise self._refused(
                "se espera «group <nombre> <k>|all|any <miembro>…»",
                "expected “group <name> <k>|all|any <member>…”",
            )
        name, threshold, *members = items
        for member in members:
            if member not in self._names:
                raise self._refused(
                    f"«{_shown(member)}» no está definido antes de este grupo",
                    f"“{_shown(member)}” is not defined before this group",
                )
            if member in self._members:
                raise self._refused(
                    f"«{_shown(member)}» ya es miembro de un grupo",
                    f"“{_shown(member)}” is a member of a group already",
                )
            self._members.add(member)
        needed = {"all": len(members), "any": 1}.get(threshold)
        if needed is None and _THRESHOLD.fullmatch(threshold):
            needed = int(threshold)
        if needed is None or needed > len(members):
            raise self._refused(
                f"el umbral debe ser all, any o un número de 1 a {len(members)}",
                f"the threshold must be all, any or a number from 1 to {len(members)}",
            )
        self._groups.append(Group(self._new_name(name), needed, tuple(members)))

    def _quorum_line(self, items: list[str]) -> None:
        if len(items) != 1:
            raise self._refused("se espera «quorum <nombre>|none»", "expected “quorum <name>|none”")
        if self._quorum:
            raise self._refused("hay más de una línea «quorum»", "there is more than one line “quorum”")
        if items[0] != NONE and items[0] not in self._names:
            raise self._refused(
                f"«{_shown(items[0])}» no está definido antes", f"“{_shown(items[0])}” is not defined before"
            )
        self._quorum.append(items[0])

    def _new_name(self, name: str) -> str:
        if name == NONE or name in self._names:
            raise self._refused(
                f"el nombre «{_shown(name)}» ya está en uso", f"the name “{_shown(name)}” is in use already"
            )
        self._names.add(name)
        return name

    def _new_key(self, key: Key, public_key: bytes) -> None:
        # Two names for one key would let one witness count twice, and a log be its own witness.
        if public_key in self._keys or (key.name, key.key_id) in self._identities:
            raise self._refused("esta clave ya está en el archivo", "this key is in the file already")
        self._keys.add(public_key)
        self._identities.add((key.name, key.key_id))

    def _key(self, parse: Callable[[str], K], vkey: str) -> K:
        try:
            return parse(vkey)
        except MalformedLog as error:
            raise self._refused(error.text.es, error.text.en) from None

    def _refused(self, es: str, en: str) -> MalformedLog:
        return MalformedLog(
            f"La política no se puede usar; línea {self._line}: {es}. Corríjala según c2sp.org/tlog-policy.",
            f"The policy cannot be used; line {self._line}: {en}. Correct it by c2sp.org/tlog-policy.",
        )


def _line(*items: str | None) -> str:
    return " ".join(item for item in items if item is not None) + "\n"


def _shown(name: str) -> str:
    """A name for a message: bytes that are no UTF-8 as escapes."""
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")
