"""Nobody is killed twice: a person is among the dead of one standing incident at most.

What is looked up here explains the refusal. That two writers at once cannot both win is the store's doing: an
incident holds the names of its dead (``Aggregate.exclusive``), and no other stream may hold them.
"""

from registry.application.execution.unit import Unit
from registry.domain import incident_rules as rules
from registry.domain.incident import Incident


async def refuse_double_deaths(unit: Unit) -> None:
    """Raises RuleViolated if a changed incident says of a person what another standing incident says already."""
    incidents = unit.loaded(Incident)
    changed = [incident for incident in incidents if incident.pending]
    dead = {person: incident for incident in changed for person in incident.killed}
    if not dead:
        return
    for person, incident in dead.items():
        for other in incidents:
            if other is not incident and person in other.killed:
                raise rules.double_death(other.id)
    here = {incident.id for incident in incidents}
    names = sorted(name for incident in changed for name in incident.exclusive or ())
    for holder in (await unit.store.holders(names)).values():
        # Those that this unit has loaded were looked at above, as they will be.
        if holder not in here:
            raise rules.double_death(holder)
