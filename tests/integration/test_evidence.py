"""Evidence: what comes in comes out byte for byte, to whoever may have it, and nothing else ever does."""

import base64
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from api.auth.scopes import Scope
from registry.application.execution.application import Application
from registry.application.people.erasure import Erasure, Subject
from registry.domain.codes import CorrectionReason
from registry.domain.register import SubjectKind
from registry.privacy.files import CHUNK_BYTES
from tests.integration.rest import EVIDENCE_LIMIT, Institution

REPORT = {
    "class": "ATTACK",
    "source_type": "UNIVERSITY",
    "kind": "ROBBERY",
    "victims": [{"role": "PASANTE_MEDICINE", "student": {"internal_id": "EJEMPLO-9"}}],
}
FILE = b"%PDF-1.7 PLANTED-CONTENT " + bytes(range(256)) * (CHUNK_BYTES // 100)
DESCRIBED = {
    "Content_Type": "Application/PDF; name=x",
    "Evidence_Source_URL": "https://example.org/denuncia?folio=PLANTED-FOLIO",
    "Evidence_Acquired_At": "2026-03-01T09:30:00-06:00",
    "Evidence_Method": "SCANNED",
}


@pytest.fixture
async def university(join: Callable[..., Any]) -> Institution:
    found: Institution = await join(Scope.REPORTS_WRITE)
    return found


@pytest.fixture
async def report(university: Institution) -> str:
    return str((await university.post("/v1/reports", REPORT)).json()["id"])


@pytest.fixture
def path(report: str) -> str:
    return f"/v1/reports/{report}/evidence"


def content_digest(content: bytes) -> str:
    return f"sha-256=:{base64.b64encode(sha256(content).digest()).decode()}:"


async def stored(pool: asyncpg.Pool) -> tuple[int, int]:
    """How many files and chunks there are."""
    tables = ("evidence", "evidence_chunks")
    files, chunks = [await pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables]
    return files, chunks


async def attach(institution: Institution, path: str, content: bytes = FILE) -> str:
    answer = await institution.send(path, content, **DESCRIBED)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


async def test_a_file_comes_out_as_it_came_in_and_only_ever_as_an_attachment(
    university: Institution, path: str, pool: asyncpg.Pool
) -> None:
    answer = await university.send(path, FILE, **DESCRIBED, Content_Digest=content_digest(FILE))
    assert answer.status_code == 201
    assert answer.json()["version"] == 2
    location = answer.headers["location"]
    assert location == f"/v1/evidence/{answer.json()['evidence']}"
    served = await university.get(f"{location}/file")
    assert served.content == FILE
    assert served.headers["content-type"] == "application/pdf"
    assert served.headers["content-disposition"].startswith('attachment; filename="')
    assert served.headers["x-content-type-options"] == "nosniff"
    assert served.headers["content-security-policy"].startswith("sandbox")
    assert (await stored(pool)) == (1, 3)
    sizes = await pool.fetch("SELECT octet_length(ciphertext) FROM evidence_chunks")
    assert max(row[0] for row in sizes) < CHUNK_BYTES + 100
    everything = await pool.fetchval(
        "SELECT string_agg(encode(ciphertext, 'escape'), '') FROM evidence_chunks"
    )
    assert "PLANTED" not in everything


async def test_a_file_of_any_size_up_to_the_limit_is_kept(university: Institution, path: str) -> None:
    for size in (1, CHUNK_BYTES, EVIDENCE_LIMIT):
        location = await attach(university, path, bytes(size))
        assert (await university.get(f"{location}/file")).content == bytes(size)


async def test_the_description_tells_who_stored_the_file_and_everybody_who_has_read_of_it(
    university: Institution, path: str, join: Callable[..., Any]
) -> None:
    location = await attach(university, path)
    verifier = await join(Scope.INCIDENTS_VERIFY)
    await verifier.get(f"{location}/file", "ADJUDICATION")
    described = (await university.get(location)).json()
    assert described["size"] == len(FILE)
    assert described["media_type"] == "application/pdf"
    assert described["stored"]["institution"] == described["institution"]
    assert described["private"] == {
        "algorithm": "SHA-256",
        "digest": sha256(FILE).hexdigest(),
        "source_url": DESCRIBED["Evidence_Source_URL"],
        "acquired_at": DESCRIBED["Evidence_Acquired_At"],
        "method": "SCANNED",
    }
    (read,) = described["reads"]
    assert (read["fields"], read["purpose"]) == (["file"], "ADJUDICATION")
    assert read["institution"] != described["institution"]
    again = (await university.get(location)).json()["reads"]
    assert "private.evidence.source_url" in again[1]["fields"]


async def test_only_the_own_institution_and_verifiers_get_at_it(
    university: Institution, path: str, join: Callable[..., Any], pool: asyncpg.Pool
) -> None:
    location = await attach(university, path)
    stranger = await join(Scope.REPORTS_WRITE, Scope.RESTRICTED_READ)
    assert (await stranger.send(path, FILE)).status_code == 404
    for address in (location, f"{location}/file", f"/v1/evidence/{uuid4()}"):
        assert (await stranger.get(address)).status_code == 404
    analyst = await join(Scope.RESTRICTED_READ)
    assert (await analyst.get(f"{location}/file")).status_code == 403
    verifier = await join(Scope.INCIDENTS_VERIFY)
    assert (await verifier.get(f"{location}/file")).content == FILE
    assert (await verifier.send(path, FILE)).status_code == 403
    assert await stored(pool) == (1, 3)


async def test_what_would_run_in_a_browser_is_served_as_bytes(university: Institution, path: str) -> None:
    for media_type in ("text/html", "image/svg+xml", "application/xhtml+xml"):
        sent = await university.send(path, media_type.encode(), Content_Type=media_type)
        served = await university.get(f"{sent.headers['location']}/file")
        assert served.headers["content-type"] == "application/octet-stream"
        assert served.headers["content-disposition"].endswith('.bin"')


WRONGLY_DESCRIBED = [
    ({"Content_Digest": content_digest(b"another")}, 422, "header.Content-Digest"),
    ({"Content_Digest": "md5=:AAAA:"}, 400, "header.Content-Digest"),
    ({"Content_Type": "nothing"}, 422, "header.Content-Type"),
    ({"Evidence_Acquired_At": "yesterday"}, 422, "header.Evidence-Acquired-At"),
    ({"Evidence_Acquired_At": "2026-03-01T09:30:00"}, 422, "header.Evidence-Acquired-At"),
    ({"Evidence_Method": "STOLEN"}, 422, "header.Evidence-Method"),
]


async def test_a_file_that_is_described_wrongly_is_refused_and_not_kept(
    university: Institution, path: str, pool: asyncpg.Pool
) -> None:
    for headers, status, field in WRONGLY_DESCRIBED:
        answer = await university.send(path, FILE, **headers)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (status, field), headers
    empty = await university.send(path, b"")
    assert (empty.status_code, empty.json()["errors"][0]["field"]) == (422, "body")
    assert await stored(pool) == (0, 0)


async def test_an_upload_that_is_too_large_or_ends_in_between_leaves_nothing(
    university: Institution, path: str, pool: asyncpg.Pool
) -> None:
    assert (await university.send(path, bytes(EVIDENCE_LIMIT + 1))).status_code == 413

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(CHUNK_BYTES)

    assert (await university.send(path, endless())).status_code == 413

    async def interrupted() -> AsyncIterator[bytes]:
        yield bytes(2 * CHUNK_BYTES)
        raise ConnectionResetError

    assert (await university.send(path, interrupted())).status_code == 503
    assert await stored(pool) == (0, 0)


async def test_what_a_crash_left_between_file_and_event_is_swept_away(
    university: Institution, report: str, path: str, pool: asyncpg.Pool
) -> None:
    location = await attach(university, path)
    kept = UUID(location.rpartition("/")[2])
    orphan = uuid4()
    await pool.execute("INSERT INTO evidence (id, report) VALUES ($1, $2)", orphan, UUID(report))
    assert (await university.get(f"/v1/evidence/{orphan}")).status_code == 404
    await pool.execute("UPDATE evidence SET attached = false, stored = now() - interval '2 hours'")
    await attach(university, path, b"another file")
    ids = {row["id"] for row in await pool.fetch("SELECT id FROM evidence WHERE attached")}
    assert kept in ids
    assert len(ids) == 2
    assert await pool.fetchval("SELECT count(*) FROM evidence") == 2


async def test_a_file_sent_again_is_stored_once(
    university: Institution, path: str, pool: asyncpg.Pool
) -> None:
    first = await university.send(path, FILE, **DESCRIBED, Idempotency_Key="k-1")
    again = await university.send(path, FILE, **DESCRIBED, Idempotency_Key="k-1")
    assert again.headers["idempotency-replayed"] == "true"
    assert again.content == first.content
    other = await university.send(path, b"other", **DESCRIBED, Idempotency_Key="k-1")
    assert other.json()["code"] == "idempotency-key-reused"
    once_more = await university.send(path, FILE, **DESCRIBED)
    assert once_more.json()["rule"] == "evidence-attached-once"
    named = f"{path}?source_record_id=E-1"
    one = await university.send(named, b"one")
    assert (one.status_code, (await university.send(named, b"one")).status_code) == (201, 200)
    assert (await university.send(named, b"two")).json()["code"] == "source-record-differs"
    assert await pool.fetchval("SELECT count(*) FROM evidence") == 2


async def test_what_was_erased_is_gone_with_its_file(
    university: Institution, report: str, path: str, app: Application, pool: asyncpg.Pool
) -> None:
    location = await attach(university, path)
    await Erasure(app, pool).erase(Subject(SubjectKind.REPORT, report), CorrectionReason.DATA_SUBJECT_REQUEST)
    assert await stored(pool) == (1, 0)
    gone = await university.get(f"{location}/file")
    assert (gone.status_code, gone.json()["code"]) == (410, "erased")
    described = (await university.get(location)).json()
    assert described["erased"]
    assert described["private"] == {}
    assert len(described["reads"]) == 0
    again = await attach(university, path, b"another file")
    assert (await university.get(f"{again}/file")).content == b"another file"


DAMAGES = {
    "a byte": "UPDATE evidence_chunks SET ciphertext = set_byte(ciphertext, 99, get_byte(ciphertext, 99) # 1)",
    "a chunk": "DELETE FROM evidence_chunks WHERE number = 1",
    "the end": "DELETE FROM evidence_chunks WHERE number = 2",
    "the order": "UPDATE evidence_chunks SET ciphertext = (SELECT ciphertext FROM evidence_chunks WHERE number = 0)",
}


async def test_a_file_that_was_damaged_is_not_served(
    university: Institution, path: str, pool: asyncpg.Pool
) -> None:
    location = await attach(university, path)
    await pool.execute("CREATE TABLE whole AS SELECT * FROM evidence_chunks")
    for damage, statement in DAMAGES.items():
        await pool.execute(statement)
        answer = await university.get(f"{location}/file")
        assert (answer.status_code, answer.json()["code"]) == (500, "internal-error"), damage
        await pool.execute("DELETE FROM evidence_chunks")
        await pool.execute("INSERT INTO evidence_chunks SELECT * FROM whole")
    assert (await university.get(location)).json()["reads"] == []
    assert (await university.get(f"{location}/file")).content == FILE
