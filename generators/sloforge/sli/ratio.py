"""`ratio`: bad (or good) events over all events."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sloforge.promql import Expression, Matcher, Selector, shown, sum_by
from sloforge.sli.fixtures import counter, labels_for

if TYPE_CHECKING:
    from datetime import timedelta
    from decimal import Decimal

    from sloforge.sli.base import Fixture, Labels, Series

Source = Selector | Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Counters by selector, or any PromQL with `$window`; `part` is the bad or the good events."""

    whole: Source
    part: Source
    part_is_bad: bool
    kind: str = "ratio"
    unit: str = "events"
    has_budget: bool = True

    def total(self, window: timedelta, by: Labels) -> str:
        return _rate(self.whole, window, by)

    def errors(self, window: timedelta, by: Labels, zero: str) -> str:
        part = f"{_rate(self.part, window, by)} or 0 * {zero}"
        if self.part_is_bad:
            return part
        # A good counter that runs ahead of the total for one scrape must not give negative errors.
        return f"clamp_min({self.total(window, by)} - ({part}), 0)"

    def inputs(self) -> tuple[Selector, ...]:
        return (self.whole.family(),) if isinstance(self.whole, Selector) else ()

    def scope(self) -> tuple[Matcher, ...]:
        """Of two metrics, what both of them ask for: the rest says nothing about the other."""
        if not isinstance(self.whole, Selector):
            return ()
        if not isinstance(self.part, Selector) or self.part.name == self.whole.name:
            return self.whole.matchers
        return tuple(one for one in self.whole.matchers if one in self.part.matchers)

    def series(self, fixture: Fixture) -> tuple[Series, ...]:
        if not isinstance(self.whole, Selector) or not isinstance(self.part, Selector):
            return ()
        if self.part.name != self.whole.name:
            return self._two_counters(self.whole, self.part, fixture)
        inside = labels_for(_both(self.whole, self.part))
        outside = labels_for(self.whole, self.part)
        if inside is None or outside is None:
            return ()
        name = self.whole.name
        return (
            counter(name, outside, fixture, lambda bad: 1 - self._share(bad)),
            self._part(name, inside, fixture),
        )

    def _two_counters(
        self, whole: Selector, part: Selector, fixture: Fixture
    ) -> tuple[Series, ...]:
        every, some = labels_for(whole), labels_for(part)
        if every is None or some is None:
            return ()
        return (
            counter(whole.name, every, fixture, lambda bad: bad * 0 + 1),
            self._part(part.name, some, fixture),
        )

    def _part(self, name: str, labels: dict[str, str], fixture: Fixture) -> Series:
        return replace(counter(name, labels, fixture, self._share), lazy=self.part_is_bad)

    def _share(self, bad: Decimal) -> Decimal:
        return bad if self.part_is_bad else 1 - bad

    def describe(self) -> str:
        which = "an event counted by" if self.part_is_bad else "an event missing from"
        return f"{which} `{shown(self.part)}`, out of all counted by `{shown(self.whole)}`"


def _both(whole: Selector, part: Selector) -> Selector:
    return Selector(whole.name, tuple(dict.fromkeys(whole.matchers + part.matchers)))


def _rate(source: Source, window: timedelta, by: Labels) -> str:
    """An expression of the user's may divide: what is not a number or negative is left out."""
    total = sum_by(by, source.rate(window))
    return f"({total} >= 0)" if isinstance(source, Expression) else total
