"""One request to one endpoint: to an address that was checked, within bounds, whatever it answers."""

import asyncio
import ssl
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from api.delivery.webhooks import client as client_module
from api.delivery.webhooks.addresses import Address, check_url
from api.delivery.webhooks.client import Client
from api.delivery.webhooks.outcomes import Failure
from tests.integration.webhooks.receiver import Answer, Received, endlessly, receiving, says, silence, status

ALLOWED = (ip_network("127.0.0.2/32"),)
HEADERS = {"webhook-id": "1", "webhook-timestamp": "1", "webhook-signature": "v1,x"}
HEAD = b"HTTP/1.1 200 x\r\n"


def now() -> datetime:
    return datetime.now(UTC)


class Names:
    """A resolver that answers something else each time, and the last for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        self.asked += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if not answer:
            raise OSError
        return [ip_address(one) for one in answer]


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "TOTAL_SECONDS", 1.0)
    monkeypatch.setattr(client_module, "BODY_SECONDS", 0.2)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (status(200), (200, None)),
        (status(500), (500, None)),
        (status(410), (410, None)),
        (says(b"220 mail.example ESMTP\r\n", stay=False), (None, Failure.BROKEN_ANSWER)),
        (says(b"", stay=False), (None, Failure.BROKEN_ANSWER)),
        (says(HEAD + b"content-length: 9\r\n\r\nshort", stay=False), (200, None)),
        (says(HEAD + b"transfer-encoding: chunked\r\n\r\nnonsense", stay=False), (200, None)),
        (silence, (None, Failure.TIMED_OUT)),
        (endlessly(HEAD, b"x: y\r\n" * 1_000), (None, Failure.BROKEN_ANSWER)),
        (endlessly(b"", b"HTTP/1.1 103 x\r\n\r\n"), (None, Failure.TIMED_OUT)),
        (endlessly(HEAD + b"\r\n", b"x" * 65_536), (200, None)),
        (endlessly(b"HTTP/1.1 503 x\r\ncontent-encoding: gzip\r\n\r\n", b"\x1f\x8b" * 100), (503, None)),
        (says(HEAD + b"content-length: 2000000000\r\n\r\n"), (200, None)),
    ],
)
async def test_whatever_is_answered_only_the_status_counts_and_nothing_takes_long(
    answer: Answer, expected: tuple[int | None, Failure | None]
) -> None:
    async with receiving() as receiver, Client(ALLOWED, now) as client:
        receiver.answer = answer
        async with asyncio.timeout(20):
            outcome = await client.post(receiver.url, HEADERS, b"{}")
    assert (outcome.status, outcome.failure) == expected
    assert receiver.requests[0].headers["content-type"] == "application/cloudevents+json"


async def test_a_status_that_came_in_time_counts_however_long_its_body_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client_module, "TOTAL_SECONDS", 0.5)
    monkeypatch.setattr(client_module, "BODY_SECONDS", 1.0)

    async def trickle(_: Received, writer: asyncio.StreamWriter) -> bool:
        writer.write(HEAD + b"content-length: 1000\r\n\r\n")
        return await silence(_, writer)

    async with receiving() as receiver, Client(ALLOWED, now) as client:
        receiver.answer = trickle
        outcome = await client.post(receiver.url, HEADERS, b"{}")
    assert (outcome.status, outcome.failure) == (200, None)


async def test_a_message_goes_where_it_was_registered_to_go_to_the_last_character() -> None:
    async with receiving() as receiver, Client(ALLOWED, now) as client:
        for path in ("/a;b=1", "/a/b;c?d;e=f&g=%2F", "/a%2Fb?", ""):
            url = check_url(f"http://127.0.0.2:{receiver.port}{path}", ALLOWED)
            assert (await client.post(url, HEADERS, b"{}")).status == 204
    assert [one.target for one in receiver.requests] == ["/a;b=1", "/a/b;c?d;e=f&g=%2F", "/a%2Fb?", "/"]


async def test_names_that_are_not_answered_hold_up_neither_the_others_nor_the_end_of_the_process() -> None:
    program = """
import asyncio, socket, threading
from datetime import UTC, datetime
from api.delivery.webhooks import client as client_module
from api.delivery.webhooks.client import Client

client_module.CONNECT_SECONDS = 1.0
answered = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: (
    threading.Event().wait() if host == "silent.example" else answered(host, *rest, **more))


async def main():
    async with Client((), lambda: datetime.now(UTC)) as client:
        async def ask(host):
            return (await client.post(f"https://{host}/", {}, b"{}")).failure
        print(await asyncio.gather(*map(ask, ["silent.example"] * 3 + ["127.0.0.1", ".."])))

asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=subprocess.PIPE)
    async with asyncio.timeout(30):
        printed, _ = await process.communicate()
    assert process.returncode == 0
    assert printed.count(b"NOT_RESOLVED'") == 4
    assert printed.count(b"ADDRESS_REFUSED'") == 1


async def test_a_redirect_is_not_followed_and_a_wish_for_a_pause_is_told() -> None:
    async with receiving() as receiver, receiving("127.0.0.1") as private, Client(ALLOWED, now) as client:
        receiver.answer = status(307, f"location: {private.url}", "retry-after: 90")
        outcome = await client.post(receiver.url, HEADERS, b"{}")
    assert (outcome.status, outcome.wished) == (307, timedelta(seconds=90))
    assert private.connections == 0


async def test_a_name_that_changes_its_answer_between_check_and_connection_gains_nothing() -> None:
    async with receiving() as receiver, receiving("127.0.0.1") as private:
        url = f"http://rebinding.example:{receiver.port}/"
        names = Names(["127.0.0.2"], ["127.0.0.1"])
        async with Client(ALLOWED, now, resolve=names) as client:
            assert (await client.post(url, HEADERS, b"{}")).status == 204
            # The address that was checked is the one that was connected to; the connection is kept, too.
            assert names.asked == 1
            assert (await client.post(url, HEADERS, b"{}")).status == 204
            assert names.asked == 1
        inside = f"http://rebinding.example:{private.port}/"
        async with Client(ALLOWED, now, resolve=names) as client:
            outcome = await client.post(inside, HEADERS, b"{}")
        assert outcome.failure is Failure.ADDRESS_REFUSED
        assert private.connections == 0
        assert receiver.requests[0].headers["host"] == f"rebinding.example:{receiver.port}"


@pytest.mark.parametrize(
    ("addresses", "failure"),
    [
        ([], Failure.NOT_RESOLVED),
        (["10.0.0.1", "::1", "::ffff:127.0.0.2", "64:ff9b::7f00:2"], Failure.ADDRESS_REFUSED),
        (["8.8.8.8"], Failure.NOT_ENCRYPTED),
    ],
)
async def test_what_a_name_leads_to_is_checked(addresses: list[str], failure: Failure) -> None:
    async with Client(ALLOWED, now, resolve=Names(addresses)) as client:
        outcome = await client.post("http://hook.example/", HEADERS, b"{}")
    assert outcome.failure is failure


async def test_of_several_addresses_the_allowed_ones_are_tried_in_turn() -> None:
    async with receiving() as receiver:
        names = Names(["127.0.0.1", "127.0.0.3", "127.0.0.2"])
        networks = (ip_network("127.0.0.2/31"),)  # .2 and .3, where nobody listens
        async with Client(networks, now, resolve=names) as client:
            url = f"http://hook.example:{receiver.port}/"
            assert (await client.post(url, HEADERS, b"{}")).status == 204
            closed = await client.post("http://hook.example:9/", HEADERS, b"{}")
    assert closed.failure is Failure.NOT_CONNECTED


async def test_the_systems_own_resolver_is_asked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Client((), now) as client:
        # Ways of writing 127.0.0.1 that only a resolver understands.
        for host in ("localhost", "127.1", "2130706433", "0x7f.1"):
            outcome = await client.post(f"https://{host}/", HEADERS, b"{}")
            assert outcome.failure in (Failure.ADDRESS_REFUSED, Failure.NOT_RESOLVED)
        assert (await client.post("https://no-such.invalid/", HEADERS, b"{}")).failure is Failure.NOT_RESOLVED


def certificate(name: str, directory: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context for this name, and a client's that trusts it."""
    key = generate_private_key(SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, SHA256())
    )
    file = directory / "certificate.pem"
    file.write_bytes(
        signed.public_bytes(Encoding.PEM)
        + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cafile=str(file))


async def test_certificates_are_checked_for_the_name_though_the_address_is_connected_to(
    tmp_path: Path,
) -> None:
    server, trusted = certificate("hook.example", tmp_path)
    async with receiving(certificate=server) as receiver:
        names = Names(["127.0.0.2"])
        async with Client(ALLOWED, now, resolve=names, trusted=trusted) as client:
            right = await client.post(f"https://hook.example:{receiver.port}/", HEADERS, b"{}")
            wrong = await client.post(f"https://other.example:{receiver.port}/", HEADERS, b"{}")
    assert (right.status, wrong.failure) == (204, Failure.NOT_CONNECTED)
