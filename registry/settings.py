"""What an operator may set: ``CONSTANCIA_*`` environment variables, listed in docs/settings.md.

A test compares that page with the fields here: description, type, default and, where there is one, unit.
"""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from registry.errors import StartRefused

PREFIX = "CONSTANCIA_"

# A log's name goes into every signature: a URL without its scheme, as c2sp.org/tlog-checkpoint asks, no spaces or plus.
_ORIGIN = re.compile(r"[a-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*")

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False, json_schema_extra={"unit": "s"})]
Bytes = Annotated[int, Field(ge=1024, json_schema_extra={"unit": "bytes"})]
Connections = Annotated[int, Field(ge=1, le=1000, json_schema_extra={"unit": "connections"})]
Networks = tuple[IPv4Network | IPv6Network, ...]
Servers = tuple[str, ...]

LEAST_CONNECTIONS = 6
"""Listeners and an import hold some for as long as they last. Tried with the demonstration: 3 are enough to go on, with
2 the register waits for itself; twice that leaves room for those who read."""

_NATS_SERVER = re.compile(r"(nats|tls)://[^\s,/@]*@?[^\s,/@]+")


class Settings(BaseSettings):
    """The settings of one process, read once at its start and never changed."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
        validate_default=True,
        hide_input_in_errors=True,
        str_strip_whitespace=True,
    )

    database_url: str | None = Field(
        default=None,
        repr=False,
        description="PostgreSQL 15 or later; without it, an embedded server in the data directory.",
    )
    read_database_url: str | None = Field(
        default=None,
        repr=False,
        description="A replica for reads; without it, reads go to the database itself.",
    )
    data: Path = Field(
        default=Path("data"), description="Directory of keys and of the embedded server; created when absent."
    )
    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(default=8000, ge=1, le=65535, description="TCP port to listen on.")
    origin: str = Field(
        default_factory=lambda given: f"localhost:{given.get('port', 8000)}/log",
        description="Name of the log inside every signature; fixed at the first start.",
    )
    publish_every: Seconds = Field(default=86400, description="Time between two checkpoints.")
    release_every: Seconds = Field(default=86400, description="Time between two releases.")
    master_key_file: Path = Field(
        default_factory=lambda given: given.get("data", Path("data")) / "master.key",
        description="Key that wraps the data keys of the vault; keep it apart from the database's backups.",
    )
    policy_file: Path | None = Field(
        default=None,
        description="Policy (c2sp.org/tlog-policy) that names the witnesses; without it, none is asked.",
    )
    state_boundaries: Path | None = Field(
        default=None,
        description="TopoJSON or GeoJSON of the 32 states, for a map on the public site; without it, tiles alone.",
    )
    pool_min: Connections = Field(default=1, description="Database connections kept open per process.")
    pool_max: Connections = Field(
        default=10,
        description="Database connections at most per process (6 or more); as many again answer public questions.",
    )
    body_limit: Bytes = Field(default=1 << 20, description="Largest accepted request body.")
    import_limit: Bytes = Field(default=64 << 20, description="Largest accepted import file.")
    import_rows: int = Field(
        default=1_000_000,
        ge=1,
        json_schema_extra={"unit": "rows"},
        description="Rows of one import file at most; of an atomic one 50,000 in any case.",
    )
    import_cell_limit: int = Field(
        default=32_767,
        ge=100,
        json_schema_extra={"unit": "characters"},
        description="Longest accepted cell of an import file.",
    )
    import_expansion_limit: Bytes = Field(
        default=512 << 20, description="What a compressed spreadsheet may unpack to."
    )
    import_kept: Seconds = Field(
        default=604_800, description="How long an import's file and errors are kept after its end."
    )
    evidence_limit: Bytes = Field(default=32 << 20, description="Largest accepted file of evidence.")
    webhook_networks: Annotated[Networks, NoDecode] = Field(
        default=(),
        description="Networks that webhooks may go to besides the internet, there without https too: "
        "`10.1.0.0/16,fd00::/8`.",
    )
    nats_url: Annotated[Servers, NoDecode] = Field(
        default=(),
        repr=False,
        description="Servers of the NATS cluster to relay to: `nats://user:password@a:4222,nats://b:4222`, or "
        "`tls://`; without it, nothing is relayed.",
    )
    nats_stream: str = Field(
        default="constancia",
        pattern=r"^[A-Za-z0-9_-]{1,32}$",
        description="JetStream stream to relay to; created when absent.",
    )
    nats_replicas: int = Field(
        default=1,
        ge=1,
        le=5,
        json_schema_extra={"unit": "servers"},
        description="How many servers of the cluster keep the stream, when it is created; three survive one.",
    )

    @field_validator("database_url", "read_database_url")
    @classmethod
    def _is_postgresql(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("must look like postgresql://user:password@host:5432/database")
        return value

    @field_validator("origin")
    @classmethod
    def _is_a_log_name(cls, value: str) -> str:
        if not _ORIGIN.fullmatch(value):
            raise ValueError("must look like registry.example.org/log: host, path, no scheme, no spaces")
        return value

    @field_validator("webhook_networks", mode="before")
    @classmethod
    def _are_networks(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
        except ValueError:
            raise ValueError("must look like 10.1.0.0/16,fd00::/8: networks, separated by commas") from None

    @field_validator("nats_url", mode="before")
    @classmethod
    def _are_nats_servers(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        servers = tuple(part.strip() for part in value.split(",") if part.strip())
        if not all(_NATS_SERVER.fullmatch(server) for server in servers):
            raise ValueError("must look like nats://a:4222,nats://b:4222: servers, separated by commas")
        return servers

    @field_validator("pool_max")
    @classmethod
    def _is_enough(cls, value: int, info: ValidationInfo) -> int:
        if value < LEAST_CONNECTIONS:
            raise ValueError(f"must not be smaller than {LEAST_CONNECTIONS}")
        if value < info.data.get("pool_min", 1):
            raise ValueError("must not be smaller than CONSTANCIA_POOL_MIN")
        return value


# A default that is computed from the others is reported beside whichever of them is wrong; nobody can correct it.
_NOT_COMPUTED = "default_factory_not_called"


def load_settings(**given: Any) -> Settings:
    """Settings from the environment; what the command line gives comes first, and None counts as not given.

    :raises StartRefused: a value is unusable; the text names its variable and never shows the value.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        problems = "\n".join(
            f"  {PREFIX}{'_'.join(map(str, problem['loc'])).upper()}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
            if problem["type"] != _NOT_COMPUTED
        )
        raise StartRefused(
            f"Hay ajustes que no se pueden usar; corríjalos y vuelva a iniciar:\n{problems}",
            f"Some settings cannot be used; correct them and start again:\n{problems}",
        ) from None
