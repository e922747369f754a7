"""The month before: raw series of the story, and what the rules record of them, as TSDB blocks.

Raw series stand close together where a rule looks at them: over the last day, and around each
incident. There a real Prometheus evaluates the rules. One calm day is like the other, so what is
recorded on the last one stands for all: a test evaluates the rules over every day and compares.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import promtool
from sloforge import naming
from sloforge.demo import openmetrics
from sloforge.demo.layers import Rule
from sloforge.demo.processes import Brood
from sloforge.demo.servers import Place, Prometheus, Span, prometheus
from sloforge.demo.services import INSTANCES, Gauge, Instance, Series, series
from sloforge.demo.story import (
    DAY,
    HOUR,
    INCIDENTS,
    LENGTH,
    MINUTE,
    Story,
    Tally,
    Times,
    chunks,
)

STEP = 5 * MINUTE
# The longest window that a rule has on raw series.
LONGEST = HOUR
# Where rules are added up over hours by their number, the past must be as dense as what follows.
DENSE = 6 * HOUR + STEP
RECENT, RECENT_STEP = 3 * HOUR, MINUTE
WORKERS = 2
UP = "up"
# Read once a minute by what shows how long an alert has fired; a past without it is no loss.
ALERTS = "ALERTS"

FIRES = "1"

# The labels of a series -> its moments and values.
Recorded = dict[str, list[tuple[int, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """When the history is written, and when rules are evaluated over it."""

    story: Story
    interval: int
    length: int = LENGTH

    @property
    def now(self) -> int:
        return self.story.now

    @property
    def grid(self) -> range:
        """Every five minutes; the next would be due as long after now as the last was before."""
        last = self.now - STEP // 2
        return range(last - self.length, last + 1, STEP)

    @property
    def incidents(self) -> tuple[Span, ...]:
        """On the grid: from just before each to when the last window has forgotten it."""
        return tuple(
            self._span(self.now - one.before - STEP, self.now - one.before + one.length + LONGEST)
            for one in INCIDENTS
            if one.before < self.length
        )

    @property
    def last_day(self) -> Span:
        """On the grid, with an hour more than a day: the last hour may have an outage in it."""
        return self._span(self.now - DAY - HOUR - STEP, self.now)

    def times(self) -> Times:
        zones = [(span.start - LONGEST - STEP, span.end) for span in self.incidents]
        zones.append((self.last_day.start - LONGEST - STEP, self.now))
        return Times(far=self.grid, zones=tuple(zones), now=self.now)

    @property
    def whole(self) -> Span:
        return Span(start=self.grid[0], end=self.grid[-1], step=STEP)

    def sources(self) -> Iterator[tuple[int, int]]:
        """Every moment of the grid, and that at which rules on raw series are evaluated for it."""
        incidents = {at for s in self.incidents for at in range(s.start, s.end + 1, s.step)}
        return ((at, at if at in incidents else self.calm(at)) for at in self.grid)

    def calm(self, at: int) -> int:
        """The moment of the last day that is like this one."""
        days = -(-(self.last_day.start - at) // DAY)
        return at + max(0, days) * DAY

    def recent(self, rule: Rule) -> Span | None:
        """Where a rule is evaluated more often than on the grid; period rules never are."""
        if rule.period:
            return None
        if rule.name in (naming.TOTAL, naming.ERRORS):
            return Span(start=self.now - DENSE, end=self.now, step=self.interval)
        return Span(start=self.now - RECENT, end=self.now, step=RECENT_STEP)

    def _span(self, start: float, end: float) -> Span:
        first = self.grid[max(0, bisect_right(self.grid, start) - 1)]
        last = self.grid[min(len(self.grid) - 1, bisect_right(self.grid, end))]
        return Span(start=first, end=last, step=STEP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """How much was written, and what an instance had been asked by the end of it."""

    samples: int
    tally: Tally


def write(past: Past, rules: Sequence[Rule], place: Place, brood: Brood) -> Written:
    """Blocks into the place's data folder; its port is used, and free again afterwards."""
    tally = Tally(past.grid[0])
    runs = tuple(chunks(past.story, past.times(), tally))
    raw = [_Samples(place.folder / f"raw-{part}.om") for part in range(WORKERS)]
    for at, (instance, one) in enumerate(_exported()):
        seen = [run for run in runs if run.close or not _is_read_close(one)]
        raw[at % WORKERS].write(openmetrics.past(instance, one, seen))
    _import(raw, place.folder)
    written = list(raw)
    for layer in sorted({rule.layer for rule in rules}):
        mine = [rule for rule in rules if rule.layer == layer]
        written += _layer(past, mine, place, brood)
    return Written(samples=sum(file.samples for file in written), tally=tally)


def _layer(past: Past, rules: Sequence[Rule], place: Place, brood: Brood) -> list[_Samples]:
    """Rules that do not stand on one another, evaluated over all that has been imported so far.

    Alerts on raw series would take the gaps between the incidents for lost targets.
    """
    mine = [rule for rule in rules if not (rule.alerts and rule.raw)]
    files = [_Samples(place.folder / f"layer-{part}.om") for part in range(WORKERS)]
    with prometheus(place, "{}", brood) as (_, server), ThreadPoolExecutor(WORKERS) as pool:
        recorder = Recorder(server, past)
        for at, texts in enumerate(pool.map(recorder.lines, mine)):
            files[at % WORKERS].write(texts)
    _import(files, place.folder)
    return files


class _Samples:
    """An OpenMetrics file that is written, imported and removed."""

    def __init__(self, path: Path) -> None:
        self.path, self.samples = path, 0
        self._file = path.open("w", encoding="utf-8")

    def write(self, texts: Iterable[str]) -> None:
        for text in texts:
            self.samples += text.count("\n")
            self._file.write(text)

    def close(self) -> None:
        self._file.write(openmetrics.END)
        self._file.close()


def _import(files: Sequence[_Samples], folder: Path) -> None:
    def into_blocks(file: _Samples) -> None:
        file.close()
        # A layer of nothing but alerts that have never fired is empty, which promtool refuses.
        if file.samples:
            promtool.backfill_openmetrics(file.path, folder / "data")
        file.path.unlink()

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(into_blocks, files))


def _exported() -> Iterator[tuple[Instance, Series]]:
    """Every series of every target, and whether it was up."""
    for instance in INSTANCES:
        yield instance, Gauge(name=UP, labels={}, value=lambda _: 1)
        for one in series(instance):
            yield instance, one


def _is_read_close(one: Series) -> bool:
    """Whether only rules look at it: panels read what those record of HTTP requests."""
    return one.name.startswith("tensor_wasm_http_request") and not isinstance(one, Gauge)


class Recorder:
    """What rules have recorded over the month, from a server that holds what they read."""

    def __init__(self, server: Prometheus, past: Past) -> None:
        self._server, self._past = server, past
        self._sources = tuple(past.sources())

    def lines(self, rule: Rule) -> list[str]:
        """As OpenMetrics, a text for each series."""
        name = ALERTS if rule.alerts else rule.name
        texts = []
        for labels, points in self.recorded(rule).items():
            start = f"{name}{labels} "
            lines = [f"{start}{FIRES if rule.alerts else value} {at}\n" for at, value in points]
            texts.append("".join(lines))
        return texts

    def recorded(self, rule: Rule) -> Recorded:
        """On the grid up to where it is evaluated more often, if it is."""
        recent = self._past.recent(rule)
        until = recent.start if recent else self._past.now + 1
        found: Recorded = {}
        for labels, points in self._far(rule).items():
            found[labels] = [one for one in points if one[0] < until]
        if recent:
            for labels, points in self._evaluated(rule, (recent,)).items():
                found.setdefault(labels, []).extend(points)
        return found

    def _far(self, rule: Rule) -> Recorded:
        if not rule.raw:
            return self._evaluated(rule, (self._past.whole,))
        found: Recorded = {}
        spans = (*self._past.incidents, self._past.last_day)
        for labels, points in self._evaluated(rule, spans).items():
            known = dict(points)
            found[labels] = [(at, known[source]) for at, source in self._sources if source in known]
        return found

    def _evaluated(self, rule: Rule, spans: Iterable[Span]) -> Recorded:
        found: Recorded = {}
        for span in spans:
            for one in self._server.over(rule.expr, span):
                labels = openmetrics.braced(_labels(rule, one["metric"]))
                found.setdefault(labels, []).extend(map(tuple, one["values"]))
        return found


def _labels(rule: Rule, metric: Mapping[str, str]) -> dict[str, str]:
    own = {key: value for key, value in metric.items() if key != "__name__"}
    more = {"alertname": rule.name, "alertstate": "firing"} if rule.alerts else {}
    return {**own, **rule.labels, **more}
