"""Time ranges, steps and the ticks of a time axis, as Grafana counts them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sloforge.errors import Problem

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "M": 2_592_000, "y": 31_536_000}
_RELATIVE = re.compile(r"now(?P<steps>(?:[+-]\d+[smhdwMy])*)(?:/(?P<floor>[smhdwMy]))?")
_STEP = re.compile(r"([+-]\d+)([smhdwMy])")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdwy])")
# What a Prometheus data source of Grafana takes for its scrape interval, in seconds.
SCRAPE = 15.0
# Prometheus answers no range query with more points.
MOST_POINTS = 11_000
# packages/grafana-data/src/datetime/rangeutil.ts, roundInterval: below the first, the second; ms.
_ROUND = (
    (10, 1), (15, 10), (35, 20), (75, 50), (150, 100), (350, 200), (750, 500),
    (1500, 1000), (3500, 2000), (7500, 5000), (12_500, 10_000), (17_500, 15_000),
    (25_000, 20_000), (45_000, 30_000), (90_000, 60_000), (210_000, 120_000),
    (450_000, 300_000), (750_000, 600_000), (1_050_000, 900_000), (1_500_000, 1_200_000),
    (2_700_000, 1_800_000), (5_400_000, 3_600_000), (9_000_000, 7_200_000),
    (16_200_000, 10_800_000), (32_400_000, 21_600_000), (86_400_000, 43_200_000),
    (604_800_000, 86_400_000), (1_814_400_000, 604_800_000), (3_628_800_000, 2_592_000_000),
)  # fmt: skip
_YEAR = 31_536_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From `start` to `end` in Unix seconds; `first` and `last` are how that was asked for."""

    start: float
    end: float
    first: str
    last: str

    @property
    def seconds(self) -> float:
        return self.end - self.start


def span(first: str, last: str, now: float) -> Span:
    """`span("now-7d", "now", now)`. Raises Problem for what is no time, or runs backwards."""
    start, end = moment(first, now), moment(last, now, up=True)
    if not start < end:
        raise Problem(f"time range: `{first}` must be before `{last}`; swap them")
    return Span(start=start, end=end, first=first, last=last)


def moment(text: str, now: float, *, up: bool = False) -> float:
    """`now-1d/d`, milliseconds or ISO 8601, in Unix seconds; `up` rounds to the unit's end."""
    if re.fullmatch(r"\d{1,14}", text):
        return int(text) / 1000
    if (found := _RELATIVE.fullmatch(text)) is not None:
        steps = _STEP.findall(found["steps"])
        at = now + sum(int(count) * _UNITS[unit] for count, unit in steps)
        return _floored(at, found["floor"], up=up) if found["floor"] else max(at, 0.0)
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise Problem(
            f"time: expected such as now-7d, milliseconds or 2026-01-31T12:00:00Z, got `{text}`"
        ) from None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def _floored(at: float, unit: str, *, up: bool) -> float:
    day = datetime.fromtimestamp(at, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    match unit:
        case "w":
            day -= timedelta(days=day.weekday())
        case "M":
            day = day.replace(day=1)
        case "y":
            day = day.replace(month=1, day=1)
        case _:
            size = _UNITS[unit]
            return at // size * size + (size - 0.001 if up else 0)
    if not up:
        return day.timestamp()
    after = day + timedelta(days={"w": 7, "M": 32, "y": 367}[unit])
    after = after if unit == "w" else after.replace(day=1)
    after = after.replace(month=1) if unit == "y" else after
    return after.timestamp() - 0.001


def duration(text: str) -> float:
    """`1h30m` in seconds; 0 for what is none."""
    parts = _DURATION.findall(text)
    if "".join(number + unit for number, unit in parts) != text:
        return 0.0
    units = _UNITS | {"ms": 0.001}
    return float(sum(float(number) * units[unit] for number, unit in parts))


def written(seconds: float) -> str:
    """A duration as PromQL reads it, in one unit: `90s` is `90s`, `3600` is `1h`."""
    if seconds < 1:
        return f"{max(1, round(seconds * 1000))}ms"
    for unit in ("d", "h", "m"):
        if seconds % _UNITS[unit] == 0:
            return f"{int(seconds // _UNITS[unit])}{unit}"
    return f"{round(seconds)}s"


def step(seconds: float, points: int, least: float) -> float:
    """The seconds between two points of a graph that has room for so many of them."""
    wanted = seconds * 1000 / max(points, 1)
    rounded = next((to for below, to in _ROUND if wanted < below), _YEAR) / 1000
    enough = seconds / (MOST_POINTS - 1)
    return max(rounded, least, -(-enough // 1) if enough > rounded else 0)


def rate_interval(step_seconds: float, scrape: float) -> float:
    """Grafana's `$__rate_interval`: wide enough for four scrapes."""
    return max(step_seconds + scrape, 4 * scrape)


def zone(name: str) -> tzinfo:
    """A time zone by its name; UTC where there is none of this name."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


_TICKS = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200,
    86_400, 172_800, 345_600, 604_800, 1_209_600, 2_592_000, 7_776_000, 31_536_000,
)  # fmt: skip
_DAY = 86_400


def ticks(over: Span, most: int, where: tzinfo) -> list[tuple[int, str]]:
    """Round local times within the span: Unix milliseconds and their text."""
    size = next((tick for tick in _TICKS if over.seconds / tick <= max(most, 1)), _TICKS[-1])
    first = datetime.fromtimestamp(over.start, where)
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    pattern = _pattern(size, over.seconds)
    found = []
    if size >= _DAY:
        at = midnight
        while at.timestamp() <= over.end:
            found.append(at)
            at += timedelta(days=size // _DAY)
    else:
        begin = midnight.timestamp()
        count = int((over.end - begin) // size) + 1
        found = [datetime.fromtimestamp(begin + size * n, where) for n in range(count)]
    inside = [at for at in found if over.start <= at.timestamp() <= over.end]
    return [(round(at.timestamp() * 1000), _text(at, pattern)) for at in inside]


def _pattern(size: int, seconds: float) -> str:
    if size >= _DAY:
        return "%d %b" if seconds < 300 * _DAY else "%b %Y"
    clock = "%H:%M:%S" if size < 60 else "%H:%M"  # noqa: PLR2004 - a minute
    return clock if seconds <= 1.5 * _DAY else f"%d %b {clock}"


def _text(at: datetime, pattern: str) -> str:
    return at.strftime(pattern).lstrip("0") if pattern.startswith("%d") else at.strftime(pattern)
