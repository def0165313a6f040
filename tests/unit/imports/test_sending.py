"""Sending survives cuts and restarts, and gives up in words."""

import json

import httpx
import pytest

from api.imports.answers import Mode, Status
from api.imports.records import Records
from api.imports.sending import ATTEMPTS, CHUNK_ROWS, NotPermitted, Sender, Unsent
from tests.unit.imports.answering import Handler, taken


def sender(handler: Handler, mode: Mode = Mode.PARTIAL) -> tuple[Sender, list[float]]:
    waits: list[float] = []
    client = httpx.Client(transport=httpx.MockTransport(handler), base_url="http://register.test")
    return Sender(client, Records.REPORTS, mode, wait=waits.append), waits


def rows(count: int) -> list[bytes]:
    return [json.dumps({"n": number}).encode() for number in range(count)]


def test_a_partial_import_goes_in_chunks_and_keeps_its_order() -> None:
    requests: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return taken(request)

    chunks = list(sender(handler)[0].send(rows(2 * CHUNK_ROWS + 1)))
    assert [len(chunk) for chunk in chunks] == [CHUNK_ROWS, CHUNK_ROWS, 1]
    assert [answer.place for chunk in chunks for answer in chunk] == list(range(2 * CHUNK_ROWS + 1))
    assert requests[0].url.params["mode"] == "partial"
    assert len({request.headers["idempotency-key"] for request in requests}) == 3


def test_an_atomic_import_is_one_request() -> None:
    assert len(list(sender(taken, Mode.ATOMIC)[0].send(rows(2 * CHUNK_ROWS)))) == 1


def test_nothing_to_send_is_no_request() -> None:
    assert list(sender(taken)[0].send([])) == []


@pytest.mark.parametrize("failure", ["cut", 503, 502, 429, "undecided"])
def test_a_failed_chunk_is_sent_again_under_the_same_key(failure: object) -> None:
    requests: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        if len(requests) > 2:
            return taken(request)
        if failure == "cut":
            raise httpx.ReadError("cut", request=request)
        if failure == "undecided":
            error = {"field": None, "code": "unavailable", "detail": "try again"}
            answer = taken(request).json()
            answer["results"][0] |= {"status": "error", "errors": [error]}
            return httpx.Response(200, json=answer)
        assert isinstance(failure, int)
        return httpx.Response(failure)

    sending, waits = sender(handler)
    (answers,) = sending.send(rows(2))
    assert [answer.result.status for answer in answers] == [Status.CREATED, Status.CREATED]
    assert waits == [0.5, 1.0]
    assert len({(request.headers["idempotency-key"], request.content) for request in requests}) == 1


def test_after_about_a_minute_it_gives_up_and_says_that_repeating_is_safe() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    sending, waits = sender(handler)
    with pytest.raises(Unsent, match="nothing is doubled"):
        list(sending.send(rows(1)))
    assert len(waits) == ATTEMPTS - 1
    assert 30 < sum(waits) < 120


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_does_not_open_is_not_tried_again(status: int) -> None:
    sending, waits = sender(lambda _: httpx.Response(status))
    with pytest.raises(NotPermitted, match="CONSTANCIA_KEY"):
        list(sending.send(rows(1)))
    assert waits == []


def test_a_refusal_is_told_in_the_servers_words() -> None:
    problem = {"detail": "Too much.", "errors": [{"field": "rows", "detail": "At most 5."}]}
    with pytest.raises(Unsent, match=r"HTTP 413\): Too much\. rows: At most 5\."):
        list(sender(lambda _: httpx.Response(413, json=problem))[0].send(rows(1)))


@pytest.mark.parametrize("response", [httpx.Response(200, text="<html>"), httpx.Response(404, text="<html>")])
def test_an_answer_of_something_else_is_told_as_such(response: httpx.Response) -> None:
    with pytest.raises(Unsent):
        list(sender(lambda _: response)[0].send(rows(1)))
