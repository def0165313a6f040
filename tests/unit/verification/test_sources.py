"""Sources deliver bytes within limits; whatever else they do becomes one of our errors."""

from itertools import repeat
from pathlib import Path

import httpx
import pytest

from projections.verification.errors import CannotStart, DataUnavailable, Missing, VerificationFailed
from projections.verification.sources import Directory, Site, is_url, site_url
from tests.unit.verification.synthetic import URL


def site(handler: httpx.MockTransport) -> Site:
    return Site(URL, transport=handler, pause=lambda seconds: None)


def test_a_directory_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="checkpoint does not exist"):
        Directory(tmp_path).read("checkpoint", 100)


def test_a_directory_that_cannot_be_read_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").mkdir()
    with pytest.raises(DataUnavailable, match="Cannot read"):
        Directory(tmp_path).read("checkpoint", 100)


def test_a_file_above_its_limit_is_no_part_of_a_log(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_bytes(bytes(101))
    with pytest.raises(VerificationFailed, match="more than 100 bytes"):
        Directory(tmp_path).read("checkpoint", 100)
    assert len(Directory(tmp_path).read("checkpoint", 101)) == 101


def test_a_web_page_is_no_file_of_a_log() -> None:
    def page(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, html="<title>Inicie sesión</title>")

    with site(httpx.MockTransport(page)) as server, pytest.raises(DataUnavailable, match="with a web page"):
        server.read("checkpoint", 5000)


def test_an_endless_answer_is_cut_off() -> None:
    def endless(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=repeat(bytes(1000)))

    with site(httpx.MockTransport(endless)) as server, pytest.raises(VerificationFailed, match="more than"):
        server.read("checkpoint", 5000)


@pytest.mark.parametrize(
    ("status", "error"), [(404, Missing), (410, Missing), (500, DataUnavailable), (429, DataUnavailable)]
)
def test_a_status_is_the_servers_word_and_is_not_asked_for_again(
    status: int, error: type[DataUnavailable]
) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(status)

    with site(httpx.MockTransport(answer)) as server, pytest.raises(error):
        server.read("tile/0/000", 100)
    assert asked == ["/log/tile/0/000"]


def test_a_connection_that_breaks_twice_is_tried_again() -> None:
    failures = [httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("cut")]

    def answer(request: httpx.Request) -> httpx.Response:
        if failures:
            raise failures.pop()
        return httpx.Response(200, content=b"here")

    with site(httpx.MockTransport(answer)) as server:
        assert server.read("checkpoint", 100) == b"here"


def test_a_redirection_without_end_is_unavailable() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"Location": "/log/checkpoint"})

    with (
        site(httpx.MockTransport(answer)) as server,
        pytest.raises(DataUnavailable, match="TooManyRedirects"),
    ):
        server.read("checkpoint", 100)


def test_the_answer_to_a_question_may_be_a_refusal_with_a_body() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/graphql"
        return httpx.Response(400, json={"errors": []})

    with site(httpx.MockTransport(answer)) as server:
        assert server.ask(b"{}") == b'{"errors":[]}'


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("https://example.org", "https://example.org"),
        ("https://example.org/", "https://example.org"),
        ("https://example.org/log", "https://example.org"),
        ("http://localhost:8000/register/log/", "http://localhost:8000/register"),
    ],
)
def test_an_address_may_be_that_of_the_register_or_of_its_log(given: str, base: str) -> None:
    assert site_url(given) == base


@pytest.mark.parametrize(
    "given", ["https://", "ftp://example.org", "https://example.org/?x=1", "http:///log", "http://["]
)
def test_what_is_no_address_is_a_usage_error(given: str) -> None:
    with pytest.raises(CannotStart, match="is not the address of a register"):
        site_url(given)


def test_only_http_addresses_are_taken_for_servers() -> None:
    assert is_url("http://localhost:8000")
    assert not is_url("mirror/2026")
