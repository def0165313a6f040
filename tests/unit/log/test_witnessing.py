"""The witness: each answer of c2sp.org/tlog-witness, in its order, and that it never takes anything back."""

import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import MalformedLog
from registry.log import witnessing
from registry.log.checkpoint import Checkpoint
from registry.log.cosignature import Cosigner, time_of
from registry.log.merkle import EMPTY_ROOT, Node, consistency_proof, leaf_hash, root
from registry.log.note import Signer, open_note, sign
from registry.log.submission import MAX_PROOF, Submission, read_size, shown_at
from registry.log.witnessing import Answer, Witness

ORIGIN = "example.org/log"
LOG = Signer(ORIGIN, b"l" * 32)
NEXT_LOG = Signer(ORIGIN, b"n" * 32)
OTHER_LOG = Signer("other.example/log", b"o" * 32)
COSIGNER = Cosigner(Signer("witness.example/w", b"w" * 32))
HASHES = [leaf_hash(bytes([number])) for number in range(20)]
FORK = [leaf_hash(b"fork"), *HASHES[1:]]


def node(node: Node) -> bytes:
    return root(HASHES[node.index << node.height :][: 1 << node.height])


def checkpoint(size: int, hashes: list[bytes] = HASHES, origin: str = ORIGIN) -> Checkpoint:
    return Checkpoint(origin, size, root(hashes[:size]))


def body(old: int, size: int, *signers: Signer, hashes: list[bytes] = HASHES) -> bytes:
    proof = tuple(consistency_proof(old, size, node)) if old <= size else ()
    return Submission(old, proof, sign(checkpoint(size, hashes).text(), *(signers or (LOG,)))).body()


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(COSIGNER, [LOG.verifier, NEXT_LOG.verifier, OTHER_LOG.verifier], tmp_path, lambda: 1234.5)


def answer(witness: Witness, old: int, size: int) -> int:
    return witness.add_checkpoint(body(old, size)).status


def shown_size(witness: Witness) -> int:
    note = witness.shown(shown_at(ORIGIN))
    return 0 if note is None else Checkpoint.parse(open_note(note, [COSIGNER.key]).text).size


def test_it_cosigns_a_log_that_grows(witness: Witness) -> None:
    for old, size in [(0, 0), (0, 3), (3, 3), (3, 4), (4, 11), (11, 20)]:
        answered = witness.add_checkpoint(body(old, size))
        assert (answered.status, answered.media_type) == (200, "text/plain; charset=utf-8")
        text = checkpoint(size).text()
        note = open_note(f"{text}\n{answered.body.decode()}", [COSIGNER.key])
        assert (note.text, time_of(note.verified[0])) == (text, 1234)


def test_monitors_see_the_last_one_with_the_logs_signatures_and_its_own(witness: Witness) -> None:
    assert witness.shown(shown_at(ORIGIN)) is None
    stranger = Signer("stranger.example", b"s" * 32)
    witness.add_checkpoint(body(0, 3, LOG, stranger, NEXT_LOG))
    note = witness.shown(shown_at(ORIGIN))
    assert note is not None
    opened = open_note(note, [COSIGNER.key, LOG.verifier, NEXT_LOG.verifier])
    assert [each.name for each in opened.verified] == [ORIGIN, ORIGIN, "witness.example/w"]
    assert opened.ignored == ()
    assert witness.shown("../witness.key") is None


@pytest.mark.parametrize("have", [0, 3])
def test_another_old_size_is_answered_with_the_right_one(witness: Witness, have: int) -> None:
    witness.add_checkpoint(body(0, have))
    for old in {0, 2, 3, 4} - {have}:
        answered = witness.add_checkpoint(body(old, 7))
        assert (answered.status, answered.media_type) == (409, "text/x.tlog.size")
        assert (answered.body, read_size(answered.media_type, answered.body)) == (b"%d\n" % have, have)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(b"", 400, id="nothing"),
        pytest.param(b"\xff" + body(3, 7), 400, id="what is no text"),
        pytest.param(body(3, 7).replace(b"old 3", b"old 03"), 400, id="a leading zero"),
        pytest.param(body(3, 7).replace(b"old 3", b"new 3"), 400, id="another word"),
        pytest.param(body(3, 7).replace(b"old 3", b"old 9223372036854775808"), 400, id="an old size of 2^63"),
        pytest.param(body(3, 7).replace(b"\n", b"\r\n"), 400, id="the line ends of another system"),
        pytest.param(body(3, 7).partition(b"\n\n")[0] + b"\n\n", 400, id="no checkpoint"),
        pytest.param(body(3, 7).partition(b"\n\n")[0] + b"\n", 400, id="no empty line"),
        pytest.param(body(3, 7).replace(b"old 3\n", b"old 3\nAAAA\n"), 400, id="a short hash"),
        pytest.param(
            body(3, 7).replace(b"old 3\n", b"old 3\n" + b"A" * 43 + b"=\n" * (MAX_PROOF + 1)),
            400,
            id="64 hashes",
        ),
        pytest.param(body(3, 7, OTHER_LOG), 403, id="signed by another log"),
        pytest.param(body(3, 7, Signer(ORIGIN, b"x" * 32)), 403, id="signed by an unknown key of its name"),
        pytest.param(body(3, 7).replace(b"\n7\n", b"\n8\n"), 403, id="a false signature"),
        pytest.param(
            body(3, 7) + NEXT_LOG.sign("other\n").line().encode(),
            403,
            id="a false signature beside a true one",
        ),
        pytest.param(
            Submission(3, (), sign(checkpoint(7, origin="unknown.example/log").text(), LOG)).body(),
            404,
            id="an unknown log",
        ),
        pytest.param(Submission(3, (), sign(f"{ORIGIN}\n7\n", LOG)).body(), 400, id="two lines"),
        pytest.param(Submission(8, (), checkpoint(7).sign(LOG)).body(), 400, id="an old size beyond it"),
        pytest.param(Submission(2, (), checkpoint(7).sign(LOG)).body(), 409, id="an old size before"),
        pytest.param(Submission(3, (), checkpoint(2).sign(LOG)).body(), 400, id="a smaller tree"),
        pytest.param(Submission(3, (), checkpoint(7).sign(LOG)).body(), 422, id="no proof"),
        pytest.param(body(3, 7, hashes=FORK), 422, id="another history"),
        pytest.param(body(3, 3, hashes=FORK), 422, id="another root at the same size"),
        pytest.param(
            Submission(3, (HASHES[0],), checkpoint(3).sign(LOG)).body(), 422, id="a proof of nothing"
        ),
        pytest.param(
            Submission(0, (), sign(f"{ORIGIN}\n0\n{'A' * 43}=\n", LOG)).body(), 422, id="a false empty tree"
        ),
    ],
)
def test_what_it_refuses_it_does_not_cosign_and_forgets(witness: Witness, sent: bytes, status: int) -> None:
    witness.add_checkpoint(body(0, 3))
    answered = witness.add_checkpoint(sent)
    assert answered.status == status
    assert "—".encode() not in answered.body
    assert shown_size(witness) == 3
    assert answer(witness, 3, 7) == 200


def test_a_first_tree_needs_no_proof_and_may_have_none(witness: Witness) -> None:
    assert witness.add_checkpoint(Submission(0, (HASHES[0],), checkpoint(3).sign(LOG)).body()).status == 422
    assert answer(witness, 0, 3) == 200


def test_either_of_a_logs_keys_is_enough(witness: Witness) -> None:
    assert witness.add_checkpoint(body(0, 3, NEXT_LOG)).status == 200
    assert witness.add_checkpoint(body(3, 4, LOG)).status == 200


def test_it_answers_only_after_it_has_persisted(
    witness: Witness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(witnessing, "write_durably", full)
        with pytest.raises(OSError, match="space"):
            witness.add_checkpoint(body(0, 3))
    assert shown_size(witness) == 0
    assert answer(witness, 0, 3) == 200
    again = Witness(COSIGNER, [LOG.verifier], tmp_path)
    assert (shown_size(again), answer(again, 0, 4)) == (3, 409)


def test_requests_at_once_never_take_anything_back(witness: Witness) -> None:
    witness.add_checkpoint(body(0, 1))
    answers: list[tuple[int, Answer]] = []
    start = threading.Barrier(8)

    def submit(size: int) -> None:
        start.wait()
        answers.append((size, witness.add_checkpoint(body(1, size))))

    threads = [threading.Thread(target=submit, args=(size,)) for size in range(2, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (won,) = [size for size, answered in answers if answered.status == 200]
    assert {answered.body for _, answered in answers if answered.status == 409} == {b"%d\n" % won}
    assert shown_size(witness) == won


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(checkpoint(3).sign(LOG).encode(), id="without its cosignature"),
        pytest.param(
            (f"{checkpoint(3, origin=OTHER_LOG.name).text()}\n".encode())
            + COSIGNER.cosign(checkpoint(3, origin=OTHER_LOG.name).text(), 1).line().encode(),
            id="of another log",
        ),
    ],
)
def test_a_damaged_memory_stops_it_instead_of_starting_over(
    witness: Witness, tmp_path: Path, content: bytes
) -> None:
    witness.add_checkpoint(body(0, 3))
    (file,) = tmp_path.glob("*.checkpoint")
    file.write_bytes(content)
    with pytest.raises(MalformedLog):
        witness.add_checkpoint(body(0, 4))


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.booleans()), max_size=12))
def test_whatever_it_is_sent_it_follows_one_history(requests: list[tuple[int, int, bool]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        witness = Witness(COSIGNER, [LOG.verifier], Path(directory))
        history: list[bytes] | None = None
        size = 0
        for old, new, forked in requests:
            hashes = FORK if forked else HASHES
            if witness.add_checkpoint(body(old, new, hashes=hashes)).status == 200:
                assert old == size <= new
                assert history in (None, hashes)
                size = new
                if size:
                    history = hashes
        assert shown_size(witness) == size


def test_a_request_survives_its_bytes() -> None:
    submission = Submission(3, (HASHES[0], HASHES[1]), checkpoint(7).sign(LOG))
    assert Submission.parse(submission.body()) == submission
    assert submission.body().startswith(b"old 3\n")
    with pytest.raises(ValueError, match="63"):
        Submission(3, tuple(HASHES * 4), checkpoint(7).sign(LOG)).body()


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_refused(data: bytes) -> None:
    try:
        submission = Submission.parse(data)
    except MalformedLog:
        return
    assert submission.body() == data


@pytest.mark.parametrize(
    ("media_type", "content", "size"),
    [
        ("text/x.tlog.size", b"0\n", 0),
        ("text/x.tlog.size; charset=utf-8", b"50\n", 50),
        ("text/x.tlog.size", b"1152921504606846976\n", 2**60),
        ("text/plain", b"50\n", None),
        ("", b"50\n", None),
        ("text/x.tlog.size", b"", None),
        ("text/x.tlog.size", b"50", None),
        ("text/x.tlog.size", b"050\n", None),
        ("text/x.tlog.size", b"-1\n", None),
        ("text/x.tlog.size", b"50\n\n", None),
        ("text/x.tlog.size", b"9223372036854775808\n", None),
        ("text/x.tlog.size", "٥\n".encode(), None),
    ],
)
def test_the_size_in_a_409_has_one_spelling(media_type: str, content: bytes, size: int | None) -> None:
    assert read_size(media_type, content) == size


def test_the_empty_tree_is_cosigned_as_what_it_is(witness: Witness) -> None:
    assert checkpoint(0).root == EMPTY_ROOT
    assert [answer(witness, 0, size) for size in (0, 0, 1)] == [200, 200, 200]
