"""The embedded prober: one thread per plane, so that no plane ever waits for another."""

from __future__ import annotations

import secrets
import sys
import time
import traceback
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from threading import Event, Lock, Thread

from sloforge.health.planes.probing import overdue, probe
from sloforge.health.planes.result import Result
from sloforge.health.planes.stores import Store, StoreProblem
from sloforge.planes import Plane, Planes, Status
from sloforge.promql import seconds

# Beyond its deadline a check may still be in its last request.
GRACE = 5.0
Probe = Callable[[Plane], Result]
Tell = Callable[[str], None]


def _stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a daemon has no other voice


@dataclass(slots=True, kw_only=True)
class Prober:
    """Schedules by the monotonic clock; `wall` only stamps what is exported."""

    planes: Planes
    store: Store
    check: Probe = probe
    wall: Callable[[], float] = time.time
    tell: Tell = _stderr
    grace: float = GRACE
    _stopped: Event = field(default_factory=Event)
    _threads: list[Thread] = field(default_factory=list)
    _running: dict[str, float] = field(default_factory=dict)
    _told: dict[str, str] = field(default_factory=dict)
    _statuses: dict[str, Status] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def start(self) -> None:
        """Returns at once; the first checks begin at once, too."""
        self._spawn("scheduler", self._watch)
        for plane in self.planes.planes:
            self._spawn(plane.name, partial(self._check_for_ever, plane))

    def stop(self, patience: float = 1.0) -> None:
        """Begins no more checks; one that hangs is left behind with the process."""
        self._stopped.set()
        end = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def wait(self) -> None:
        """Until somebody stops it."""
        self._stopped.wait()

    def _spawn(self, name: str, work: Callable[[], None]) -> None:
        thread = Thread(target=work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _check_for_ever(self, plane: Plane) -> None:
        interval = float(seconds(self.planes.interval))
        due = time.monotonic()
        # Spread over the interval after the first round, the same way at every start.
        shift = zlib.crc32(plane.name.encode()) % 1000 / 1000 * interval * 0.5
        while not self._stopped.wait(max(0.0, due - time.monotonic())):
            self._safely(plane.name, lambda: self._once(plane))
            # Never two at once, and no burst to catch up with what was missed.
            due = max(due + interval - shift, time.monotonic())
            shift = 0.0

    def _once(self, plane: Plane) -> None:
        with self._lock:
            self._running[plane.name] = time.monotonic()
        try:
            result = checked(plane, self.store, self.check)
        finally:
            with self._lock:
                del self._running[plane.name]
        if result is not None and self._statuses.get(plane.name, "OK") != result.status:
            self.tell(f"{plane.name}: {result.status} {result.reason}".rstrip())
        if result is not None:
            self._statuses[plane.name] = result.status

    def _watch(self) -> None:
        """Says that the scheduler lives, and that a check does not come back."""
        interval = float(seconds(self.planes.interval))
        while True:
            self._safely("scheduler", lambda: self.store.tick(self.wall()))
            self._safely("scheduler", self._overdue)
            if self._stopped.wait(min(interval, 15.0)):
                return

    def _overdue(self) -> None:
        with self._lock:
            running = dict(self._running)
        for plane in self.planes.planes:
            elapsed = time.monotonic() - running.get(plane.name, time.monotonic())
            if elapsed > float(seconds(plane.deadline)) + self.grace:
                self.store.save(overdue(plane, elapsed, self.wall))

    def _safely(self, name: str, act: Callable[[], object]) -> None:
        """A thread that ends would leave its plane unwatched; the same trouble is told once."""
        try:
            act()
            told = self._told.pop(name, "")
            if told:
                self.tell(f"{name}: works again")
        except StoreProblem as problem:
            self._tell_once(name, str(problem))
        except Exception:  # noqa: BLE001 - a bug of ours must not end the watch over a plane
            self._tell_once(name, traceback.format_exc())

    def _tell_once(self, name: str, text: str) -> None:
        if self._told.get(name) != text:
            self._told[name] = text
            self.tell(f"{name}: {text}")


def checked(plane: Plane, store: Store, check: Probe = probe) -> Result | None:
    """One check and its result in the store; None where somebody else is at it."""
    token = secrets.token_hex(8)
    if not store.claim(plane.name, token, float(seconds(plane.deadline)) + GRACE):
        return None
    try:
        result = check(plane)
        store.save(result)
    finally:
        store.release(plane.name, token)
    return result
