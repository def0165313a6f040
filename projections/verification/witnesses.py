"""Who else vouches for the checkpoint, and how old it is: the person's policy against its cosignatures.

A checkpoint has no date of its own. What dates it are the times in its cosignatures (c2sp.org/tlog-cosignature), so
only a witness whose key the policy names can say that it is recent.
"""

from datetime import UTC, datetime
from typing import Final

from projections.verification.errors import VerificationFailed
from projections.verification.report import Report
from projections.verification.trust import Keyring
from registry.errors import MalformedLog
from registry.log.policy import Log, Policy
from registry.text import Text

CLOCK_SECONDS: Final = 300
"""How far a witness's clock may be ahead of ours; a cosignature from further in the future dates nothing."""

SECONDS_PER_HOUR: Final = 3600


def check_witnesses(
    note: str, keyring: Keyring, policy: Policy | None, max_age: float | None, now: float, report: Report
) -> None:
    """Holds the note against the policy's quorum and, in hours, ``max_age``. ``now`` is in POSIX seconds.

    Raises VerificationFailed when the quorum is missed, a cosignature is false, or the checkpoint is too old or
    cannot be dated.
    """
    policy = policy or Policy()
    times = cosigning_times(note, keyring, policy)
    listed = ", ".join(f"{name} ({_shown(time)})" for name, time in sorted(times.items())) or "-"
    # 1. The quorum.
    if not policy.met_by(times):
        raise VerificationFailed(
            f"El checkpoint no tiene las cofirmas que exige la política (quórum {policy.quorum}). Cofirmaron: "
            f"{listed}. Pida el checkpoint más reciente; si tampoco las tiene, pregunte a los testigos.",
            f"The checkpoint lacks the cosignatures that the policy requires (quorum {policy.quorum}). Cosigned: "
            f"{listed}. Fetch the newest checkpoint; if it lacks them too, ask the witnesses.",
        )
    if policy.quorum is None:
        report.remark(
            Text(
                "UNWITNESSED: ningún testigo independiente respalda este checkpoint; quien firma podría mostrar otra "
                "bitácora a otra persona. Compárelo con el que recibieron otros.",
                "UNWITNESSED: no independent witness backs this checkpoint; its signer could show another log to "
                "someone else. Compare it with the one that others received.",
            )
        )
    else:
        report.step(
            Text(
                f"Testigos independientes la vieron crecer sin cambios y cofirmaron: {listed}. Alcanzan el quórum de "
                "la política.",
                f"Independent witnesses saw it grow unchanged and cosigned: {listed}. They are the policy's quorum.",
            )
        )
    # 2. The age.
    if max_age is not None:
        _check_age(policy, times, max_age, now, report)


def cosigning_times(note: str, keyring: Keyring, policy: Policy) -> dict[str, int]:
    """When each of the policy's witnesses cosigned, by name. Raises VerificationFailed for a false cosignature."""
    logs = [Log(key) for key in keyring.log]
    try:
        return policy.with_logs(logs).open(note, keyring.origin).times
    except MalformedLog as error:
        raise VerificationFailed(error.text.es, error.text.en) from error


def _check_age(policy: Policy, times: dict[str, int], max_age: float, now: float, report: Report) -> None:
    vouched = policy.quorum_time({name: time for name, time in times.items() if time <= now + CLOCK_SECONDS})
    if vouched is None:
        raise VerificationFailed(
            "No se puede saber de cuándo es el checkpoint: no lleva ninguna cofirma, con hora creíble, de un testigo "
            "que usted conozca. Dé con --policy los testigos, o quite --max-age.",
            "It cannot be known how old the checkpoint is: it carries no cosignature, of a credible time, by a witness "
            "that you know. Give the witnesses with --policy, or leave --max-age out.",
        )
    age = max(0.0, now - vouched) / SECONDS_PER_HOUR
    if age > max_age:
        raise VerificationFailed(
            f"El checkpoint es viejo: los testigos lo cofirmaron por última vez el {_shown(vouched)}, hace "
            f"{age:.1f} horas, y se aceptan {max_age:g}. El servidor o el espejo puede estar ocultando lo que siguió.",
            f"The checkpoint is stale: witnesses cosigned it last at {_shown(vouched)}, {age:.1f} hours ago, and "
            f"{max_age:g} are accepted. The server or mirror may be hiding what followed.",
        )
    report.step(
        Text(
            f"Es reciente: los testigos lo cofirmaron el {_shown(vouched)}.",
            f"It is recent: witnesses cosigned it at {_shown(vouched)}.",
        )
    )


def _shown(time: int) -> str:
    try:
        return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):  # beyond the calendar
        return str(time)
