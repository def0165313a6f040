"""The fold of a log's leaves: in order, gapless, and never anything but open leaves."""

import hashlib
from datetime import date
from uuid import UUID, uuid4

import pytest

from projections.counting.definition import DEFINITION_ID, definition_sha256, definition_text
from projections.counting.fold import Fold, fold
from projections.counting.query import ask
from registry.errors import MalformedLog
from registry.log.leaf import entry_leaf, open_leaf
from tests.unit.counting.test_disclosure import PUBLIC

ENTRY = entry_leaf(uuid4(), "3q2+7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
DAY = date(2026, 11, 22)
PUBLISHED = "55ecabc6246c6814f41d150e7d5ca8da7d95c80059e3cfa0c71ec4f145804535"


def test_leaves_are_folded_from_their_bytes() -> None:
    adopted = {"id": DEFINITION_ID, "sha256": definition_sha256()}
    leaves = [
        open_leaf(UUID(int=1, version=4), "definition.adopted", DAY, adopted),
        ENTRY,
        open_leaf(UUID(int=2, version=4), "incident.disclosed", DAY, PUBLIC),
        open_leaf(UUID(int=3, version=4), "institution.registered", DAY, {"name": "any"}),
    ]

    result = fold(leaves)

    assert result.size == 4
    assert result.definition is not None
    assert result.definition.sha256 == definition_sha256()
    assert result.count(ask()).bounds == (1, 1, 1)


def test_a_leaf_out_of_turn_is_refused() -> None:
    with pytest.raises(MalformedLog):
        Fold().add(1, ENTRY)


def test_the_published_text_of_the_definition_never_changes() -> None:
    # Other words are another version: publish national-count/2 beside it.
    assert hashlib.sha256(definition_text()).hexdigest() == definition_sha256() == PUBLISHED
