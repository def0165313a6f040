"""docker-compose.yml names only what exists: settings that parse, commands, services, volumes."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from registry.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]

# ${NAME:?message} must be set, ${NAME:-default} may be.
VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?::(?P<kind>[?-])(?P<rest>[^}]*))?\}")

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}


def resolve(value: str) -> str:
    """The value that a container gets from an operator who has set the password alone."""
    given = {"POSTGRES_PASSWORD": "a-password"}

    def one(match: re.Match[str]) -> str:
        if match["name"] in given:
            return given[match["name"]]
        assert match["kind"] == "-", (
            f"{match['name']} has no default and the instructions do not say to set it"
        )
        return match["rest"]

    return VARIABLE.sub(one, value)


@pytest.mark.parametrize("service", OURS)
def test_every_setting_exists_and_parses(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = OURS[service]["environment"]
    for name, value in environment.items():
        assert name.removeprefix(PREFIX).lower() in Settings.model_fields, name
        monkeypatch.setenv(name, resolve(value))
    settings = Settings()
    assert settings.database_url == "postgresql://constancia:a-password@postgres:5432/constancia"
    mounted = {volume.split(":")[1] for volume in OURS[service]["volumes"]}
    assert str(settings.data) in mounted
    assert str(settings.master_key_file.parent) in mounted


@pytest.mark.parametrize("service", OURS)
def test_every_container_runs_a_command_of_the_program(service: str) -> None:
    command = OURS[service]["command"]
    program = "import sys; from api.cli import main; sys.argv[0] = 'constancia'; main()"
    run = subprocess.run([sys.executable, "-c", program, *command, "--help"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_every_part_of_up_has_a_container() -> None:
    assert {service["command"][0] for service in OURS.values()} == {"migrate", "serve", "project", "publish"}


@pytest.mark.parametrize("service", SERVICES)
def test_every_volume_and_service_that_is_named_exists(service: str) -> None:
    for volume in SERVICES[service].get("volumes", []):
        assert volume.split(":")[0] in COMPOSE["volumes"]
    for other, when in SERVICES[service].get("depends_on", {}).items():
        assert other in SERVICES
        if when["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]


def test_every_volume_is_used() -> None:
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert used == set(COMPOSE["volumes"])


def test_the_database_answers_as_the_user_that_the_program_is_given() -> None:
    environment = SERVICES["postgres"]["environment"]
    user, database, password = (
        resolve(environment[f"POSTGRES_{name}"]) for name in ("USER", "DB", "PASSWORD")
    )
    url = resolve(OURS["serve"]["environment"]["CONSTANCIA_DATABASE_URL"])
    assert url == f"postgresql://{user}:{password}@postgres:5432/{database}"


def test_no_password_is_written_in_the_file() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if "PASSWORD" in name or "://" in value:
                assert "${POSTGRES_PASSWORD:?" in value


def test_the_image_is_built_from_files_that_the_build_context_holds() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    dockerfile = (ROOT / "Dockerfile").read_text()
    for file in re.findall(r"\S+\.lock\b", dockerfile):
        assert file in allowed
        assert (ROOT / file).is_file()
    assert all((ROOT / path).exists() for path in allowed)


def test_the_image_starts_the_program_of_pyproject_with_settings_that_exist() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert 'ENTRYPOINT ["constancia"]' in dockerfile
    for name in re.findall(rf"\b({PREFIX}[A-Z_]+)=", dockerfile):
        assert name.removeprefix(PREFIX).lower() in Settings.model_fields
