"""The policy that this register publishes under: the operator's file, with the log's own keys in it.

The file may leave the ``log`` lines out, because the keys are made by the first start. Refused at the start is what
could never be published: a quorum of witnesses without an address, or of more than a note carries.
"""

import logging
from collections.abc import Collection
from pathlib import Path

import httpx

from registry.errors import MalformedLog, StartRefused
from registry.log.note import MAX_SIGNATURES, Verifier
from registry.log.policy import Log, Policy

_logger = logging.getLogger(__name__)


def load_policy(path: Path | None, origin: str, keys: Collection[Verifier]) -> Policy:
    """The policy in ``path``; without one, ``quorum none``. ``keys`` are the log's own, named ``origin``.

    StartRefused when the file cannot be read, is malformed or could never be met. A log of ``localhost`` never
    contacts a witness, so it has no quorum either, whatever the file says.
    """
    own = [Log(key) for key in keys]
    if path is None:
        return Policy().with_logs(own)
    try:
        policy = Policy.parse(path.read_bytes())
    except OSError as error:
        raise StartRefused(
            f"No se puede leer la política {path}: {error.strerror}. Corrija CONSTANCIA_POLICY_FILE.",
            f"The policy {path} cannot be read: {error.strerror}. Correct CONSTANCIA_POLICY_FILE.",
        ) from None
    except MalformedLog as error:
        raise StartRefused(f"{path}: {error.text.es}", f"{path}: {error.text.en}") from None
    if is_local(origin):
        _logger.warning("%s is a log of this machine only: no witness of %s is contacted", origin, path)
        return Policy().with_logs(own)
    _check_addresses(policy, path)
    _check_quorum(policy, path, room=MAX_SIGNATURES - len(own))
    return policy.with_logs(own)


def is_local(origin: str) -> bool:
    """Whether a log is named after the machine that it runs on: nobody else could tell it from theirs."""
    if origin.startswith("[::1]"):
        return True
    host = origin.partition("/")[0].partition(":")[0]
    return host == "localhost" or host.endswith(".localhost") or host.startswith("127.")


def _check_addresses(policy: Policy, path: Path) -> None:
    for witness in policy.witnesses:
        if witness.url is not None and not _is_address(witness.url):
            raise StartRefused(
                f"{path}: la dirección del testigo {witness.name} no empieza por https:// o http://. Corríjala.",
                f"{path}: the address of witness {witness.name} does not begin with https:// or http://. Correct it.",
            )


def _check_quorum(policy: Policy, path: Path, room: int) -> None:
    reached = policy.smallest_quorum([each.name for each in policy.witnesses if each.url is not None])
    if reached is None:
        raise StartRefused(
            f"{path}: los testigos con dirección no bastan para el quórum, así que nada se publicaría. Agregue al "
            "final de la línea de cada testigo su dirección (https://…).",
            f"{path}: the witnesses with an address are not enough for the quorum, so nothing would be published. "
            "Add to the end of each witness's line its address (https://…).",
        )
    if len(reached) > room:
        raise StartRefused(
            f"{path}: el quórum exige {len(reached)} cofirmas y en una nota caben {room}. Redúzcalo.",
            f"{path}: the quorum asks for {len(reached)} cosignatures and a note has room for {room}. Reduce it.",
        )


def _is_address(url: str) -> bool:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError):
        return False
    return (
        parsed.scheme in ("http", "https") and bool(parsed.host) and not parsed.query and not parsed.fragment
    )
