"""What the log showed in an earlier run (``--state``), against what it shows now.

A fork, a rollback and a quorum that was lowered are visible only to someone who remembers.
"""

from dataclasses import dataclass, replace

from projections.verification.audit import Audited
from projections.verification.errors import CannotStart, VerificationFailed
from projections.verification.memory import VERSION, Memory
from projections.verification.report import Report
from projections.verification.trust import Keyring, open_signed
from projections.verification.witnesses import cosigning_times
from registry.errors import MalformedLog
from registry.log.checkpoint import Checkpoint
from registry.log.policy import Policy
from registry.text import Text


@dataclass(frozen=True)
class Signed:
    """The log's checkpoint: the note as it was served, and what it says."""

    note: str
    checkpoint: Checkpoint

    @property
    def size(self) -> int:
        """Leaves that the checkpoint covers."""
        return self.checkpoint.size


def remembered(memory: Memory, keyring: Keyring) -> Signed:
    """The checkpoint of an earlier run. Raises CannotStart unless this log signed it."""
    try:
        return Signed(memory.checkpoint, open_signed(memory.checkpoint, keyring))
    except VerificationFailed as error:
        raise CannotStart(
            f"El archivo --state no contiene un checkpoint firmado por esta bitácora. {error.text.es}",
            f"The --state file holds no checkpoint signed by this log. {error.text.en}",
        ) from error


def remembered_policy(memory: Memory) -> Policy | None:
    """Witnesses and quorum of an earlier run, if it had any. Raises CannotStart."""
    if memory.policy is None:
        return None
    try:
        return Policy.parse(memory.policy)
    except MalformedLog as error:
        raise CannotStart(
            f"La política recordada en el archivo --state no vale. {error.text.es}",
            f"The policy remembered in the --state file is not valid. {error.text.en}",
        ) from error


def compare_policies(
    note: str, keyring: Keyring, earlier: Policy | None, now: Policy | None, report: Report
) -> None:
    """Says so when other witnesses, or fewer, are asked for than in the run before.

    Whoever can change a policy file lowers the quorum without touching the log; only who remembers notices.
    """
    if earlier is None or now is None or _asked_for(earlier) == _asked_for(now):
        return
    met = _meets(note, keyring, earlier)
    report.remark(
        Text(
            "La política ya no pide los mismos testigos que en la verificación anterior. Este checkpoint "
            f"{'también alcanza' if met else 'NO alcanza'} el quórum que se pedía antes. Si usted no cambió la "
            f"política, averigüe quién. Antes:\n{_shown(earlier)}Ahora:\n{_shown(now)}",
            "The policy no longer asks for the witnesses of the verification before. This checkpoint "
            f"{'also meets' if met else 'does NOT meet'} the quorum that was asked for then. If it was not you who "
            f"changed the policy, find out who did. Before:\n{_shown(earlier)}Now:\n{_shown(now)}",
        )
    )


def check_not_shorter(earlier: Signed, signed: Signed) -> None:
    """Before anything is fetched: no rollback, no other root at the same size. Raises VerificationFailed."""
    old, new = earlier.checkpoint, signed.checkpoint
    if new.size < old.size:
        raise VerificationFailed(
            f"La bitácora retrocedió: antes tenía {old.size} hojas y ahora muestra {new.size}. Una bitácora solo "
            f"crece; puede ser una copia atrasada o un intento de borrar. {_both_notes(earlier, signed).es}",
            f"The log was rolled back: it had {old.size} leaves before and shows {new.size} now. A log only grows; "
            f"this is a stale copy or an attempt to erase. {_both_notes(earlier, signed).en}",
        )
    if new.size == old.size and new.root != old.root:
        raise _fork(earlier, signed)


def check_prefix(earlier: Signed, signed: Signed, audited: Audited, report: Report) -> None:
    """After the audit: the remembered leaves still begin the log. Raises VerificationFailed."""
    old = earlier.checkpoint
    if audited.roots[old.size] != old.root:
        raise _fork(earlier, signed)
    report.step(
        Text(
            f"Las primeras {old.size} hojas siguen siendo las del checkpoint recordado: nada se reescribió.",
            f"The first {old.size} leaves still are those of the remembered checkpoint: nothing was rewritten.",
        )
    )


def memory_of(keyring: Keyring, signed: Signed, policy: Policy | None) -> Memory:
    """What to remember of this run. Keys that the server merely showed are never promoted to remembered ones."""
    return Memory(
        v=VERSION,
        log=tuple(key.vkey() for key in keyring.log),
        count=tuple(key.vkey() for key in keyring.count) if keyring.count_trusted else (),
        checkpoint=signed.note,
        policy=None if policy is None else replace(policy, logs=()).serialise(),
    )


def _fork(earlier: Signed, signed: Signed) -> VerificationFailed:
    return VerificationFailed(
        "La bitácora se bifurcó: firmó dos historias que se contradicen. Guarde ambas notas, son la prueba. "
        f"{_both_notes(earlier, signed).es}",
        "The log has forked: it signed two histories that contradict each other. Keep both notes, they are the "
        f"proof. {_both_notes(earlier, signed).en}",
    )


def _both_notes(earlier: Signed, signed: Signed) -> Text:
    return Text(
        f"Recordada:\n{earlier.note}\nMostrada ahora:\n{signed.note}",
        f"Remembered:\n{earlier.note}\nShown now:\n{signed.note}",
    )


def _meets(note: str, keyring: Keyring, policy: Policy) -> bool:
    """Not with a false cosignature: of a witness that is asked no longer it counts for nothing, and fails nothing."""
    try:
        return policy.met_by(cosigning_times(note, keyring, policy))
    except VerificationFailed:
        return False


def _asked_for(policy: Policy) -> tuple[object, ...]:
    """All that decides whether a note is cosigned enough: addresses do not."""
    return {(each.name, each.key.vkey()) for each in policy.witnesses}, policy.groups, policy.quorum


def _shown(policy: Policy) -> str:
    return replace(policy, logs=()).serialise().decode(errors="backslashreplace")
