"""A month of counters with fifty times more traffic by day than by night, and the truth about it."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

HOUR, DAY = 3600, 86400
NIGHT = 0.02
OBJECTIVE = "99.9"
CALM = 0.0002
# Day of the month, hour, length in hours, error ratio: most are at night, when few notice.
INCIDENTS = (
    (3, 1, 4, 0.2),
    (9, 0, 5, 0.15),
    (16, 2, 3, 0.3),
    (23, 1, 5, 0.1),
    (6, 11, 1, 0.01),
    (13, 12, 2, 0.008),
    (20, 10, 1, 0.015),
    (28, 11, 0.5, 0.02),
)
GOOD, BAD = {"200": 0.95, "404": 0.03, "429": 0.02}, {"500": 0.6, "503": 0.4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """So many source series of one job: five codes for each handler of each instance."""

    series: int
    instances: int
    handlers: int
    scrape: int
    per_second: float

    @property
    def job(self) -> str:
        return f"s{self.series}"


SIZES = (
    Size(series=20, instances=2, handlers=2, scrape=30, per_second=20),
    Size(series=200, instances=8, handlers=5, scrape=30, per_second=200),
    # Scraped as seldom as a window of 5m allows, so that it is written in a minute or two.
    Size(series=1000, instances=20, handlers=10, scrape=75, per_second=1000),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """Good and bad requests of a job, added up to each scrape."""

    size: Size
    times: tuple[int, ...]
    good: tuple[float, ...]
    bad: tuple[float, ...]

    def ratio(self, window: int) -> float:
        """The true share of bad requests of the last seconds."""
        first = next(at for at, time in enumerate(self.times) if time >= self.times[-1] - window)
        bad, good = (one[-1] - one[first] for one in (self.bad, self.good))
        return bad / (bad + good)


def month(size: Size, end: int, days: int) -> Month:
    """`end` is a midnight."""
    start = end - days * DAY
    times = tuple(range(start, end + 1, size.scrape))
    requests = [size.per_second * daylight(time) * size.scrape for time in times]
    ratios = [error_ratio(time - start) for time in times]
    bad = [count * ratio for count, ratio in zip(requests, ratios, strict=True)]
    good = [count - part for count, part in zip(requests, bad, strict=True)]
    return Month(size=size, times=times, good=tuple(accumulate(good)), bad=tuple(accumulate(bad)))


def daylight(time: int) -> float:
    hour = time % DAY / HOUR
    sun: float = max(0.0, math.sin((hour - 6) / 12 * math.pi)) ** 1.2
    return NIGHT + (1 - NIGHT) * sun


def error_ratio(since: int) -> float:
    for day, hour, hours, ratio in INCIDENTS:
        begin = day * DAY + hour * HOUR
        if begin <= since < begin + hours * HOUR:
            return ratio
    return CALM


def write(one: Month, file: Path) -> None:
    """OpenMetrics; each instance restarts every few days, and its counters with it."""
    chance = random.Random(one.size.job)
    stamps = [f" {time}\n" for time in one.times]
    shares = _shares(chance, one.size.handlers)
    with file.open("w", encoding="utf-8") as out:
        for instance in range(one.size.instances):
            restarts = _restarts(chance, one)
            for handler, share in enumerate(shares):
                of = f'job="{one.size.job}",instance="i{instance}",handler="/{handler}"'
                for code, part in (GOOD | BAD).items():
                    counted = one.good if code in GOOD else one.bad
                    values = _counter(counted, share * part / one.size.instances, restarts)
                    name = f'http_requests_total{{{of},code="{code}"}} '
                    out.writelines([f"{name}{v}{at}" for v, at in zip(values, stamps, strict=True)])
        out.write("# EOF\n")


def _shares(chance: random.Random, count: int) -> list[float]:
    weights = [chance.uniform(0.5, 1.5) for _ in range(count)]
    return [weight / sum(weights) for weight in weights]


def _restarts(chance: random.Random, one: Month) -> list[int]:
    """Which scrapes are the first after a restart."""
    every = 3 * DAY / one.size.scrape
    found = [0]
    while (at := found[-1] + 1 + int(chance.expovariate(1 / every))) < len(one.times):
        found.append(at)
    return [*found, len(one.times)]


def _counter(counted: tuple[float, ...], share: float, restarts: list[int]) -> list[int]:
    values: list[int] = []
    for first, last in pairwise(restarts):
        base = counted[first]
        values += [int((value - base) * share) for value in counted[first:last]]
    return values
