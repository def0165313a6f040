"""Following from outside: each event once, over any end and failure, and what is no log is said to be none."""

import hashlib
import io
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.cli.tail import run
from api.streams import client as module
from registry.log.canonical import encode

URL = "http://register.example"
INCIDENT: dict[str, Any] = {
    "incident": "00000001-0000-4000-8000-000000000000",
    "status": "RETRACTED",
    "merged_into": None,
    "certainty": "PROBABLE",
    "disputed": False,
    "class": "ATTACK",
    "reason": None,
    "waived": [],
    "facets": {"kind": {"value": "ROBBERY"}, "year": {"value": "2026"}, "state": {"sealed": "AA"}},
}


def block(at: int, leaf: dict[str, Any] | None = None, *, id_: int | None = None, **changes: Any) -> bytes:
    leaf, position = leaf or {"type": "entry", "id": "x"}, at
    event = {
        "type": leaf["type"],
        "position": position,
        "leafhash": hashlib.sha256(b"\0" + encode(leaf)).hexdigest(),
        "data": {"leaf": leaf},
        **changes,
    }
    return b"data: %s\nid: %d\n\n" % (json.dumps(event).encode(), position + 1 if id_ is None else id_)


class Register:
    """Answers one connection after the other; after the last one, its user stops following."""

    def __init__(self, *answers: bytes | Exception | httpx.Response) -> None:
        self._answers = iter(answers)
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.headers["last-event-id"])
        answer = next(self._answers, None)
        if answer is None:
            raise KeyboardInterrupt
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=_Pieces(answer))


class _Pieces(httpx.SyncByteStream):
    """Cut anywhere; where it ends with ``!``, the connection breaks off."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __iter__(self) -> Iterator[bytes]:
        data = self._data.removesuffix(b"!")
        yield from (data[at : at + 7] for at in range(0, len(data), 7))
        if data != self._data:
            raise httpx.RemoteProtocolError("incomplete")


@pytest.fixture
def follow(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    monkeypatch.setattr(module, "FIRST_PAUSE_SECONDS", 0.001)

    def follow(register: Register, **changes: Any) -> int:
        arguments: dict[str, Any] = {
            "after": None, "types": [], "subjects": [], "key_file": None, "json": True, "state": None, **changes
        }  # fmt: skip
        return run(URL, **arguments, transport=httpx.MockTransport(register))

    return follow


def printed(capsys: pytest.CaptureFixture[str]) -> list[int]:
    return [json.loads(line)["position"] for line in capsys.readouterr().out.splitlines()]


def test_it_resumes_after_every_end_and_failure_and_prints_each_event_once(
    follow: Callable[..., int], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    state = tmp_path / "state"
    register = Register(
        b"retry: 2000\n\n" + block(0) + b": ping\n\n" + block(1),
        httpx.ConnectError("away"),
        block(2) + block(3)[:-20] + b"!",
        httpx.Response(503, headers={"Retry-After": "0"}),
        block(3) + b"id: 4\n\n",
    )
    assert follow(register, state=state) == 0
    assert register.asked == ["0", "2", "2", "3", "3", "4"]
    assert printed(capsys) == [0, 1, 2, 3]
    assert json.loads(state.read_text()) == {"url": URL, "after": 4}

    again = Register(block(4))
    assert follow(again, state=state) == 0
    assert (again.asked, printed(capsys)) == (["4", "5"], [4])


def test_signs_of_life_move_the_position_of_who_filters(
    follow: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state"
    register = Register(block(3) + b"id: 9\n\n" + block(11))
    assert follow(register, types=["entry"], state=state) == 0
    assert printed(capsys) == [3, 11]
    assert json.loads(state.read_text())["after"] == 12


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (block(0) + block(2), "missing"),
        (block(0) + block(1) + block(0), "again"),
        (block(0) + b"id: 0\n\n", "again"),
        (block(0, id_=5), "again|missing"),
        (block(0, leafhash="00"), "hash"),
        (b"data: nonsense\nid: 1\n\n", "no event"),
        (b"data: {}\nid: 1\n\n", "no event"),
        (block(0) + b"id: 5\n\n" + block(5), "missing"),
        (b"id: x\n\n", "no event"),
        (b"id: -1\n\n", "no event"),
        (b"id: %s\n\n" % (b"9" * 5_000), "no event"),
        (block(0, position="0"), "no event"),
        (block(0, type=None), "no event"),
        (block(0, data={"leaf": "x"}), "no event"),
        (b"data: " + b"x" * 20_000, "no event"),
    ],
)
def test_what_is_no_log_ends_it(
    follow: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    sent: bytes,
    said: str,
) -> None:
    monkeypatch.setattr(module, "MAX_BLOCK_BYTES", 10_000)
    assert follow(Register(sent), json=False) == 1
    assert re.search(said, capsys.readouterr().err)


def test_what_cannot_get_better_is_not_tried_again(
    follow: Callable[..., int], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    problem = {"detail": "Pida otra clave.", "errors": [{"field": "query.types", "detail": "entry"}]}
    assert follow(Register(httpx.Response(422, json=problem))) == 3
    assert "Pida otra clave. query.types: entry" in capsys.readouterr().err
    assert follow(Register(httpx.Response(422, json={"errors": [3]}))) == 3
    assert follow(Register(httpx.Response(404, text="<html>"))) == 3
    assert follow(Register(httpx.Response(403, stream=_Pieces(b" " * 10**6)))) == 3
    capsys.readouterr()
    assert follow(Register(httpx.Response(301, headers={"location": "https://r.example/"}))) == 3
    assert "leads to another: https://r.example/" in capsys.readouterr().err
    assert follow(Register(httpx.Response(200, text="hello"))) == 3

    other, nonsense, empty = tmp_path / "other", tmp_path / "nonsense", tmp_path / "empty"
    other.write_text(json.dumps({"url": "http://other.example", "after": 3}))
    nonsense.write_text("3")
    empty.write_text("\n")
    assert follow(Register(), state=other) == 2
    assert follow(Register(), state=nonsense) == 2
    assert follow(Register(), key_file=empty) == 2
    assert follow(Register(), state=tmp_path / "nowhere" / "state") == 2
    for address in ("register.example", "http://", "http://[::1", "ftp://register.example"):
        assert run(address, None, [], [], None, True, None) == 2


def test_what_a_register_asks_for_is_granted_up_to_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_SECONDS", 0.001)
    waits: list[float] = []
    answers = [httpx.Response(503, headers={"Retry-After": asked}) for asked in ("7", "9" * 400, "soon")]
    garbage = httpx.Response(
        200,
        headers={"content-type": "text/event-stream", "content-encoding": "gzip"},
        stream=_Pieces(b"garbage"),
    )
    register = httpx.MockTransport(Register(*answers, garbage))
    with httpx.Client(base_url=URL, transport=register) as client, pytest.raises(KeyboardInterrupt):
        list(module.Stream(client, whole=True, sleep=waits.append).batches())
    assert waits[:2] == [7, 3600]
    assert max(waits[2:]) < 1


def test_a_line_to_read_follows_the_locale_and_holds_no_control_characters(
    follow: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    leaves: list[dict[str, Any]] = [
        {"type": "entry", "id": "x"},
        {"type": "incident.disclosed", "recorded": 3, "public": {"facets": {"kind": 3}}},
        {"type": "institution.registered", "recorded": "2026-11-22", "public": {"name": "Uni\x1b[2J"}},
        {"type": "incident.disclosed", "recorded": "2026-11-22", "public": INCIDENT},
    ]
    sent = b"".join(block(position, leaf, subject="incident/1") for position, leaf in enumerate(leaves))
    for locale, words in (
        ("C.UTF-8", ["asiento sellado", "Robo", "lo dice --json"]),
        ("en_GB.UTF-8", ["sealed entry", "Robbery", "--json tells it"]),
    ):
        monkeypatch.setenv("LC_ALL", locale)
        assert follow(Register(sent), json=False) == 0
        out = capsys.readouterr().out
        assert "\x1b" not in out
        assert "2026-11-22  incident.disclosed        incident/1" in out
        assert all(word in out for word in [*words, "2026", "RETRACTED"])


def test_what_a_terminal_cannot_show_does_not_end_it_and_json_is_utf_8(
    follow: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    named = block(0, {"type": "institution.registered", "public": {"name": "Łódź"}})
    for json_, expected in ((False, b"\\u0141\xf3d\\u017a"), (True, b"\\u0141\\u00f3d\\u017a")):
        out = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
        monkeypatch.setattr(sys, "stdout", out)
        assert follow(Register(named), json=json_) == 0
        assert expected in out.buffer.getvalue()
    raw = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    monkeypatch.setattr(sys, "stdout", raw)
    assert follow(Register(named.replace(b"\\u0141", "Ł".encode())), json=True) == 0
    assert "Ł".encode() in raw.buffer.getvalue()
