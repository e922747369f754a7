"""Ctrl-C, a request to end and a terminal that closes: one exception, never in the wrong place."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody wants it to end; `number` is the signal."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Interrupts:
    """Raises Stopped in the main thread, once: what is begun to end must come to its end."""

    def __init__(self) -> None:
        self._held = self._deaf = False
        self._waiting: int | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        before = {number: signal.signal(number, self._take) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nothing is raised in the block: a process that was started must be known to somebody."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._waiting is not None:
            self._raise(self._waiting)

    def ignore(self) -> None:
        """From now on."""
        self._deaf = True

    def _take(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self._held:
            self._waiting = number
        elif not self._deaf:
            self._raise(number)

    def _raise(self, number: int) -> None:
        self._deaf = True
        raise Stopped(number)
