"""What the register itself decides: definition, policy, catalogues. The operator acts, once, and it is logged."""

from hashlib import sha256
from uuid import UUID

from registry.application.execution.unit import Decision, Unit
from registry.disclosure.policy import parse
from registry.domain.codes import CorrectionReason
from registry.domain.register import REGISTER_ID, Register, SubjectKind
from registry.log.canonical import JSON, encode


def adopt_definition(definition: str, digest: str) -> Decision:
    """The definition of the count from now on: its id and the SHA-256 (hex) of its text."""

    async def decide(unit: Unit) -> Register:
        register = await _register(unit)
        register.adopt_definition(unit.act, definition=definition, sha256=digest)
        return register

    return decide


def adopt_policy(name: str, policy: dict[str, JSON]) -> Decision:
    """The disclosure policy from now on, logged whole so that anyone can replay what it allowed.

    Raises InvalidInput if it is none: releases and verifiers could not read it.
    """
    parse(policy)

    async def decide(unit: Unit) -> Register:
        register = await _register(unit)
        register.adopt_policy(unit.act, name=name, sha256=sha256(encode(policy)).hexdigest(), policy=policy)
        return register

    return decide


def adopt_catalog(event_id: UUID, name: str, vintage: str, digest: str, rows: int) -> Decision:
    """A vintage of a catalogue from now on, whose rows are stored under this id. Decides nothing the second time."""

    async def decide(unit: Unit) -> Register:
        register = await _register(unit)
        register.adopt_catalog(
            unit.act, event_id=event_id, name=name, vintage=vintage, sha256=digest, rows=rows
        )
        return register

    return decide


def record_erasure(event_id: UUID, kind: SubjectKind, subject: str, reason: CorrectionReason) -> Decision:
    """A subject was erased, and is named by a keyed hash."""

    async def decide(unit: Unit) -> Register:
        register = await _register(unit)
        register.record_erasure(unit.act, event_id=event_id, kind=kind, subject=subject, reason=reason)
        return register

    return decide


async def _register(unit: Unit) -> Register:
    return await unit.find(Register, REGISTER_ID) or unit.add(Register(id=REGISTER_ID))
