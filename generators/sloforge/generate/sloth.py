"""What Sloth recorded for an SLO, under its own names and labels: for boards and history of it.

Every series is copied from ours, which stand beside them; nothing of ours reads the copies, but for
the ratio over the period, which takes Sloth's history in until ours is as long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.promql import Selector, duration, number, seconds, selector
from sloforge.windows import DAY, HOUR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from sloforge.model import Slo, Sloth

Rule = dict[str, object]
# The release whose output this is.
VERSION = {"sloth_version": "v0.16.0", "sloth_mode": "cli-gen-prom", "sloth_spec": "prometheus/v1"}
# By how much Sloth's history must be the longer one: less is gaps.
LONGER = "1.1"
# Samples of it over a period: promtool holds 10,000 in an expression, which reads it several times.
MOST = 1000


def copies(slo: Slo, fresh: str) -> Iterator[Rule]:
    """After all of ours; what is recorded every five minutes is read over the range `fresh`."""
    sloth = slo.sloth
    if sloth is None or slo.objective is None or slo.budget is None:
        return
    rules = _Rules(slo, sloth)
    for window in _windows(slo, sloth):
        yield rules.ratio(window, str(naming.of(slo, naming.error_ratio(window))))
    period = f"last_over_time({naming.of(slo, naming.error_ratio(slo.window))}[{fresh}])"
    yield rules.ratio(slo.window, period)
    yield rules.rule(naming.OBJECTIVE, f"vector({number(slo.objective)})")
    yield rules.rule(naming.BUDGET, f"vector({number(slo.budget)})")
    yield rules.rule(naming.PERIOD, f"vector({number(seconds(slo.window) / seconds(DAY))})")
    budget = number(slo.budget)
    current = naming.sloths_ratio(min(_windows(slo, sloth)))
    yield rules.rule(naming.CURRENT_BURN, f"{_of(sloth, current)} / {budget}")
    whole = naming.sloths_ratio(slo.window)
    yield rules.rule(naming.PERIOD_BURN, f"{_of(sloth, whole)} / {budget}")
    yield rules.rule(naming.REMAINING, f"1 - {_of(sloth, naming.PERIOD_BURN)}")
    about = VERSION | {"sloth_objective": number(slo.objective * 100)}
    yield rules.rule(naming.SLOTH_INFO, "vector(1)", about)


def carried(slo: Slo, counted: str) -> str:
    """The ratio over the period: `counted` by us, or Sloth's hours while they reach back further.

    Sloth left ratios and no counts, so that its hours weigh alike.
    """
    hourly = history(slo)
    if hourly is None:
        return counted
    series, step = hourly
    over = f"[{duration(slo.window)}:{duration(step)}]"
    # An hour without events is NaN there.
    theirs = f"({series} >= 0){over}"
    longer = (
        f"sum(count_over_time({theirs}))"
        f" > {LONGER} * sum(count_over_time({naming.of(slo, naming.TOTAL_5M)}{over}))"
    )
    average = f"sum(sum_over_time({theirs})) / sum(count_over_time({theirs}))"
    return f"({counted}\nunless on ()\n{longer})\nor\n({average}\nand\n{longer})"


def history(slo: Slo) -> tuple[Selector, timedelta] | None:
    """Sloth's ratio over an hour, or the longest window below it, and how often it is looked at."""
    sloth = slo.sloth
    if sloth is None or slo.by or slo.window in slo.ratio_windows:
        return None
    found = [window for window in _windows(slo, sloth) if window <= HOUR]
    if not found:
        return None
    return _of(sloth, naming.sloths_ratio(max(found))), HOUR * -(-slo.window // (HOUR * MOST))


def _windows(slo: Slo, sloth: Sloth) -> list[timedelta]:
    return [window for window in slo.ratio_windows if window in sloth.windows]


def _of(sloth: Sloth, metric: str) -> Selector:
    return selector(metric, sloth.ids)


class _Rules:
    """Rules with Sloth's labels on what they record."""

    def __init__(self, slo: Slo, sloth: Sloth) -> None:
        self._without = f"max without ({', '.join(slo.labels)})"
        self._labels = sloth.ids | dict(sloth.labels)

    def rule(self, metric: str, expr: str, more: dict[str, str] | None = None) -> Rule:
        return {"record": metric, "expr": expr, "labels": self._labels | (more or {})}

    def ratio(self, window: timedelta, expr: str) -> Rule:
        over = {"sloth_window": naming.sloths_window(window)}
        return self.rule(naming.sloths_ratio(window), f"{self._without} ({expr})", over)
