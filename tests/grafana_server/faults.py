"""What goes wrong on the way to a server and back, by script."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["status", "cut", "unframed", "silent", "drop", "only"]


@dataclass(slots=True, kw_only=True)
class Fault:
    """Happens to the requests that match, after the first `skip` of them, `times` times.

    `committed`: the server carries the request out before the answer goes wrong. `before` is called
    with the request's path before anything else: somebody else who is at work at that very moment.
    The kind `only` changes no answer.
    """

    method: str = "*"
    path: str = ".*"
    kind: Kind = "status"
    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = '{"message":"out of order"}'
    committed: bool = False
    times: int = 1
    skip: int = 0
    before: Callable[[str], None] | None = None

    def meets(self, method: str, path: str) -> bool:
        return self.method in ("*", method) and re.fullmatch(self.path, path) is not None


class Script:
    """The faults that are still to come; safe to use from many threads."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        with self._lock:
            self._faults += faults

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    @property
    def left(self) -> int:
        """How many are still to come: a test that set one wants it to have happened."""
        return sum(fault.times for fault in self._faults)

    def next(self, method: str, path: str) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if not fault.meets(method, path) or not fault.times:
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                return fault
        return None
