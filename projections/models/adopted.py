"""The disclosure policy that was in force as of a size of the log, read from the leaf that adopted it."""

from typing import NamedTuple

from projections.counting.fold import read_adoption
from projections.errors import ProjectionStopped
from projections.tables import Connection
from registry.disclosure.policy import Policy, parse
from registry.log.leaf import OpenLeaf, parse_leaf
from registry.sql import load_queries

_SQL = load_queries("projections.models", "adopted.sql")


class AdoptedPolicy(NamedTuple):
    """``position``: of the leaf. ``sha256``: of the document's canonical JSON, in hexadecimal."""

    position: int
    sha256: str
    policy: Policy


async def policy(connection: Connection, size: int) -> AdoptedPolicy | None:
    """None where the log had adopted none by then."""
    row = await connection.fetchrow(_SQL["policy"], size)
    if row is None:
        return None
    leaf = parse_leaf(row["leaf"])
    if not isinstance(leaf, OpenLeaf):
        raise ProjectionStopped("public_count", row["position"], "an adoption stands where the log has none")
    adoption = read_adoption(row["position"], leaf.public)
    return AdoptedPolicy(adoption.position, adoption.sha256, parse(adoption.policy))
