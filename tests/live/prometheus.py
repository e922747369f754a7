"""A real Prometheus on loopback, and its API."""

import contextlib
import json
import shutil
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tests.live.alertmanager import until

BOUND = 60.0
# Stands in a configuration for the address of the server that reads it.
SELF = "<self>"
Labels = Mapping[str, str]
Json = dict[str, Any]


def binary() -> str | None:
    return shutil.which("prometheus")


class RefusedError(Exception):
    """What Prometheus said about a query that it did not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From `start` to `end` in Unix seconds, a point every `step` seconds."""

    start: float
    end: float
    step: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The series of a result, and what else Prometheus had to say."""

    series: list[Json]
    warnings: list[str]
    samples: int
    seconds: float

    def points(self) -> Iterator[float]:
        """Every value of every series."""
        for one in self.series:
            for _, value in one.get("values", [one["value"]] if "value" in one else []):
                yield float(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prometheus:
    """A running server."""

    url: str
    log: Path

    def get(self, path: str, **parameters: object) -> Json:
        """The answer of an API endpoint as it is. Raises RefusedError with Prometheus' words."""
        data = urllib.parse.urlencode(parameters, doseq=True)
        url = f"{self.url}/api/v1/{path}" + (f"?{data}" if data else "")
        try:
            with urllib.request.urlopen(url, timeout=BOUND) as answer:
                found: Json = json.load(answer)
        except urllib.error.HTTPError as refused:
            raise RefusedError(refused.read().decode()) from refused
        assert found["status"] == "success", found
        return found

    def instant(self, query: str, at: float) -> Answer:
        return _answer(self.get("query", query=query, time=at, stats="all"))

    def over(self, query: str, span: Span) -> Answer:
        span_of = {"start": span.start, "end": span.end, "step": span.step}
        return _answer(self.get("query_range", query=query, stats="all", **span_of))

    def value(self, query: str, at: float) -> float:
        """The one number that a query comes to."""
        (found,) = self.instant(query, at).points()
        return found

    def rules(self) -> list[Json]:
        """Every rule of every group."""
        groups = self.get("rules")["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def alerts(self) -> list[Json]:
        found: list[Json] = self.get("alerts")["data"]["alerts"]
        return found

    def label_values(self, label: str, match: str = "") -> list[str]:
        more = {"match[]": match} if match else {}
        found: list[str] = self.get(f"label/{label}/values", **more)["data"]
        return found


def _answer(found: Json) -> Answer:
    data = found["data"]
    series = data["result"]
    if data["resultType"] == "scalar":
        series = [{"metric": {}, "value": data["result"]}]
    return Answer(
        series=series,
        warnings=[*found.get("warnings", ()), *found.get("infos", ())],
        samples=data["stats"]["samples"]["totalQueryableSamples"],
        seconds=data["stats"]["timings"]["evalTotalTime"],
    )


@contextlib.contextmanager
def prometheus(data: Path, config: Mapping[str, Any] | None = None) -> Iterator[Prometheus]:
    """Serves a data folder; `config` is a Prometheus configuration. Always stopped."""
    found = binary()
    assert found, "no prometheus on PATH"
    file, log = data.parent / "prometheus.yml", data.parent / "prometheus.log"
    address = f"127.0.0.1:{_free_port()}"
    text = yaml.safe_dump(dict(config or {"global": {}}))
    file.write_text(text.replace(SELF, address), encoding="utf-8")
    url = f"http://{address}"
    command = [
        found,
        f"--config.file={file}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=10y",
        f"--web.listen-address={address}",
        f"--web.external-url={url}",
    ]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        until(lambda: _ready(process, url, log), lambda: f"not ready: {log.read_text()}", BOUND)
        yield Prometheus(url=url, log=log)
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
