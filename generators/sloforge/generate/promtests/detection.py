"""`<slo>-detection`: raw series through all rules, with the minute of firing and of rest.

An hour of clean history, then errors, then recovery. With less history than the long window the
ratio is taken over what there is: threshold x history / (ratio - threshold) instead of the
workbook's threshold x long / ratio.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.alerts import Alert
from sloforge.artifacts import OneLine
from sloforge.generate.promtests.case import (
    Expectation,
    Group,
    Suite,
    fixture,
    group,
    members,
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

CLEAN, BURNING, REST = timedelta(minutes=60), timedelta(minutes=45), timedelta(minutes=20)
END = CLEAN + BURNING + REST
RATIOS = (Decimal(1), Decimal("0.1"))


def tests(project: Project, service: Service, found: tuple[Alert, ...]) -> Iterator[Artifact]:
    """Nothing without burns, nor where the SLI is the user's own PromQL."""
    burning = tuple(alert for alert in found if alert.burn is not None)
    if not burning or burning[0].slo is None:
        return
    slo = burning[0].slo
    if not _series(service, slo, RATIOS[0]):
        return
    groups = [one for ratio in RATIOS if (one := _group(project, service, burning, ratio))]
    yield Suite(
        path=naming.test_file(service.name, f"{slo.name}-detection"),
        source=service.source.path,
        rule_files=(naming.recording_file(service.name), naming.rules_file(service.name)),
        order=(*recording_order(slo), naming.alert_group(slo)),
        evaluation_interval=project.settings.interval,
        groups=tuple(groups),
    ).artifact()


def _series(service: Service, slo: Slo, ratio: Decimal) -> list[Series]:
    parts = ((CLEAN, Decimal(0)), (BURNING, ratio), (REST, Decimal(0)))
    step = step_of(service, slo)
    phases = tuple(Phase(steps=scrapes(step, time), bad=bad) for time, bad in parts)
    labels = members(slo)[0] | ({"job": service.job} if service.job else {})
    return list(slo.sli.series(fixture(step, phases, labels)))


def _group(
    project: Project, service: Service, burning: tuple[Alert, ...], ratio: Decimal
) -> Group | None:
    """None where the ratio decides nothing within the errors' time."""
    slo = burning[0].slo
    assert slo is not None
    incident = _Incident(project=project, service=service, slo=slo, ratio=ratio)
    checks = [check for alert in burning for check in incident.checks(alert)]
    if not checks:
        return None
    name = f"{number(ratio * 100)} % errors for {duration(BURNING)}"
    return group(name, step_of(service, slo), _series(service, slo, ratio), promql_expr_test=checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Incident:
    """What budget arithmetic says of one error ratio."""

    project: Project
    service: Service
    slo: Slo
    ratio: Decimal

    def checks(self, alert: Alert) -> Iterator[Expectation]:
        assert alert.burn is not None
        detected = self._detected(alert.burn)
        if detected is None:
            yield _never(alert)
            return
        latest = detected + seconds(self._lag(alert.burn))
        if latest >= seconds(BURNING):
            return
        early = seconds(self.project.settings.interval + self._lump())
        earliest = max(Decimal(0), detected - early)
        yield _minute(alert, "min", CLEAN, (earliest, latest))
        if (last := self._rest(alert.burn)) < seconds(REST):
            yield _minute(alert, "max", CLEAN + BURNING, (Decimal(0), last))

    def _detected(self, burn: Burn) -> Decimal | None:
        """Seconds from the first error until both windows, and min_errors, agree."""
        assert self.slo.budget is not None
        threshold = burn.factor(self.slo.window) * self.slo.budget
        if self.ratio <= threshold:
            return None
        times = [self._crossing(window, threshold) for window in (burn.long, burn.short)]
        # promtool evaluates the five-minute group every minute: it counts errors too early there.
        enough = self._enough() if burn.long < DAY else Decimal(0)
        return max(*times, enough) + seconds(burn.wait)

    def _crossing(self, window: timedelta, threshold: Decimal) -> Decimal:
        """When errors / all events of the window pass the threshold."""
        history = seconds(CLEAN)
        full = threshold * seconds(window) / self.ratio
        partial = threshold * history / (self.ratio - threshold)
        return partial if history + partial < seconds(window) else full

    def _enough(self) -> Decimal:
        """When the sum of the recorded rates reaches `min_errors`.

        A rate over the base window grows for so long: after t seconds of r errors a second it is
        r t / base, and their sum r t^2 / (2 base); later it is r (t - base / 2).
        """
        events = 100 if self.slo.sli.unit == "events" else 1
        rate, base = events * self.ratio / seconds(self._step), seconds(BASE)
        growing = (2 * base * self.slo.alerting.min_errors / rate).sqrt()
        return growing if growing < base else self.slo.alerting.min_errors / rate + base / 2

    @property
    def _step(self) -> timedelta:
        return step_of(self.service, self.slo)

    def _lag(self, burn: Burn) -> timedelta:
        """Two evaluations, two scrapes, and the base window where a longer one is made of it."""
        lag = 2 * self.project.settings.interval + 2 * self._step + self._lump()
        return lag if self._raw(burn.long) and self._raw(burn.short) else lag + BASE

    def _lump(self) -> timedelta:
        """Slices are bad or good as a whole: a tenth of them is one in every ten."""
        if self.slo.sli.unit == "events":
            return timedelta(0)
        return self._step * int(1 / self.ratio)

    def _raw(self, window: timedelta) -> bool:
        return window == BASE or reads_raw(self.project, self.slo, window)

    def _rest(self, burn: Burn) -> Decimal:
        """Seconds from the last error until the alert is gone, at the latest."""
        lag = self._lag(burn) + burn.keep_firing_for
        return seconds(burn.short + lag)


def _firing(alert: Alert) -> str:
    return f'ALERTS{{alertname="{alert.name}",alertstate="firing"}}'


def _never(alert: Alert) -> Expectation:
    expr = f"max_over_time({_firing(alert)}[{duration(END)}])"
    return {"expr": expr, "eval_time": duration(END), "exp_samples": []}


def _minute(
    alert: Alert, which: str, since: timedelta, bounds: tuple[Decimal, Decimal]
) -> Expectation:
    """The first (min) or last (max) second of firing lies within bounds, counted from `since`."""
    times = f"{which}_over_time(timestamp({_firing(alert)})[{duration(END)}:1m])"
    low, high = (number(bound.quantize(Decimal(1))) for bound in bounds)
    expr = f"count({which}({times}) - {number(seconds(since))} >= {low} <= {high})"
    return {
        "expr": expr,
        "eval_time": duration(END),
        "exp_samples": [OneLine(labels="{}", value=1)],
    }
