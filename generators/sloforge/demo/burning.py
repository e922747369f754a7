"""How fast the budget of one SLO burns, and when that will cross the line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sloforge import naming
from sloforge.alerts import alerts
from sloforge.demo.servers import Prometheus
from sloforge.errors import Problem
from sloforge.model import Project, Slo
from sloforge.promql import duration
from sloforge.windows import Burn

# A forecast further away than this, in seconds, is none.
FAR = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """The SLO that the demo breaks, its burn that pages first, and the alert of that."""

    slo: Slo
    burn: Burn
    alert: str

    @property
    def subject(self) -> str:
        return f"{self.slo.service}/{self.slo.name}"

    @property
    def factor(self) -> float:
        return float(self.burn.factor(self.slo.window))

    @property
    def windows(self) -> tuple[str, str]:
        """The long one and the short one, as they are spelled."""
        return duration(self.burn.long), duration(self.burn.short)


def watched(project: Project, service: str) -> Watched:
    """The first SLO of the service that pages. Raises Problem where none does."""
    for alert in alerts(project):
        slo, burn = alert.slo, alert.burn
        if alert.service.name == service and alert.severity == "page" and slo and burn:
            return Watched(slo=slo, burn=burn, alert=alert.name)
    remedy = "the demo needs one to break; give it `burns: workbook`"
    raise Problem(f"service {service}: no SLO has a burn that pages; {remedy}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Burn rates by window at a moment, and the share of the budget that is left."""

    at: float
    rates: Mapping[str, float]
    left: float | None


def rates(prometheus: Prometheus, what: Watched, at: float) -> Rates:
    """As they are recorded; what is not recorded yet is missing."""
    slo = what.slo
    chosen = ",".join(f'{key}="{value}"' for key, value in slo.labels.items())
    prefix = naming.error_ratio(what.burn.long).removesuffix(what.windows[0])
    found = {
        one["metric"]["__name__"]: float(one["value"][1])
        for one in prometheus.instant(f'{{__name__=~"{prefix}.+|{naming.REMAINING}",{chosen}}}')
    }
    assert slo.budget is not None
    budget = float(slo.budget)
    ratios = {key: value / budget for key, value in found.items() if key.startswith(prefix)}
    return Rates(
        at=at,
        rates={key.removeprefix(prefix): value for key, value in ratios.items()},
        left=found.get(naming.REMAINING),
    )


def words(what: Watched, now: Rates, crossing: float | None) -> str:
    """The two windows against their line, what is left, and when the line will be crossed."""
    line, (long, short) = what.factor, what.windows
    rates = f"{long} {now.rates[long]:.1f}x, {short} {now.rates[short]:.1f}x"
    left = "" if now.left is None else f", {now.left:.1%} budget left"
    where = "below" if now.rates[long] > line else "above"
    ahead = "" if crossing is None else f"; {where} in {_about(crossing)}"
    return f"{rates} ({what.burn.severity} above {line:.1f}x){left}{ahead}"


def rising(what: Watched, before: Rates | None, now: Rates) -> float | None:
    """Seconds until the long window burns too, if it goes on as it did since `before`."""
    long, short = what.windows
    if before is None or long not in before.rates or now.at <= before.at:
        return None
    slope = (now.rates[long] - before.rates[long]) / (now.at - before.at)
    gap = what.factor - now.rates[long]
    burns = now.rates[short] > what.factor
    return gap / slope if burns and gap > 0 and slope * FAR > gap else None


def falling(what: Watched, peak: float, now: Rates, since: float) -> float | None:
    """Seconds until the short window has forgotten what burnt at `peak` and ended `since`."""
    long, short = what.windows
    if min(now.rates[long], now.rates[short]) <= what.factor or what.slo.budget is None:
        return None
    ratio = Decimal(peak) * what.slo.budget
    reset = what.burn.reset(what.slo.window, what.slo.budget, ratio).total_seconds()
    return max(0.0, since + reset - now.at)


def _about(seconds: float) -> str:
    """Rounded up to ten seconds, as nothing is seen in between."""
    minutes, rest = divmod(-(-int(seconds + 1) // 10) * 10, 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
