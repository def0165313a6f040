"""The register's own announcements, against each other: definition, policy and releases.

1. A definition and a policy are adopted before anything is disclosed; a policy's SHA-256 is that of its canonical
   JSON, and the last adopted definition is the one whose text is shipped with this program.
2. A release counts its disclosures truly, follows the definition and policy that hold, has an id of its own, and
   says once per institution and quarter whether it answered.
3. A release discloses incidents in the order of their ids, which are random, each once: any other order could tell
   which was reported or decided first. A leaf's id is used once.
"""

import hashlib
import re
from typing import Final

from projections.verification.errors import VerificationFailed
from registry.log.canonical import JSON, encode

ANSWERS: Final = frozenset({"ANSWERED", "NOT_ANSWERED"})
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_QUARTER: Final = re.compile(r"[0-9]{4}-Q[1-4]")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Releases:
    """Follows the register through the open leaves in order. ``definition`` is the SHA-256 of the one that holds."""

    def __init__(self) -> None:
        self.definition: str | None = None
        self.policy: str | None = None
        self.published = 0
        self.pending: list[str] = []
        """Incidents disclosed since the last release was published, in order."""
        self._ids: set[str] = set()

    def adopt_definition(self, index: int, public: JSON) -> None:
        """``definition.adopted``."""
        fields = _fields(index, "definition.adopted", public, {"id", "sha256"})
        self.definition = _sha256(index, "definition.adopted", fields["sha256"])

    def adopt_policy(self, index: int, public: JSON) -> None:
        """``policy.adopted``."""
        fields = _fields(index, "policy.adopted", public, {"id", "sha256", "policy"})
        self.policy = _sha256(index, "policy.adopted", fields["sha256"])
        actual = hashlib.sha256(encode(fields["policy"])).hexdigest()
        if actual != self.policy:
            raise fail(
                index,
                "policy.adopted",
                f"anuncia la política {self.policy}, pero la que contiene da {actual}.",
                f"announces policy {self.policy}, but the one that it holds gives {actual}.",
            )

    def disclose(self, index: int, incident: str) -> None:
        """``incident.disclosed``."""
        if self.definition is None or self.policy is None:
            raise fail(
                index,
                "incident.disclosed",
                f"divulga el incidente {incident} antes de que se adoptaran una definición y una política.",
                f"discloses incident {incident} before a definition and a policy were adopted.",
            )
        if self.pending[-1:] == [incident]:
            raise fail(
                index,
                "incident.disclosed",
                f"divulga el incidente {incident} por segunda vez en la misma publicación.",
                f"discloses incident {incident} a second time in the same release.",
            )
        if self.pending and incident < self.pending[-1]:
            raise fail(
                index,
                "incident.disclosed",
                f"divulga el incidente {incident} después de {self.pending[-1]}, sin seguir el orden de sus ids.",
                f"discloses incident {incident} after {self.pending[-1]}, out of the order of their ids.",
            )
        self.pending.append(incident)

    def publish(self, index: int, public: JSON) -> None:
        """``release.published``."""
        name = "release.published"
        fields = _fields(
            index, name, public, {"release", "definition", "policy", "disclosed", "answers", "tables"}
        )
        claimed = encode(fields["disclosed"]).decode()
        if claimed != str(len(self.pending)):
            raise fail(
                index,
                name,
                f"dice haber divulgado {claimed[:20]} incidentes; en la bitácora hay "
                f"{len(self.pending)} desde la publicación anterior.",
                f"claims to have disclosed {claimed[:20]} incidents; the log has "
                f"{len(self.pending)} since the previous release.",
            )
        for field, adopted in (("definition", self.definition), ("policy", self.policy)):
            if fields[field] != adopted or adopted is None:
                raise fail(
                    index,
                    name,
                    f"su {field} no es la última adoptada en la bitácora ({adopted}).",
                    f"its {field} is not the one last adopted in the log ({adopted}).",
                )
        self._use(index, name, fields["release"])
        _check_answers(index, fields["answers"])
        if not isinstance(fields["tables"], list):
            raise fail(index, name, "«tables» no es una lista.", "“tables” is not a list.")
        self.pending = []
        self.published += 1

    def identify(self, index: int, event_id: str, event_type: str) -> None:
        """Every open leaf: its id, on which commitments rest, must be its own."""
        self._use(index, event_type, event_id)

    def _use(self, index: int, name: str, value: JSON) -> None:
        if not isinstance(value, str) or not _UUID.fullmatch(value):
            raise fail(index, name, "su identificador no es un UUID.", "its id is not a UUID.")
        if value in self._ids:
            raise fail(
                index,
                name,
                f"repite el identificador {value} de una hoja anterior; los compromisos se atan a él.",
                f"repeats the id {value} of an earlier leaf; commitments are tied to it.",
            )
        self._ids.add(value)


def fail(index: int, name: str, es: str, en: str) -> VerificationFailed:
    """A failure that says which leaf, of which type."""
    return VerificationFailed(f"Hoja {index} ({name}): {es}", f"Leaf {index} ({name}): {en}")


def _check_answers(index: int, answers: JSON) -> None:
    name = "release.published"
    if not isinstance(answers, list):
        raise fail(index, name, "«answers» no es una lista.", "“answers” is not a list.")
    seen: set[tuple[JSON, JSON]] = set()
    for answer in answers:
        fields = _fields(index, name, answer, {"institution", "quarter", "answer"})
        institution, quarter = fields["institution"], fields["quarter"]
        well_formed = (
            isinstance(institution, str)
            and _UUID.fullmatch(institution)
            and isinstance(quarter, str)
            and _QUARTER.fullmatch(quarter)
            and fields["answer"] in ANSWERS
        )
        if not well_formed or (institution, quarter) in seen:
            raise fail(
                index,
                name,
                "«answers» debe decir una sola vez, por institución y trimestre, ANSWERED o NOT_ANSWERED.",
                "“answers” must say exactly once, per institution and quarter, ANSWERED or NOT_ANSWERED.",
            )
        seen.add((institution, quarter))


def _fields(index: int, name: str, value: JSON, keys: set[str]) -> dict[str, JSON]:
    if not isinstance(value, dict) or set(value) != keys:
        listed = ", ".join(sorted(keys))
        raise fail(index, name, f"debe tener exactamente {listed}.", f"must have exactly {listed}.")
    return value


def _sha256(index: int, name: str, value: JSON) -> str:
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise fail(
            index, name, "«sha256» no son 64 dígitos hexadecimales.", "“sha256” is not 64 hexadecimal digits."
        )
    return value
