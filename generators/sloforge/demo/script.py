"""What is played by itself: when it breaks and is mended, and what must be seen by the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sloforge.demo.burning import Watched
from sloforge.demo.messages import Message
from sloforge.demo.story import MINUTE, Episode, Story, month
from sloforge.demo.watch import Event

Sight = Literal["fires", "paged", "held", "mended", "over", "ticket", "proven"]
SIGHTS: Mapping[Sight, str] = {
    "fires": "{alert} fires",
    "paged": "the on-call is paged, with a runbook and a dashboard to open",
    "held": "a slower burn is held back by {alert}",
    "mended": "the service is mended",
    "over": "the on-call is told that it is over",
    "ticket": "the slower burn opens a ticket, and wakes nobody",
    "proven": "the deploy of the rules is proven",
}
LINKS = {"Runbook", "Dashboard"}
# How long the outage goes on once the page is there, as somebody has to read it.
READING = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """When the outage began and ended, in seconds before the start, and the longest it may take.

    Without an end it is mended once the page has been read.
    """

    name: str
    began: int
    ended: int | None
    longest: int
    expected: tuple[Sight, ...]

    def story(self, now: int) -> Story:
        end = {} if self.ended is None else {"end": now - self.ended}
        calm = month(now)
        outage = Episode(state="outage", start=now - self.began, **end)
        return Story(now=now, episodes=(*calm.episodes, outage))


OUTAGE = Script(
    name="outage",
    began=4 * MINUTE,
    ended=None,
    longest=14 * MINUTE,
    expected=("fires", "paged", "held", "mended", "over", "ticket", "proven"),
)
AFTERMATH = Script(
    name="aftermath",
    began=8 * MINUTE,
    ended=2 * MINUTE,
    longest=6 * MINUTE,
    expected=("fires", "paged", "held", "over", "ticket", "proven"),
)
SCRIPTS = (OUTAGE, AFTERMATH)


class Seen:
    """What of a script has been seen, of the SLO that it breaks."""

    def __init__(self, script: Script, watched: Watched) -> None:
        self._script, self._watched = script, watched
        self._at: dict[Sight, float] = {}

    def note(self, sight: Sight, at: float) -> None:
        self._at.setdefault(sight, at)

    def alert(self, event: Event, at: float) -> None:
        alert = event.alert
        if alert.subject != self._watched.subject:
            return
        if event.kind == "firing" and alert.name == self._watched.alert:
            self.note("fires", at)
        if event.kind == "inhibited" and self._watched.alert in alert.held_by:
            self.note("held", at)

    def message(self, message: Message, severity: str, at: float) -> None:
        """`severity` is what its receiver is for."""
        if self._watched.subject not in message.title:
            return
        if severity == "ticket" and not message.over:
            self.note("ticket", at)
        if severity == "page" and message.over:
            self.note("over", at)
        elif severity == "page" and message.links.keys() >= LINKS:
            self.note("paged", at)

    def is_to_be_mended(self, at: float) -> bool:
        """Once the page has been read."""
        wanted = "mended" in self.missing()
        return wanted and "paged" in self._at and at >= self._at["paged"] + READING

    def missing(self) -> tuple[Sight, ...]:
        return tuple(sight for sight in self._script.expected if sight not in self._at)
