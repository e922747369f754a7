"""`<slo>-guards`: which bad events `min_errors` counts: those of the long window, and all of them.

Every ratio is far too high all the time; only the events come and go. Nothing is evaluated but the
few instants that are looked at, so that days of samples cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.generate.promtests.case import (
    Expectation,
    Group,
    Suite,
    braces,
    constant,
    group,
    holds,
    labels_of,
    nothing,
    others,
)
from sloforge.promql import number, seconds
from sloforge.sli import Quantile, Series
from sloforge.sli.fixtures import spelled
from sloforge.windows import BASE, DAY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.alerts import Alert
    from sloforge.artifacts import Artifact
    from sloforge.model import Project, Service, Slo

# How many samples a window has, and how many of them hold events.
SLOTS, BUSY = 60, 10
# How many samples ago the events begin: they end before the window, or within its older half.
OLD, RECENT = 75, 55
HIGH = Decimal(1000)
MILLISECOND = timedelta(milliseconds=1)


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
    every = max(2 * guard.window for guard in guards)
    groups = [_group(guard, slo, every) for guard in guards]
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


def _group(guard: _Guard, slo: Slo, every: timedelta) -> Group:
    """First the events are too old, then they are old enough to be missed by half a window."""
    samples = round(every / guard.window * SLOTS)
    # A sample at the instant that is looked at, whatever part of it the window is.
    step = every / samples // MILLISECOND * MILLISECOND
    labels = labels_of(slo)
    series = [
        Series(series=spelled(guard.metric, labels), values=_values(guard, samples)),
        *(constant(ratio, labels, HIGH, 2 * samples) for ratio in guard.ratios),
        *(constant(guard.metric, other, HIGH, 2 * samples) for other in others(slo)),
    ]
    state = f"ALERTS{braces({'alertname': guard.alert.name})}"
    checks: list[Expectation] = [
        nothing(state, every),
        holds(f"count({state})", every * 2, {}),
    ]
    name = f"{guard.alert.name}: counts the events of its window"
    return group(name, step, series, promql_expr_test=checks)


def _values(guard: _Guard, samples: int) -> str:
    """Twice enough events in a few samples, once before each instant, nothing in between."""
    burst = f"{number((guard.enough * 2 / BUSY).quantize(Decimal('1e-12')))}x{BUSY - 1}"
    first, second = samples - OLD, 2 * samples - RECENT
    pause = second - first - BUSY
    return f"0x{first - 1} {burst} 0x{pause - 1} {burst} 0x{2 * samples - second - BUSY}"
