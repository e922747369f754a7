"""Answers of Prometheus on disk: written while they are asked for, read back instead of asking."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from sloforge.errors import Problem
from sloforge.preview.source import Found, Request, Source

Json = dict[str, Any]
FORMAT = "sloforge preview recording 1"


class Recorder:
    """Passes every question on, and keeps what was said, refusals too."""

    def __init__(self, inner: Source) -> None:
        self._inner = inner
        self._kept: dict[str, Json] = {}
        self._lock = Lock()

    @property
    def name(self) -> str:
        return self._inner.name

    def close(self) -> None:
        self._inner.close()

    def ask(self, request: Request) -> Found:
        try:
            found = self._inner.ask(request)
        except Problem as problem:
            self._keep(request, {"error": str(problem)})
            raise
        self._keep(request, {"data": found.data, "warnings": list(found.warnings)})
        return found

    def _keep(self, request: Request, what: Json) -> None:
        with self._lock:
            self._kept[str(request)] = what

    def text(self, now: float, *, sample: bool) -> str:
        """Everything as JSON; `now` is the moment that was looked at, in Unix seconds."""
        head = {"format": FORMAT, "source": self.name, "at": round(now * 1000), "sample": sample}
        with self._lock:
            answers = dict(sorted(self._kept.items()))
        return json.dumps(head | {"answers": answers}, separators=(",", ":"), ensure_ascii=False)


class Replay:
    """A recording that is asked instead of Prometheus."""

    def __init__(self, file: Path) -> None:
        found = _read(file)
        self._file = file
        self._answers: dict[str, Json] = found["answers"]
        self.at: int = found["at"]
        self.sample = bool(found.get("sample"))
        moment = datetime.fromtimestamp(self.at / 1000, UTC)
        self.name = f"{found['source']}, recorded {moment:%Y-%m-%d %H:%M} UTC"

    @property
    def clock(self) -> Callable[[], float]:
        """The moment of the recording, for good."""
        return lambda: self.at / 1000

    def close(self) -> None:
        """There is nothing open."""

    def ask(self, request: Request) -> Found:
        answer = self._answers.get(str(request))
        if answer is None:
            raise Problem("this was not asked when the recording was made; record it again")
        if "error" in answer:
            raise Problem(str(answer["error"]))
        return Found(data=answer["data"], warnings=tuple(answer.get("warnings", ())))


def _read(file: Path) -> Json:
    try:
        found = json.loads(file.read_bytes())
    except OSError as error:
        raise Problem(f"{file}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise Problem(f"{file}: expected a recording as JSON: {error}") from None
    known = (
        isinstance(found, dict)
        and found.get("format") == FORMAT
        and isinstance(found.get("answers"), dict)
        and isinstance(found.get("at"), int)
        and all(isinstance(one, dict) for one in found["answers"].values())
    )
    if not known:
        raise Problem(
            f"{file}: expected `{FORMAT}`; write one with `sloforge preview --record FILE`"
        )
    read: Json = found
    return read
