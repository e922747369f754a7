"""A server is told to read its configuration again, and is not believed: its gauges are read."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sloforge import web
from sloforge.deploy.access import client, refused
from sloforge.deploy.target import Endpoint
from sloforge.errors import Problem

FORBIDDEN, NOT_FOUND, WRONG_METHOD = 403, 404, 405
PAUSE, LONGEST_PAUSE = 0.05, 0.5
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """Whether the last reload succeeded, when one last did (Unix seconds), and how many there were.

    vmalert tells whole seconds only, and counts; the others do not count.
    """

    ok: bool
    succeeded: float
    count: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """`metrics` is how its metrics begin: `prometheus_config`. Without a pid file, HTTP is used."""

    endpoint: Endpoint
    metrics: str
    pid_file: str = ""
    remedy: str = ""

    def reload(self) -> None:
        """Raises Problem with the server's words where it does not take what it is given."""
        before = self.gauges()
        self._signal() if self.pid_file else self._post()
        bound = self.endpoint.timeout
        after = until(lambda: self._later(before), bound)
        if after is None and self.gauges().ok:
            raise Problem(
                f"{self.endpoint.url}: expected a reload within {bound:g} s, saw none; "
                "is it the server that reads these files? its log says what it does"
            )
        if after is None or not after.ok:
            raise Problem(f"{self.endpoint.url}: refused to load the files; its log says why")

    def gauges(self) -> Gauges:
        text = self.metrics_text()
        ok = gauge(text, f"{self.metrics}_last_reload_successful")
        at = gauge(text, f"{self.metrics}_last_reload_success_timestamp_seconds")
        if ok is None or at is None:
            raise Problem(
                f"{self.endpoint.url}/metrics: expected {self.metrics}_last_reload_successful, "
                "found none; is the URL that of the server itself?"
            )
        count = gauge(text, f"{self.metrics}_last_reload_total") or 0.0
        return Gauges(ok=ok == 1, succeeded=at, count=count)

    def metrics_text(self) -> str:
        with client(self.endpoint) as http:
            answer = http.request("GET", "/metrics")
        if not answer.ok:
            raise refused(answer)
        return answer.text

    def _later(self, before: Gauges) -> Gauges | None:
        """The gauges once they tell of another reload than `before`."""
        found = self.gauges()
        failed = before.ok and not found.ok
        done = found.succeeded > before.succeeded or found.count > before.count or failed
        return found if done else None

    def _post(self) -> None:
        with client(self.endpoint) as http:
            try:
                answer = http.request("POST", "/-/reload", repeatable=False)
            except web.Lost:
                # It may be reloading still: the gauges tell.
                return
        if answer.status in (FORBIDDEN, NOT_FOUND, WRONG_METHOD):
            raise Problem(
                f"{answer.asked}: answered {answer.status} `{answer.quoted}`; {self.remedy}"
            )
        if not answer.ok:
            raise Problem(f"{answer.asked}: answered {answer.status} `{answer.quoted}`")

    def _signal(self) -> None:
        try:
            pid = int(Path(self.pid_file).read_text(encoding="ascii"))
            os.kill(pid, signal.SIGHUP)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it holds no number"
            message = f"{self.pid_file}: cannot signal the server: {reason}"
            raise Problem(f"{message}; name the file that holds its process id") from None


def gauge(metrics: str, name: str) -> float | None:
    """The value of a metric without labels."""
    found = re.search(rf"^{name} (\S+)$", metrics, re.MULTILINE)
    return float(found[1]) if found else None


def until(look: Callable[[], T | None], bound: float) -> T | None:
    """What `look` finds within `bound` seconds; it is asked at least once."""
    end = time.monotonic() + bound
    pause = PAUSE
    while (found := look()) is None:
        if time.monotonic() + pause > end:
            return None
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)
    return found
