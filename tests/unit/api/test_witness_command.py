"""``constancia witness``: its key, its name, and the server that it runs."""

from pathlib import Path

import httpx
import pytest

from api.cli.witness import KEY_FILE, load_or_create
from api.witness_server import create_witness
from registry.errors import StartRefused
from registry.log.checkpoint import Checkpoint
from registry.log.merkle import leaf_hash
from registry.log.note import Signer, open_note
from registry.log.submission import MAX_BYTES, Submission, shown_at
from registry.log.witnessing import Witness

ORIGIN = "example.org/log"
LOG = Signer(ORIGIN, b"l" * 32)
CHECKPOINT = Checkpoint(ORIGIN, 1, leaf_hash(b"x"))


def test_the_key_is_made_once_under_its_name(tmp_path: Path) -> None:
    made = load_or_create(tmp_path / "w", "witness.example")
    assert load_or_create(tmp_path / "w", None).key == made.key
    assert load_or_create(tmp_path / "w", "witness.example").key == made.key
    assert (tmp_path / "w" / KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_what_it_cannot_start_with_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match="needs --name"):
        load_or_create(tmp_path, None)
    with pytest.raises(StartRefused, match="key name"):
        load_or_create(tmp_path, "a witness")
    load_or_create(tmp_path, "witness.example")
    with pytest.raises(StartRefused, match=r"is named witness\.example"):
        load_or_create(tmp_path, "other.example")
    (tmp_path / KEY_FILE).write_text("x")
    with pytest.raises(StartRefused, match="damaged"):
        load_or_create(tmp_path, None)
    (tmp_path / KEY_FILE).unlink()
    (tmp_path / "0.checkpoint").touch()
    with pytest.raises(StartRefused, match="has cosigned already"):
        load_or_create(tmp_path, "witness.example")


async def test_it_answers_over_http_as_the_specification_says(tmp_path: Path) -> None:
    cosigner = load_or_create(tmp_path, "witness.example")
    app = create_witness(Witness(cosigner, [LOG.verifier], tmp_path))
    note = CHECKPOINT.sign(LOG)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://w") as client:
        assert (await client.get(f"/{shown_at(ORIGIN)}")).status_code == 404
        cosigned = await client.post("/add-checkpoint", content=Submission(0, (), note).body())
        assert cosigned.status_code == 200
        assert open_note(note + cosigned.text, [LOG.verifier, cosigner.key]).text == CHECKPOINT.text()
        assert (await client.get(f"/{shown_at(ORIGIN)}")).text == note + cosigned.text
        stale = await client.post("/add-checkpoint", content=Submission(0, (), note).body())
        assert (stale.status_code, stale.headers["content-type"], stale.text) == (
            409,
            "text/x.tlog.size",
            "1\n",
        )
        assert (await client.get("/add-checkpoint")).status_code == 405
        assert (await client.post("/add-checkpoint", content=b"x" * (MAX_BYTES + 1))).status_code == 413
        next(tmp_path.glob("*.checkpoint")).write_bytes(b"damaged")
        assert (
            await client.post("/add-checkpoint", content=Submission(1, (), note).body())
        ).status_code == 500
