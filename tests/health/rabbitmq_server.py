"""A real rabbitmq-server on loopback, with an epmd and a folder of its own."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.live.alertmanager import until

BOUND = 60.0
# Debian's command on PATH becomes the user `rabbitmq` first, and writes below /var.
DEBIAN = "/usr/lib/rabbitmq/bin"
MISSING = "no rabbitmq-server: `make tools` installs it, or `apt-get install rabbitmq-server`"


@dataclass(slots=True, kw_only=True)
class RabbitServer:
    """Its queues are kept in the folder, and so live on where it is started again."""

    folder: Path
    port: int
    distribution: int
    epmd: int
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    @property
    def log(self) -> Path:
        return self.folder / "rabbitmq.log"

    def told(self) -> str:
        """The end of its log."""
        return self.log.read_text(encoding="utf-8")[-2000:]

    def start(self) -> None:
        server = shutil.which("rabbitmq-server", path=f"{DEBIAN}:{os.environ.get('PATH', '')}")
        names = shutil.which("epmd")
        assert server, MISSING
        assert names, MISSING
        (self.folder / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{self.port}\n")
        (self.folder / "plugins").write_text("[].\n")
        self._spawn(names, "-port", str(self.epmd), "-address", "127.0.0.1")
        self._spawn(server)
        until(self._answers, self.told, BOUND)

    def stop(self) -> None:
        """The server first: without epmd it could not say good-bye. All of both groups ends."""
        for process in reversed(self.processes):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)
        self.processes.clear()

    def _spawn(self, *command: str) -> None:
        with self.log.open("ab") as log:
            self.processes.append(
                subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self.folder,
                    env=os.environ | self._surroundings(),
                    start_new_session=True,
                )
            )

    def _surroundings(self) -> dict[str, str]:
        folder = str(self.folder)
        return {
            "HOME": folder,  # the cookie of Erlang
            "ERL_EPMD_PORT": str(self.epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": "planes@localhost",
            "RABBITMQ_DIST_PORT": str(self.distribution),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins",
            "RABBITMQ_MNESIA_BASE": f"{folder}/mnesia",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": f"{folder}/pid",
        }

    def _answers(self) -> bool:
        """The first frame of the server's side, which comes once it has started."""
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self.port), 1) as s,
        ):
            s.sendall(b"AMQP\0\0\x09\x01")
            return s.recv(1) == b"\x01"
        return False


@contextlib.contextmanager
def rabbitmq_server(folder: Path) -> Iterator[RabbitServer]:
    with contextlib.ExitStack() as probes:
        sockets = [probes.enter_context(socket.socket()) for _ in range(3)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        port, distribution, epmd = (one.getsockname()[1] for one in sockets)
    server = RabbitServer(folder=folder, port=port, distribution=distribution, epmd=epmd)
    try:
        server.start()
        yield server
    finally:
        server.stop()
