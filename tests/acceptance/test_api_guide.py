"""The guide to the API does what it says: its examples, run as they stand there, one after the other."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.acceptance.conftest import Program
from tests.acceptance.test_readme import ADDRESS, run

GUIDE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
TOOLS = ("curl", "jq", "openssl")

pytestmark = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in TOOLS), reason=f"not installed: one of {', '.join(TOOLS)}"
)


def examples() -> dict[str, str]:
    """The runnable block of each section that has one."""
    found = {}
    for section in re.split(r"^## ", GUIDE, flags=re.MULTILINE)[1:]:
        if block := re.search(r"^```bash\n(.*?)^```$", section, re.MULTILINE | re.DOTALL):
            found[section.partition("\n")[0]] = block[1]
    return found


@pytest.fixture(scope="module")
def outputs(program: Program, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each example prints, all run in one shell, beside ``data``."""
    directory = tmp_path_factory.mktemp("reader")
    (directory / "data").symlink_to(program.data)
    blocks = examples()
    done = run("\necho '--- next'\n".join(blocks.values()).replace(ADDRESS, program.url), directory)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return dict(zip(blocks, done.stdout.split("--- next\n"), strict=True))


def test_every_task_has_an_example_that_runs(outputs: dict[str, str]) -> None:
    assert list(outputs) == [
        "A first submission",
        "Report",
        "Attach evidence",
        "Answer a data subject",
        "Who has read what",
        "Adjudicate, correct, retract, merge, split",
    ]
    assert outputs["Report"].split() == ["2", "1"]
    assert outputs["Adjudicate, correct, retract, merge, split"].split() == ["VERIFIED", "MERGED"]


def test_a_file_comes_back_with_its_custody(outputs: dict[str, str]) -> None:
    custody = json.loads(outputs["Attach evidence"])
    assert (custody["size"], custody["media_type"], custody["reads"]) == (19, "application/pdf", [])


def test_a_person_gets_what_is_held(outputs: dict[str, str]) -> None:
    printed = outputs["Answer a data subject"]
    assert '"answer_due": "2026-05-04"' in printed
    assert '"2026-05-11"' in printed
    for what in ("threat.reported", "report.amended", "assignment.registered", '"files": 1'):
        assert what in printed
    assert printed.rstrip().endswith("CARRIED_OUT")


def test_identities_need_a_reason(outputs: dict[str, str]) -> None:
    printed = outputs["Who has read what"]
    assert "private.person.internal_id" in printed.partition("]")[0]
    assert '"purpose": "STUDENT_SUPPORT"' in printed
