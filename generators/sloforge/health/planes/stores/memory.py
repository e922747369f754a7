"""Results in the prober's own memory, for one process."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from threading import Lock

from sloforge.health.planes.result import Result, counts
from sloforge.health.planes.stores import Seen
from sloforge.planes import SERVING


class MemoryStore:
    """Ages by the monotonic clock, so that a step of the wall clock makes nothing old or young."""

    def __init__(self, ttl: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._ttl, self._clock = ttl, clock
        self._lock = Lock()
        self._last: dict[str, tuple[float, Result]] = {}
        self._succeeded: dict[str, float] = {}
        self._counters: dict[str, dict[str, float]] = {}
        self._claims: dict[str, tuple[float, str]] = {}
        self._tick: float | None = None

    def save(self, result: Result) -> None:
        with self._lock:
            self._last[result.plane] = (self._clock(), result)
            if result.status in SERVING:
                self._succeeded[result.plane] = result.at
            counters = self._counters.setdefault(result.plane, defaultdict(float))
            for key, value in counts(result).items():
                counters[key] += value

    def read(self, planes: Iterable[str]) -> dict[str, Seen]:
        with self._lock:
            return {plane: self._seen(plane) for plane in planes}

    def _seen(self, plane: str) -> Seen:
        at, last = self._last.get(plane, (0.0, None))
        fresh = last is not None and self._clock() - at <= self._ttl
        return Seen(
            live=last if fresh else None,
            last=last,
            succeeded=self._succeeded.get(plane),
            counters=dict(self._counters.get(plane, {})),
        )

    def tick(self, at: float) -> None:
        self._tick = at

    def ticked(self) -> float | None:
        return self._tick

    def claim(self, plane: str, token: str, seconds: float) -> bool:
        with self._lock:
            until, _ = self._claims.get(plane, (0.0, ""))
            if until > self._clock():
                return False
            self._claims[plane] = (self._clock() + seconds, token)
            return True

    def release(self, plane: str, token: str) -> None:
        with self._lock:
            if self._claims.get(plane, (0.0, ""))[1] == token:
                del self._claims[plane]

    def close(self) -> None:
        return
