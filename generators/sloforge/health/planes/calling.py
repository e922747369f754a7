"""A plane's API: one request after the other, each bounded in time, no secret ever shown."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from sloforge.errors import Problem
from sloforge.planes import Plane
from sloforge.promql import seconds
from sloforge.web import Answer, Client, Options, Retry, Secret

MAX_BYTES = 2**20
ONCE = Retry(attempts=1)


class NoAnswer(Problem):
    """The plane did not answer, or with something that is no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a plane answered."""

    status: int
    asked: str
    text: str
    body: object

    @property
    def found(self) -> dict[str, object]:
        """The JSON object; empty where it is something else."""
        return self.body if isinstance(self.body, dict) else {}


class Platform(Protocol):
    """What a check asks a plane."""

    def ask(self, method: str, path: str, payload: object = None) -> Said:
        """Raises NoAnswer."""

    def close(self) -> None: ...


class HttpPlatform:
    """One plane over HTTP; opened for one check, so that a changed secret is seen by the next."""

    def __init__(self, plane: Plane) -> None:
        self._end = time.monotonic() + float(seconds(plane.deadline))
        self._client = Client(plane.base_url, _options(plane))

    def ask(self, method: str, path: str, payload: object = None) -> Said:
        """Raises NoAnswer, also where the check's time is over."""
        if time.monotonic() >= self._end:
            raise NoAnswer(f"{method} {path}: not asked, the deadline of the check is over")
        try:
            answer = self._client.request(method, path, json=payload, repeatable=False)
        except Problem as problem:
            raise NoAnswer(str(problem)) from None
        return Said(status=answer.status, asked=answer.asked, text=answer.text, body=_json(answer))

    def close(self) -> None:
        self._client.close()


def segment(text: str) -> str:
    """Text as one part of a path."""
    return quote(text, safe="@")


def _json(answer: Answer) -> object:
    try:
        return answer.json()
    except Problem:
        return None


def _options(plane: Plane) -> Options:
    timeout = float(seconds(plane.timeout))
    token = plane.token
    secret = Secret(variable=token.variable, file=token.file) if token else None
    return Options(
        token=secret,
        ca=plane.ca,
        timeout=timeout,
        deadline=timeout,
        max_bytes=MAX_BYTES,
        retry=ONCE,
    )
