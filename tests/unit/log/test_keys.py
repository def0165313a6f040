"""The log's keys, its name and its memory, as files."""

import json
import multiprocessing
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from registry.errors import PublisherRefused, StartRefused
from registry.log.keys import load_or_create
from registry.log.last_signed import EMPTY_TREE, FILE, LastSigned, TreeHead
from registry.log.note import Verifier

ORIGIN = "log.example.org/log"
NAMES = {"log": ORIGIN, "receipt": f"{ORIGIN}/receipt/v1", "count": f"{ORIGIN}/count/v1"}


def test_the_first_start_makes_three_keys_that_only_the_owner_reads(tmp_path: Path) -> None:
    keys = load_or_create(tmp_path / "data", ORIGIN)
    assert {
        purpose: [Verifier.parse(vkey).name for vkey in vkeys] for purpose, vkeys in keys.vkeys().items()
    } == {purpose: [name] for purpose, name in NAMES.items()}
    for file in (*(tmp_path / "data/keys").iterdir(), tmp_path / "data/origin", tmp_path / "data" / FILE):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert LastSigned(tmp_path / "data").read() == EMPTY_TREE


def test_every_later_start_finds_the_same_keys(tmp_path: Path) -> None:
    assert load_or_create(tmp_path, ORIGIN).vkeys() == load_or_create(tmp_path, ORIGIN).vkeys()


def start(directory: Path) -> dict[str, list[str]]:
    return load_or_create(directory, ORIGIN).vkeys()


def test_processes_that_start_together_agree_on_the_keys(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as processes:
        started = processes.map(start, [tmp_path / "data"] * 8)
    assert all(vkeys == started[0] for vkeys in started)
    assert not [path for path in (tmp_path / "data/keys").iterdir() if path.suffix != ".key"]


def test_another_origin_is_refused_with_the_way_back(tmp_path: Path) -> None:
    load_or_create(tmp_path, ORIGIN)
    with pytest.raises(StartRefused, match=f"set CONSTANCIA_ORIGIN={ORIGIN}"):
        load_or_create(tmp_path, "other.example/log")


@pytest.mark.parametrize("origin", ["", "log example", "log+example", "log\nexample"])
def test_an_origin_that_no_key_can_be_named_by_is_refused(tmp_path: Path, origin: str) -> None:
    with pytest.raises(StartRefused):
        load_or_create(tmp_path, origin)


def test_a_lost_key_is_never_replaced_by_a_new_one(tmp_path: Path) -> None:
    load_or_create(tmp_path, ORIGIN)
    (tmp_path / "keys/receipt.key").unlink()
    with pytest.raises(StartRefused, match=r"receipt\.key is missing"):
        load_or_create(tmp_path, ORIGIN)
    assert not (tmp_path / "keys/receipt.key").exists()


def test_a_damaged_key_or_one_in_anothers_place_is_refused(tmp_path: Path) -> None:
    load_or_create(tmp_path, ORIGIN)
    (tmp_path / "keys/log.key").write_text((tmp_path / "keys/count.key").read_text())
    with pytest.raises(StartRefused, match="belongs to"):
        load_or_create(tmp_path, ORIGIN)
    (tmp_path / "keys/log.key").write_bytes(b"\xff")
    with pytest.raises(StartRefused, match="damaged"):
        load_or_create(tmp_path, ORIGIN)


def test_a_first_start_that_was_cut_short_goes_on_with_the_keys_it_made(tmp_path: Path) -> None:
    vkeys = load_or_create(tmp_path, ORIGIN).vkeys()
    for lost in (tmp_path / "origin", tmp_path / FILE, tmp_path / "keys/count.key"):
        lost.unlink()
    again = load_or_create(tmp_path, ORIGIN).vkeys()
    assert again["log"] == vkeys["log"]
    assert again["count"] != vkeys["count"]


HEAD = TreeHead(3, b"r" * 32)


def test_what_was_signed_is_replaced_only_by_who_knows_it(tmp_path: Path) -> None:
    memory = LastSigned(tmp_path)
    assert memory.read() is None
    assert not memory.compare_and_swap(EMPTY_TREE, HEAD)
    memory.create()
    assert memory.compare_and_swap(EMPTY_TREE, HEAD)
    assert not memory.compare_and_swap(EMPTY_TREE, TreeHead(4, b"s" * 32))
    assert memory.compare_and_swap(HEAD, HEAD)
    memory.create()
    assert LastSigned(tmp_path).read() == HEAD


@pytest.mark.parametrize("new", [TreeHead(2, b"r" * 32), TreeHead(3, b"s" * 32)])
def test_no_step_back_is_ever_written(tmp_path: Path, new: TreeHead) -> None:
    memory = LastSigned(tmp_path)
    memory.create()
    memory.compare_and_swap(EMPTY_TREE, HEAD)
    with pytest.raises(ValueError, match="does not extend"):
        memory.compare_and_swap(HEAD, new)
    assert memory.read() == HEAD


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda text: "", id="nothing"),
        pytest.param(lambda text: text[:-3], id="half a file"),
        pytest.param(lambda text: "[]", id="a list"),
        pytest.param(lambda text: text.replace("size", "seize"), id="no size"),
        pytest.param(lambda text: text.replace("0", '"0"', 1), id="a size that is text"),
        pytest.param(lambda text: text.replace("0", "-1", 1), id="a negative size"),
        pytest.param(lambda text: text.replace("47DE", ""), id="a short root"),
        pytest.param(lambda text: text.replace("47DE", "!!!!"), id="a root that is not base64"),
    ],
)
def test_a_damaged_memory_is_refused_with_the_way_back(tmp_path: Path, damage: Callable[[str], str]) -> None:
    memory = LastSigned(tmp_path)
    memory.create()
    text = (tmp_path / FILE).read_text()
    assert json.loads(text) == {"size": 0, "root": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}
    (tmp_path / FILE).write_text(damage(text))
    with pytest.raises(PublisherRefused, match="Restore"):
        memory.read()
