"""`freshness`, `up`, `threshold`: gauges, judged once per slice of time as long as a scrape.

An event is one slice of one series; a bad event is a slice in which the gauge broke the promise.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from sloforge.promql import Expression, Matcher, Selector, duration, number, seconds, shown, sum_by
from sloforge.sli.base import Series
from sloforge.sli.fixtures import labels_for, spelled
from sloforge.windows import BASE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from sloforge.sli.base import Fixture, Labels

Comparator = Literal["<", "<=", ">", ">=", "==", "!="]
INVERSE: dict[Comparator, Comparator] = {
    "<": ">=",
    "<=": ">",
    ">": "<=",
    ">=": "<",
    "==": "!=",
    "!=": "==",
}
# A clock may run ahead a little; a timestamp in milliseconds is some 50,000 years ahead.
MAX_SKEW = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slices:
    """A window cut into slices, and the labels that the sum keeps."""

    window: timedelta
    step: timedelta
    by: Labels

    def total(self, expr: str) -> str:
        """Slices per second in which the expression has a value."""
        return self._over("count_over_time", expr)

    def bad(self, expr: str) -> str:
        """Slices per second in which the expression is 1 and not 0."""
        return self._over("sum_over_time", expr)

    def _over(self, function: str, expr: str) -> str:
        slices = f"({expr})[{duration(self.window)}:{duration(self.step)}]"
        return f"{sum_by(self.by, f'{function}({slices})')} / {number(seconds(self.window))}"


def _spelled(
    source: Selector, labels: dict[str, str], fixture: Fixture, values: list[str]
) -> Series:
    name = spelled(source.name, labels | dict(fixture.labels))
    return Series(series=name, values=" ".join(_runs(values)))


# Shorter runs are as easily read one by one.
_RUN = 6


def _runs(values: list[str]) -> Iterator[str]:
    """Steady stretches in promtool's notation, `start+step x further samples`."""
    numbers, at = [Decimal(value) for value in values], 0
    while at < len(values):
        steps = [after - before for before, after in pairwise(numbers[at : at + 2])]
        end = at + 1
        while end < len(values) and numbers[end] - numbers[end - 1] == steps[0]:
            end += 1
        if end - at >= _RUN:
            growth = f"{steps[0]:+f}" if steps[0] else ""
            yield f"{values[at]}{growth}x{end - at - 1}"
            at = end
        else:
            yield values[at]
            at += 1


def bad_steps(fixture: Fixture) -> list[bool]:
    """Which scrapes are bad: the first, then spread evenly, so that each stretch has its share."""
    flags: list[bool] = []
    for phase in fixture.phases:
        debt = 1 - phase.bad
        for _ in range(phase.steps):
            debt += phase.bad
            flags.append(debt >= 1 and phase.bad > 0)
            debt -= int(debt)
    return flags


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """A 0/1 gauge, 1 being good."""

    gauge: Selector
    step: timedelta
    kind: str = "up"
    unit: str = "slices"
    has_budget: bool = True

    def total(self, window: timedelta, by: Labels) -> str:
        return _Slices(window=window, step=self.step, by=by).total(str(self.gauge))

    def errors(self, window: timedelta, by: Labels, zero: str) -> str:
        del zero
        return _Slices(window=window, step=self.step, by=by).bad(f"{self.gauge} != bool 1")

    def inputs(self) -> tuple[Selector, ...]:
        return (self.gauge.family(),)

    def scope(self) -> tuple[Matcher, ...]:
        return self.gauge.matchers

    def series(self, fixture: Fixture) -> tuple[Series, ...]:
        labels = labels_for(self.gauge)
        if labels is None:
            return ()
        values = ["0" if bad else "1" for bad in bad_steps(fixture)]
        return (_spelled(self.gauge, labels, fixture, values),)

    def describe(self) -> str:
        return f"a slice of time in which `{self.gauge}` is not 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """A gauge with the Unix time, in seconds, of the last success, and the age it may have."""

    timestamp: Selector
    max_age: timedelta
    step: timedelta
    kind: str = "freshness"
    unit: str = "slices"
    has_budget: bool = True

    def total(self, window: timedelta, by: Labels) -> str:
        return _Slices(window=window, step=self.step, by=by).total(self._newest(by))

    def errors(self, window: timedelta, by: Labels, zero: str) -> str:
        del zero
        age = f"time() - {self._newest(by)}"
        old = f"({age} > bool {number(seconds(self.max_age))})"
        # In the future by more than a clock's error: not fresh but wrong, for instance in ms.
        future = f"({age} < bool -{MAX_SKEW})"
        return _Slices(window=window, step=self.step, by=by).bad(f"{old} + {future}")

    def inputs(self) -> tuple[Selector, ...]:
        return (self.timestamp.family(),)

    def scope(self) -> tuple[Matcher, ...]:
        return self.timestamp.matchers

    def series(self, fixture: Fixture) -> tuple[Series, ...]:
        labels = labels_for(self.timestamp)
        if labels is None:
            return ()
        step, age = seconds(fixture.step), seconds(self.max_age) + 1
        # promtool's clock starts at 0, so a good gauge is a gauge that follows it.
        values = [
            number(at * step - (age if bad else 0)) for at, bad in enumerate(bad_steps(fixture))
        ]
        return (_spelled(self.timestamp, labels, fixture, values),)

    def describe(self) -> str:
        return (
            f"a slice of time in which `{self.timestamp}` is older than {duration(self.max_age)}, "
            f"or more than {MAX_SKEW} s in the future"
        )

    def _newest(self, by: Labels) -> str:
        return sum_by(by, str(self.timestamp), "max")


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """Good while `expression comparator bound` holds: a time-slice SLO."""

    expression: Selector | Expression
    comparator: Comparator
    bound: Decimal
    step: timedelta
    kind: str = "threshold"
    unit: str = "slices"
    has_budget: bool = True

    def total(self, window: timedelta, by: Labels) -> str:
        return _Slices(window=window, step=self.step, by=by).total(self._value())

    def errors(self, window: timedelta, by: Labels, zero: str) -> str:
        del zero
        bad = f"({self._value()}) {INVERSE[self.comparator]} bool {number(self.bound)}"
        return _Slices(window=window, step=self.step, by=by).bad(bad)

    def inputs(self) -> tuple[Selector, ...]:
        return (self.expression.family(),) if isinstance(self.expression, Selector) else ()

    def scope(self) -> tuple[Matcher, ...]:
        return self.expression.matchers if isinstance(self.expression, Selector) else ()

    def series(self, fixture: Fixture) -> tuple[Series, ...]:
        if not isinstance(self.expression, Selector):
            return ()
        labels = labels_for(self.expression)
        if labels is None:
            return ()
        good, bad = self._sides()
        values = [number(bad if is_bad else good) for is_bad in bad_steps(fixture)]
        return (_spelled(self.expression, labels, fixture, values),)

    def describe(self) -> str:
        return (
            f"a slice of time in which `{shown(self.expression)}` {self.comparator} "
            f"{number(self.bound)} does not hold"
        )

    def _value(self) -> str:
        """What is compared; `>= -Inf` leaves out what is not a number, which no bound can judge."""
        if isinstance(self.expression, Selector):
            return f"{self.expression} >= -Inf"
        return f"({self.expression.rate(BASE)}) >= -Inf"

    def _sides(self) -> tuple[Decimal, Decimal]:
        """A value that keeps the promise and one that breaks it."""
        below, above = self.bound - 1, self.bound + 1
        match self.comparator:
            case "<" | "<=":
                return below, above
            case ">" | ">=":
                return above, below
            case "==":
                return self.bound, above
            case "!=":
                return above, self.bound
