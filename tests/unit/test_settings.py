"""Settings come from the environment, are checked at once, and are what docs/settings.md says."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from registry.errors import StartRefused
from registry.settings import PREFIX, Networks, Servers, Settings, load_settings

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "settings.md"

TYPES = {
    str: "text",
    str | None: "PostgreSQL URL",
    int: "whole number",
    float: "number",
    Path: "path",
    Path | None: "path",
    Networks: "networks",
    Servers: "servers",
}
COMPUTED_DEFAULTS = {"origin": "`localhost:<port>/log`", "master_key_file": "`<data>/master.key`"}


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


def documented(name: str, field: FieldInfo) -> str:
    default = COMPUTED_DEFAULTS.get(name) or ("" if field.default in (None, ()) else f"`{field.default}`")
    extra = field.json_schema_extra
    unit = extra["unit"] if isinstance(extra, dict) else ""
    kind = TYPES[field.annotation]  # type: ignore[index]
    return f"| `{PREFIX}{name.upper()}` | {kind} | {default} | {unit} | {field.description} |"


def test_the_documentation_lists_every_setting_as_it_is() -> None:
    rows = [line for line in DOCUMENTATION.read_text().splitlines() if line.startswith(f"| `{PREFIX}")]
    assert rows == [documented(name, field) for name, field in Settings.model_fields.items()]


def test_computed_defaults_follow_what_they_are_computed_from() -> None:
    settings = load_settings(port=9000, data=Path("elsewhere"))
    assert settings.origin == "localhost:9000/log"
    assert settings.master_key_file == Path("elsewhere/master.key")


def test_the_command_line_comes_before_the_environment_and_none_says_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CONSTANCIA_PORT", "9001")
    monkeypatch.setenv("CONSTANCIA_HOST", "0.0.0.0")
    settings = load_settings(port=9002, host=None)
    assert (settings.port, settings.host) == (9002, "0.0.0.0")


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSTANCIA_DATABASE_URL", "")
    assert load_settings().database_url is None


def test_settings_never_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_settings().port = 1


def test_a_password_is_not_shown_where_settings_are_printed() -> None:
    settings = load_settings(
        database_url="postgresql://a:secret@b/c", nats_url="nats://a:secret@b,tls://t@c:1"
    )
    assert settings.nats_url == ("nats://a:secret@b", "tls://t@c:1")
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DATABASE_URL", "mysql://a:secret@b/c", "postgresql://user:password@host:5432/database"),
        ("READ_DATABASE_URL", "secret", "postgresql://user:password@host:5432/database"),
        ("PORT", "0", "greater than or equal to 1"),
        ("PORT", "tcp://10.0.0.1:8000", "valid integer"),
        ("HOST", " ", "at least 1 character"),
        ("ORIGIN", "https://registry.example.org/log", "no scheme"),
        ("ORIGIN", "registro nacional", "no spaces"),
        ("PUBLISH_EVERY", "0", "greater than 0"),
        ("RELEASE_EVERY", "daily", "valid number"),
        ("RELEASE_EVERY", "inf", "finite number"),
        ("POOL_MIN", "11", "POOL_MIN"),
        ("POOL_MAX", "2", "smaller than 6"),
        ("BODY_LIMIT", "10", "greater than or equal to 1024"),
        ("WEBHOOK_NETWORKS", "10.1.0.0/16,secret", "separated by commas"),
        ("NATS_URL", "nats://a:secret@host,http://b", "nats://a:4222,nats://b:4222"),
        ("NATS_STREAM", "constancia.secret", "should match pattern"),
    ],
)
def test_an_unusable_value_is_refused_by_its_name_and_not_repeated(
    name: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(StartRefused, match="CONSTANCIA_") as refused:
        load_settings()
    assert says in str(refused.value)
    assert "secret" not in str(refused.value)


def test_only_what_can_be_corrected_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSTANCIA_PORT", "0")
    with pytest.raises(StartRefused) as refused:
        load_settings()
    assert {line.partition(":")[0].strip() for line in refused.value.text.en.splitlines()[1:]} == {
        "CONSTANCIA_PORT"
    }
