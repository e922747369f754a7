"""A prober that is scaled out: exporter, worker and beat as processes, of a broker and a store."""

import contextlib
import socket
import urllib.error
from collections.abc import Iterator
from pathlib import Path

from tests.health.plane_server import Behaviour
from tests.health.planes_kit import config, scraped, statuses
from tests.health.planes_process import Part
from tests.live.alertmanager import until

BOUND = 25.0
ALL_OK = {"eu": "OK", "us": "OK", "ap": "OK", "sa": "OK"}
NOTHING = dict.fromkeys(ALL_OK, "NO_VALUE")


class Stack:
    """Its planes are those of ALL_OK, on the fake server."""

    def __init__(self, folder: Path, server, store: str, broker: str) -> None:
        self.server = server
        for name in ALL_OK:
            server.plane(name)
        (folder / "planes.yaml").write_text(config(server.url, list(ALL_OK)), encoding="utf-8")
        head = ["--config", "planes.yaml", "--store", store]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        listen = ["--listen", f"127.0.0.1:{self.port}"]
        self.exporter = Part(folder, "exporter", *head, *listen, "export")
        self.worker = Part(folder, "worker", *head, "worker", "--broker", broker)
        self.beat = Part(folder, "beat", *head, "beat", "--broker", broker)
        self.parts = (self.exporter, self.worker, self.beat)

    @contextlib.contextmanager
    def running(self) -> Iterator["Stack"]:
        try:
            for part in self.parts:
                part.start()
            yield self
        finally:
            for part in self.parts:
                with contextlib.suppress(AssertionError):
                    part.end()

    def heal(self) -> None:
        """All planes well and all parts there, whatever a test before has left."""
        for part in self.parts:
            if part.process and part.process.poll() is not None:
                part.start()
        for name in ALL_OK:
            self.server.planes[name] = Behaviour()
        self.becomes(ALL_OK)

    def now(self):
        try:
            return statuses(scraped(self.port))
        except (urllib.error.URLError, ConnectionError):
            return None

    def becomes(self, wanted, bound: float = BOUND) -> None:
        until(lambda: self.now() == wanted, self.told(wanted), bound)

    def told(self, wanted):
        def words():
            logs = "\n".join(f"{p.log.name}: {p.log.read_text()[-1500:]}" for p in self.parts)
            return f"wanted {wanted}, got {self.now()}\n{logs}"

        return words
