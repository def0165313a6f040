"""The definition as a jq program gives the answers of the fold: on the shared vectors, and on any history."""

import json
import re
import shutil
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings

from projections.counting.certificate import certify
from projections.counting.definition import program_text
from projections.counting.fold import Fold, fold
from projections.counting.query import CountQuery, ask
from registry.domain.codes import KINDS, IncidentClass
from registry.log.canonical import decode, encode
from tests.histories import Public, histories, queries
from tests.unit.counting.test_disclosure import CONTRADICTIONS, PUBLIC, changed
from tests.unit.counting.test_vectors import CASES
from tests.unit.verification.synthetic import COUNT_KEY, ORIGIN, small_log

JQ = shutil.which("jq")
PROGRAM = resources.files("projections.counting").joinpath("national-count-1.jq")

pytestmark = pytest.mark.skipif(JQ is None, reason="jq is absent")


def run(leaves: list[dict[str, Any]], query: object) -> subprocess.CompletedProcess[bytes]:
    assert JQ is not None
    return subprocess.run(
        [JQ, "-ncS", "--argjson", "query", json.dumps(query), "-f", str(PROGRAM)],
        input=b"\n".join(json.dumps(leaf).encode() for leaf in leaves),
        capture_output=True,
        check=False,
    )


def disclosed(public: Public) -> dict[str, Any]:
    return {"type": "incident.disclosed", "public": public}


@pytest.mark.parametrize(("leaves", "question"), CASES)
def test_the_program_answers_as_the_vector_says(
    leaves: list[dict[str, Any]], question: dict[str, Any]
) -> None:
    done = run(leaves[: question["as_of"]], question["query"])

    assert done.returncode == 0, done.stderr
    assert decode(done.stdout.strip()) == question["result"], question["why"]


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(histories, queries())
@example([], ask())
def test_the_program_answers_as_the_fold_does(history: list[Public], query: CountQuery) -> None:
    leaves = [{"type": "entry"}, *map(disclosed, history)]
    fold = Fold()
    fold.add_entry(0)
    for position, public in enumerate(history, 1):
        fold.add_open(position, "incident.disclosed", public)

    done = run(leaves, query.canonical())

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == encode(fold.count(query).canonical())


@pytest.mark.parametrize(("path", "value"), CONTRADICTIONS)
def test_a_leaf_that_contradicts_itself_has_no_count_even_when_a_later_one_replaces_it(
    path: str, value: object
) -> None:
    done = run([disclosed(changed(path, value)), disclosed(PUBLIC)], ask().canonical())

    assert done.returncode != 0
    assert b"malformed" in done.stderr
    assert done.stdout == b""


def test_a_certificate_is_checked_with_public_tools_as_the_documentation_says(tmp_path: Path) -> None:
    document = (Path(__file__).parents[3] / "docs" / "verify.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^\$ (head .*cmp .*)$", document, re.MULTILINE)
    log = small_log()
    early = log.leaves[:8]
    query = ask("VICTIMISATIONS", group_by=["CLASS", "YEAR"])
    note = certify([COUNT_KEY], ORIGIN, query, fold(early).count(query), len(early), bytes(32))
    (tmp_path / "leaves.ndjson").write_bytes(b"".join(leaf + b"\n" for leaf in log.leaves))
    (tmp_path / "national-count-1.jq").write_bytes(program_text())

    def check(certificate: str) -> int:
        (tmp_path / "certificate").write_text(certificate, encoding="utf-8")
        bash = ["bash", "-euo", "pipefail", "-c", command]
        return subprocess.run(bash, cwd=tmp_path, capture_output=True, check=False).returncode

    assert check(note) == 0
    assert check(note.replace('"low":2', '"low":3')) != 0


def test_the_program_knows_the_same_kinds() -> None:
    text = program_text().decode()
    for incident_class in IncidentClass:
        listed = re.search(rf'"{incident_class}": \[(.*?)\]', text, re.DOTALL)
        assert listed is not None
        assert set(re.findall(r'"(\w+)"', listed[1])) == KINDS[incident_class]
