"""The signed documents: checkpoints, proofs of inclusion, receipts, count certificates."""

from collections.abc import Callable

import pytest

from registry.errors import MalformedLog
from registry.log.canonical import JSON
from registry.log.certificate import CountCertificate
from registry.log.checkpoint import Checkpoint, open_checkpoint
from registry.log.lines import write_base64
from registry.log.merkle import EMPTY_ROOT, inclusion_proof, leaf_hash, root
from registry.log.note import Signer, sign
from registry.log.proof import Proof
from registry.log.receipt import Receipt

ORIGIN = "log.example.org/log"
LOG = Signer(ORIGIN, b"l" * 32)
RECEIPT = Signer(f"{ORIGIN}/receipt/v1", b"r" * 32)
COUNT = Signer(f"{ORIGIN}/count/v1", b"c" * 32)
WITNESS = Signer("witness.example.net", b"w" * 32)

HASHES = [leaf_hash(bytes([number])) for number in range(3)]
ROOT = root(HASHES)
ROOT64 = write_base64(ROOT)
EMPTY64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


# Checkpoints


def test_a_checkpoint_is_three_lines() -> None:
    assert Checkpoint(ORIGIN, 3, ROOT).text() == f"{ORIGIN}\n3\n{ROOT64}\n"
    assert Checkpoint(ORIGIN, 0, EMPTY_ROOT).text() == f"{ORIGIN}\n0\n{EMPTY64}\n"


def test_the_specifications_checkpoint_is_read() -> None:
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    assert Checkpoint.parse(text).size == 20852163
    assert Checkpoint.parse(text).text() == text


def test_extension_lines_are_kept() -> None:
    text = f"{ORIGIN}\n3\n{ROOT64}\nextension 1\nextension 2\n"
    assert Checkpoint.parse(text).extensions == ("extension 1", "extension 2")
    assert Checkpoint.parse(text).text() == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param(f"{ORIGIN}\n3\n", id="no root"),
        pytest.param(f"{ORIGIN}\n3\n{ROOT64}", id="no newline at the end"),
        pytest.param(f"\n3\n{ROOT64}\n", id="no origin"),
        pytest.param(f"{ORIGIN}\n03\n{ROOT64}\n", id="a leading zero"),
        pytest.param(f"{ORIGIN}\n+3\n{ROOT64}\n", id="a sign"),
        pytest.param(f"{ORIGIN}\n-3\n{ROOT64}\n", id="a negative size"),
        pytest.param(f"{ORIGIN}\n3 \n{ROOT64}\n", id="a space after the size"),
        pytest.param(f"{ORIGIN}\n٣\n{ROOT64}\n", id="a digit of another script"),
        pytest.param(f"{ORIGIN}\n{2**63}\n{ROOT64}\n", id="a size of 2^63"),
        pytest.param(f"{ORIGIN}\n{'9' * 5000}\n{ROOT64}\n", id="a size of 5,000 digits"),
        pytest.param(f"{ORIGIN}\n3\n{ROOT64[:-1]}\n", id="a root without padding"),
        pytest.param(f"{ORIGIN}\n3\n{write_base64(ROOT[:31])}\n", id="a root of 31 bytes"),
        pytest.param(f"{ORIGIN}\n3\n{ROOT64}\n\n", id="an empty extension line"),
        pytest.param(f"{ORIGIN}\n0\n{ROOT64}\n", id="an empty tree with a root of its own"),
    ],
)
def test_malformed_checkpoints_are_refused(text: str) -> None:
    with pytest.raises(MalformedLog):
        Checkpoint.parse(text)


def test_a_checkpoint_counts_only_when_its_own_log_signed() -> None:
    checkpoint = Checkpoint(ORIGIN, 3, ROOT)
    keys = [LOG.verifier, WITNESS.verifier]
    assert open_checkpoint(sign(checkpoint.text(), LOG, WITNESS), ORIGIN, keys)[0] == checkpoint
    with pytest.raises(MalformedLog, match="lacks the signature"):
        open_checkpoint(sign(checkpoint.text(), WITNESS), ORIGIN, keys)
    with pytest.raises(MalformedLog, match="another log"):
        open_checkpoint(sign(Checkpoint("other.example/log", 3, ROOT).text(), LOG), ORIGIN, keys)
    with pytest.raises(ValueError, match="does not sign checkpoints"):
        checkpoint.sign(RECEIPT)


# Proofs


def proof(index: int = 2, extra: bytes = b"") -> Proof:
    hashes = inclusion_proof(
        index, 3, lambda node: root(HASHES[node.index << node.height :][: 1 << node.height])
    )
    return Proof(index, tuple(hashes), Checkpoint(ORIGIN, 3, ROOT).sign(LOG), extra)


def test_a_proof_reads_as_the_specification_shows() -> None:
    lines = proof(2, b"x").text().split("\n")
    assert lines[:4] == [
        "c2sp.org/tlog-proof@v1", "extra eA==", "index 2", write_base64(root(HASHES[:2]))
    ]  # fmt: skip
    assert lines[4:8] == ["", ORIGIN, "3", ROOT64]


@pytest.mark.parametrize("extra", [b"", b"extra"])
@pytest.mark.parametrize("index", range(3))
def test_a_proof_survives_its_file_and_verifies(index: int, extra: bytes) -> None:
    again = Proof.parse(proof(index, extra).text())
    assert again == proof(index, extra)
    assert again.verify(HASHES[index], ORIGIN, [LOG.verifier]) == Checkpoint(ORIGIN, 3, ROOT)


def test_a_proof_in_a_log_of_one_leaf_has_no_hashes() -> None:
    single = Proof(0, (), Checkpoint(ORIGIN, 1, HASHES[0]).sign(LOG))
    assert Proof.parse(single.text()) == single
    single.verify(HASHES[0], ORIGIN, [LOG.verifier])


def test_a_proof_does_not_verify_for_another_leaf_log_or_key() -> None:
    for leaf, origin, key in [
        (HASHES[0], ORIGIN, LOG), (HASHES[2], "other.example/log", LOG), (HASHES[2], ORIGIN, WITNESS)
    ]:  # fmt: skip
        with pytest.raises(MalformedLog):
            proof().verify(leaf, origin, [key.verifier])


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: "", id="nothing"),
        pytest.param(lambda text: text.replace("@v1", "@v2"), id="another version"),
        pytest.param(lambda text: text.replace("index 2", "index 02"), id="a leading zero"),
        pytest.param(lambda text: text.replace("index 2\n", ""), id="no index"),
        pytest.param(lambda text: text.replace("index 2", "index 2\nindex 2"), id="two indexes"),
        pytest.param(lambda text: text.replace("index 2", "extra !\nindex 2"), id="extra that is not base64"),
        pytest.param(
            lambda text: text.replace("index 2", "extra eA==\nextra eA==\nindex 2"), id="two extras"
        ),
        pytest.param(lambda text: text.replace("index 2", "extra \nindex 2"), id="extra of nothing"),
        pytest.param(lambda text: text.split("\n\n")[0] + "\n", id="no checkpoint"),
        pytest.param(lambda text: text.replace("index 2\n", "index 2\nAAAA\n"), id="a short hash"),
        pytest.param(
            lambda text: text.replace("index 2\n", "index 2\n" + f"{ROOT64}\n" * 64), id="64 hashes"
        ),
        pytest.param(lambda text: text.replace("\n", "\r\n"), id="the line ends of another system"),
    ],
)
def test_malformed_proofs_are_refused(change: Callable[[str], str]) -> None:
    with pytest.raises(MalformedLog):
        Proof.parse(change(proof().text()))


# Receipts

A_RECEIPT = Receipt(ORIGIN, 7, HASHES[0], received=1_700_000_000, merge_by=1_700_086_400)


def test_a_receipt_is_six_lines_and_survives() -> None:
    assert A_RECEIPT.text() == (
        f"{ORIGIN}/receipt/v1\n{ORIGIN}\nindex 7\nleaf {write_base64(HASHES[0])}\n"
        "received 1700000000\nmerge-by 1700086400\n"
    )
    assert Receipt.open(A_RECEIPT.sign(RECEIPT), RECEIPT.verifier) == A_RECEIPT


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(f"{ORIGIN}/receipt/v1\n", f"{ORIGIN}/count/v1\n", id="another kind of document"),
        pytest.param(f"v1\n{ORIGIN}\n", "v1\nother.example/log\n", id="another log"),
        pytest.param("index 7", "index 07", id="a leading zero"),
        pytest.param("index 7\n", "", id="a line is missing"),
        pytest.param("merge-by 1700086400\n", "merge-by 1700086400\nmore\n", id="a line too many"),
        pytest.param("leaf ", "leaf  ", id="two spaces"),
        pytest.param("received", "accepted", id="another label"),
        pytest.param("received 1700000000", "received -1", id="a time before 1970"),
    ],
)
def test_malformed_receipts_are_refused_even_when_signed(old: str, new: str) -> None:
    text = A_RECEIPT.text().replace(old, new, 1)
    assert text != A_RECEIPT.text()
    with pytest.raises(MalformedLog):
        Receipt.open(sign(text, RECEIPT), RECEIPT.verifier)


def test_only_the_receipt_key_signs_receipts() -> None:
    with pytest.raises(ValueError, match="does not sign receipts"):
        A_RECEIPT.sign(LOG)
    with pytest.raises(MalformedLog):
        Receipt.open(sign(A_RECEIPT.text(), LOG), LOG.verifier)
    with pytest.raises(MalformedLog):
        Receipt.open(A_RECEIPT.sign(RECEIPT), LOG.verifier)


# Count certificates

QUERY: JSON = {"unit": "INCIDENTS", "filter": {"state": "16"}}
CERTIFICATE = CountCertificate(ORIGIN, "national-count/1", "ab" * 32, QUERY, {"best": 1}, 3, ROOT)


def test_a_count_certificate_is_six_lines_and_survives() -> None:
    assert CERTIFICATE.text() == (
        f'{ORIGIN}/count/v1\nnational-count/1 {"ab" * 32}\n{{"filter":{{"state":"16"}},"unit":"INCIDENTS"}}\n'
        f'{{"best":1}}\n3\n{ROOT64}\n'
    )
    assert CountCertificate.open(CERTIFICATE.sign(COUNT), COUNT.verifier) == CERTIFICATE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("/count/v1", "/receipt/v1", id="another kind of document"),
        pytest.param(ORIGIN, "other.example/log", id="another log"),
        pytest.param("abab", "ABAB", id="a digest in capitals"),
        pytest.param("national-count/1 ", "", id="no definition"),
        pytest.param('{"best":1}', '{"best": 1}', id="JSON with a space"),
        pytest.param('{"best":1}', '{"best":1,"best":1}', id="a key twice"),
        pytest.param('{"best":1}', '{"best":1.5}', id="half an incident"),
        pytest.param("\n3\n", "\n03\n", id="a leading zero"),
        pytest.param("\n3\n", "\n", id="a line is missing"),
        pytest.param(ROOT64, write_base64(b"short"), id="a short root"),
    ],
)
def test_malformed_certificates_are_refused_even_when_signed(old: str, new: str) -> None:
    text = CERTIFICATE.text().replace(old, new, 1)
    assert text != CERTIFICATE.text()
    with pytest.raises(MalformedLog):
        CountCertificate.open(sign(text, COUNT), COUNT.verifier)


def test_only_the_count_key_signs_counts() -> None:
    with pytest.raises(ValueError, match="does not sign counts"):
        CERTIFICATE.sign(LOG)
    with pytest.raises(ValueError, match="not a definition"):
        CountCertificate(ORIGIN, "national count", "ab" * 32, QUERY, QUERY, 3, ROOT).sign(COUNT)


# No document passes for another


def test_no_signed_document_passes_for_another_kind() -> None:
    with pytest.raises(MalformedLog):
        open_checkpoint(A_RECEIPT.sign(RECEIPT), ORIGIN, [LOG.verifier, RECEIPT.verifier])
    with pytest.raises(MalformedLog):
        open_checkpoint(CERTIFICATE.sign(COUNT), ORIGIN, [LOG.verifier, COUNT.verifier])
    with pytest.raises(MalformedLog):
        CountCertificate.open(A_RECEIPT.sign(RECEIPT), RECEIPT.verifier)
