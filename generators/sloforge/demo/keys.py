"""Single keys from a terminal, which is left as it was found."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keys:
    """A terminal that gives its keys one by one, or nothing that does."""

    handle: int | None

    def pressed(self, seconds: float) -> str:
        """The key that is pressed within this time; empty where none is."""
        handles = [] if self.handle is None else [self.handle]
        ready, _, _ = select.select(handles, [], [], seconds)
        return (
            os.read(self.handle, 1).decode(errors="replace")
            if ready and self.handle is not None
            else ""
        )


@contextmanager
def keys() -> Iterator[Keys]:
    """Without a terminal, or in the background of one, there are no keys."""
    handle = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else None
    if handle is None or os.tcgetpgrp(handle) != os.getpgrp():
        yield Keys(None)
        return
    before = termios.tcgetattr(handle)
    tty.setcbreak(handle)
    try:
        yield Keys(handle)
    finally:
        # A terminal that was closed has nothing to be put back.
        with suppress(termios.error):
            termios.tcsetattr(handle, termios.TCSADRAIN, before)
