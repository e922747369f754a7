"""The simulated service: what its targets answer now, and the switch that breaks it."""

from __future__ import annotations

import threading
import time

from sloforge.demo import openmetrics
from sloforge.demo.services import INSTANCES
from sloforge.demo.story import Story, Tally


class Service:
    """Goes on where the history ends: its counters, its story. May be asked by several threads."""

    def __init__(self, story: Story, tally: Tally) -> None:
        self._story, self._tally = story, tally
        self._lock = threading.Lock()

    @property
    def is_broken(self) -> bool:
        with self._lock:
            return self._story.state(time.time()) != "calm"

    def shatter(self) -> None:
        """From now on every user's request fails; the health check stays green."""
        with self._lock:
            self._story = self._story.broken(time.time())

    def mend(self) -> None:
        with self._lock:
            self._story = self._story.mended(time.time())

    def scraped(self, name: str) -> str | None:
        """What the instance of this name exports; None where there is none."""
        for instance in INSTANCES:
            if instance.name == name:
                with self._lock:
                    now = time.time()
                    self._tally.advance(self._story, now)
                    return openmetrics.scraped(instance, self._tally.seen, self._story.moment(now))
        return None
