"""Multi-window, multi-burn-rate arithmetic.

Source: The Site Reliability Workbook, chapter 5, "Alerting on SLOs", table 5-8.
https://sre.google/workbook/alerting-on-slos/
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from sloforge.promql import seconds

AlertSeverity = Literal["page", "ticket"]

BASE = timedelta(minutes=5)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """Fires while budget burns faster than a factor over the long window and still over the short.

    Either `fixed` (a factor) or `spend` (the share of the budget gone within `long`) is set.
    """

    name: str
    severity: AlertSeverity
    long: timedelta
    short: timedelta
    fixed: Decimal | None = None
    spend: Decimal | None = None
    wait: timedelta = timedelta(0)
    keep_firing_for: timedelta = timedelta(0)
    labels: tuple[tuple[str, str], ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()

    def factor(self, period: timedelta) -> Decimal:
        """How many times faster than allowed: spend x period / long (workbook)."""
        if self.fixed is not None:
            return self.fixed
        assert self.spend is not None
        return self.spend * seconds(period) / seconds(self.long)

    def spent(self, period: timedelta) -> Decimal:
        """The share of the period's budget gone when it fires: factor x long / period."""
        return self.factor(period) * seconds(self.long) / seconds(period)

    def threshold(self, period: timedelta, budget: Decimal) -> Decimal:
        """The error ratio above which it fires."""
        return self.factor(period) * budget

    def detection(self, period: timedelta, budget: Decimal, ratio: Decimal) -> timedelta | None:
        """Time until it fires under a constant error ratio after clean history; None: never.

        threshold x long / ratio, from the workbook's "detection time".
        """
        threshold = self.threshold(period, budget)
        if ratio <= threshold:
            return None
        return _scale(self.long, threshold / ratio)

    def reset(self, period: timedelta, budget: Decimal, ratio: Decimal) -> timedelta:
        """Time from the end of the errors until the short window is below the threshold again."""
        threshold = self.threshold(period, budget)
        return _scale(self.short, max(Decimal(0), 1 - threshold / ratio))


def _scale(value: timedelta, by: Decimal) -> timedelta:
    return timedelta(seconds=float(seconds(value) * by))


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A named set of burns."""

    name: str
    burns: tuple[Burn, ...]


def _burn(name: str, severity: AlertSeverity, windows: tuple[float, float], **kind: str) -> Burn:
    long, short = (timedelta(hours=hours) for hours in windows)
    keep = min(short, timedelta(minutes=10))
    ((key, value),) = kind.items()
    fixed, spend = (Decimal(value), None) if key == "factor" else (None, Decimal(value))
    return Burn(
        name=name,
        severity=severity,
        long=long,
        short=short,
        fixed=fixed,
        spend=spend,
        keep_firing_for=keep,
    )


# The factors, not the shares, are kept for every period: at 30 days they are the workbook's 2 %,
# 5 % and 10 %, and at 7 days they stay above 1, where the shares would give 3.36, 1.4 and 0.23.
WORKBOOK = Policy(
    name="workbook",
    burns=(
        _burn("fast-burn", "page", (1, 1 / 12), factor="14.4"),
        _burn("slow-burn", "page", (6, 0.5), factor="6"),
        _burn("very-slow-burn", "ticket", (72, 6), factor="1"),
    ),
)
# The workbook's pairs and the 1d/2h one between them, as Sloth's catalogue has it.
FOUR_WINDOWS = Policy(
    name="four-windows",
    burns=(
        *WORKBOOK.burns[:2],
        _burn("steady-burn", "ticket", (24, 2), factor="3"),
        WORKBOOK.burns[2],
    ),
)
# For periods of one to three days, which the workbook's three-day window does not fit.
SHORT_PERIOD = Policy(
    name="short-period",
    burns=(
        _burn("fast-burn", "page", (1, 1 / 12), spend="0.2"),
        _burn("slow-burn", "page", (6, 0.5), spend="0.5"),
    ),
)
BUILT_IN = (WORKBOOK, FOUR_WINDOWS, SHORT_PERIOD)
