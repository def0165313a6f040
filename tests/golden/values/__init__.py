"""What the golden bytes say: one or more events of every type, every optional field both present and absent.

Add to these tables, never change what stands in them: an event that was released stays readable for ever. A new
case gets a stream of its own, so that what is recorded of the states of the others stays, too.
"""

from registry.domain.event import Event
from tests.golden.values.assignments import ASSIGNMENTS
from tests.golden.values.incidents import INCIDENTS
from tests.golden.values.places import PLACES
from tests.golden.values.register import REGISTER
from tests.golden.values.reports import REPORTS

GOLDEN: dict[str, Event] = {**PLACES, **ASSIGNMENTS, **REPORTS, **INCIDENTS, **REGISTER}
