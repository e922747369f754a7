"""What happens to the two services: their traffic, the four incidents of the month, an outage now.

Everything is a function of time, so that the history that is written and the service that is
scraped tell one story, and so that the truth about any window can be told without Prometheus.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

MINUTE, HOUR, DAY = 60, 3600, 86400
LENGTH = 30 * DAY
# Requests per second of one instance when it is busiest, and the share of it that a night has.
PEAK, NIGHT = 40.0, 1 / 50
# How far apart raw samples stand where rules look at them: twice as close as a rate over five
# minutes needs. Towards now, panels look closer: how far before now, and how close.
CLOSE = 2 * MINUTE
LADDER = ((26 * HOUR, MINUTE), (6 * HOUR + 10 * MINUTE, 30))

State = Literal["calm", "outage", "release", "broker", "slow"]
# A busier minute is a slower one: requests are counted apart by how busy it was when they came.
Pace = Literal["brisk", "busy"]
Condition = tuple[State, Pace]
STATES: tuple[State, ...] = ("calm", "outage", "release", "broker", "slow")
PACES: tuple[Pace, ...] = ("brisk", "busy")
CONDITIONS: tuple[Condition, ...] = tuple((state, pace) for state in STATES for pace in PACES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """From `start` to `end` in Unix seconds; `end` is infinite while it lasts."""

    state: State
    start: float
    end: float = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One of the month's: when it began, in seconds before now, how long it took, and its tale."""

    state: State
    before: float
    length: float
    tale: str


# The service is busiest now, and so at every whole day before.
INCIDENTS = (
    Incident(
        state="outage",
        before=22 * DAY + 12 * HOUR + 20 * MINUTE,
        length=45 * MINUTE,
        tale="a total outage at night, when a fiftieth of the day's requests come",
    ),
    Incident(
        state="release",
        before=16 * DAY + HOUR,
        length=30 * MINUTE,
        tale="a bad release, rolled back: two of five requests failed",
    ),
    Incident(
        state="slow",
        before=9 * DAY + 2 * HOUR,
        length=3 * HOUR,
        tale="slow invocations for three hours, none of them an error",
    ),
    Incident(
        state="broker",
        before=2 * DAY + 10 * MINUTE,
        length=16 * MINUTE,
        tale="the broker was lost: half of the requests failed, and the worker was stuck",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What gauges show: requests per second, how busy it is, and since when the worker is stuck."""

    at: float
    state: State
    load: float
    busyness: float
    stuck_since: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Moments in one state: what was counted in other conditions, and up to each moment in its own.

    `close` are those that stand as close together as scrapes do; others are minutes apart.
    """

    state: State
    close: bool
    moments: tuple[Moment, ...]
    others: Mapping[Condition, float]
    brisk: Sequence[float]
    busy: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What has happened and is happening; `now` is when the history ends and the traffic peaks."""

    now: int
    episodes: tuple[Episode, ...]

    def state(self, at: float) -> State:
        return next((one.state for one in self.episodes if one.start <= at < one.end), "calm")

    def load(self, at: float) -> float:
        """Requests per second of one instance."""
        unrest = 1 + 0.02 * self._wave(at, 61) + 0.015 * self._wave(at, 247)
        return PEAK * (NIGHT + (1 - NIGHT) * self._daylight(at)) * unrest

    def busyness(self, at: float) -> float:
        """From 0 to 1: by the hour of the day, and by chance."""
        chance = self._wave(at, 29) * self._wave(at, 7) + 0.5 * self._wave(at, 91)
        return min(1.0, max(0.0, 0.1 + 0.4 * self._daylight(at) + 0.3 * chance))

    def _daylight(self, at: float) -> float:
        return (1 + math.cos(2 * math.pi * (at - self.now) / DAY)) / 2

    def _wave(self, at: float, times: int) -> float:
        """A wave of whole periods a day: what is recorded of one calm day is true of them all."""
        return math.sin(2 * math.pi * times * (at - self.now) / DAY + times)

    def stuck_since(self, at: float) -> float | None:
        """When the worker ended its last iteration, if it is stuck."""
        for one in self.episodes:
            if one.state == "broker" and one.start <= at < one.end + 9 * MINUTE:
                return one.start
        return None

    def moment(self, at: float) -> Moment:
        return Moment(
            at=at,
            state=self.state(at),
            load=self.load(at),
            busyness=self.busyness(at),
            stuck_since=self.stuck_since(at),
        )

    def edges(self) -> tuple[float, ...]:
        """When the state changes, in order."""
        found = {edge for one in self.episodes for edge in (one.start, one.end)}
        return tuple(sorted(found - {math.inf}))

    def broken(self, at: float) -> Story:
        """With an outage from then on."""
        return replace(self, episodes=(*self.episodes, Episode(state="outage", start=at)))

    def mended(self, at: float) -> Story:
        """With everything that lasts ended by then."""
        return replace(
            self, episodes=tuple(replace(one, end=min(one.end, at)) for one in self.episodes)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When series are sampled: close together in zones and up to now, elsewhere on a grid."""

    far: range
    zones: tuple[tuple[int, int], ...]
    now: int

    def all(self) -> tuple[int, ...]:
        """Evenly within a zone: a rate believes the average of what it has in its window."""
        found = {at for at in self.far if not self.is_close(at)}
        for start, end in self.zones:
            found |= {at for at in range(start, end + 1, CLOSE) if self._step(at) is None}
        for before, step in LADDER:
            times = range(self.now - before, self.now + 1, step)
            found |= {at for at in times if self._step(at) == step and self.is_close(at)}
        return tuple(sorted(found))

    def _step(self, at: int) -> int | None:
        """How far apart samples are towards now; None before that."""
        steps = [step for before, step in LADDER if at >= self.now - before]
        return steps[-1] if steps else None

    def is_close(self, at: int) -> bool:
        return any(start <= at <= end for start, end in self.zones)


class Tally:
    """What one instance was asked, by condition, up to a moment that only moves forward."""

    def __init__(self, since: float) -> None:
        self.at = since
        self.seen: dict[Condition, float] = dict.fromkeys(CONDITIONS, 0.0)

    def advance(self, story: Story, to: float) -> None:
        """Count on to a moment, few minutes later."""
        edges = [edge for edge in story.edges() if self.at < edge < to]
        for end in (*edges, to):
            middle = (self.at + end) / 2
            requests = story.load(middle) * (end - self.at)
            busy, state = story.busyness(middle), story.state(middle)
            self.seen[state, "busy"] += requests * busy
            self.seen[state, "brisk"] += requests * (1 - busy)
            self.at = end


def chunks(story: Story, times: Times, tally: Tally) -> Iterator[Chunk]:
    """What the tally holds at each of the times, in runs without a change of state."""
    edges = story.edges()
    for (_, close), run in groupby(
        times.all(), key=lambda time: (bisect_right(edges, time), times.is_close(time))
    ):
        moments, brisk, busy = [], [], []
        for time in run:
            tally.advance(story, time)
            moment = story.moment(time)
            moments.append(moment)
            brisk.append(tally.seen[moment.state, "brisk"])
            busy.append(tally.seen[moment.state, "busy"])
        state = moments[0].state
        others = {key: seen for key, seen in tally.seen.items() if key[0] != state}
        yield Chunk(
            state=state,
            close=close,
            moments=tuple(moments),
            others=others,
            brisk=brisk,
            busy=busy,
        )


def month(now: int) -> Story:
    """The four incidents, and nothing wrong now."""
    episodes = (
        Episode(state=one.state, start=now - one.before, end=now - one.before + one.length)
        for one in INCIDENTS
    )
    return Story(now=now, episodes=tuple(episodes))
