"""`<slo>-detection`: raw series through all rules, with the minute of firing and of rest.

An hour of clean history, then errors, then recovery. With less history than the long window the
ratio is taken over what there is: threshold x history / (ratio - threshold) instead of the
workbook's threshold x long / ratio.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.alerts import Alert
from sloforge.generate.promtests.case import (
    Expectation,
    Group,
    Suite,
    firing,
    fixture,
    group,
    holds,
    members,
    nothing,
    recording_order,
    scrapes,
    step_of,
)
from sloforge.generate.recording import reads_raw
from sloforge.promql import duration, number, seconds
from sloforge.sli import Phase, Series
from sloforge.windows import BASE, DAY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.artifacts import Artifact
    from sloforge.model import Project, Service, Slo
    from sloforge.windows import Burn

# Errors and recovery last as long as it takes to see what is to be seen, and no longer than this.
CLEAN, BURNING, REST = timedelta(minutes=60), timedelta(minutes=45), timedelta(minutes=20)
MINUTE = timedelta(minutes=1)
RATIOS = (Decimal(1), Decimal("0.1"))
# More often than that says nothing new, and takes its time.
OFTEN = timedelta(seconds=30)


def tests(project: Project, service: Service, found: tuple[Alert, ...]) -> Iterator[Artifact]:
    """Nothing without burns, nor where the SLI is the user's own PromQL."""
    burning = tuple(alert for alert in found if alert.burn is not None)
    if not burning or burning[0].slo is None:
        return
    slo = burning[0].slo
    every = _every(project.settings.interval)
    incidents = [
        _Incident(project=project, service=service, slo=slo, found=burning, ratio=one, every=every)
        for one in RATIOS
    ]
    groups = tuple(one for incident in incidents for one in incident.groups())
    if not groups:
        return
    yield Suite(
        path=naming.test_file(service.name, f"{slo.name}-detection"),
        source=service.source.path,
        rule_files=(naming.recording_file(service.name), naming.rules_file(service.name)),
        order=(*recording_order(slo), naming.alert_group(slo)),
        evaluation_interval=every,
        groups=groups,
    ).artifact()


def _every(interval: timedelta) -> timedelta:
    """A multiple of the project's interval."""
    return interval * max(1, OFTEN // interval)


@dataclass(frozen=True, kw_only=True)  # no slots: they would leave no room for what is cached
class _Incident:
    """What budget arithmetic says of one error ratio, rules being evaluated every so often."""

    project: Project
    service: Service
    slo: Slo
    found: tuple[Alert, ...]
    ratio: Decimal
    every: timedelta

    def groups(self) -> Iterator[Group]:
        """None where the ratio decides nothing within the errors' time."""
        checks = [check for alert in self.found for check in self._checks(alert)]
        if checks and (series := self._series()):
            name = f"{number(self.ratio * 100)} % errors for {duration(self._burning)}"
            yield group(name, self._step, series, promql_expr_test=checks)

    def _series(self) -> list[Series]:
        parts = ((CLEAN, Decimal(0)), (self._burning, self.ratio), (self._resting, Decimal(0)))
        phases = tuple(Phase(steps=scrapes(self._step, time), bad=bad) for time, bad in parts)
        labels = members(self.slo)[0] | ({"job": self.service.job} if self.service.job else {})
        return list(self.slo.sli.series(fixture(self._step, phases, labels)))

    @cached_property
    def _end(self) -> timedelta:
        return CLEAN + self._burning + self._resting

    @cached_property
    def _burning(self) -> timedelta:
        """Until the last alert that is seen at all has fired."""
        latest = [bounds[1] for alert in self.found if (bounds := self._fires(alert))]
        return min(BURNING, _minutes(max(latest, default=seconds(REST))) + 2 * self.every)

    @cached_property
    def _resting(self) -> timedelta:
        """Until the last of them that is seen to end has ended."""
        rests = [self._rest(alert) for alert in self.found if self._fires(alert)]
        short = [rest for rest in rests if rest < seconds(REST)]
        return min(REST, _minutes(max(short, default=Decimal(0))) + 2 * self.every)

    def _checks(self, alert: Alert) -> Iterator[Expectation]:
        assert alert.burn is not None
        state = firing(alert, self.found)
        if self._detected(alert.burn) is None:
            yield nothing(f"max_over_time({state}[{duration(self._end)}])", self._end)
        elif bounds := self._fires(alert):
            yield self._second(state, "min", CLEAN, bounds)
            if (last := self._rest(alert)) < seconds(REST):
                since = CLEAN + self._burning
                yield self._second(state, "max", since, (Decimal(0), last))

    def _fires(self, alert: Alert) -> tuple[Decimal, Decimal] | None:
        """From when to when it may begin; None where that is not within the errors' time."""
        assert alert.burn is not None
        detected = self._detected(alert.burn)
        if detected is None or self._is_open(alert.burn):
            return None
        latest = detected + seconds(self._lag(alert.burn))
        early = seconds(self.every + self._lump())
        if self.slo.sli.unit == "slices":
            # Up to Prometheus 2 there is one slice more in the base window than fits into it.
            early += self._enough(alert.burn) * seconds(self._step) / seconds(BASE)
        return (max(Decimal(0), detected - early), latest) if latest < seconds(BURNING) else None

    def _is_open(self, burn: Burn) -> bool:
        """Whether a window is too short to tell.

        It waits while bad slices come and go, or cannot hold enough errors at this pace.
        """
        wavers = burn.wait and burn.short <= self._lump() + self._step
        return bool(wavers) or self._enough(burn) + seconds(BASE) > seconds(burn.long)

    def _second(
        self, state: str, which: str, since: timedelta, bounds: tuple[Decimal, Decimal]
    ) -> Expectation:
        """The first (min) or last (max) second of firing lies within bounds, from `since` on."""
        over = f"[{duration(self._end)}:{duration(self.every)}]"
        times = f"{which}_over_time(timestamp({state}){over})"
        low, high = (number(bound.quantize(Decimal(1))) for bound in bounds)
        expr = f"count({which}({times}) - {number(seconds(since))} >= {low} <= {high})"
        return holds(expr, self._end, {})

    def _detected(self, burn: Burn) -> Decimal | None:
        """Seconds from the first error until both windows, and min_errors, agree."""
        assert self.slo.budget is not None
        threshold = burn.factor(self.slo.window) * self.slo.budget
        if self.ratio <= threshold:
            return None
        times = [self._crossing(window, threshold) for window in (burn.long, burn.short)]
        return max(*times, self._enough(burn)) + seconds(burn.wait)

    def _crossing(self, window: timedelta, threshold: Decimal) -> Decimal:
        """When errors / all events of the window pass the threshold."""
        history = seconds(CLEAN)
        full = threshold * seconds(window) / self.ratio
        partial = threshold * history / (self.ratio - threshold)
        return partial if history + partial < seconds(window) else full

    def _enough(self, burn: Burn) -> Decimal:
        """When the sum of the recorded rates reaches `min_errors`.

        A rate over the base window grows for so long: after t seconds of r errors a second it is
        r t / base, and their sum r t^2 / (2 base); later it is r (t - base / 2). The rule takes
        each rate for one interval of its group, while promtool evaluates all groups alike.
        """
        weight = BASE if burn.long >= DAY else self.project.settings.interval
        needed = self.slo.alerting.min_errors * seconds(self.every) / seconds(weight)
        events = 100 if self.slo.sli.unit == "events" else 1
        rate, base = events * self.ratio / seconds(self._step), seconds(BASE)
        growing = (2 * base * needed / rate).sqrt()
        return growing if growing < base else needed / rate + base / 2

    @property
    def _step(self) -> timedelta:
        return step_of(self.service, self.slo)

    def _lag(self, burn: Burn) -> timedelta:
        """Two evaluations, two scrapes, and the base window where a longer one is made of it."""
        lag = 2 * self.every + 2 * self._step + self._lump()
        return lag if self._raw(burn.long) and self._raw(burn.short) else lag + BASE

    def _lump(self) -> timedelta:
        """Slices are bad or good as a whole: a tenth of them is one in every ten."""
        if self.slo.sli.unit == "events":
            return timedelta(0)
        return self._step * int(1 / self.ratio)

    def _raw(self, window: timedelta) -> bool:
        return window == BASE or reads_raw(self.project, self.slo, window)

    def _rest(self, alert: Alert) -> Decimal:
        """Seconds from the last error until the alert is gone, at the latest."""
        assert alert.burn is not None
        lag = self._lag(alert.burn) + alert.burn.keep_firing_for
        return seconds(alert.burn.short + lag)


def _minutes(time: Decimal) -> timedelta:
    """Whole ones, not fewer."""
    return MINUTE * ceil(time / 60)
