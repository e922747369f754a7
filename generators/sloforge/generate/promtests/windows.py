"""`<slo>-windows`: what is recorded every five minutes -> long windows and the budget."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.generate.promtests.case import (
    Expectation,
    Group,
    Suite,
    Values,
    braces,
    constant,
    gives,
    group,
    labels_of,
    members,
    mine,
    nothing,
    others,
    table,
)
from sloforge.generate.recording import reads_raw
from sloforge.promql import duration, number, seconds
from sloforge.sli import Fixture, Phase, Ratio, Series
from sloforge.sli.fixtures import spelled
from sloforge.windows import DAY, HOUR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sloforge.artifacts import Artifact
    from sloforge.model import Project, Service, Slo

STEP = timedelta(minutes=5)
# Instants lie this far behind a sample, or twice as far.
OFF = timedelta(minutes=1)
# The last samples are bad, while there is half the traffic of before: an average of ratios, or a
# window of another length, gives another number.
LAST = 5
BUSY, CALM = Decimal(100), Decimal(50)
# The bad part of what is scraped, and of what is scraped in trouble. A counter that stood at 0
# until then would be taken for one that began there: no rate is extrapolated below 0.
USUAL, SHARE = Decimal("0.05"), Decimal("0.2")
# What is left of the budget in the period test.
LEFT = Decimal("0.25")
EXACT = Decimal("1e-9")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Traffic:
    """Errors in every sample, and more of them in the last ones."""

    before: Decimal
    last: Decimal

    def ratio(self, samples: int) -> Fraction:
        """Bad events over all events of the newest samples."""
        late = min(LAST, samples)
        bad = self.last * late + self.before * (samples - late)
        return Fraction(bad) / Fraction(CALM * late + BUSY * (samples - late))

    def series(self, slo: Slo, metrics: Iterable[str], shape: tuple[int, int]) -> list[Series]:
        """Errors, total, and other SLOs', up to the end; `shape` is samples missing and there."""
        missing, samples = shape
        gap, early = f"_x{missing} " * bool(missing), samples - LAST
        labels, found = labels_of(slo), []
        for metric in metrics:
            bad = metric in (naming.ERRORS, naming.ERRORS_5M)
            first, last = (self.before, self.last) if bad else (BUSY, CALM)
            values = f"{gap}{number(first)}x{early} {number(last)}x{LAST - 1}"
            found.append(Series(series=spelled(metric, labels), values=values))
            loud = f"{gap}{number(CALM)}x{samples}"
            found += [Series(series=spelled(metric, o), values=loud) for o in others(slo)]
        return found


def tests(project: Project, service: Service, slo: Slo) -> Iterator[Artifact]:
    """Nothing for a quantile, which has no budget."""
    if not slo.sli.has_budget:
        return
    groups = [
        *_hours(project, slo),
        *_scraped(project, service, slo),
        _days(project, service, slo),
        _idle(slo),
    ]
    yield Suite(
        path=naming.test_file(service.name, f"{slo.name}-windows"),
        source=service.source.path,
        rule_files=(naming.recording_file(service.name),),
        # The period first, so that the budget of the same instant reads it.
        order=(naming.period_group(slo), naming.recording_group(slo)),
        evaluation_interval=slo.window + OFF,
        groups=tuple(groups),
    ).artifact()


def _derived(project: Project, slo: Slo) -> list[timedelta]:
    """Windows that add up what is recorded with each evaluation."""
    if _says_zero(slo):
        return []
    return [w for w in slo.ratio_windows if STEP < w < DAY and not reads_raw(project, slo, w)]


def _says_zero(slo: Slo) -> bool:
    """A query with `or vector(0)` has a value of its own, which no fixture can stand for."""
    sli = slo.sli
    return isinstance(sli, Ratio) and any("vector(" in str(one) for one in (sli.whole, sli.part))


def _coarse(slo: Slo) -> timedelta:
    """Four hours at most: a day has some samples, 400 days stay within promtool's 10,000."""
    return timedelta(hours=min(4, max(1, slo.window // timedelta(days=100))))


def _are_long(windows: list[timedelta], slo: Slo) -> bool:
    """Whether some samples of the period test fall into each."""
    return min(windows, default=DAY) >= 2 * _coarse(slo)


def _hours(project: Project, slo: Slo) -> Iterator[Group]:
    found = _derived(project, slo)
    if _are_long(found, slo):
        return
    there = min(int(max(found) / STEP) * 2, int(slo.window / STEP))
    traffic = _Traffic(before=Decimal(1), last=Decimal(10))
    shape = (int(slo.window / STEP) - there, there)
    series = traffic.series(slo, (naming.ERRORS, naming.TOTAL), shape)
    checks = list(_added(slo, traffic, found, STEP))
    yield group("adds up the base series over hours", STEP, series, promql_expr_test=checks)


def _samples(window: timedelta, step: timedelta, off: timedelta) -> int:
    """How many lie in a window, the last of them being `off` before its end."""
    return (window - off) // step + 1


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
        phases=(Phase(steps=clean, bad=USUAL), trouble),
        step=STEP,
        events=100,
        labels=tuple(labels.items()),
    )
    gap = f"_x{every - clean - bad} " * (every > clean + bad)
    series = [replace(one, values=gap + one.values) for one in slo.sli.series(played)]
    if not series or "{" in series[0].values:
        return
    shares = {window: _share(window, clean) for window in found}
    values: Values = {naming.error_ratio(window): share for window, share in shares.items()}
    if slo.window in shares and slo.budget is not None:
        values |= _burnt(shares[slo.window], slo.budget)
    checks = list(table(values, slo.window + OFF, labels_of(slo)))
    yield group("reads the raw series over hours and days", STEP, series, promql_expr_test=checks)


def _share(window: timedelta, clean: int) -> Fraction:
    """Of the increases within a window, of which the last hour's are half as large and worse."""
    increases = _samples(window, STEP, OFF) - 1
    late = min(increases, int(HOUR / STEP))
    calm, busy = Fraction(CALM / BUSY) * late, min(increases - late, clean)
    return (Fraction(SHARE) * calm + Fraction(USUAL) * busy) / (calm + busy)


def _days(project: Project, service: Service, slo: Slo) -> Group:
    """Twice the period, three quarters of the budget being spent in the second half."""
    step, at = _coarse(slo), (slo.window + OFF) * 2
    samples, length = _samples(slo.window, step, 2 * OFF), int(slo.window / step)
    traffic = _spending(slo, samples)
    series = traffic.series(slo, (naming.ERRORS_5M, naming.TOTAL_5M), (0, 2 * length))
    series += [constant(naming.PERIOD_BURN, o, CALM, 2 * length) for o in others(slo)]
    windows = [w for w in slo.ratio_windows if w >= DAY and not reads_raw(project, slo, w)]
    raw = slo.window in slo.ratio_windows and reads_raw(project, slo, slo.window)
    windows += [slo.window] * (not raw and slo.window not in windows)
    values: Values = {
        naming.error_ratio(w): traffic.ratio(_samples(w, step, 2 * OFF)) for w in windows
    }
    if not raw and slo.budget is not None:
        values |= _burnt(traffic.ratio(samples), slo.budget)
    checks = [*table(values, at, labels_of(slo)), *_about(service, slo, at)]
    hours = _derived(project, slo)
    if hours and _are_long(hours, slo):
        # In the first half alone: what is there at an instant is sampled, and would count twice.
        series += traffic.series(slo, (naming.ERRORS, naming.TOTAL), (0, length))
        checks += _added(slo, traffic, hours, step)
    name = "adds up what is recorded over hours and days, and the budget"
    return group(name, step, series, promql_expr_test=checks)


def _added(
    slo: Slo, traffic: _Traffic, windows: list[timedelta], step: timedelta
) -> Iterator[Expectation]:
    values: Values = {naming.error_ratio(w): traffic.ratio(_samples(w, step, OFF)) for w in windows}
    return table(values, slo.window + OFF, labels_of(slo))


def _spending(slo: Slo, samples: int) -> _Traffic:
    """Four fifths of what is spent went evenly, the rest in the last samples."""
    budget = slo.budget if slo.budget is not None else Decimal("0.01")
    late = min(LAST, samples)
    spent = budget * (1 - LEFT) * (CALM * late + BUSY * (samples - late))
    evenly = (spent * 4 / 5 / samples).quantize(EXACT)
    return _Traffic(before=evenly, last=(evenly + spent / 5 / late).quantize(EXACT))


def _burnt(ratio: Fraction, budget: Decimal) -> Values:
    burn = ratio / Fraction(budget)
    return {naming.PERIOD_BURN: burn, naming.REMAINING: 1 - burn}


def _about(service: Service, slo: Slo, at: timedelta) -> Iterator[Expectation]:
    """What no window has a part in: the promise, the period's length, and who promises."""
    values: Values = {naming.PERIOD: Fraction(seconds(slo.window) / seconds(DAY))}
    if slo.budget is not None and slo.objective is not None:
        values[naming.OBJECTIVE] = Fraction(slo.objective)
        values[naming.BUDGET] = 1 - Fraction(slo.objective)
    yield from table(values, at, slo.labels)
    about = {"owner": service.owner, "tier": str(service.tier), "window": duration(slo.window)}
    objective = number(slo.objective * 100) if slo.objective is not None else "tbd"
    labels = slo.labels | about | {"objective": objective, "sli": slo.sli.kind}
    info = naming.INFO + mine(slo)
    yield gives(info, at, {naming.INFO + braces(labels): 1})


def _idle(slo: Slo) -> Group:
    """Zeros add nothing: there is no ratio, and no NaN that would stay for the whole period."""
    step = _coarse(slo)
    metrics = (naming.ERRORS_5M, naming.TOTAL_5M, naming.ERRORS, naming.TOTAL)
    samples = int(slo.window / step)
    series = [constant(metric, labels_of(slo), Decimal(0), samples) for metric in metrics]
    computed = f'{{__name__=~"slo:(sli_error:|period_).+",slo_name="{slo.name}"}}'
    checks = [nothing(computed, slo.window + OFF)]
    return group("no event in the whole period: no ratio", step, series, promql_expr_test=checks)
