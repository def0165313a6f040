"""``constancia verify`` as a person meets it: lines in two languages, and an exit code that scripts rely on."""

from pathlib import Path

import httpx
import pytest
import typer
from typer.testing import CliRunner

from api.cli.verify import run, verify
from projections.verification.verifier import Options
from registry.log.tiles import bundle_path, encode_bundle
from tests.unit.verification.synthetic import GIVEN, KEY, URL, Json, files, honest, server, small_log, write

LOG = small_log()
VKEY = KEY.verifier.vkey()


def invoke(*arguments: str) -> tuple[int, str, str]:
    app = typer.Typer()
    app.command()(verify)
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


def test_0_verified_with_each_step_in_spanish_and_english(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(URL, GIVEN, transport=server(files(LOG.leaves), honest(LOG.leaves))) == 0
    out = capsys.readouterr().out
    assert out.rstrip().endswith("VERIFICADO\nVERIFIED")
    assert [line[:2] for line in out.splitlines() if line[:1].isdigit()] == [
        f"{step}." for step in range(1, 8)
    ]
    assert "El servidor dice lo mismo" in out
    assert "The server says the same" in out


def test_a_checkpoint_that_nobody_witnessed_is_said_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    run(URL, GIVEN, transport=server(files(LOG.leaves), honest(LOG.leaves)))
    assert "UNWITNESSED" in capsys.readouterr().out


def test_1_a_changed_leaf(tmp_path: Path) -> None:
    content = files(LOG.leaves)
    changed = LOG.leaves[3][:-10] + b"0" + LOG.leaves[3][-9:]
    content[bundle_path(0, len(LOG.leaves))] = encode_bundle([*LOG.leaves[:3], changed, *LOG.leaves[4:]])
    code, _, err = invoke(str(write(tmp_path, content)), "--vkey", VKEY)
    assert code == 1
    assert "VERIFICACIÓN FALLIDA: La hoja 3 fue cambiada" in err
    assert "VERIFICATION FAILED: Leaf 3 was changed" in err


def test_1_a_changed_figure(capsys: pytest.CaptureFixture[str]) -> None:
    tell = honest(LOG.leaves)

    def lie(request: Json) -> Json:
        told = tell(request)
        if "count" in told["data"]:
            told["data"]["count"]["best"] += 1
        return told

    assert run(URL, GIVEN, transport=server(files(LOG.leaves), lie)) == 1
    assert "INCIDENTS STRICT: the server says 3/4/3; the leaves give 3/3/3" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["no-such-directory"],
        ["https://"],
        [".", "--vkey", "x"],
        [".", "--trust-on-first-use"],
        [".", "--certificate", "no-such-file"],
        [".", "--unknown-option"],
    ],
)
def test_2_usage(arguments: list[str]) -> None:
    assert invoke(*arguments)[0] == 2


def test_a_file_that_cannot_be_read_is_said_in_spanish_too(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff")
    for name, es, en in (
        ("missing", "no existe", "it does not exist"),
        (".", "es una carpeta", "it is a directory"),
        ("bytes", "no es texto", "it is no text"),
    ):
        code, _, err = invoke(str(tmp_path), "--certificate", str(tmp_path / name))
        assert code == 2
        assert es in err
        assert en in err


def test_3_an_unreachable_server(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route")

    monkeypatch.setattr("projections.verification.sources.PAUSES", ())
    assert run(URL, GIVEN, transport=httpx.MockTransport(refuse)) == 3
    assert "DATA UNAVAILABLE" in capsys.readouterr().err


def test_3_an_empty_directory(tmp_path: Path) -> None:
    assert invoke(str(tmp_path), "--vkey", VKEY)[0] == 3


def test_3_a_server_without_figures_after_its_log_was_verified(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(URL, GIVEN, transport=server(files(LOG.leaves))) == 3
    assert "give the signed root" in capsys.readouterr().out


def test_4_keys_that_only_the_server_shows(tmp_path: Path) -> None:
    code, out, _ = invoke(str(write(tmp_path, files(LOG.leaves))))
    assert code == 4
    assert "self-consistent only, keys not authenticated" in out


def test_trust_on_first_use_pins_the_keys_and_verifies(tmp_path: Path) -> None:
    mirror, state = str(write(tmp_path / "mirror", files(LOG.leaves))), str(tmp_path / "state.json")
    assert invoke(mirror, "--state", state, "--trust-on-first-use")[0] == 0
    code, out, _ = invoke(mirror, "--state", state)
    assert code == 0
    assert "the key remembered in --state" in out


def test_a_certificate_in_a_file_is_checked(tmp_path: Path) -> None:
    request = {"query": "", "variables": {"unit": "INCIDENTS", "nexus": "STRICT"}}
    note = honest(LOG.leaves)(request)["data"]["count"]["certificate"]
    certificate = tmp_path / "count.txt"
    certificate.write_text(note, encoding="utf-8")
    mirror = str(write(tmp_path / "mirror", files(LOG.leaves)))
    code, out, _ = invoke(mirror, "--vkey", VKEY, "--certificate", str(certificate))
    assert (code, "The certificate says what the first 12 leaves give" in out) == (0, True)
    certificate.write_text(note.replace('"best":3', '"best":4'), encoding="utf-8")
    code, _, err = invoke(mirror, "--vkey", VKEY, "--certificate", str(certificate))
    assert (code, "signature by example.org/log/count/v1 is false" in err) == (1, True)


def test_what_a_server_says_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    def answer(request: Json) -> Json:
        return {"errors": [{"message": "\x1b[2J\x9b31mVERIFIED"}]}

    assert run(URL, GIVEN, transport=server(files(LOG.leaves), answer)) == 3
    printed = capsys.readouterr()
    assert not {"\x1b", "\x9b"} & set(printed.out + printed.err)


def test_the_progress_bar_stays_out_of_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    run(URL, Options(), transport=server(files(LOG.leaves), honest(LOG.leaves)))
    assert capsys.readouterr().err == ""
