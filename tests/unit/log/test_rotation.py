"""Rotating the log's keys: both sign for a while, nobody who trusts one of them is lost, no step is half done."""

import stat
from pathlib import Path

import pytest

from registry.errors import MalformedLog, StartRefused
from registry.log import durable, keys, rotation
from registry.log.certificate import CountCertificate
from registry.log.checkpoint import Checkpoint, open_checkpoint
from registry.log.keys import Purpose, key_file, load, load_or_create, successor_file
from registry.log.merkle import EMPTY_ROOT
from registry.log.note import Verifier, split_note
from registry.log.receipt import Receipt

ORIGIN = "log.example.org/log"
HEAD = Checkpoint(ORIGIN, 0, EMPTY_ROOT)


def checkpoint(directory: Path) -> str:
    """What a process that starts now would sign."""
    return HEAD.sign(*load_or_create(directory, ORIGIN).signers(Purpose.LOG))


@pytest.fixture(params=list(Purpose))
def purpose(request: pytest.FixtureRequest) -> Purpose:
    return Purpose(request.param)


@pytest.fixture
def old(tmp_path: Path, purpose: Purpose) -> Verifier:
    """The key with which the log began."""
    return load_or_create(tmp_path, ORIGIN).verifiers(purpose)[0]


def test_both_sign_until_the_old_one_is_retired(tmp_path: Path, purpose: Purpose, old: Verifier) -> None:
    new = rotation.begin(tmp_path, purpose)
    assert new.name == old.name
    assert new.key_id != old.key_id
    both = load_or_create(tmp_path, ORIGIN)
    assert both.verifiers(purpose) == (old, new)
    assert both.vkeys()[purpose] == [old.vkey(), new.vkey()]
    for other in set(Purpose) - {purpose}:
        assert len(both.signers(other)) == 1

    assert rotation.retire(tmp_path, purpose, checkpoint(tmp_path)) == new
    alone = load_or_create(tmp_path, ORIGIN)
    assert alone.verifiers(purpose) == (new,)
    assert alone.retired == {purpose: (old.vkey(),)}


def test_whoever_knows_one_of_the_two_keys_keeps_verifying(tmp_path: Path) -> None:
    load_or_create(tmp_path, ORIGIN)
    for purpose in Purpose:
        rotation.begin(tmp_path, purpose)
    both = load_or_create(tmp_path, ORIGIN)
    receipt = Receipt(ORIGIN, 7, b"h" * 32, 1, 2)
    certificate = CountCertificate(ORIGIN, "national-count/1", "ab" * 32, {}, {}, 0, EMPTY_ROOT)
    for keys_known in (slice(0, 1), slice(1, 2), slice(0, 2)):
        known = {purpose: both.verifiers(purpose)[keys_known] for purpose in Purpose}
        note = HEAD.sign(*both.signers(Purpose.LOG))
        assert len(split_note(note)[1]) == 2
        assert open_checkpoint(note, ORIGIN, known[Purpose.LOG])[0] == HEAD
        signed = receipt.sign(*both.signers(Purpose.RECEIPT))
        assert Receipt.open(signed, *known[Purpose.RECEIPT]) == receipt
        counted = certificate.sign(*both.signers(Purpose.COUNT))
        assert CountCertificate.open(counted, *known[Purpose.COUNT]) == certificate


def test_one_false_signature_of_two_known_ones_is_enough_to_refuse(tmp_path: Path) -> None:
    load_or_create(tmp_path, ORIGIN)
    rotation.begin(tmp_path, Purpose.RECEIPT)
    both = load_or_create(tmp_path, ORIGIN)
    good, other = (
        Receipt(ORIGIN, index, b"h" * 32, 1, 2).sign(*both.signers(Purpose.RECEIPT)) for index in (7, 8)
    )
    mixed = "\n".join([*good.split("\n")[:-2], other.split("\n")[-2], ""])
    assert mixed != good
    with pytest.raises(MalformedLog, match="false"):
        Receipt.open(mixed, *both.verifiers(Purpose.RECEIPT))


def test_a_key_of_another_name_never_signs_beside(tmp_path: Path) -> None:
    both = load_or_create(tmp_path, ORIGIN)
    with pytest.raises(ValueError, match="does not sign"):
        HEAD.sign(both.log, both.count)


def test_a_second_successor_is_refused_with_the_way_on(
    tmp_path: Path, purpose: Purpose, old: Verifier
) -> None:
    new = rotation.begin(tmp_path, purpose)
    with pytest.raises(StartRefused, match="--retire"):
        rotation.begin(tmp_path, purpose)
    assert load_or_create(tmp_path, ORIGIN).verifiers(purpose) == (old, new)


def test_without_a_successor_nothing_is_retired(tmp_path: Path, purpose: Purpose, old: Verifier) -> None:
    with pytest.raises(StartRefused, match="First make one"):
        rotation.retire(tmp_path, purpose, None)
    assert load_or_create(tmp_path, ORIGIN).verifiers(purpose) == (old,)


def test_the_log_key_is_retired_only_after_the_new_one_has_signed_what_readers_see(tmp_path: Path) -> None:
    load_or_create(tmp_path, ORIGIN)
    before = checkpoint(tmp_path)
    rotation.begin(tmp_path, Purpose.LOG)
    with pytest.raises(StartRefused, match="wait for the next checkpoint"):
        rotation.retire(tmp_path, Purpose.LOG, before)
    assert len(load_or_create(tmp_path, ORIGIN).signers(Purpose.LOG)) == 2
    rotation.retire(tmp_path, Purpose.LOG, checkpoint(tmp_path))


def test_where_there_is_no_log_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match="--data"):
        rotation.begin(tmp_path, Purpose.LOG)
    assert not (tmp_path / "keys").exists()


def test_a_damaged_successor_is_refused_by_name(tmp_path: Path, purpose: Purpose, old: Verifier) -> None:
    rotation.begin(tmp_path, purpose)
    successor_file(tmp_path, purpose).write_text("nothing")
    with pytest.raises(StartRefused, match=rf"{purpose}\.next\.key is damaged"):
        load_or_create(tmp_path, ORIGIN)


def test_every_key_is_readable_by_its_owner_only(tmp_path: Path, purpose: Purpose, old: Verifier) -> None:
    rotation.begin(tmp_path, purpose)
    rotation.retire(tmp_path, purpose, checkpoint(tmp_path))
    rotation.begin(tmp_path, purpose)
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "keys").iterdir()} == {0o600}


class Cut(BaseException):
    """As if the power had failed here."""


@pytest.mark.parametrize("writes", [0, 1, 2])
def test_a_retirement_that_is_cut_short_is_finished_by_the_next(
    tmp_path: Path, purpose: Purpose, old: Verifier, writes: int
) -> None:
    new = rotation.begin(tmp_path, purpose)
    published = checkpoint(tmp_path)
    left = writes

    def counted(path: Path, data: bytes) -> None:
        nonlocal left
        if not left:
            raise Cut
        left -= 1
        durable.write_durably(path, data)

    def cut(_: Path) -> None:
        raise Cut

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(rotation, "write_durably", counted)
        monkeypatch.setattr(rotation, "remove_durably", cut)
        with pytest.raises(Cut):
            rotation.retire(tmp_path, purpose, published)
    meanwhile = load_or_create(tmp_path, ORIGIN).verifiers(purpose)
    assert meanwhile == ((new,) if writes == 2 else (old, new))

    assert rotation.retire(tmp_path, purpose, published) == new
    assert load(tmp_path).verifiers(purpose) == (new,)
    assert load(tmp_path).retired == {purpose: (old.vkey(),)}
    assert not successor_file(tmp_path, purpose).exists()
    assert key_file(tmp_path, purpose).read_text().startswith("PRIVATE+KEY+")


def test_a_key_can_be_rotated_again_and_again(tmp_path: Path, purpose: Purpose, old: Verifier) -> None:
    retired = [old.vkey()]
    for _ in range(3):
        new = rotation.begin(tmp_path, purpose)
        rotation.retire(tmp_path, purpose, checkpoint(tmp_path))
        retired.append(new.vkey())
    assert list(keys.load(tmp_path).retired[purpose]) == retired[:-1]
