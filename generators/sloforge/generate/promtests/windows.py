"""`<slo>-windows`: what is recorded every five minutes -> long windows and the budget."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.generate.promtests.case import (
    Expectation,
    Group,
    Suite,
    between,
    constant,
    equals,
    group,
    holds,
    labels_of,
    members,
    mine,
    nothing,
    others,
)
from sloforge.generate.recording import reads_raw
from sloforge.promql import duration, number, seconds
from sloforge.sli import Fixture, Phase, Ratio, Series
from sloforge.sli.fixtures import spelled
from sloforge.windows import DAY, HOUR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.artifacts import Artifact
    from sloforge.model import Project, Service, Slo

STEP = timedelta(minutes=5)
# The last samples are bad, while there is half the traffic of before: an average of ratios, or a
# window of another length, gives another number.
LAST = 5
BUSY, CALM = Decimal(100), Decimal(50)
# The bad part of what is scraped in trouble.
SHARE = Decimal("0.2")
# What is left of the budget in the period test.
LEFT = Decimal("0.25")
EXACT = Decimal("1e-9")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Traffic:
    """Errors in every sample, and more of them in the last ones."""

    before: Decimal
    last: Decimal

    def ratio(self, samples: int) -> Decimal:
        """Bad events over all events of the newest samples."""
        late = min(LAST, samples)
        bad = self.last * late + self.before * (samples - late)
        return bad / (CALM * late + BUSY * (samples - late))

    def bounds(self, samples: int) -> tuple[Decimal, Decimal]:
        """A window's left edge belongs to it up to Prometheus 2 and no longer since 3."""
        low, high = sorted((self.ratio(samples), self.ratio(samples + 1)))
        return low - EXACT, high + EXACT

    def series(self, slo: Slo, metrics: tuple[str, str], shape: tuple[int, int]) -> list[Series]:
        """Errors and total up to the end, and other SLOs'; `shape` is samples missing and there."""
        missing, samples = shape
        gap, early = f"_x{missing} " * bool(missing), samples - LAST
        errors = f"{gap}{number(self.before)}x{early} {number(self.last)}x{LAST - 1}"
        total = f"{gap}{number(BUSY)}x{early} {number(CALM)}x{LAST - 1}"
        labels = labels_of(slo)
        mine = [
            Series(series=spelled(metric, labels), values=values)
            for metric, values in zip(metrics, (errors, total), strict=True)
        ]
        loud = f"{gap}{number(CALM)}x{samples}"
        return mine + [
            Series(series=spelled(m, o), values=loud) for m in metrics for o in others(slo)
        ]


def tests(project: Project, service: Service, slo: Slo) -> Iterator[Artifact]:
    """Nothing for a quantile, which has no budget."""
    if not slo.sli.has_budget:
        return
    groups = [
        *_derived(project, slo),
        *_scraped(project, service, slo),
        _period(project, service, slo),
        *_idle(project, slo),
    ]
    yield Suite(
        path=naming.test_file(service.name, f"{slo.name}-windows"),
        source=service.source.path,
        rule_files=(naming.recording_file(service.name),),
        # The period first, so that the budget of the same instant reads it.
        order=(naming.period_group(slo), naming.recording_group(slo)),
        evaluation_interval=slo.window,
        groups=tuple(groups),
    ).artifact()


def _derived(project: Project, slo: Slo) -> Iterator[Group]:
    found = [w for w in slo.ratio_windows if STEP < w < DAY and not reads_raw(project, slo, w)]
    if not found or _says_zero(slo):
        return
    there = min(int(max(found) / STEP) * 2, int(slo.window / STEP))
    traffic = _Traffic(before=Decimal(1), last=Decimal(10))
    shape = (int(slo.window / STEP) - there, there)
    series = traffic.series(slo, (naming.ERRORS, naming.TOTAL), shape)
    checks = [_ratio(slo, traffic, (window, STEP), slo.window) for window in found]
    yield group("adds up the base series over hours", STEP, series, promql_expr_test=checks)


def _says_zero(slo: Slo) -> bool:
    """A query with `or vector(0)` has a value of its own, which no fixture can stand for."""
    sli = slo.sli
    return isinstance(sli, Ratio) and any("vector(" in str(one) for one in (sli.whole, sli.part))


def _ratio(
    slo: Slo, traffic: _Traffic, window: tuple[timedelta, timedelta], at: timedelta
) -> Expectation:
    over, step = window
    low, high = traffic.bounds(int(over / step))
    return holds(between(naming.error_ratio(over) + mine(slo), low, high), at, labels_of(slo))


def _coarse(slo: Slo) -> timedelta:
    """Four hours at most: a day has some samples, 400 days stay within promtool's 10,000."""
    return timedelta(hours=min(4, max(1, slo.window // timedelta(days=100))))


def _scraped(project: Project, service: Service, slo: Slo) -> Iterator[Group]:
    """In mode `exact`: raw series, of which the last hour is bad, with half of the traffic."""
    found = [w for w in slo.ratio_windows if w > HOUR and reads_raw(project, slo, w)]
    every, bad = int(slo.window / STEP), int(HOUR / STEP)
    if not found:
        return
    clean = min(int(max(found) / STEP) + bad, every) - bad
    trouble = Phase(steps=bad, bad=SHARE, traffic=CALM / BUSY)
    labels = dict(members(slo)[0]) | ({"job": service.job} if service.job else {})
    played = Fixture(
        phases=(Phase(steps=clean, bad=Decimal(0)), trouble),
        step=STEP,
        events=100,
        labels=tuple(labels.items()),
    )
    gap = f"_x{every - clean - bad} " * (every > clean + bad)
    series = [replace(one, values=gap + one.values) for one in slo.sli.series(played)]
    if not series or "{" in series[0].values:
        return
    checks = [_scraped_ratio(slo, window) for window in found]
    yield group("reads the raw series over hours and days", STEP, series, promql_expr_test=checks)


def _scraped_ratio(slo: Slo, window: timedelta) -> Expectation:
    """Between n and n - 1 increases, the left edge being in the window or not."""
    calm = CALM / BUSY * int(HOUR / STEP)
    shares = [SHARE * calm / (calm + int((window - HOUR) / STEP) - less) for less in (0, 1)]
    expr = between(naming.error_ratio(window) + mine(slo, 0), shares[0] - EXACT, shares[1] + EXACT)
    return holds(expr, slo.window, labels_of(slo))


def _period(project: Project, service: Service, slo: Slo) -> Group:
    """Twice the period, three quarters of the budget being spent in the second half."""
    step, at = _coarse(slo), slo.window * 2
    samples = int(slo.window / step)
    traffic = _spending(slo, samples)
    series = traffic.series(slo, (naming.ERRORS_5M, naming.TOTAL_5M), (0, 2 * samples))
    series += [constant(naming.PERIOD_BURN, o, CALM, 2 * samples) for o in others(slo)]
    derived = [w for w in slo.ratio_windows if w >= DAY and not reads_raw(project, slo, w)]
    windows = [*derived, *([slo.window] * (slo.window not in slo.ratio_windows))]
    checks = [_ratio(slo, traffic, (window, step), at) for window in windows]
    checks += [*_budget(slo, traffic.bounds(samples), at), *_about(service, slo, at)]
    name = "adds up the five-minute series over days, and the budget"
    return group(name, step, series, promql_expr_test=checks)


def _spending(slo: Slo, samples: int) -> _Traffic:
    """Four fifths of what is spent went evenly, the rest in the last samples."""
    budget = slo.budget if slo.budget is not None else Decimal("0.01")
    spent = budget * (1 - LEFT) * (CALM * LAST + BUSY * (samples - LAST))
    evenly = (spent * 4 / 5 / samples).quantize(EXACT)
    return _Traffic(before=evenly, last=(evenly + spent / 5 / LAST).quantize(EXACT))


def _budget(slo: Slo, ratio: tuple[Decimal, Decimal], at: timedelta) -> Iterator[Expectation]:
    if slo.objective is None:
        return
    budget, labels = 1 - slo.objective, labels_of(slo)
    low, high = (one / budget for one in ratio)
    yield holds(equals(naming.OBJECTIVE + mine(slo), slo.objective), at, slo.labels)
    yield holds(equals(naming.BUDGET + mine(slo), budget), at, slo.labels)
    yield holds(between(str(naming.of(slo, naming.PERIOD_BURN)), low, high), at, labels)
    yield holds(between(naming.REMAINING + mine(slo), 1 - high, 1 - low), at, labels)


def _about(service: Service, slo: Slo, at: timedelta) -> Iterator[Expectation]:
    """What no window has a part in: the period's length, and who promises what."""
    days = seconds(slo.window) / seconds(DAY)
    yield holds(equals(naming.PERIOD + mine(slo), days), at, slo.labels)
    about = {"owner": service.owner, "tier": str(service.tier), "window": duration(slo.window)}
    objective = number(slo.objective * 100) if slo.objective is not None else "tbd"
    labels = slo.labels | about | {"objective": objective, "sli": slo.sli.kind}
    yield holds(f"{naming.INFO}{mine(slo)} == bool 1", at, labels)


def _idle(project: Project, slo: Slo) -> Iterator[Group]:
    """Zeros add nothing: there is no ratio, and no NaN that would stay for the whole period."""
    yield _nothing(slo, (naming.ERRORS_5M, naming.TOTAL_5M), "in the whole period")
    if any(STEP < w < DAY and not reads_raw(project, slo, w) for w in slo.ratio_windows):
        yield _nothing(slo, (naming.ERRORS, naming.TOTAL), "for hours")


def _nothing(slo: Slo, metrics: tuple[str, str], when: str) -> Group:
    # An hour is within the shortest window that is added up.
    step = _coarse(slo) if metrics[0] == naming.ERRORS_5M else HOUR
    samples = int(slo.window / step)
    series = [constant(metric, labels_of(slo), Decimal(0), samples) for metric in metrics]
    checks = [
        nothing(f'{{__name__=~"slo:sli_error:ratio_rate.*",slo_name="{slo.name}"}}', slo.window),
        nothing(naming.REMAINING + mine(slo), slo.window),
    ]
    return group(f"no event {when}: no ratio", step, series, promql_expr_test=checks)
