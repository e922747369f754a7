"""What a dashboard asks: the query API of one Prometheus, with bounds on time, size and number."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import BoundedSemaphore
from typing import Any, Protocol
from urllib.parse import quote

from sloforge.errors import Problem
from sloforge.web import Answer, Client, Options, Retry, Secret

Json = dict[str, Any]
# As many as a browser's panels ask for at once; Prometheus itself works on 20 by default.
AT_ONCE = 4
# Seconds that a request waits for its turn, and that Prometheus then has for its answer.
PATIENCE, TIMEOUT = 60.0, 30.0
MAX_BYTES = 16 * 2**20
MAX_SERIES = 500
BAD_QUERY, NOT_FOUND = 400, 404
_OPTIONS = Options(
    timeout=TIMEOUT, deadline=TIMEOUT, max_bytes=MAX_BYTES, retry=Retry(attempts=2, first=0.2)
)


@dataclass(frozen=True, slots=True)
class Request:
    """A path under /api/v1/ with its parameters, in their order."""

    path: str
    parameters: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return json.dumps([self.path, *self.parameters])


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The `data` of an answer, and the warnings that came with it."""

    data: Any
    warnings: tuple[str, ...] = ()


class Source(Protocol):
    """Whatever answers like the query API of Prometheus; may be shared by threads."""

    @property
    def name(self) -> str:
        """Where the numbers are from, for people."""
        ...

    def ask(self, request: Request) -> Found:
        """Raises Problem with words for the panel."""
        ...

    def close(self) -> None:
        """Nothing is asked after this."""
        ...


class Prometheus:
    """The one server that is asked."""

    def __init__(self, url: str, token: Secret | None = None) -> None:
        self._client = Client(url, replace(_OPTIONS, token=token))
        self._turns = BoundedSemaphore(AT_ONCE)
        self.name = self._client.base_url

    def close(self) -> None:
        self._client.close()

    def ask(self, request: Request) -> Found:
        with self._turn():
            answer = self._client.request(
                "GET", f"api/v1/{request.path}", params=dict(request.parameters)
            )
        return _found(answer)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=PATIENCE):
            raise Problem(
                f"waited {PATIENCE:.0f} s for a turn: Prometheus is slow to answer the other panels"
            )
        try:
            yield
        finally:
            self._turns.release()


def _found(answer: Answer) -> Found:
    if not answer.ok:
        if answer.status == NOT_FOUND:
            raise Problem(f"{answer.asked.partition('?')[0]}: not found; is the URL a Prometheus'")
        what = "refused the query" if answer.status == BAD_QUERY else f"said {answer.status}"
        raise Problem(f"Prometheus {what}: {answer.quoted}")
    said = answer.json()
    if not (isinstance(said, dict) and said.get("status") == "success" and "data" in said):
        raise Problem(f"the server does not answer as Prometheus does: {answer.quoted}")
    notes = [*(said.get("warnings") or ()), *(said.get("infos") or ())]
    return Found(data=said["data"], warnings=tuple(str(note) for note in notes))


def instant(expr: str, at: float) -> Request:
    return Request("query", (("query", expr), ("time", _number(at))))


def over(expr: str, start: float, end: float, step: float) -> Request:
    span = (("start", _number(start)), ("end", _number(end)), ("step", _number(step)))
    return Request("query_range", (("query", expr), *span))


def label_values(label: str, match: str, start: float, end: float) -> Request:
    chosen = (("match[]", match),) if match else ()
    span = (("start", _number(start)), ("end", _number(end)))
    return Request(f"label/{quote(label, safe='')}/values", (*chosen, *span))


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def labels_of(metric: Mapping[str, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in metric.items()}
