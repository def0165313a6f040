"""The shared vectors: what every implementation of ``national-count/1``, in any language, must answer.

Each file holds the leaves of a log (``{"type": "entry"}`` for one that is not open) and questions in canonical form
with the size they are asked as of, the result in canonical form, and why.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from projections.counting.fold import Fold
from projections.counting.query import read

VECTORS = Path(__file__).parents[2] / "vectors" / "counting"
CASES = [
    pytest.param(vector["leaves"], question, id=f"{path.stem}-{number}")
    for path in sorted(VECTORS.glob("*.json"))
    for vector in [json.loads(path.read_text(encoding="utf-8"))]
    for number, question in enumerate(vector["questions"])
]


@pytest.mark.parametrize(("leaves", "question"), CASES)
def test_the_fold_answers_as_the_vector_says(leaves: list[dict[str, Any]], question: dict[str, Any]) -> None:
    fold = Fold()
    for position, leaf in enumerate(leaves[: question["as_of"]]):
        if leaf["type"] == "entry":
            fold.add_entry(position)
        else:
            fold.add_open(position, leaf["type"], leaf["public"])

    assert fold.count(read(question["query"])).canonical() == question["result"], question["why"]
