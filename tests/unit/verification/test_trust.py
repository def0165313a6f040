"""Keys, memory, forks and rollbacks: what only someone who remembers can notice."""

import json
from pathlib import Path

import pytest

from projections.verification.errors import CannotStart, DataUnavailable, VerificationFailed
from projections.verification.memory import Memory, recall, remember
from projections.verification.sources import Directory
from projections.verification.verifier import Options, Verdict, verify_log
from registry.log.note import Signer
from tests.unit.verification.synthetic import (
    COUNT_KEY,
    KEY,
    OTHER_KEY,
    SyntheticLog,
    Told,
    files,
    incident,
    signed,
    small_log,
    write,
)

VKEY = KEY.verifier.vkey()


def check(directory: Path, leaves: list[bytes], options: Options) -> Verdict:
    return verify_log(Directory(write(directory, files(leaves))), options, Told())


def test_a_key_that_only_the_server_shows_proves_self_consistency(tmp_path: Path) -> None:
    assert check(tmp_path, small_log().leaves, Options()) is Verdict.SELF_CONSISTENT


def test_nothing_is_remembered_of_a_log_whose_keys_are_not_authenticated(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    assert check(tmp_path, small_log().leaves, Options(state=state)) is Verdict.SELF_CONSISTENT
    assert not state.exists()


def test_a_given_key_is_remembered_and_holds_from_then_on(tmp_path: Path) -> None:
    log, state = small_log(), tmp_path / "deep" / "state.json"
    assert check(tmp_path, log.leaves, Options(vkeys=(VKEY,), state=state)) is Verdict.VERIFIED
    log.entry()
    assert check(tmp_path, log.leaves, Options(state=state)) is Verdict.VERIFIED
    memory = recall(state)
    assert memory is not None
    assert memory.checkpoint == signed(log.leaves)


def test_a_count_key_that_the_server_merely_shows_is_not_remembered(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    check(tmp_path, small_log().leaves, Options(vkeys=(VKEY,), state=state))
    memory = recall(state)
    assert memory is not None
    assert memory.count == ()


def test_trust_on_first_use_pins_all_keys(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    options = Options(state=state, trust_on_first_use=True)
    assert check(tmp_path, small_log().leaves, options) is Verdict.VERIFIED
    memory = recall(state)
    assert memory is not None
    assert (memory.log, memory.count) == ((VKEY,), (COUNT_KEY.verifier.vkey(),))


def test_trust_on_first_use_needs_somewhere_to_remember(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="needs --state"):
        check(tmp_path, small_log().leaves, Options(trust_on_first_use=True))


def test_a_pinned_key_cannot_be_exchanged_by_the_server(tmp_path: Path) -> None:
    log, state = small_log(), tmp_path / "state.json"
    options = Options(state=state, trust_on_first_use=True)
    check(tmp_path, log.leaves, options)
    content = files(log.leaves, OTHER_KEY)
    content["keys"] = json.dumps({"log": [OTHER_KEY.verifier.vkey()], "count": []}).encode()
    with pytest.raises(VerificationFailed, match="the key remembered in --state"):
        verify_log(Directory(write(tmp_path, content)), options, Told())


def test_a_rolled_back_checkpoint_shows_both_notes(tmp_path: Path) -> None:
    log, state = small_log(), tmp_path / "state.json"
    options = Options(vkeys=(VKEY,), state=state)
    check(tmp_path, log.leaves, options)
    shorter = log.leaves[:-1]
    with pytest.raises(VerificationFailed) as caught:
        check(tmp_path, shorter, options)
    message = caught.value.text.en
    assert message.startswith("The log was rolled back")
    assert signed(log.leaves) in message
    assert signed(shorter) in message


def test_a_fork_at_the_same_size_shows_both_notes(tmp_path: Path) -> None:
    log, other, state = small_log(), small_log(), tmp_path / "state.json"
    options = Options(vkeys=(VKEY,), state=state)
    check(tmp_path, log.leaves, options)
    with pytest.raises(VerificationFailed) as caught:
        check(tmp_path, other.leaves, options)
    message = caught.value.text.en
    assert message.startswith("The log has forked")
    assert signed(log.leaves) in message
    assert signed(other.leaves) in message


def test_a_fork_that_has_grown_since_is_found_too(tmp_path: Path) -> None:
    log, other, state = small_log(), small_log(), tmp_path / "state.json"
    options = Options(vkeys=(VKEY,), state=state)
    check(tmp_path, log.leaves, options)
    other.entry()
    with pytest.raises(VerificationFailed, match="The log has forked"):
        check(tmp_path, other.leaves, options)
    memory = recall(state)
    assert memory is not None
    assert memory.checkpoint == signed(log.leaves)


def test_the_checkpoint_is_remembered_even_where_a_later_step_fails(tmp_path: Path) -> None:
    """A log that broke a promise may not take back the leaves that show it."""
    log, state = SyntheticLog(), tmp_path / "state.json"
    log.disclose(incident())
    with pytest.raises(VerificationFailed):
        check(tmp_path, log.leaves, Options(vkeys=(VKEY,), state=state))
    assert recall(state) is not None


@pytest.mark.parametrize("vkey", ["", "x", VKEY + "A", VKEY.replace("example", "exbmple")])
def test_a_damaged_vkey_is_a_usage_error(tmp_path: Path, vkey: str) -> None:
    with pytest.raises(CannotStart, match="public key cannot be used"):
        check(tmp_path, small_log().leaves, Options(vkeys=(vkey,)))


def test_keys_of_two_logs_at_once_are_a_usage_error(tmp_path: Path) -> None:
    stranger = Signer.generate("other.example/log").verifier.vkey()
    with pytest.raises(CannotStart, match="different logs"):
        check(tmp_path, small_log().leaves, Options(vkeys=(VKEY, stranger)))


def test_a_memory_of_another_log_is_a_usage_error(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    stranger = Signer.generate("other.example/log")
    remember(state, Memory(v=1, log=(stranger.verifier.vkey(),), count=(), checkpoint=signed([], stranger)))
    with pytest.raises(CannotStart, match="different logs"):
        check(tmp_path, small_log().leaves, Options(vkeys=(VKEY,), state=state))


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"v":1}', b"\xff", b'{"v":1,"log":[],"count":[],"checkpoint":"","x":1}']
)
def test_a_damaged_memory_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    state = tmp_path / "state.json"
    state.write_bytes(content)
    with pytest.raises(CannotStart, match="cannot be read as this program's memory"):
        check(tmp_path, small_log().leaves, Options(state=state))
    assert state.read_bytes() == content


def test_a_memory_of_a_later_version_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    remember(state, Memory(v=2, log=(VKEY,), count=(), checkpoint=""))
    with pytest.raises(CannotStart, match="another version"):
        check(tmp_path, small_log().leaves, Options(state=state))


def test_a_memory_whose_checkpoint_was_not_signed_by_its_key_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    remember(state, Memory(v=1, log=(VKEY,), count=(), checkpoint=signed([], OTHER_KEY)))
    with pytest.raises(CannotStart, match="holds no checkpoint signed by this log"):
        check(tmp_path, small_log().leaves, Options(state=state))


@pytest.mark.parametrize("keys", [b"", b"[]", b'{"log":[]}', b'{"log":"x"}'])
def test_without_any_usable_key_nothing_can_be_said(tmp_path: Path, keys: bytes) -> None:
    content = {**files(small_log().leaves), "keys": keys}
    with pytest.raises(DataUnavailable, match="--vkey"):
        verify_log(Directory(write(tmp_path, content)), Options(), Told())


def test_an_invalid_key_shown_by_the_server_is_a_failure(tmp_path: Path) -> None:
    content = {**files(small_log().leaves), "keys": b'{"log":["x"]}'}
    with pytest.raises(VerificationFailed, match="invalid key"):
        verify_log(Directory(write(tmp_path, content)), Options(), Told())


@pytest.mark.parametrize("keys", [{}, {"keys": b"<html>"}])
def test_a_mirror_without_keys_is_enough_with_a_given_key(tmp_path: Path, keys: dict[str, bytes]) -> None:
    content = files(small_log().leaves)
    del content["keys"]
    source = Directory(write(tmp_path, {**content, **keys}))
    assert verify_log(source, Options(vkeys=(VKEY,)), Told()) is Verdict.VERIFIED
