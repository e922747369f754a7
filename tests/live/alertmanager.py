"""A real Alertmanager on loopback, with a sink that keeps what it sends."""

import contextlib
import copy
import json
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import yaml

BOUND = 30.0
PAUSE = 0.02
NAMES = ("alertmanager", "prometheus-alertmanager")
# How many times faster than in production a derived configuration runs: 30s becomes 300ms.
HASTE = 100
T = TypeVar("T")
_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def binary() -> str | None:
    """The path of Alertmanager; Debian calls it prometheus-alertmanager."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def until(look: Callable[[], T], what: Callable[[], str], bound: float = BOUND) -> T:
    """The first true answer of `look`; fails with `what` when there is none in time."""
    deadline = time.monotonic() + bound
    while not (found := look()):
        assert time.monotonic() < deadline, what()
        time.sleep(PAUSE)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One message: by which kind of integration (webhook, slack, pagerduty), to which receiver."""

    kind: str
    receiver: str
    body: Mapping[str, Any]

    @property
    def alerts(self) -> set[str]:
        """The names of the alerts in a webhook's message."""
        return {alert["labels"]["alertname"] for alert in self.body["alerts"]}


@dataclass(slots=True)
class Sink:
    """Listens on loopback under /<kind>/<receiver>."""

    got: list[Notification] = field(default_factory=list)
    url: str = ""

    def __iter__(self) -> Iterator[Notification]:
        return iter(tuple(self.got))

    def of(self, kind: str, receiver: str = "") -> list[Notification]:
        return [one for one in self if one.kind == kind and receiver in ("", one.receiver)]

    def wait_for(self, kind: str, receiver: str, count: int = 1) -> list[Notification]:
        """At least so many messages to a receiver."""
        return until(
            lambda: found if len(found := self.of(kind, receiver)) >= count else [],
            lambda: f"no {kind} message {count} for {receiver}; got {self.got}",
        )

    def wait_until_told(self, names: set[str]) -> set[str]:
        """Every alert that webhooks were told of, once all of `names` are among them."""

        def told() -> set[str]:
            found = {name for one in self.of("webhook") for name in one.alerts}
            return found if found >= names else set()

        return until(told, lambda: f"expected {names}, got {self.got}")


@contextlib.contextmanager
def sink() -> Iterator[Sink]:
    """A sink that listens until the block is left."""
    kept = Sink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            _, kind, receiver = self.path.split("/", 2)
            kept.got.append(Notification(kind=kind, receiver=receiver, body=json.loads(raw)))
            # PagerDuty answers 202 to an event that it took.
            self.send_response(202 if kind == "pagerduty" else 200)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join(BOUND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alertmanager:
    """A running server and its API."""

    url: str
    sink: Sink
    log: Path

    def post(self, *alerts: Mapping[str, Any]) -> None:
        """Alerts as Prometheus sends them: `labels`, `annotations`, perhaps `endsAt`."""
        now = datetime.now(UTC).isoformat()
        body = [{"startsAt": now, **alert} for alert in alerts]
        headers = {"Content-Type": "application/json"}
        data = json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/api/v2/alerts", data, headers)
        with urllib.request.urlopen(request, timeout=BOUND) as answer:
            assert answer.status == 200

    def alerts(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=BOUND) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found


@contextlib.contextmanager
def alertmanager(
    config: Mapping[str, Any], templates: Path, folder: Path
) -> Iterator[Alertmanager]:
    """Runs the configuration in haste, with a sink for its receivers; always stopped."""
    found = binary()
    assert found, "no alertmanager on PATH"
    with sink() as kept:
        file, log = folder / "alertmanager.yml", folder / "alertmanager.log"
        file.write_text(yaml.safe_dump(derived(config, templates, kept.url)), encoding="utf-8")
        with _running(found, file, log) as url:
            yield Alertmanager(url=url, sink=kept, log=log)


@contextlib.contextmanager
def _running(path: str, config: Path, log: Path) -> Iterator[str]:
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        path,
        f"--config.file={config}",
        f"--storage.path={config.parent / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.external-url=http://alerts.example.org",
        "--web.route-prefix=/",
        "--cluster.listen-address=",
    ]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        until(lambda: _ready(process, url, log), lambda: f"not ready: {log.read_text()}")
        yield url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _ready(process: subprocess.Popen[bytes], url: str, log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=BOUND) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def derived(config: Mapping[str, Any], templates: Path, url: str) -> dict[str, Any]:
    """The same routes, inhibitions and texts; faster, and with every receiver at the sink.

    A receiver gets a webhook, and keeps its Slack and PagerDuty messages.
    """
    found = copy.deepcopy(dict(config))
    found["global"] = {"resolve_timeout": "5m"}
    found["templates"] = [str(templates / "*.tmpl")]
    _hasten(found["route"])
    found["receivers"] = [_redirected(one, url) for one in found["receivers"]]
    return found


def _hasten(route: dict[str, Any]) -> None:
    for key in ("group_wait", "group_interval", "repeat_interval"):
        if key in route:
            count, unit = re.fullmatch(r"(\d+)(ms|[smhd])", route[key]).groups()  # type: ignore[union-attr]
            route[key] = f"{int(count) * _UNITS[unit] // HASTE}ms"
    for child in route.get("routes", ()):
        _hasten(child)


def _redirected(receiver: dict[str, Any], url: str) -> dict[str, Any]:
    name = receiver["name"]
    slack = {"api_url": f"{url}/slack/{name}"}
    pager = {"url": f"{url}/pagerduty/{name}", "routing_key": "none"}
    return {
        "name": name,
        "webhook_configs": [{"url": f"{url}/webhook/{name}"}],
        "slack_configs": _with(receiver.get("slack_configs", ()), slack),
        "pagerduty_configs": _with(receiver.get("pagerduty_configs", ()), pager),
    }


def _with(configs: Sequence[dict[str, Any]], own: dict[str, Any]) -> list[dict[str, Any]]:
    secrets = ("api_url_file", "routing_key_file")
    return [{k: v for k, v in one.items() if k not in secrets} | own for one in configs]
