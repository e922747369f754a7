"""A real Prometheus and a real Alertmanager that can be deployed to, on loopback."""

import contextlib
import os
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.live import alertmanager as am
from tests.live import prometheus as prom
from tests.live.alertmanager import until

NEEDS_PROMETHEUS = pytest.mark.skipif(prom.binary() is None, reason="no prometheus on PATH")
NEEDS_ALERTMANAGER = pytest.mark.skipif(am.binary() is None, reason="no alertmanager on PATH")
VMALERT = shutil.which("vmalert")


@dataclass(slots=True)
class Server:
    """A process with its files in `folder`; may be stopped, frozen and started again."""

    url: str
    folder: Path
    config: Path
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    def start(self, ready: str = "/-/ready") -> None:
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(self.command, stdout=out, stderr=subprocess.STDOUT)
        until(lambda: self._ready(ready), lambda: f"not ready: {self.log.read_text()}")

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self.process = None

    def freeze(self) -> None:
        """It takes connections and says nothing: a slow server."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"{self.url}{path}", timeout=10) as answer:
            text: str = answer.read().decode()
        return text

    def _ready(self, path: str) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        try:
            return bool(self.get(path)) or True
        except (urllib.error.URLError, ConnectionError):
            return False


@contextlib.contextmanager
def prometheus(folder: Path, *flags: str) -> Iterator[Server]:
    """Reads the live release in folder/slo; rules are evaluated every 100 ms."""
    folder.mkdir(parents=True)
    config, port = folder / "prometheus.yml", prom._free_port()
    url = f"http://127.0.0.1:{port}"
    config.write_text(
        "global:\n  evaluation_interval: 100ms\n"
        f"rule_files:\n- {folder}/slo/current/*.yml\n- {folder}/other/*.yml\n"
    )
    found = prom.binary()
    assert found
    command = [
        found,
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        *(flags or ("--web.enable-lifecycle",)),
    ]
    yield from _run(Server(url=url, folder=folder, config=config, command=command))


@contextlib.contextmanager
def alertmanager(folder: Path, text: str) -> Iterator[Server]:
    """Runs the text that is there before the first deploy."""
    folder.mkdir(parents=True)
    config, port = folder / "alertmanager.yml", am._free_port()
    config.write_text(text)
    found = am.binary()
    assert found
    command = [
        found,
        f"--config.file={config}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    server = Server(url=f"http://127.0.0.1:{port}", folder=folder, config=config, command=command)
    yield from _run(server)


def _run(server: Server) -> Iterator[Server]:
    try:
        server.start()
        yield server
    finally:
        server.stop()
