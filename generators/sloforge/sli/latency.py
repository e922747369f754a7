"""`latency`: events slower than a threshold, from a classic or a native histogram."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from sloforge.promql import Matcher, Selector, bucket, number, sum_by
from sloforge.sli.base import Series
from sloforge.sli.fixtures import counter, labels_for, spelled

if TYPE_CHECKING:
    from datetime import timedelta

    from sloforge.sli.base import Fixture, Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """An event is bad above `threshold`, in the histogram's own unit (seconds by convention)."""

    histogram: Selector
    threshold: Decimal
    native: bool = False
    kind: str = "latency"
    unit: str = "events"
    has_budget: bool = True

    def total(self, window: timedelta, by: Labels) -> str:
        if self.native:
            return self.events(window, by)
        # While a release changes the buckets, some series lack the bound: nobody knows which of
        # their events are slow, so none of them is counted.
        judged = f"{self._count().rate(window)} and ignoring (le) {self.within().rate(window)}"
        return sum_by(by, judged)

    def events(self, window: timedelta, by: Labels) -> str:
        """All events per second, whatever the bounds of the histogram."""
        if self.native:
            return f"histogram_count({sum_by(by, self.histogram.rate(window))})"
        return sum_by(by, self._count().rate(window))

    def unbounded(self) -> str | None:
        """Whether some series lack the bound that others have; None for a native histogram."""
        if self.native:
            return None
        (bounds,) = self.inputs()
        return f"group({self._count()} unless ignoring (le) {self.within()}) and on () {bounds}"

    def errors(self, window: timedelta, by: Labels, zero: str) -> str:
        total = self.total(window, by)
        if self.native:
            # The lower bound is -Inf: 0 gives NaN on Prometheus 3.5. Without events the fraction is
            # NaN, which `>= 0` leaves out and the zeros replace.
            rates = sum_by(by, self.histogram.rate(window))
            fast = f"histogram_fraction(-Inf, {number(self.threshold)}, {rates})"
            return f"({total} * (1 - {fast}) >= 0) or 0 * {zero}"
        # A bound that no series has leaves nothing, never "all events are slow".
        fast = sum_by(by, self.within().rate(window))
        return f"clamp_min({total} - {fast}, 0)"

    def inputs(self) -> tuple[Selector, ...]:
        family = self.histogram.family()
        if self.native:
            return (family,)
        return (family.with_suffix("_bucket", bucket(self.threshold)),)

    def scope(self) -> tuple[Matcher, ...]:
        return self.histogram.matchers

    def series(self, fixture: Fixture) -> tuple[Series, ...]:
        labels = labels_for(self.histogram)
        if labels is None:
            return ()
        if self.native:
            return (_native(self, labels, fixture),)
        name, bound = self.histogram.name, number(self.threshold)
        return (
            counter(f"{name}_count", labels, fixture, _all),
            counter(f"{name}_bucket", labels | {"le": bound}, fixture, lambda bad: 1 - bad),
            counter(f"{name}_bucket", labels | {"le": "+Inf"}, fixture, _all),
        )

    def describe(self) -> str:
        return f"an event of `{self.histogram}` above {number(self.threshold)}"

    def _count(self) -> Selector:
        return self.histogram.with_suffix("_count")

    def within(self) -> Selector:
        """The bucket of the events that are fast enough, in every spelling of its bound."""
        return self.histogram.with_suffix("_bucket", bucket(self.threshold))


def _all(bad: Decimal) -> Decimal:
    return bad * 0 + 1


def _native(sli: Latency, labels: dict[str, str], fixture: Fixture) -> Series:
    """Schema 0, the bucket (threshold/2, threshold] for fast and a far one for slow events."""
    fast, slow = 0, 0
    values = [_sample(sli.threshold, fast, slow)]
    for phase in fixture.phases:
        for _ in range(phase.steps):
            events = int(phase.traffic * fixture.events)
            bad = int(phase.bad * events)
            fast, slow = fast + events - bad, slow + bad
            values.append(_sample(sli.threshold, fast, slow))
    name = spelled(sli.histogram.name, labels | dict(fixture.labels))
    return Series(series=name, values=" ".join(values))


def _sample(threshold: Decimal, fast: int, slow: int) -> str:
    """Schema 0 bounds are powers of two: fast events lie two buckets below, slow ones two above."""
    at = 0
    while Decimal(2) ** at < threshold:
        at += 1
    while Decimal(2) ** (at - 1) >= threshold:
        at -= 1
    buckets = " ".join(str(n) for n in (fast, 0, 0, 0, slow))
    return f"{{{{schema:0 count:{fast + slow} sum:0 offset:{at - 2} buckets:[{buckets}]}}}}"
