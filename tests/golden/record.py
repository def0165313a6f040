"""Records the golden bytes of events that have none yet: ``python -m tests.golden.record``.

To be run when an event type, or a new version of one, is about to be released, after its cases were added to
``values``; and after an aggregate's ``class_version`` went up, for the states that it now folds to. What was
recorded before is never touched; the new files belong into the same commit as the change.
"""

from registry.domain.mapper import STREAMS, encode_event
from tests.golden.corpus import Name, folded, record, recorded_states, state_file, stored
from tests.golden.values import GOLDEN


def main() -> None:
    known = stored()
    for name, event in GOLDEN.items():
        if name in known:
            continue
        if Name.parse(name)[:2] != (event.TOPIC, event.class_version):
            raise SystemExit(
                f"{name}: this program writes {event.TOPIC}.v{event.class_version}; rename the case."
            )
        record(name, encode_event(event))
    for aggregate in STREAMS:
        known_states = recorded_states(aggregate)
        with state_file(aggregate).open("ab") as file:
            file.writelines(
                line
                for stream_id, line in folded(aggregate, GOLDEN.values()).items()
                if stream_id not in known_states
            )


if __name__ == "__main__":
    main()
