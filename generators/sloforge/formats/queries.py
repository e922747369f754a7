"""SLIs as the queries of other tools: bad, good and all events, with a window of their spelling."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sloforge.promql import WINDOW, Expression, Selector, bucket
from sloforge.sli import Latency, Ratio, Sli

_RAW = re.compile(r"0 \* \((?P<query>.*)\) \+ 1", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """All events and a part of them, which is good or bad."""

    total: Selector | Expression
    part: Selector | Expression
    part_is_bad: bool

    @property
    def raw(self) -> str | None:
        """The ratio that is there already; None where events are counted."""
        found = _RAW.fullmatch(str(self.total)) if isinstance(self.total, Expression) else None
        return found["query"] if found and found["query"] == str(self.part) else None


def events(sli: Sli) -> Events | None:
    """None for what counts no events: gauges, comparisons, quantiles, native histograms."""
    match sli:
        case Ratio():
            return Events(total=sli.whole, part=sli.part, part_is_bad=sli.part_is_bad)
        case Latency(native=False):
            total = sli.histogram.with_suffix("_count")
            good = sli.histogram.with_suffix("_bucket", bucket(sli.threshold))
            return Events(total=total, part=good, part_is_bad=False)
        case _:
            return None


def summed(source: Selector | Expression, window: str) -> str:
    """Events per second over a window of any spelling; an expression is left as it is."""
    if isinstance(source, Selector):
        return f"sum(rate({source}[{window}]))"
    return source.text.replace(WINDOW, window)
