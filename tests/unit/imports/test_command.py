"""``constancia import`` on the sender's machine: what it prints, leaves behind and exits with."""

import csv
import json
from pathlib import Path

import httpx
import pytest
import typer
from typer.testing import CliRunner, Result

import api.cli.import_ as command
from tests.unit.imports.answering import Handler, taken

PROFILE = """
records = "reports"
[tables.class]
exact = { "amenaza" = "THREAT" }
[[record]]
[record.fields]
class = { column = "qué", table = "class" }
source_type = "UNIVERSITY"
kind = { column = "tipo" }
source_record_id = { column = "id" }
"""
CLAIMS = "id,qué,tipo,nota\n1,amenaza,MESSAGE,a\n2,incendio,,b\n3,amenaza,ROBO,c\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "claims.csv"
    path.write_text(CLAIMS, encoding="utf-8")
    (tmp_path / "profile.toml").write_text(PROFILE, encoding="utf-8")
    return path


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """Takes every row, and remembers what it was asked."""
    requests: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return taken(request)

    serve(monkeypatch, handler)
    return requests


def serve(monkeypatch: pytest.MonkeyPatch, handler: Handler) -> None:
    transport = httpx.MockTransport(handler)
    real = httpx.Client

    def client(url: str, key: str) -> httpx.Client:
        return real(base_url=url, headers={"Authorization": f"Bearer {key}"}, transport=transport)

    monkeypatch.setattr(command, "_client", client)


def run(file: Path, *arguments: str, profile: bool = True, records: str = "reports") -> Result:
    app = typer.Typer()
    app.command()(command.import_file)
    with_profile = ["--profile", str(file.with_name("profile.toml"))] if profile else []
    return CliRunner().invoke(app, [str(file), "--records", records, *with_profile, *arguments])


def sound(file: Path) -> None:
    file.write_text("id,qué,tipo,nota\n1,amenaza,MESSAGE,a\n2,amenaza,VERBAL,b\n", encoding="utf-8")


def test_a_dry_run_without_a_server_checks_the_file_here(file: Path) -> None:
    sound(file)
    result = run(file)
    assert result.exit_code == 0
    assert "2 filas, 2 sin errores" in result.output
    assert "nota" in result.output, "a column that nothing uses is told"
    assert not file.with_name("claims.csv.errors.csv").exists()


def test_each_rows_errors_stand_beside_it_in_a_copy(file: Path) -> None:
    result = run(file)
    assert result.exit_code == 1
    copy = file.with_name("claims.csv.errors.csv")
    assert copy.stat().st_mode & 0o777 == 0o600
    with copy.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["qué"] for row in rows] == ["amenaza", "incendio", "amenaza"]
    assert (rows[0]["error"], rows[2]["error"]) == ("", "")
    for word in ("qué", "class", "incendio", "«amenaza»", "does not say"):
        assert word in rows[1]["error"]
    assert "incendio" in result.output


def test_sound_rows_are_sent_and_the_others_are_not(file: Path, server: list[httpx.Request]) -> None:
    result = run(file, "--mode", "partial", "--url", "http://register.test/", "--key", "cst_x")
    assert result.exit_code == 1
    (request,) = server
    assert request.headers["authorization"] == "Bearer cst_x"
    bodies = [json.loads(line) for line in request.content.decode().splitlines()]
    assert [body["source_record_id"] for body in bodies] == ["1", "3"]
    assert "2 creadas" in result.output


def test_an_atomic_import_sends_nothing_while_a_row_is_wrong(file: Path, server: list[httpx.Request]) -> None:
    assert run(file, "--mode", "atomic", "--url", "http://register.test", "--key", "k").exit_code == 1
    assert server == []


def test_an_atomic_import_of_too_many_rows_is_refused_before_anything_is_sent(
    file: Path, server: list[httpx.Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    sound(file)
    monkeypatch.setattr(command, "ATOMIC_ROWS", 1)
    result = run(file, "--mode", "atomic", "--url", "http://register.test", "--key", "k")
    assert (result.exit_code, server) == (2, [])
    monkeypatch.setattr(command, "ATOMIC_ROWS", 2)
    assert run(file, "--mode", "atomic", "--url", "http://register.test", "--key", "k").exit_code == 0


def test_what_the_server_doubts_is_shown_at_its_cell_and_no_error(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound(file)

    def handler(request: httpx.Request) -> httpx.Response:
        answer = taken(request).json()
        answer["results"][1] |= {"warnings": [{"field": "kind", "detail": "Doubtful."}]}
        return httpx.Response(200, json=answer)

    serve(monkeypatch, handler)
    result = run(file, "--mode", "partial", "--url", "http://register.test", "--key", "k")
    assert result.exit_code == 0
    assert "(aviso · warning) [tipo → kind «VERBAL»] Doubtful." in result.output
    copy = file.with_name("claims.csv.errors.csv").read_text(encoding="utf-8-sig").splitlines()
    assert copy[1].endswith(",")
    assert copy[2].endswith("Doubtful.")


def test_what_the_server_refuses_is_shown_at_its_cell(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound(file)

    def handler(request: httpx.Request) -> httpx.Response:
        answer = taken(request).json()
        error = {"field": "kind", "code": "invalid-input", "detail": "Not a kind."}
        answer["results"][1] |= {"status": "error", "errors": [error]}
        return httpx.Response(200, json=answer)

    serve(monkeypatch, handler)
    result = run(file, "--mode", "partial", "--url", "http://register.test", "--key", "k")
    assert result.exit_code == 1
    assert "[tipo → kind «VERBAL»] Not a kind." in result.output
    assert "1 creadas, 0 ya estaban, 1 con errores" in result.output


def test_the_key_may_come_from_the_environment(
    file: Path, server: list[httpx.Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    sound(file)
    monkeypatch.setenv("CONSTANCIA_KEY", "cst_env")
    assert run(file, "--mode", "partial", "--url", "http://register.test").exit_code == 0
    assert server[0].headers["authorization"] == "Bearer cst_env"


def test_ndjson_needs_no_profile(tmp_path: Path, server: list[httpx.Request]) -> None:
    file = tmp_path / "rows.ndjson"
    file.write_text('{"class":"THREAT","source_type":"UNIVERSITY"}\n{"class":"NADA"}\n', encoding="utf-8")
    result = run(file, "--mode", "partial", "--url", "http://register.test", "--key", "k", profile=False)
    assert result.exit_code == 1
    assert len(server[0].content.splitlines()) == 1
    assert "NADA" in (tmp_path / "rows.ndjson.errors.csv").read_text(encoding="utf-8-sig")


def test_a_csv_whose_headings_are_fields_needs_no_profile(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("class;source_type;low\nTHREAT;UNIVERSITY;\nTHREAT;UNIVERSITY;x\n", encoding="utf-8")
    result = run(file, profile=False)
    assert result.exit_code == 1
    assert "[low → low «x»]" in result.output
    file.write_text("Clase;Tipo de fuente;Inicio;low\n", encoding="utf-8")
    assert run(file, profile=False).exit_code == 2
    file.write_text("Clase;Tipo de fuente;Fecha desde\nTHREAT;UNIVERSITY;30/02/2026\n", encoding="utf-8")
    assert "[Fecha desde → when.earliest «30/02/2026»]" in run(file, profile=False).output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--mode", "partial"], "--url"),
        (["--url", "http://register.test"], "CONSTANCIA_KEY"),
        (["--url", "register.test", "--key", "k"], "https://"),
    ],
)
def test_what_is_missing_on_the_command_line_is_named(file: Path, arguments: list[str], says: str) -> None:
    result = run(file, *arguments)
    assert result.exit_code == 2
    assert says in result.output


def test_a_profile_for_other_records_is_refused(file: Path) -> None:
    result = run(file, records="incidents")
    assert result.exit_code == 2
    assert "reports" in result.output


@pytest.mark.parametrize("profile", [b"records = 1", b"\xff"])
def test_a_profile_that_cannot_be_understood_is_a_usage_error(file: Path, profile: bytes) -> None:
    file.with_name("profile.toml").write_bytes(profile)
    assert run(file).exit_code == 2


def test_a_file_that_is_no_table_is_shown_where_it_lies(file: Path) -> None:
    file.write_bytes("id,qué,tipo\n1,ñ".encode() + b"\xf1,x\n")
    result = run(file)
    assert result.exit_code == 2
    assert "Fila 1, columna 2" in result.output
    assert "[qué: «ñ\\xf1»]" in result.output


def test_a_key_that_does_not_open_is_a_usage_error(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, lambda _: httpx.Response(403))
    assert run(file, "--mode", "partial", "--url", "http://register.test", "--key", "k").exit_code == 2


def test_a_server_that_is_away_leaves_the_rest_for_the_same_command(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound(file)
    serve(monkeypatch, lambda _: httpx.Response(413))
    result = run(file, "--mode", "partial", "--url", "http://register.test", "--key", "k")
    assert result.exit_code == 1
    assert "0 creadas" in result.output
    assert "HTTP 413" in result.output
