"""The PromQL of the dashboards: recorded series only, spelled once for every board."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.promql import duration, number, seconds, selector
from sloforge.windows import BASE, DAY, HOUR

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from sloforge.model import Slo

FRESH = timedelta(minutes=15)
_PER_SLO = "on (slo_service, slo_name) group_left ()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which SLOs a query reads, and the labels by which two of its series are the same one."""

    matchers: str
    identity: tuple[str, ...]

    def of(self, metric: str) -> str:
        return f"{metric}{{{self.matchers}}}"

    @property
    def match(self) -> str:
        return f"on ({', '.join(self.identity)})"

    @property
    def legend(self) -> str:
        """The values of the `by` labels; nothing where there are none."""
        return " ".join(f"{{{{{label}}}}}" for label in self.identity[2:])


def one(slo: Slo) -> Scope:
    """One SLO, spelled out: a link cannot point its panels elsewhere."""
    matchers = str(selector("", slo.labels)).strip("{}")
    return Scope(matchers=matchers, identity=slo.identity)


def chosen(slos: Iterable[Slo]) -> Scope:
    """What the variables `service` and `slo` say; a label that an SLO lacks joins as empty."""
    by = sorted({label for slo in slos for label in slo.by})
    identity = ("slo_service", "slo_name", *by)
    return Scope(matchers='slo_service="$service",slo_name=~"$slo"', identity=identity)


def fleet(slos: Iterable[Slo]) -> Scope:
    """Every SLO of the chosen services; other tools' series of the same names are none of ours."""
    matchers = 'slo_service=~"$service",slo_service!=""'
    return Scope(matchers=matchers, identity=chosen(slos).identity)


def objective(scope: Scope) -> str:
    return scope.of(naming.OBJECTIVE)


def sli(scope: Scope, window: timedelta) -> str:
    """The share of good events over one window."""
    return f"1 - {scope.of(naming.error_ratio(window))}"


def period_sli(scope: Scope, window: timedelta) -> str:
    """Over the SLO's whole window, whose ratio is recorded every five minutes only."""
    ratio = f"{scope.of(naming.error_ratio(window))}[{duration(FRESH)}]"
    return f"1 - last_over_time({ratio})"


def any_period_sli(scope: Scope) -> str:
    """Over each SLO's own window, whichever it is."""
    return f"1 - {scope.of(naming.PERIOD_BURN)} * {_PER_SLO} {scope.of(naming.BUDGET)}"


def left(scope: Scope) -> str:
    """The share of the error budget that is left; below zero once it is overspent."""
    return scope.of(naming.REMAINING)


def left_seconds(scope: Scope) -> str:
    """The same as bad time: what is left x budget x window."""
    budget = f"{_PER_SLO} {scope.of(naming.BUDGET)}"
    return f"{left(scope)} * {budget} * {_PER_SLO} ({scope.of(naming.PERIOD)} * 86400)"


def left_events(scope: Scope, window: timedelta) -> str:
    """The same as bad events: what is left x budget x the events of the window."""
    events = f"{scope.match} ({_summed(scope.of(naming.TOTAL_5M), window)})"
    return f"{left(scope)} * {_PER_SLO} {scope.of(naming.BUDGET)} * {events}"


def _summed(metric: str, window: timedelta) -> str:
    """Events in the window: each sample of the rate stands for five minutes."""
    return f"sum_over_time({metric}[{duration(window)}]) * {number(seconds(BASE))}"


def burn_now(scope: Scope) -> str:
    return scope.of(naming.CURRENT_BURN)


def burn(scope: Scope, window: timedelta) -> str:
    """How many times faster than allowed: error ratio / budget."""
    return f"{scope.of(naming.error_ratio(window))} / {_PER_SLO} {scope.of(naming.BUDGET)}"


def exhaustion(scope: Scope) -> str:
    """Seconds until nothing is left at the burn rate of the last hour; absent while none burns."""
    period = f"{_PER_SLO} ({scope.of(naming.PERIOD)} * 86400)"
    return f"clamp_min({left(scope)}, 0) * {period} / {scope.match} ({burn(scope, HOUR)} > 0)"


def firing(scope: Scope, *more: str) -> str:
    """How many alerts fire; 0 rather than nothing."""
    matchers = ",".join((scope.matchers, 'alertstate="firing"', *more))
    return f"count(ALERTS{{{matchers}}}) or vector(0)"


def burn_down(scope: Scope, slo: Slo) -> str:
    """What were left of a full budget if only the errors since the left edge counted.

    Errors since then / (budget x events of the whole window); `time()` inside the subquery is the
    time of each of its steps.
    """
    assert slo.budget is not None
    window = duration(slo.window)
    seen = f"{scope.of(naming.ERRORS_5M)} and on () (vector(time()) >= $__from / 1000)"
    allowed = f"sum_over_time({scope.of(naming.TOTAL_5M)}[{window}]) * {number(slo.budget)}"
    spent = f"sum_over_time(({seen})[{window}:{duration(BASE)}])"
    return f"1 - {spent} / {scope.match} ({allowed} > 0)"


def ideal(slo: Slo) -> str:
    """A budget that is spent evenly over the window, from the left edge of the view on."""
    period = number(seconds(slo.window))
    return f"clamp_min(1 - (vector(time()) - $__from / 1000) / {period}, 0)"


def spent_per_day(scope: Scope, slo: Slo) -> str:
    """The share of the window's budget that went in the day before each point."""
    assert slo.budget is not None
    allowed = f"sum_over_time({scope.of(naming.TOTAL_5M)}[{duration(slo.window)}])"
    day = f"sum_over_time({scope.of(naming.ERRORS_5M)}[{duration(DAY)}])"
    return f"{day} / {scope.match} ({allowed} * {number(slo.budget)} > 0)"


def spent_in_view(scope: Scope) -> str:
    """Mean error ratio of the view / budget x view / window: exact under even traffic."""
    mean = f"avg_over_time({scope.of(naming.error_ratio(BASE))}[$__range])"
    share = f"$__range_s / {_PER_SLO} ({scope.of(naming.PERIOD)} * 86400)"
    return f"{mean} / {_PER_SLO} {scope.of(naming.BUDGET)} * {share}"


def coverage(slo: Slo, window: timedelta) -> str:
    """The share of the five-minute samples of the window that exist."""
    metric = one(slo).of(naming.TOTAL_5M if slo.sli.has_budget else naming.TOTAL)
    step = "" if slo.sli.has_budget else f":{duration(BASE)}"
    counted = f"avg(count_over_time({metric}[{duration(window)}{step}]))"
    return f"clamp_max({counted} / {number(seconds(window) / seconds(BASE))}, 1)"


def age(scope: Scope) -> str:
    """Seconds since the rules last recorded, for up to an hour back."""
    newest = f"max_over_time(timestamp({scope.of(naming.TOTAL)})[1h:1m])"
    return f"time() - max by (slo_service, slo_name) ({newest})"


def quantile(scope: Scope, window: timedelta) -> str:
    return scope.of(naming.quantile(window))


def constant(value: Decimal) -> str:
    return f"vector({number(value)})"
