"""`<slo>-alerts`: recorded series just above and below a threshold -> who fires, who does not.

One test group plays the phases of an alert one after the other, the firing one last, so that
nothing of it is left over; the group's name says which phase ends at which minute.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.alerts import Alert, half_budget_factor
from sloforge.artifacts import OneLine
from sloforge.generate import text
from sloforge.generate.promtests.case import (
    Expectation,
    Group,
    Suite,
    all_labels,
    firing,
    fixture,
    gives,
    group,
    labels_of,
    members,
    nothing,
    others,
    step_of,
    strangers,
)
from sloforge.generate.promtests.templates import Sample, duration_text, rendered
from sloforge.promql import duration, number, seconds
from sloforge.sli import Phase, Quantile, Series
from sloforge.sli.fixtures import spelled
from sloforge.windows import BASE, DAY, Burn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sloforge.artifacts import Artifact
    from sloforge.model import Project, Service, Slo

# So odd that no usual factor or period is a round number of it: what texts say is unambiguous.
ABOVE, BELOW = Decimal("1.01237"), Decimal("0.99")
LEFT = Decimal("0.5")
MANY = Decimal(1000)
EXACT = Decimal("1e-12")
# Longer than Prometheus looks back for the last sample of a series.
LOOKBACK = timedelta(minutes=6)


def tests(project: Project, service: Service, found: tuple[Alert, ...]) -> Iterator[Artifact]:
    """One file for an SLO that alerts at all."""
    if not found or found[0].slo is None:
        return
    slo = found[0].slo
    timelines = [
        _Timeline(project=project, service=service, slo=slo, alert=alert, found=found)
        for alert in found
    ]
    groups = [one for timeline in timelines for one in _groups(timeline, slo)]
    yield Suite(
        path=naming.test_file(service.name, f"{slo.name}-alerts"),
        source=service.source.path,
        rule_files=(naming.rules_file(service.name),),
        order=(naming.alert_group(slo),),
        evaluation_interval=project.settings.interval,
        groups=tuple(groups),
    ).artifact()


def _groups(timeline: _Timeline, slo: Slo) -> Iterator[Group]:
    alert = timeline.alert
    match alert.kind:
        case "burn":
            assert alert.burn is not None
            phases = _burn(timeline, slo, alert.burn)
            yield timeline.group(alert.burn.name, phases, _said(timeline, alert.burn))
        case "quantile":
            assert isinstance(slo.sli, Quantile)
            yield timeline.group("quantile", _quantile(timeline, slo, slo.sli))
        case "budget-exhausted":
            yield timeline.group("budget exhausted", _exhausted())
        case "half-budget-in-a-day":
            yield timeline.group("half the budget in a day", _half_budget(timeline, slo))
        case _:
            yield from _stale(timeline)


@dataclass(frozen=True, slots=True)
class _Phase:
    """What the recorded series say for a while; the alert fires in the last phase alone."""

    name: str
    values: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Timeline:
    """Phases, each a little longer than the alert's `for`; `found` are all alerts of the SLO."""

    project: Project
    service: Service
    slo: Slo
    alert: Alert
    found: tuple[Alert, ...]

    @property
    def step(self) -> timedelta:
        return self.project.settings.interval

    @property
    def samples(self) -> int:
        return int(self.alert.wait / self.step) + 2

    @property
    def member(self) -> dict[str, str]:
        return members(self.slo)[0]

    def end(self, at: int) -> timedelta:
        return self.step * ((at + 1) * self.samples - 1)

    def events(self, window: timedelta, count: Decimal) -> tuple[str, Decimal]:
        """The error series that `min_errors` reads, at so many events in one sample."""
        metric, every = naming.ERRORS, self.step
        if window >= DAY:
            metric, every = naming.ERRORS_5M, BASE
        return metric, count / seconds(every)

    def few(self) -> Decimal:
        """Of so many events in each sample there are half an event too few in a phase."""
        return (self.slo.alerting.min_errors - Decimal("0.5")) / self.samples

    def group(
        self, name: str, phases: tuple[_Phase, ...], said: Mapping[str, str] | None = None
    ) -> Group:
        """`said` are the texts of the alert in its last phase, where they are known."""
        ends = [f"{phase.name} ({duration(self.end(at))})" for at, phase in enumerate(phases)]
        texts = [] if said is None or self._is_not_alone() else [self._with_texts(phases, said)]
        return group(
            f"{name}: {', '.join(ends)}",
            self.step,
            self._series(phases),
            alert_rule_test=texts,
            promql_expr_test=self._fires_last(phases, labelled=not texts),
        )

    def _fires_last(self, phases: tuple[_Phase, ...], *, labelled: bool) -> list[Expectation]:
        """The second at which it first fires tells that it was quiet in all phases before."""
        state, last = firing(self.alert, self.found), len(phases) - 1
        end, labels = self.end(last), all_labels(self.alert, self.member)
        if not phases[0].name.startswith("quiet"):
            return [
                nothing(state, self.end(last - 1)),
                gives(state, end, {f"ALERTS{labels}": 1}),
            ]
        begins = self.end(last - 1) + self.step
        waits = -(-self.alert.wait // self.step) * self.step
        times = f"timestamp({state})[{duration(end + self.step)}:{duration(self.step)}]"
        first, expr = int(seconds(begins + waits)), f"min_over_time({times})"
        if labelled:
            return [gives(expr, end, {labels: first})]
        return [gives(f"min({expr})", end, {"{}": first})]

    def _with_texts(self, phases: tuple[_Phase, ...], said: Mapping[str, str]) -> Expectation:
        labels = OneLine(dict(self.alert.labels) | self.member)
        return {
            "eval_time": duration(self.end(len(phases) - 1)),
            "alertname": self.alert.name,
            "exp_alerts": [{"exp_labels": labels, "exp_annotations": dict(said)}],
        }

    def _is_not_alone(self) -> bool:
        """Whether another alert of this name might fire in this one's phases."""
        namesakes = [a for a in self.found if a.name == self.alert.name and a is not self.alert]
        return any(_windows(self.alert).issuperset(_windows(one)) for one in namesakes)

    def _series(self, phases: tuple[_Phase, ...]) -> list[Series]:
        """Ours through the phases, and other SLOs' far above any threshold all the time.

        Of several conditions each leaves out the others' strangers: one burn with them is enough.
        """
        found: list[Series] = []
        loudly = self.alert is self.found[0] or self.alert.burn is None
        for metric in dict.fromkeys(key for phase in phases for key in phase.values):
            values = self._values([phase.values.get(metric) for phase in phases])
            found.append(Series(series=spelled(metric, labels_of(self.slo)), values=values))
            loud = -MANY if metric == naming.REMAINING else MANY
            always = f"{number(loud)}x{len(phases) * self.samples - 1}"
            if loudly and (metric != naming.REMAINING or len(phases[-1].values) == 1):
                found += [
                    Series(series=spelled(metric, o), values=always) for o in others(self.slo)
                ]
        return found

    def _values(self, values: list[Decimal | None]) -> str:
        parts: list[str] = []
        for value, same in groupby(values):
            count = len(list(same)) * self.samples
            exact = value if value is None else number(value.quantize(EXACT))
            parts.append(f"_x{count}" if exact is None else f"{exact}x{count - 1}")
        return " ".join(parts)


def _windows(alert: Alert) -> set[timedelta]:
    """The windows of the ratios that it reads."""
    if alert.burn is not None:
        return {alert.burn.long, alert.burn.short}
    return {DAY} if alert.kind == "half-budget-in-a-day" else set()


def _threshold(slo: Slo, burn: Burn) -> Decimal:
    """The workbook's arithmetic, not the rule's text: share spent x period / long x budget."""
    assert slo.budget is not None
    return burn.spent(slo.window) * seconds(slo.window) / seconds(burn.long) * slo.budget


def _burn(timeline: _Timeline, slo: Slo, burn: Burn) -> tuple[_Phase, ...]:
    threshold = _threshold(slo, burn)
    long, short = naming.error_ratio(burn.long), naming.error_ratio(burn.short)
    errors, enough = timeline.events(burn.long, Decimal(slo.alerting.min_errors))

    def phase(name: str, over_long: Decimal, over_short: Decimal) -> _Phase:
        ratios = {long: threshold * over_long, short: threshold * over_short}
        return _Phase(name, ratios | {errors: enough, naming.REMAINING: LEFT})

    few = {
        long: Decimal(1),
        short: Decimal(1),
        errors: timeline.events(burn.long, timeline.few())[1],
    }
    return (
        *([_Phase("quiet under min_errors", few)] * bool(slo.alerting.min_errors)),
        phase("quiet just below", BELOW, BELOW),
        phase("quiet once recovered", ABOVE, BELOW),
        phase("quiet on a blip", BELOW, ABOVE),
        phase("fires", ABOVE, ABOVE),
    )


def _said(timeline: _Timeline, burn: Burn) -> dict[str, str] | None:
    """The texts when both burns are a little above the factor and half the budget is left.

    None where the team wrote one that only Prometheus can tell.
    """
    project, slo = timeline.project, timeline.slo
    rate = burn.factor(slo.window) * ABOVE
    said = text.alert_annotations(project, timeline.alert)
    said["description"] = (
        f"{_name(slo)} burns its error budget at {rate:.1f}x over {duration(burn.long)} "
        f"and {rate:.1f}x over {duration(burn.short)} "
        f"(alert above {number(burn.factor(slo.window))}x). "
        f"Budget left: {float(LEFT):.0%}. At this rate it is gone in "
        f"{duration_text(float(LEFT * seconds(slo.window) / rate))}."
    )
    value = (_threshold(slo, burn) * ABOVE).quantize(EXACT)
    sample = Sample(labels=slo.labels | timeline.member, value=float(value))
    for key, template in slo.alerting.annotations:
        own = rendered(template, sample)
        if own is None:
            return None
        said[key] = own
    return said


def _name(slo: Slo) -> str:
    return f"{slo.service}/{slo.name}" + "".join(
        f" {label}={value}" for label, value in members(slo)[0].items()
    )


def _exhausted() -> tuple[_Phase, ...]:
    left = {"overspent": "-0.5", "quiet with a rest": "0.01", "fires": "-0.01"}
    return tuple(_Phase(name, {naming.REMAINING: Decimal(v)}) for name, v in left.items())


def _half_budget(timeline: _Timeline, slo: Slo) -> tuple[_Phase, ...]:
    assert slo.budget is not None
    threshold = half_budget_factor(slo) * slo.budget
    ratio, (errors, enough) = (
        naming.error_ratio(DAY),
        timeline.events(DAY, Decimal(slo.alerting.min_errors)),
    )
    few = {ratio: Decimal(1), errors: timeline.events(DAY, timeline.few())[1]}
    return (
        *([_Phase("quiet under min_errors", few)] * bool(slo.alerting.min_errors)),
        _Phase("quiet just below", {ratio: threshold * BELOW, errors: enough}),
        _Phase("fires", {ratio: threshold * ABOVE, errors: enough}),
    )


def _quantile(timeline: _Timeline, slo: Slo, sli: Quantile) -> tuple[_Phase, ...]:
    windows = sorted(sli.windows, reverse=True)
    many = {naming.TOTAL: MANY}

    def phase(name: str, below: list[timedelta]) -> _Phase:
        shares = {w: BELOW if w in below else ABOVE for w in windows}
        values = {naming.quantile(w): sli.threshold * share for w, share in shares.items()}
        return _Phase(name, values | many)

    # So few events that fewer than `min_errors` of them lie above the quantile.
    events = timeline.few() / (1 - sli.quantile) / seconds(timeline.step)
    few = {naming.quantile(w): sli.threshold * 2 for w in windows} | {naming.TOTAL: events}
    single = [phase(f"quiet while {duration(w)} is below", [w]) for w in windows]
    return (
        *([_Phase("quiet under min_errors", few)] * bool(slo.alerting.min_errors)),
        phase("quiet just below", windows),
        *(single * (len(windows) > 1)),
        phase("fires", []),
    )


def _stale(timeline: _Timeline) -> Iterator[Group]:
    """Nothing to record, recorded, then no longer recorded; not where no series can be made up."""
    service, slo, alert = timeline.service, timeline.slo, timeline.alert
    phase = alert.wait + LOOKBACK + 2 * timeline.step
    step = step_of(service, slo)
    steps = int(phase / step)
    labels = timeline.member | ({"job": service.job} if service.job else {})
    scraped = Phase(steps=2 * steps, bad=Decimal(0))
    raw = _whole(slo.sli.series(fixture(step, (scraped,), labels)))
    if not raw:
        return
    later = [Series(series=one.series, values=f"_x{steps} {one.values}") for one in raw]
    recorded = Series(
        series=spelled(naming.TOTAL, labels_of(slo)), values=f"_x{steps} 1x{steps - 1} stale"
    )
    other = _whole(strangers(service, slo, (Phase(steps=3 * steps, bad=Decimal(0)),)))
    other += [
        Series(series=spelled(naming.TOTAL, labels), values=f"1x{3 * steps}")
        for labels in others(slo)
    ]
    # One alert for all values of `by`: rules are stale together.
    state = firing(alert, timeline.found)
    checks = [nothing(state, phase * end - step) for end in (1, 2)]
    checks.append(gives(state, phase * 3 - step, {f"ALERTS{all_labels(alert, {})}": 1}))
    yield group(
        "rules stale: quiet with nothing to record, quiet while recorded, fires",
        step,
        [*later, recorded, *other],
        promql_expr_test=checks,
    )


def _whole(series: Iterable[Series]) -> list[Series]:
    """Without those of errors alone: the rule reads all events."""
    return [one for one in series if not one.lazy]
