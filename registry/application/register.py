"""What the register itself decides: its definition and its policy. The operator acts, once, and it is logged."""

from hashlib import sha256

from registry.application.unit import Decision, Unit
from registry.domain.register import REGISTER_ID, Register
from registry.log.canonical import JSON, encode


def adopt_definition(definition: str, digest: str) -> Decision:
    """The definition of the count from now on: its id and the SHA-256 (hex) of its text."""

    async def decide(unit: Unit) -> Register:
        register = await _register(unit)
        register.adopt_definition(unit.act, definition=definition, sha256=digest)
        return register

    return decide


def adopt_policy(name: str, policy: dict[str, JSON]) -> Decision:
    """The disclosure policy from now on, logged whole so that anyone can replay what it allowed."""

    async def decide(unit: Unit) -> Register:
        register = await _register(unit)
        register.adopt_policy(unit.act, name=name, sha256=sha256(encode(policy)).hexdigest(), policy=policy)
        return register

    return decide


async def _register(unit: Unit) -> Register:
    return await unit.find(Register, REGISTER_ID) or unit.add(Register(id=REGISTER_ID))
