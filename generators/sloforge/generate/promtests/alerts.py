"""`<slo>-alerts`: recorded series just above and below a threshold -> who fires, who does not.

One test group plays the phases of an alert one after the other, the firing one last, so that
nothing of it is left over; the group's name says which phase ends at which minute.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.alerts import Alert, half_budget_factor
from sloforge.artifacts import OneLine
from sloforge.generate import text
from sloforge.generate.promtests.case import (
    Expectation,
    Group,
    Suite,
    braces,
    fires,
    fixture,
    group,
    labels_of,
    members,
    others,
    quiet,
    step_of,
    strangers,
)
from sloforge.promql import duration, number, seconds
from sloforge.sli import Phase, Quantile, Series
from sloforge.sli.fixtures import spelled
from sloforge.windows import BASE, DAY, Burn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sloforge.artifacts import Artifact
    from sloforge.model import Project, Service, Slo

# So odd that no usual factor or period is a round number of it: what texts say is unambiguous.
ABOVE, BELOW = Decimal("1.01237"), Decimal("0.99")
LEFT = Decimal("0.5")
MANY = Decimal(1000)
# Longer than Prometheus looks back for the last sample of a series.
LOOKBACK = timedelta(minutes=6)


def tests(project: Project, service: Service, found: tuple[Alert, ...]) -> Iterator[Artifact]:
    """One file for an SLO that alerts at all."""
    if not found or found[0].slo is None:
        return
    slo = found[0].slo
    groups = [one for alert in found for one in _groups(project, service, alert, slo)]
    yield Suite(
        path=naming.test_file(service.name, f"{slo.name}-alerts"),
        source=service.source.path,
        rule_files=(naming.rules_file(service.name),),
        order=(naming.alert_group(slo),),
        evaluation_interval=project.settings.interval,
        groups=tuple(groups),
    ).artifact()


def _groups(project: Project, service: Service, alert: Alert, slo: Slo) -> Iterator[Group]:
    timeline = _Timeline(step=project.settings.interval, alert=alert, slo=slo)
    match alert.kind:
        case "burn":
            assert alert.burn is not None
            phases = _burn(timeline, slo, alert.burn)
            yield timeline.group(alert.burn.name, phases, _said(project, alert, slo, alert.burn))
        case "quantile":
            assert isinstance(slo.sli, Quantile)
            yield timeline.group("quantile", _quantile(timeline, slo, slo.sli))
        case "budget-exhausted":
            left = {"overspent": "-0.5", "quiet with a rest": "0.01", "fires": "-0.01"}
            phases = tuple(_Phase(n, {naming.REMAINING: Decimal(v)}) for n, v in left.items())
            yield timeline.group("budget exhausted", phases)
        case "half-budget-in-a-day":
            yield timeline.group("half the budget in a day", _half_budget(timeline, slo))
        case _:
            yield from _stale(project, service, alert, slo)


@dataclass(frozen=True, slots=True)
class _Phase:
    """What the recorded series say for a while; the alert fires in the last phase alone."""

    name: str
    values: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Timeline:
    """Phases, each a little longer than the alert's `for`."""

    step: timedelta
    alert: Alert
    slo: Slo

    @property
    def samples(self) -> int:
        return int(self.alert.wait / self.step) + 2

    def end(self, at: int) -> timedelta:
        return self.step * ((at + 1) * self.samples - 1)

    def rate(self, window: timedelta, events: Decimal) -> tuple[str, Decimal]:
        """The error series that `min_errors` reads, at so many events within one phase."""
        metric, every = naming.ERRORS, self.step
        if window >= DAY:
            metric, every = naming.ERRORS_5M, BASE
        return metric, events / self.samples / seconds(every)

    def group(
        self, name: str, phases: tuple[_Phase, ...], said: Mapping[str, str] | None = None
    ) -> Group:
        ends = [f"{phase.name} ({duration(self.end(at))})" for at, phase in enumerate(phases)]
        calm = [at for at, phase in enumerate(phases[:-1]) if phase.name.startswith("quiet")]
        checks = [quiet(self.alert, self.end(at)) for at in calm]
        series, last = self._series(phases), self.end(len(phases) - 1)
        if said is not None:
            checks.append(fires(self.alert, last, said, members(self.slo)[0]))
            return group(f"{name}: {', '.join(ends)}", self.step, series, alert_rule_test=checks)
        firing = [_firing(self.alert, last, members(self.slo)[0])]
        return group(
            f"{name}: {', '.join(ends)}",
            self.step,
            series,
            alert_rule_test=checks,
            promql_expr_test=firing,
        )

    def _series(self, phases: tuple[_Phase, ...]) -> list[Series]:
        """Ours through the phases, and other SLOs' far above any threshold all the time."""
        found: list[Series] = []
        for metric in dict.fromkeys(key for phase in phases for key in phase.values):
            parts = [self._values(phase.values.get(metric)) for phase in phases]
            ours = spelled(metric, labels_of(self.slo))
            found.append(Series(series=ours, values=" ".join(parts)))
            loud = -MANY if metric == naming.REMAINING else MANY
            always = f"{number(loud)}x{len(phases) * self.samples - 1}"
            if metric != naming.REMAINING or len(phases[-1].values) == 1:
                found += [
                    Series(series=spelled(metric, o), values=always) for o in others(self.slo)
                ]
        return found

    def _values(self, value: Decimal | None) -> str:
        if value is None:
            return f"_x{self.samples}"
        return f"{number(value.quantize(Decimal('1e-12')))}x{self.samples - 1}"


def _firing(alert: Alert, at: timedelta, member: Mapping[str, str]) -> Expectation:
    """It fires, once, with all of its labels; the texts are another test's."""
    firing = {"alertname": alert.name, "alertstate": "firing"}
    labels = "ALERTS" + braces(firing | dict(alert.labels) | dict(member))
    expr = f"ALERTS{braces(firing)}"
    return {
        "expr": expr,
        "eval_time": duration(at),
        "exp_samples": [OneLine(labels=labels, value=1)],
    }


def _burn(timeline: _Timeline, slo: Slo, burn: Burn) -> tuple[_Phase, ...]:
    assert slo.budget is not None
    # The workbook's arithmetic, not the rule's text: share spent x period / long x budget.
    threshold = burn.spent(slo.window) * seconds(slo.window) / seconds(burn.long) * slo.budget
    long, short = naming.error_ratio(burn.long), naming.error_ratio(burn.short)
    errors, one = timeline.rate(burn.long, Decimal(1))

    def phase(name: str, over_long: Decimal, over_short: Decimal, more: int = 0) -> _Phase:
        ratios = {long: threshold * over_long, short: threshold * over_short}
        return _Phase(name, ratios | {errors: one * more, naming.REMAINING: LEFT})

    few = {long: Decimal(1), short: Decimal(1), errors: one * _few(slo)}
    # One event more than the too few, and none after that, is just enough.
    return (
        *([_Phase("quiet under min_errors", few)] * bool(slo.alerting.min_errors)),
        phase("quiet just below", BELOW, BELOW, 1),
        phase("quiet once recovered", ABOVE, BELOW),
        phase("quiet on a blip", BELOW, ABOVE),
        phase("fires", ABOVE, ABOVE),
    )


def _few(slo: Slo) -> Decimal:
    return slo.alerting.min_errors - Decimal("0.5")


def _said(project: Project, alert: Alert, slo: Slo, burn: Burn) -> dict[str, str]:
    """The texts when both burns are a little above the factor and half the budget is left."""
    rate = burn.factor(slo.window) * ABOVE
    gone = LEFT * seconds(slo.window) / rate
    said = text.alert_annotations(project, alert)
    said["description"] = (
        f"{_name(slo)} burns its error budget at {rate:.1f}x over {duration(burn.long)} "
        f"and {rate:.1f}x over {duration(burn.short)} "
        f"(alert above {number(burn.factor(slo.window))}x). "
        f"Budget left: 50%. At this rate it is gone in {_human(gone)}."
    )
    return said


def _name(slo: Slo) -> str:
    return f"{slo.service}/{slo.name}" + "".join(
        f" {label}={value}" for label, value in members(slo)[0].items()
    )


def _human(value: Decimal) -> str:
    """Prometheus' humanizeDuration from a minute on."""
    whole = int(value)
    days, hours, minutes = whole // 86_400, whole // 3_600 % 24, whole // 60 % 60
    parts = [f"{days}d"] * bool(days) + [f"{hours}h"] * bool(days or hours)
    return " ".join([*parts, f"{minutes}m", f"{whole % 60}s"])


def _half_budget(timeline: _Timeline, slo: Slo) -> tuple[_Phase, ...]:
    assert slo.budget is not None
    threshold = half_budget_factor(slo) * slo.budget
    ratio, (errors, one) = naming.error_ratio(DAY), timeline.rate(DAY, Decimal(1))
    few = _Phase("quiet under min_errors", {ratio: Decimal(1), errors: one * _few(slo)})
    return (
        *([few] * bool(slo.alerting.min_errors)),
        _Phase("quiet just below", {ratio: threshold * BELOW, errors: one}),
        _Phase("fires", {ratio: threshold * ABOVE, errors: one * 0}),
    )


def _quantile(timeline: _Timeline, slo: Slo, sli: Quantile) -> tuple[_Phase, ...]:
    windows = sorted(sli.windows, reverse=True)
    many = {naming.TOTAL: MANY}

    def phase(name: str, below: list[timedelta]) -> _Phase:
        shares = {w: BELOW if w in below else ABOVE for w in windows}
        values = {naming.quantile(w): sli.threshold * share for w, share in shares.items()}
        return _Phase(name, values | many)

    # So few events that fewer than `min_errors` of them lie above the quantile.
    events = _few(slo) / (1 - sli.quantile) / timeline.samples / seconds(timeline.step)
    few = {naming.quantile(w): sli.threshold * 2 for w in windows} | {naming.TOTAL: events}
    single = [phase(f"quiet while {duration(w)} is below", [w]) for w in windows]
    return (
        *([_Phase("quiet under min_errors", few)] * bool(slo.alerting.min_errors)),
        phase("quiet just below", windows),
        *(single * (len(windows) > 1)),
        phase("fires", []),
    )


def _stale(project: Project, service: Service, alert: Alert, slo: Slo) -> Iterator[Group]:
    """Nothing to record, recorded, then no longer recorded; not where no series can be made up."""
    phase = alert.wait + LOOKBACK + 2 * project.settings.interval
    step = step_of(service, slo)
    steps = int(phase / step)
    labels = members(slo)[0] | ({"job": service.job} if service.job else {})
    scraped = Phase(steps=2 * steps, bad=Decimal(0))
    raw = slo.sli.series(fixture(step, (scraped,), labels))
    if not raw:
        return
    later = [Series(series=one.series, values=f"_x{steps} {one.values}") for one in raw]
    recorded = Series(
        series=spelled(naming.TOTAL, labels_of(slo)), values=f"_x{steps} 1x{steps - 1} stale"
    )
    other = strangers(service, slo, (Phase(steps=3 * steps, bad=Decimal(0)),))
    other += [
        Series(series=spelled(naming.TOTAL, labels), values=f"1x{3 * steps}")
        for labels in others(slo)
    ]
    checks = [quiet(alert, phase * end - step) for end in (1, 2)]
    last = phase * 3 - step
    # One alert for all values of `by`: rules are stale together.
    firing = _firing(alert, last, {})
    yield group(
        "rules stale: quiet with nothing to record, quiet while recorded, fires",
        step,
        [*later, recorded, *other],
        alert_rule_test=checks,
        promql_expr_test=[firing],
    )
