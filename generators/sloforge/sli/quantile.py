"""`quantile`: a percentile of a histogram against a threshold; an alert and a panel, no budget."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from sloforge.promql import Matcher, Selector, number, sum_by
from sloforge.sli.fixtures import counter, labels_for
from sloforge.sli.latency import Latency

if TYPE_CHECKING:
    from datetime import timedelta

    from sloforge.sli.base import Fixture, Labels, Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile:
    """All of `windows` must exceed `threshold`; `quantile` is between 0 and 1."""

    histogram: Selector
    quantile: Decimal
    threshold: Decimal
    windows: tuple[timedelta, ...]
    native: bool = False
    kind: str = "quantile"
    unit: str = "events"
    has_budget: bool = False

    def value(self, window: timedelta, by: Labels) -> str:
        """The quantile over a window, in the histogram's unit; absent without events."""
        if self.native:
            rates = sum_by(by, self.histogram.rate(window))
        else:
            rates = sum_by(("le", *by), self.histogram.with_suffix("_bucket").rate(window))
        # Without events the quantile is NaN; `>= -Inf` leaves it out.
        return f"histogram_quantile({number(self.quantile)}, {rates}) >= -Inf"

    def total(self, window: timedelta, by: Labels) -> str:
        return self.twin().events(window, by)

    def errors(self, window: timedelta, by: Labels, zero: str) -> str:
        return self.twin().errors(window, by, zero)

    def twin(self) -> Latency:
        """The latency SLI that says the same with a budget: an objective of `quantile` percent."""
        return Latency(histogram=self.histogram, threshold=self.threshold, native=self.native)

    def inputs(self) -> tuple[Selector, ...]:
        return (self.histogram.family().with_suffix("" if self.native else "_count"),)

    def scope(self) -> tuple[Matcher, ...]:
        return self.histogram.matchers

    def series(self, fixture: Fixture) -> tuple[Series, ...]:
        """The twin's, and a bucket of twice the threshold, which the slow events lie in."""
        found = self.twin().series(fixture)
        labels = labels_for(self.histogram)
        if self.native or labels is None:
            return found
        wider = labels | {"le": number(self.threshold * 2)}
        slow = counter(f"{self.histogram.name}_bucket", wider, fixture, lambda bad: bad * 0 + 1)
        return (*found, slow)

    def describe(self) -> str:
        percent = number(self.quantile * 100)
        return f"P{percent} of `{self.histogram}` above {number(self.threshold)}"
