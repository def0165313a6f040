"""Every stored byte is held against the signed root, and the message names the leaf that was changed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.verification.errors import DataUnavailable, Missing, VerificationFailed
from projections.verification.sources import Directory
from projections.verification.verifier import Options, Verdict, verify_log
from registry.log.note import Signer
from registry.log.tiles import bundle_path, encode_bundle, tile_path, tiles_of
from tests.unit.verification.synthetic import (
    GIVEN,
    OTHER_KEY,
    SyntheticLog,
    Told,
    files,
    incident,
    signed,
    small_log,
    write,
)


class Memory:
    """A source whose files are a dict."""

    name = "memory"

    def __init__(self, content: dict[str, bytes]) -> None:
        self.content = content

    def counted(self) -> tuple[int, ...]:
        return ()

    def read(self, path: str, limit: int) -> bytes:
        if path not in self.content:
            raise Missing(f"falta {path}", f"{path} is missing")
        assert len(self.content[path]) <= limit
        return self.content[path]


def failure(content: dict[str, bytes]) -> str:
    with pytest.raises(VerificationFailed) as caught:
        verify_log(Memory(content), GIVEN, Told())
    return caught.value.text.en


def test_an_untouched_log_verifies(tmp_path: Path) -> None:
    log = small_log()
    told = Told()
    mirror = Directory(write(tmp_path, files(log.leaves)))
    assert verify_log(mirror, GIVEN, told) is Verdict.VERIFIED
    assert told.done == len(log.leaves)
    assert "INCIDENTS STRICT 3/3/3" in told.steps[-1].en
    assert any("no published number was compared" in remark.en for remark in told.remarks)


def test_a_mirror_may_keep_the_log_in_its_log_folder(tmp_path: Path) -> None:
    write(tmp_path / "log", files(small_log().leaves))
    assert verify_log(Directory(tmp_path), GIVEN, Told()) is Verdict.VERIFIED


def test_one_changed_byte_names_the_leaf() -> None:
    log = small_log(entries=300)
    content = files(log.leaves)
    changed = bytearray(log.leaves[258])
    changed[20] ^= 1
    path = bundle_path(1, len(log.leaves) - 256)
    content[path] = encode_bundle([*log.leaves[256:258], bytes(changed), *log.leaves[259:]])
    assert failure(content).startswith("Leaf 258 was changed")


def long_log(size: int) -> SyntheticLog:
    """A small log with so many entries before it that its tree has several levels."""
    log = SyntheticLog()
    log.adopt()
    entry = SyntheticLog()
    entry.entry()
    log.leaves += [entry.leaves[0]] * (size - 2)
    return log


LONG = long_log(256 * 256 + 300)
LONG_FILES = files(LONG.leaves)


@pytest.mark.parametrize(
    ("path", "byte", "place"),
    [
        ("tile/0/000", 32 * 7, "its hash 7, that of leaf 7, is"),
        ("tile/0/255", 8191, "its hash 255, that of leaf 65535, is"),
        ("tile/0/257.p/44", 32 * 43, "its hash 43, that of leaf 65835, is"),
        ("tile/1/000", 32 * 3 + 31, "its hash 3, that of leaves 768 to 1023, is"),
        ("tile/1/001.p/1", 0, "its hash 0, that of leaves 65536 to 65791, is"),
        ("tile/2/000.p/1", 31, "its hash 0, that of leaves 0 to 65535, is"),
    ],
)
def test_one_changed_byte_of_a_tile_of_any_level_names_the_tile_and_the_hash(
    path: str, byte: int, place: str
) -> None:
    tile = bytearray(LONG_FILES[path])
    tile[byte] ^= 1
    message = failure({**LONG_FILES, path: bytes(tile)})
    assert message.startswith(f"Tile {path} was changed: {place} not what the leaves give.")


def test_every_tile_that_the_size_implies_is_compared() -> None:
    told = Told()
    verify_log(Memory(LONG_FILES), GIVEN, told)
    assert len(tiles_of(len(LONG.leaves))) == 258 + 2 + 1
    assert any(step.en.startswith("The 261 tiles of hashes are those") for step in told.steps)


@pytest.mark.parametrize("path", ["tile/0/003", "tile/0/257.p/44", "tile/1/000", "tile/2/000.p/1"])
def test_a_missing_tile_is_unavailable_data(path: str) -> None:
    content = {name: data for name, data in LONG_FILES.items() if name != path}
    with pytest.raises(DataUnavailable, match=path):
        verify_log(Memory(content), GIVEN, Told())


@pytest.mark.parametrize(
    ("spoil", "wrong"),
    [
        (lambda data: data[:-1], "its hash 11, that of leaf 11, is not"),
        (lambda data: b"", "its hash 0, that of leaf 0, is not"),
        (lambda data: data + b"x", "has bytes left over after its 12 hashes"),
    ],
    ids=["truncated", "empty", "extra byte"],
)
def test_a_tile_with_missing_or_extra_bytes_is_named(spoil: Callable[[bytes], bytes], wrong: str) -> None:
    content = files(small_log().leaves)
    path = tile_path(0, 0, 12)
    content[path] = spoil(content[path])
    message = failure(content)
    assert message.startswith(f"Tile {path} ")
    assert wrong in message


def test_a_tile_larger_than_any_is_refused_and_blames_no_leaf_that_is_right(tmp_path: Path) -> None:
    log = small_log()
    content = files(log.leaves)
    content[tile_path(0, 0, 12)] = bytes(256 * 32 + 1)
    with pytest.raises(VerificationFailed, match=r"tile/0/000\.p/12 has more than 8192 bytes"):
        verify_log(Directory(write(tmp_path, content)), GIVEN, Told())
    content[bundle_path(0, 12)] = encode_bundle([log.leaves[1], *log.leaves[1:]])
    with pytest.raises(VerificationFailed, match="tiles of hashes that would name the one cannot be read"):
        verify_log(Directory(write(tmp_path, content)), GIVEN, Told())


def test_a_fork_is_told_although_the_tiles_are_withheld(tmp_path: Path) -> None:
    pinned = Options(state=tmp_path / "state.json", vkeys=GIVEN.vkeys)
    verify_log(Memory(files(small_log().leaves)), pinned, Told())
    other = files(small_log(entries=4).leaves)
    served = {path: data for path, data in other.items() if not path.startswith("tile/0/")}
    with pytest.raises(VerificationFailed, match="forked"):
        verify_log(Memory(served), pinned, Told())


def test_a_leaf_and_its_tile_changed_together_still_miss_the_signed_root() -> None:
    log = small_log()
    content = files([*log.leaves[:-1], log.leaves[0]])
    content["checkpoint"] = files(log.leaves)["checkpoint"]
    assert "leaves and tiles were changed together" in failure(content)


def test_without_tiles_the_change_is_found_but_not_located() -> None:
    log = small_log()
    content = files([*log.leaves[:-1], log.leaves[0]])
    content["checkpoint"] = files(log.leaves)["checkpoint"]
    del content[tile_path(0, 0, len(log.leaves))]
    assert "cannot be read" in failure(content)


@pytest.mark.parametrize(
    ("spoil", "first"),
    [
        pytest.param(lambda data: data[:-1], 11, id="truncated"),
        pytest.param(lambda data: data[:0], 0, id="empty"),
        pytest.param(lambda data: data + b"\0", 12, id="extra byte"),
        pytest.param(lambda data: data + b"\0\1x", 12, id="extra entry"),
        pytest.param(lambda data: b"\xff" + data[1:], 0, id="length"),
    ],
)
def test_a_bundle_with_missing_or_extra_bytes_names_where_it_breaks(
    spoil: Callable[[bytes], bytes], first: int
) -> None:
    log = small_log()
    assert len(log.leaves) == 12
    content = files(log.leaves)
    path = bundle_path(0, len(log.leaves))
    content[path] = spoil(content[path])
    message = failure(content)
    assert message.startswith(f"{path} is not 12 entries")
    assert f"leaf {first}" in message


def test_a_broken_bundle_without_tiles_names_its_leaves() -> None:
    log = small_log()
    content = files(log.leaves)
    path = bundle_path(0, len(log.leaves))
    content[path] = content[path][:-1]
    del content[tile_path(0, 0, len(log.leaves))]
    assert "among leaves 0 to 11" in failure(content)


def test_a_missing_bundle_is_unavailable_data_and_no_proof_of_anything() -> None:
    log = small_log()
    content = files(log.leaves)
    del content[bundle_path(0, len(log.leaves))]
    with pytest.raises(DataUnavailable):
        verify_log(Memory(content), GIVEN, Told())


def test_a_partial_bundle_and_tile_that_have_become_full_are_cut_to_size() -> None:
    log = small_log(entries=300)
    content = files(log.leaves)
    older = files(log.leaves[:20])
    older = {"checkpoint": older["checkpoint"], "keys": older["keys"]}
    older[bundle_path(0)] = content[bundle_path(0)]
    older[tile_path(0, 0)] = content[tile_path(0, 0)]
    assert verify_log(Memory(older), GIVEN, Told()) is Verdict.VERIFIED


def test_a_changed_leaf_is_located_in_a_full_tile_too() -> None:
    log = small_log(entries=300)
    content = files(log.leaves)
    older = {"checkpoint": signed(log.leaves[:20]).encode(), "keys": content["keys"]}
    older[bundle_path(0)] = encode_bundle([*log.leaves[:4], log.leaves[5], *log.leaves[5:256]])
    older[tile_path(0, 0)] = content[tile_path(0, 0)]
    assert failure(older).startswith("Leaf 4 was changed")


def test_a_signature_by_another_key_is_refused() -> None:
    assert "no valid signature by example.org/log" in failure(files(small_log().leaves, OTHER_KEY))


def test_a_false_signature_by_the_known_key_is_refused() -> None:
    leaves = small_log().leaves
    content = files(leaves)
    body, _ = content["checkpoint"].split(b"\n\n")
    _, signature = files(leaves[:3])["checkpoint"].split(b"\n\n")
    content["checkpoint"] = body + b"\n\n" + signature
    assert "signature by example.org/log is false" in failure(content)


def test_a_checkpoint_that_is_not_text_is_refused() -> None:
    content = files(small_log().leaves)
    content["checkpoint"] = b"\xff\xfe"
    assert "not UTF-8" in failure(content)


def test_a_checkpoint_of_another_log_under_the_same_server_is_refused() -> None:
    stranger = Signer.generate("other.example/log")
    assert "no valid signature" in failure(files(small_log().leaves, stranger))


def test_a_leaf_that_is_not_canonical_is_refused_though_it_was_signed() -> None:
    log = small_log()
    log.leaves.insert(2, log.leaves[2].replace(b'","', b'", "', 1))
    message = failure(files(log.leaves))
    assert message.startswith("Leaf 2 was signed like this, but it is not valid")
    assert "canonical" in message


def test_an_unknown_open_event_is_refused_and_never_skipped() -> None:
    log = small_log()
    log.open("incident.vanished", {"incident": incident()})
    assert f"Leaf {len(log.leaves) - 1} is of a type that this program does not know" in failure(
        files(log.leaves)
    )


def test_an_empty_log_has_nothing_to_count_by() -> None:
    assert "has adopted no definition" in failure(files([]))


PROPERTY = small_log(entries=6)
PROPERTY_FILES = files(PROPERTY.leaves)
PROPERTY_BUNDLE = bundle_path(0, len(PROPERTY.leaves))
PROPERTY_TILE = tile_path(0, 0, len(PROPERTY.leaves))


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, len(PROPERTY_FILES[PROPERTY_BUNDLE]) - 1), flip=st.integers(1, 255))
def test_any_flipped_byte_of_any_bundle_is_caught(at: int, flip: int) -> None:
    assert "was changed" in failure(flipped(PROPERTY_BUNDLE, at, flip))


@settings(max_examples=50, deadline=None)
@given(at=st.integers(0, len(PROPERTY_FILES[PROPERTY_TILE]) - 1), flip=st.integers(1, 255))
def test_any_flipped_byte_of_any_tile_is_caught(at: int, flip: int) -> None:
    assert f"Tile {PROPERTY_TILE} was changed: its hash {at // 32}, " in failure(
        flipped(PROPERTY_TILE, at, flip)
    )


def flipped(path: str, at: int, flip: int) -> dict[str, bytes]:
    data = bytearray(PROPERTY_FILES[path])
    data[at] ^= flip
    return {**PROPERTY_FILES, path: bytes(data)}


@st.composite
def honest_logs(draw: st.DrawFn) -> SyntheticLog:
    """Any order of entries, disclosures that open more and more, corrections and releases."""
    log = SyntheticLog()
    log.adopt()
    rungs = ("tally", "year", "state", "kind", "sex", "municipality", "month")
    reached: dict[int, int] = {}
    kinds: dict[int, str] = {}
    for _ in range(draw(st.integers(0, 4))):
        for number in sorted(draw(st.sets(st.integers(1, 4)))):
            correct = number in reached and draw(st.booleans())
            if correct or number not in reached:
                kinds[number] = draw(st.sampled_from(["COERCED_CARE", "ROBBERY", "UNKNOWN"]))
            if not correct:
                reached[number] = draw(st.integers(reached.get(number, 2), len(rungs)))
            log.disclose(incident(number), rungs[: reached[number]], reseal=correct, kind=kinds[number])
            if draw(st.booleans()):
                log.entry()
        log.release()
    return log


@settings(max_examples=60, deadline=None)
@given(log=honest_logs())
def test_an_honest_log_always_verifies(log: SyntheticLog) -> None:
    assert verify_log(Memory(files(log.leaves)), GIVEN, Told()) is Verdict.VERIFIED
