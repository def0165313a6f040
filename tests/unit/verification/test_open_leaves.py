"""What the register makes public is what verifiers know of, fold and find described: neither more nor less."""

from datetime import UTC
from pathlib import Path

import pytest

from projections.counting.fold import fold
from projections.verification.recount import OPEN_TYPES, Recount
from registry.domain.mapper import EVENTS
from registry.log.leaf import OpenLeaf, open_leaf, parse_leaf
from tests.golden.values import GOLDEN

LOG = (Path(__file__).parents[3] / "docs" / "log.md").read_text(encoding="utf-8")
PLACES = [
    name for name, event in GOLDEN.items() if event.OPEN and event.TOPIC.startswith(("institution.", "site."))
]


def test_verifiers_know_every_open_event_and_the_page_about_the_log_describes_it() -> None:
    opened = {topic for topic, event in EVENTS.items() if event.OPEN}
    assert opened == OPEN_TYPES
    assert [name for name in sorted(OPEN_TYPES) if f"`{name}`" not in LOG] == []


@pytest.mark.parametrize("name", PLACES)
def test_what_is_public_of_places_passes_the_verifier_and_moves_no_count(name: str) -> None:
    event = GOLDEN[name]
    leaf = open_leaf(event.event_id, event.TOPIC, event.recorded.astimezone(UTC).date(), event.public())
    parsed = parse_leaf(leaf)
    assert isinstance(parsed, OpenLeaf)
    assert parsed.public[event.TOPIC.partition(".")[0]] == str(event.originator_id)
    assert "contact" not in parsed.public
    recount = Recount()
    recount.add(0, leaf)
    assert (recount.open_leaves, fold([leaf]).disclosures) == (1, {})
    described = next(line for line in LOG.splitlines() if line.startswith(f"| `{event.TOPIC}`"))
    assert [field for field in parsed.public if f"`{field}`" not in described] == []
