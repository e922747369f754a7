"""Prometheus and Alertmanager on loopback: how they are started, and what they are asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sloforge import web
from sloforge.demo import processes
from sloforge.demo.processes import ALERTMANAGER, PROMETHEUS, Brood, Child
from sloforge.errors import Problem

Json = Mapping[str, Any]
MORE = 1024 * 2**20
# History is as old as it is; a month of it must not be thrown away.
FOREVER = "10y"
RESEND = "5s"
_ONCE = web.Retry(attempts=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From `start` to `end` in Unix seconds, a value every `step` seconds."""

    start: int
    end: int
    step: int


class Api:
    """A server of which questions are asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        options = web.Options(timeout=60, deadline=60, max_bytes=MORE, retry=_ONCE)
        self._http = web.Client(url, options)

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, params: web.Params | None = None) -> Any:
        """Raises Problem with what the server said."""
        answer = self._http.request("GET", path, params=params)
        if not answer.ok:
            raise Problem(f"{answer.asked}: answered {answer.status} `{answer.quoted}`")
        return answer.json()

    def is_ready(self) -> bool:
        try:
            return self._http.request("GET", "/-/ready").ok
        except web.Unreachable:
            return False


class Prometheus(Api):
    """Its query API."""

    def instant(self, query: str) -> list[Json]:
        found: list[Json] = self.get("/api/v1/query", {"query": query})["data"]["result"]
        return found

    def over(self, query: str, span: Span) -> list[Json]:
        params: web.Params = {
            "query": query,
            "start": span.start,
            "end": span.end,
            "step": span.step,
        }
        found: list[Json] = self.get("/api/v1/query_range", params)["data"]["result"]
        return found

    def alerts(self) -> list[Json]:
        found: list[Json] = self.get("/api/v1/alerts")["data"]["alerts"]
        return found

    def has_alertmanager(self) -> bool:
        """Whether it knows one yet; before that it drops alerts."""
        return bool(self.get("/api/v1/alertmanagers")["data"]["activeAlertmanagers"])


class Alertmanager(Api):
    """Its alerts."""

    def alerts(self) -> list[Json]:
        found: list[Json] = self.get("/api/v2/alerts")
        return found


Server = TypeVar("Server", bound=Api)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a server listens, and its folder, in which everything is that it writes."""

    port: int
    folder: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def prometheus(place: Place, config: str, brood: Brood) -> Iterator[tuple[Child, Prometheus]]:
    """Reads and writes `folder`/data. Raises Problem where it does not start."""
    processes.refuse_taken(place.port)
    file = place.folder / "prometheus.yml"
    file.write_text(config, encoding="utf-8")
    argv = (
        processes.locate(PROMETHEUS),
        f"--config.file={file}",
        f"--storage.tsdb.path={place.folder / 'data'}",
        f"--storage.tsdb.retention.time={FOREVER}",
        f"--web.listen-address=127.0.0.1:{place.port}",
        f"--web.external-url={place.url}",
        # After a reload it may drop alerts for a few seconds, and would repeat them in a minute.
        f"--rules.alert.resend-delay={RESEND}",
        "--web.enable-lifecycle",
    )
    child = brood.start("Prometheus", argv, place.folder / "prometheus.log")
    with _running(child, Prometheus(place.url)) as api:
        yield child, api


@contextmanager
def alertmanager(place: Place, config: str, brood: Brood) -> Iterator[tuple[Child, Alertmanager]]:
    """Reads `folder`/alertmanager.yml. Raises Problem where it does not start."""
    processes.refuse_taken(place.port)
    file = place.folder / "alertmanager.yml"
    file.write_text(config, encoding="utf-8")
    argv = (
        processes.locate(ALERTMANAGER),
        f"--config.file={file}",
        f"--storage.path={place.folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{place.port}",
        f"--web.external-url={place.url}",
        "--cluster.listen-address=",
    )
    child = brood.start("Alertmanager", argv, place.folder / "alertmanager.log")
    with _running(child, Alertmanager(place.url)) as api:
        yield child, api


@contextmanager
def _running(child: Child, api: Server) -> Iterator[Server]:
    try:
        child.until(api.is_ready)
        yield api
    finally:
        api.close()
        child.stop()
