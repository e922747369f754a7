"""`<slo>-guards`: which bad events `min_errors` counts: those of the long window, and all of them.

Every ratio is far too high all the time; only two bursts of bad events come by, each of them not
enough alone. At each instant that is looked at they are a little younger or a little older than one
of the windows, and exactly the alerts whose windows hold both of them are there. Nothing is
evaluated in between, so that days of samples cost nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.generate.promtests.case import (
    Group,
    Suite,
    braces,
    constant,
    gives,
    group,
    labels_of,
    others,
)
from sloforge.promql import duration, number, seconds
from sloforge.sli import Quantile, Series
from sloforge.sli.fixtures import spelled
from sloforge.windows import BASE, DAY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.alerts import Alert
    from sloforge.artifacts import Artifact
    from sloforge.model import Project, Service, Slo

# How many samples the shortest window of a group has, and how much longer the longest may be.
SLOTS, SPREAD = 5, 100
# Each of these steps fits into the time between two instants.
STEPS = tuple(timedelta(seconds=s) for s in (1, 2, 5, 10, 15, 30, 60, 120, 180, 300, 360, 600))
STEPS += tuple(timedelta(minutes=m) for m in (15, 20, 30, 60, 120, 180, 240, 360, 720))
APART = timedelta(hours=12)
# How old the older burst is, as shares of a window: within it, and just beyond it.
AGES = (Decimal("0.9"), Decimal("1.1"))
# Two of these are enough, one of them is not.
PART = Decimal("0.75")
HIGH = Decimal(1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Guard:
    """What an alert asks of the events of one window."""

    alert: Alert
    metric: str
    window: timedelta
    ratios: tuple[str, ...]
    enough: Decimal


def tests(project: Project, service: Service, found: tuple[Alert, ...]) -> Iterator[Artifact]:
    """Nothing where one event is enough."""
    guards = [guard for alert in found if (guard := _guard(project, alert)) is not None]
    if not guards or guards[0].alert.slo is None or not guards[0].alert.slo.alerting.min_errors:
        return
    slo = guards[0].alert.slo
    every = (max(guard.window * 5 // 4 for guard in guards) // APART + 1) * APART
    groups = [_group(_Scene(guards=some, slo=slo, every=every)) for some in _alike(guards)]
    yield Suite(
        path=naming.test_file(service.name, f"{slo.name}-guards"),
        source=service.source.path,
        rule_files=(naming.rules_file(service.name),),
        order=(naming.alert_group(slo),),
        evaluation_interval=every,
        groups=tuple(groups),
    ).artifact()


def _guard(project: Project, alert: Alert) -> _Guard | None:
    interval = project.settings.interval
    if alert.burn is not None:
        long, ratios = alert.burn.long, (alert.burn.long, alert.burn.short)
        return _errors(alert, long, ratios, interval)
    if alert.kind == "half-budget-in-a-day":
        return _errors(alert, DAY, (DAY,), interval)
    if alert.kind == "quantile" and alert.slo is not None:
        return _events(alert, alert.slo, interval)
    return None


def _errors(
    alert: Alert, window: timedelta, ratios: tuple[timedelta, ...], interval: timedelta
) -> _Guard:
    """`min_errors` bad events; a day and more is counted in what is recorded every five minutes."""
    assert alert.slo is not None
    metric, every = (naming.ERRORS_5M, BASE) if window >= DAY else (naming.ERRORS, interval)
    return _Guard(
        alert=alert,
        metric=metric,
        window=window,
        ratios=tuple(naming.error_ratio(one) for one in ratios),
        enough=alert.slo.alerting.min_errors / seconds(every),
    )


def _events(alert: Alert, slo: Slo, interval: timedelta) -> _Guard:
    """So many events that `min_errors` of them are slower than the quantile."""
    assert isinstance(slo.sli, Quantile)
    return _Guard(
        alert=alert,
        metric=naming.TOTAL,
        window=max(slo.sli.windows),
        ratios=tuple(naming.quantile(one) for one in slo.sli.windows),
        enough=slo.alerting.min_errors / (1 - slo.sli.quantile) / seconds(interval),
    )


def _alike(guards: list[_Guard]) -> Iterator[tuple[_Guard, ...]]:
    """By their windows, so that no group has to play years second by second."""
    left = sorted(guards, key=lambda guard: guard.window)
    while left:
        some = tuple(guard for guard in left if guard.window <= left[0].window * SPREAD)
        yield some
        left = left[len(some) :]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """Guards that are looked at together, at every multiple of `every`."""

    guards: tuple[_Guard, ...]
    slo: Slo
    every: timedelta

    @property
    def step(self) -> timedelta:
        shortest = self.guards[0].window / SLOTS
        return max(step for step in STEPS if step <= max(shortest, STEPS[0]))

    def ages(self) -> tuple[int, ...]:
        """How many steps ago the older burst is, at each instant.

        Oldest first: then no alert ends that would still be there for its `keep_firing_for`.
        """
        within, beyond = AGES
        ages = {
            age
            for window in {guard.window for guard in self.guards}
            for age in (self._clear(window, within, -1), self._clear(window, beyond, 1))
        }
        return tuple(sorted(ages, reverse=True))

    def _clear(self, window: timedelta, share: Decimal, way: int) -> int:
        """Not on the edge of a window, which belongs to it up to Prometheus 2 alone."""
        edges = {guard.window for guard in self.guards}
        age = int(seconds(window) * share / seconds(self.step)) + (way > 0)
        while edges & {self.step * age, self.step * (age - 1)}:
            age += way
        return age

    def there(self, age: int) -> Counter[str]:
        """The alerts whose windows hold both bursts."""
        held = (guard.alert.name for guard in self.guards if self.step * age < guard.window)
        return Counter(held)


def _group(scene: _Scene) -> Group:
    ages, labels = scene.ages(), labels_of(scene.slo)
    samples = int(scene.every / scene.step) * len(ages)
    ratios = dict.fromkeys(ratio for guard in scene.guards for ratio in guard.ratios)
    events = {guard.metric: guard.enough * PART for guard in scene.guards}
    series = [constant(ratio, labels, HIGH, samples) for ratio in ratios]
    for metric, burst in events.items():
        values = _values(scene, ages, number(burst.quantize(Decimal("1e-12"))))
        series.append(Series(series=spelled(metric, labels), values=values))
        series += [constant(metric, other, HIGH, samples) for other in others(scene.slo)]
    checks = [
        gives("count by (alertname) (ALERTS)", scene.every * at, _named(scene.there(age)))
        for at, age in enumerate(ages, 1)
    ]
    when = ", ".join(
        f"{duration(scene.step * age)} ago ({duration(scene.every * at)})"
        for at, age in enumerate(ages, 1)
    )
    name = f"min_errors counts the events of a window, of which the first was {when}"
    return group(name, scene.step, series, promql_expr_test=checks)


def _named(alerts: Counter[str]) -> dict[str, int]:
    return {braces({"alertname": name}): count for name, count in sorted(alerts.items())}


def _values(scene: _Scene, ages: tuple[int, ...], burst: str) -> str:
    """Two bursts, one step apart, before each instant; `_xN` are N samples that are missing."""
    per, parts, at = int(scene.every / scene.step), [], 0
    for instant, age in enumerate(ages, 1):
        first = instant * per - age
        parts.append(f"_x{first - at} {burst}x1")
        at = first + 2
    return " ".join(parts)
